using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Numbers and bits.</summary>
internal static class MathFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        foreach (var (name, sql) in new[]
        {
            ("atan", "atan"), ("cos", "cos"), ("sin", "sin"), ("tan", "tan"), ("exp", "exp"), ("exp2", "exp2"), ("exp10", "exp10"),
            ("degrees", "degrees"), ("radians", "radians"), ("erf", "erf"), ("erfc", "erfc"), ("gamma", "tgamma"), ("loggamma", "lgamma"),
        })
            table[name] = c => c.Real($"{sql}({c.R(0)})");
        // Null where they have no value; the engine gives NaN.
        foreach (var name in new[] { "log", "log10", "log2", "sqrt" })
            table[name] = c => Within(c, x => $"{x} < 0");
        foreach (var name in new[] { "acos", "asin" })
            table[name] = c => Within(c, x => $"abs({x}) > 1");
        table["cot"] = c => c.Real($"(1 / tan({c.R(0)}))");
        table["atan2"] = c => c.Real($"atan2({c.R(0)}, {c.R(1)})");
        table["pow"] = c => c.Real($"pow({c.R(0)}, {c.R(1)})");
        table["pi"] = c => SqlConstant.Of(Math.PI, KqlType.Real);
        table["abs"] = c => Same(c, x => $"abs({x})");
        table["sign"] = c => Same(c, x => $"sign({x})");
        table["ceiling"] = c => Same(c, x => $"ceil({x})");
        table["floor"] = Bin;
        table["bin"] = Bin;
        table["bin_at"] = BinAt;
        table["round"] = c => c.Type == KqlType.Long
            ? c.Long(c.Has(1) ? $"round({c.Raw(0)}, greatest(least({c.L(1)}, 18), -18))" : c.Raw(0))
            : c.Real(Round(c.R(0), !c.Has(1) ? "1." : c[1] is { IsConstant: true, Constant: not null } ? Scale(c.ConstantLong(1)) : $"exp10({c.L(1)})"));
        table["isfinite"] = c => c.Bool($"isFinite({c.R(0)})");
        table["isinf"] = c => c.Bool($"isInfinite({c.R(0)})");
        table["isnan"] = c => c.Bool($"isNaN({c.R(0)})");
        table["around"] = Around;
        table["binary_and"] = c => c.Long($"bitAnd({c.L(0)}, {c.L(1)})");
        table["binary_or"] = c => c.Long($"bitOr({c.L(0)}, {c.L(1)})");
        table["binary_xor"] = c => c.Long($"bitXor({c.L(0)}, {c.L(1)})");
        table["binary_not"] = c => c.Long($"bitNot({c.L(0)})");
        table["binary_shift_left"] = c => Shifted(c, "bitShiftLeft");
        table["binary_shift_right"] = c => Shifted(c, "bitShiftRight");
        table["bitset_count_ones"] = c => c.Long($"toInt64(bitCount({c.L(0)}))");
        table["tohex"] = c =>
        {
            var hex = SqlLambda.Let($"lower(hex({(c[0].Type == KqlType.Int ? c.Raw(0) : c.L(0))}))", h => $"if(match({h}, '^0+$'), '0', replaceRegexpOne({h}, '^0+', ''))");
            return c.Text(c.Has(1) ? SqlLambda.Let(hex, h => $"if(length({h}) >= {c.L(1)}, {h}, leftPad({h}, toUInt32(least({c.L(1)}, 16)), '0'))") : hex);
        };
        table["range"] = Range;
    }

    private static SqlValue Within(SqlCall c, Func<string, string> outside) =>
        c.Value(SqlLambda.Let(c.R(0), x => $"if({outside(x)}, NULL, {c.Name}({x}))"), KqlType.Real, true);

    private static SqlValue Shifted(SqlCall c, string function) =>
        c.Value(SqlLambda.Let(c.L(1), n => $"if({n} < 0, NULL, {function}({c.L(0)}, positiveModulo({n}, 64)))"), KqlType.Long, true);

    private static string Scale(long digits) => digits is >= -300 and <= 300 ? $"1e{digits.ToString(System.Globalization.CultureInfo.InvariantCulture)}" : "1.";

    /// <summary>Halves go away from zero; the engine's own rounding takes them to the even neighbour.</summary>
    private static string Round(string value, string scale) => SqlLambda.Let(value, v =>
        $"if(abs({v}) * {scale} < 4503599627370496, if({v} >= 0, floor({v} * {scale} + 0.5), 0 - floor(0.5 - {v} * {scale})) / {scale}, {v})");

    private static SqlValue Same(SqlCall c, Func<string, string> write)
    {
        var type = c.Type is KqlType.Unknown or KqlType.Dynamic ? KqlType.Real : c.Type;
        var value = SqlConvert.To(c[0], type);
        return new SqlValue(type == KqlType.Int ? $"toInt32({write(value.Text)})" : type is KqlType.Long ? $"toInt64({write(value.Text)})" : write(value.Text), type, value.Nullable);
    }

    /// <summary>Rounds down to a multiple of the step; days and weeks start where 0001-01-01 does.</summary>
    private static SqlValue Bin(SqlCall c)
    {
        var value = c[0];
        var step = c.Has(1) ? c[1] : SqlConstant.Long(1);
        if (value.Type == KqlType.Dynamic)
            value = SqlConvert.To(value, c.Type is KqlType.Dynamic or KqlType.Unknown ? KqlType.Real : c.Type);
        switch (value.Type)
        {
            case KqlType.DateTime:
            {
                var size = SqlConvert.ToTimeSpan(step);
                if (size is { IsConstant: true, Constant: TimeSpan { Ticks: > 0 } constant })
                {
                    var offset = SqlConvert.UnixEpochTicks % constant.Ticks;
                    return SqlConvert.FromTicks(Floor(SqlConvert.Ticks(value), SqlText.Long(constant.Ticks), offset, false));
                }

                return SqlConvert.FromTicks(Floor(SqlConvert.Ticks(value), size.Text, SqlConvert.UnixEpochTicks, true));
            }

            case KqlType.TimeSpan:
            {
                var size = SqlConvert.ToTimeSpan(step);
                return Floor(value, size.Text, 0, size is not { IsConstant: true, Constant: TimeSpan { Ticks: > 0 } }) with { Type = KqlType.TimeSpan };
            }

            case KqlType.Int or KqlType.Long when SqlTypes.IsInteger(step.Type) || step.Type == KqlType.TimeSpan:
            {
                var result = Floor(SqlConvert.ToLong(value), step.Text, 0, step is not { IsConstant: true, Constant: > 0L });
                return c.Type == KqlType.Int ? SqlConvert.ToInt(result with { Type = KqlType.Long }) : result with { Type = KqlType.Long };
            }

            default:
                return step is { IsConstant: true, Constant: int or long or double } && Convert.ToDouble(step.Constant, System.Globalization.CultureInfo.InvariantCulture) > 0
                    ? c.Real(SqlLambda.Let(c.R(0), SqlConvert.ToReal(step).Text, (x, s) => $"(floor({x} / {s}) * {s})"))
                    : c.Value(SqlLambda.Let(c.R(0), c.R(1), (x, s) => $"if({s} > 0, floor({x} / {s}) * {s}, NULL)"), KqlType.Real, true);
        }

        static SqlValue Floor(SqlValue ticks, string size, long offset, bool checkedStep)
        {
            // A step that is zero or less has no multiples.
            var modulo = checkedStep ? "positiveModuloOrNull" : "positiveModulo";
            return new SqlValue(
                SqlLambda.Let(ticks.Text, t => (offset == 0 ? t : $"{t} + {SqlText.Long(offset)}") is var from && checkedStep
                    ? SqlLambda.Let(size, s => $"if({s} > 0, {t} - positiveModulo({from}, if({s} > 0, {s}, 1)), NULL)")
                    : $"({t} - {modulo}({from}, {size}))"),
                ticks.Type,
                checkedStep || ticks.Nullable);
        }
    }

    private static SqlValue BinAt(SqlCall c)
    {
        if (c[0].Type is KqlType.DateTime)
            return SqlConvert.FromTicks(c.Value(SqlLambda.Let(c.Ticks(0), c.Ticks(2), (t, at) => $"({t} - positiveModulo({t} - {at}, {Step(c.X(1))}))"), KqlType.TimeSpan, true));
        if (c[0].Type is KqlType.TimeSpan)
            return c.Value(SqlLambda.Let(c.X(0), c.X(2), (t, at) => $"({t} - positiveModulo({t} - {at}, {Step(c.X(1))}))"), KqlType.TimeSpan, true);
        if (c.Type is KqlType.Long or KqlType.Int)
            return c.Value(SqlLambda.Let(c.L(0), c.L(2), (t, at) => $"({t} - positiveModulo({t} - {at}, {Step(c.L(1))}))"), KqlType.Long, true);
        return c.Value(SqlLambda.Let(c.R(0), c.R(2), (t, at) => SqlLambda.Let(Step(c.R(1)), s => $"({at} + floor(({t} - {at}) / {s}) * {s})")), KqlType.Real, true);

        static string Step(string size) => SqlLambda.Let(size, s => $"if({s} > 0, {s}, NULL)");
    }

    private static SqlValue Around(SqlCall c)
    {
        if (c[0].Type == KqlType.DateTime)
            return c.Bool($"(abs({c.Ticks(0)} - {c.Ticks(1)}) <= {c.X(2)})");
        return c[0].Type == KqlType.TimeSpan ? c.Bool($"(abs({c.X(0)} - {c.X(1)}) <= {c.X(2)})") : c.Bool($"(abs({c.R(0)} - {c.R(1)}) <= {c.R(2)})");
    }

    /// <summary>range(start, stop [, step]) as an array.</summary>
    private static SqlValue Range(SqlCall c)
    {
        const int limit = 1048576;
        if (c[0].Type is KqlType.DateTime)
        {
            var step = c.Has(2) ? c.X(2) : SqlText.Long(TimeSpan.TicksPerHour);
            return SqlJson.FromElements($"arrayMap(i -> {SqlConvert.ToJson(SqlConvert.FromTicks(new SqlValue($"({c.Ticks(0)} + i * {step})", KqlType.TimeSpan, false)))}, {Indexes(c.Ticks(0), c.Ticks(1), step)})");
        }

        if (c[0].Type is KqlType.TimeSpan)
        {
            var step = c.Has(2) ? c.X(2) : SqlText.Long(TimeSpan.TicksPerHour);
            return SqlJson.FromElements($"arrayMap(i -> {SqlConvert.ToJson(new SqlValue($"({c.X(0)} + i * {step})", KqlType.TimeSpan, false))}, {Indexes(c.X(0), c.X(1), step)})");
        }

        if (c.Arguments.Any(a => a.Type is KqlType.Real or KqlType.Decimal))
        {
            var step = c.Has(2) ? c.R(2) : "1.";
            return SqlJson.FromElements($"arrayMap(i -> {SqlConvert.ToJson(new SqlValue($"({c.R(0)} + i * {step})", KqlType.Real, false))}, {Indexes(c.R(0), c.R(1), step)})");
        }

        var size = c.Has(2) ? c.L(2) : "1";
        return SqlJson.FromElements($"arrayMap(i -> toString({c.L(0)} + i * {size}), {Indexes(c.L(0), c.L(1), size)})");

        static string Indexes(string from, string to, string step) =>
            $"range(toUInt32(ifNull(if(({step}) = 0, 0, least(greatest(floor((({to}) - ({from})) / ({step})) + 1, 0), {limit})), 0)))";
    }
}
