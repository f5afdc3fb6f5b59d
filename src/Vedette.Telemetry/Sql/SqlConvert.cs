using System.Globalization;
using Vedette.Kql;
using Vedette.Kql.Syntax;

namespace Vedette.Telemetry.Sql;

/// <summary>Conversions between KQL types, with Kusto's results: what cannot be converted is null.</summary>
internal static class SqlConvert
{
    /// <summary>Ticks from 0001-01-01 to 1970-01-01.</summary>
    public const long UnixEpochTicks = 621355968000000000;

    public const long TicksPerDay = TimeSpan.TicksPerDay;

    /// <summary>Ticks from 1970-01-01 to the first and the last instant there is.</summary>
    public const long FirstTicks = -UnixEpochTicks, LastTicks = 3155378975999999999 - UnixEpochTicks;

    /// <summary>Implicit or explicit conversion to a type.</summary>
    public static SqlValue To(SqlValue value, KqlType type) => type == value.Type ? value : type switch
    {
        KqlType.String => ToText(value),
        KqlType.Dynamic => ToDynamic(value),
        KqlType.Bool => ToBool(value),
        KqlType.Int => ToInt(value),
        KqlType.Long => ToLong(value),
        KqlType.Real => ToReal(value),
        KqlType.Decimal => ToDecimal(value),
        KqlType.DateTime => ToDateTime(value),
        KqlType.TimeSpan => ToTimeSpan(value),
        KqlType.Guid => ToGuid(value),
        _ => value,
    };

    /// <summary>Kusto's text of a value; '' for null.</summary>
    public static SqlValue ToText(SqlValue value)
    {
        if (value.Type == KqlType.String)
            return value;
        if (value is { IsConstant: true, Constant: null })
            return SqlConstant.String("");
        var x = value.Text;
        var text = value.Type switch
        {
            KqlType.Bool => $"if({x}, 'true', 'false')",
            KqlType.Int or KqlType.Long or KqlType.Guid or KqlType.Decimal => $"toString({x})",
            KqlType.Real => SqlLambda.Let(x, RealText),
            KqlType.DateTime => DateTimeText(x),
            KqlType.TimeSpan => SqlLambda.Let(x, TimeSpanText),
            KqlType.Dynamic when value.PlainText is { } plain => plain,
            KqlType.Dynamic when value.Json is { Steps.Count: > 0 } path => $"JSONExtract({path.Root}{path.Arguments}, 'String')",
            KqlType.Dynamic => $"JSONExtract({x}, 'String')",
            _ => x,
        };
        if (value.Type == KqlType.Bool && value.Nullable)
            return new SqlValue($"multiIf(isNull({x}), '', {x}, 'true', 'false')", KqlType.String, false);
        var result = new SqlValue(value.Nullable ? $"ifNull({text}, '')" : text, KqlType.String, false);
        return value.IsConstant && value.Constant is bool or int or long or Guid
            ? SqlConstant.String(value.Constant is bool b ? (b ? "true" : "false") : Convert.ToString(value.Constant, CultureInfo.InvariantCulture)!)
            : result;
    }

    /// <summary>The JSON text of a value as an element of an array or bag: 'null' for null.</summary>
    public static string ToJson(SqlValue value)
    {
        if (value is { IsConstant: true, Constant: null })
            return "'null'";
        var x = value.Text;
        var text = value.Type switch
        {
            KqlType.Dynamic when value.IsConstant => SqlText.Quote((string)value.Constant! is "" ? "null" : (string)value.Constant!),
            KqlType.Dynamic => value.IsPresent ? x : $"ifNull(nullIf({x}, ''), 'null')",
            KqlType.String => $"toJSONString({x})",
            KqlType.Bool => $"if({x}, 'true', 'false')",
            KqlType.Int or KqlType.Long or KqlType.Decimal => $"toString({x})",
            KqlType.Real => SqlLambda.Let(x, v => $"if(isFinite({v}), {RealText(v)}, concat('\"', {RealText(v)}, '\"'))"),
            _ => $"concat('\"', {ToText(value with { Nullable = false }).Text}, '\"')",
        };
        if (value.Type == KqlType.Bool && value.Nullable)
            return $"multiIf(isNull({x}), 'null', {x}, 'true', 'false')";
        return value.Nullable ? $"ifNull({text}, 'null')" : text;
    }

    /// <summary>A value as a dynamic one.</summary>
    public static SqlValue ToDynamic(SqlValue value)
    {
        if (value.Type == KqlType.Dynamic)
            return value;
        if (value is { IsConstant: true, Constant: null })
            return SqlConstant.Dynamic("");
        var json = ToJson(value with { Nullable = false });
        return new SqlValue(value.Nullable ? $"if(isNull({value.Text}), '', assumeNotNull({json}))" : json, KqlType.Dynamic, false);
    }

    public static SqlValue ToLong(SqlValue value) => ToInteger(value, KqlType.Long, "Int64");

    public static SqlValue ToInt(SqlValue value) => ToInteger(value, KqlType.Int, "Int32");

    public static SqlValue ToReal(SqlValue value)
    {
        var x = value.Text;
        if (value is { IsConstant: true, Constant: int or long })
            return SqlConstant.Of(Convert.ToDouble(value.Constant, CultureInfo.InvariantCulture), KqlType.Real);
        return value.Type switch
        {
            KqlType.Real => value,
            KqlType.String => new SqlValue($"toFloat64OrNull(trimBoth({x}))", KqlType.Real, true),
            KqlType.Dynamic => new SqlValue(FromJson(value, "Float64"), KqlType.Real, true),
            KqlType.Bool or KqlType.Int or KqlType.Long or KqlType.Decimal => new SqlValue($"toFloat64({x})", KqlType.Real, value.Nullable),
            KqlType.TimeSpan => new SqlValue($"toFloat64({x})", KqlType.Real, value.Nullable),
            KqlType.DateTime => new SqlValue($"toFloat64({Ticks(value).Text} + {UnixEpochTicks})", KqlType.Real, value.Nullable),
            _ => SqlConstant.Null(KqlType.Real),
        };
    }

    public static SqlValue ToDecimal(SqlValue value) => value.Type switch
    {
        KqlType.Decimal => value,
        KqlType.String or KqlType.Dynamic => new SqlValue($"toDecimal256OrNull(trimBoth({ToText(value).Text}), 17)", KqlType.Decimal, true),
        KqlType.Real => new SqlValue($"toDecimal256OrNull(toString({value.Text}), 17)", KqlType.Decimal, true),
        KqlType.Bool or KqlType.Int or KqlType.Long or KqlType.TimeSpan => new SqlValue($"toDecimal256({value.Text}, 17)", KqlType.Decimal, value.Nullable),
        _ => SqlConstant.Null(KqlType.Decimal),
    };

    public static SqlValue ToBool(SqlValue value)
    {
        var x = value.Text;
        return value.Type switch
        {
            KqlType.Bool => value,
            KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal => new SqlValue($"notEquals({x}, 0)", KqlType.Bool, value.Nullable),
            KqlType.String => new SqlValue($"transform(lower({x}), ['true', '1', 'false', '0'], [toNullable(true), true, false, false], NULL)", KqlType.Bool, true),
            // Of numbers, all but zero are true.
            KqlType.Dynamic => new SqlValue(
                SqlLambda.Let($"lower({x})", v => $"multiIf({v} IN ('true', '\"true\"', '\"1\"'), true, {v} IN ('false', '\"false\"', '\"0\"'), false, match({v}, '^-?[0-9]'), toFloat64OrZero({v}) != 0, NULL)"),
                KqlType.Bool, true),
            _ => SqlConstant.Null(KqlType.Bool),
        };
    }

    public static SqlValue ToGuid(SqlValue value) => value.Type switch
    {
        KqlType.Guid => value,
        // The first 32 digits count, with hyphens at their places or without; what follows does not.
        KqlType.String or KqlType.Dynamic => new SqlValue(
            $"toUUIDOrNull(replaceAll(extract({ToText(value).Text}, '^[0-9a-fA-F]{{8}}-?[0-9a-fA-F]{{4}}-?[0-9a-fA-F]{{4}}-?[0-9a-fA-F]{{4}}-?[0-9a-fA-F]{{12}}'), '-', ''))", KqlType.Guid, true),
        _ => SqlConstant.Null(KqlType.Guid),
    };

    public static SqlValue ToDateTime(SqlValue value)
    {
        var x = value.Text;
        return value.Type switch
        {
            KqlType.DateTime => value,
            KqlType.String => FromText(x),
            KqlType.Dynamic => FromText(ToText(value).Text),
            KqlType.Int or KqlType.Long => FromCheckedTicks(new SqlValue($"({x} - {SqlText.Long(UnixEpochTicks)})", KqlType.TimeSpan, value.Nullable)),
            _ => SqlConstant.Null(KqlType.DateTime),
        };

        static SqlValue FromText(string text)
        {
            // The engine's lenient parser would complete partial texts ("12:00", "5"), count seconds of long numbers and carry minutes over; Kusto reads none of them.
            const string NoDate = @"^\\s*[0-9]{9,13}([.][0-9]*)?\\s*$|^\\s*(?:1[3-9]|[2-9][0-9])[-/.][0-9]{1,2}[-/.][0-9]{4}|:[6-9][0-9]|[T ](?:2[4-9]|[3-9][0-9]):";

            // As in RFC 822 and RFC 850: the year may have two digits.
            const string DayFirst = @"^\\s*(?:[A-Za-z]{3,9},\\s*)?([0-9]{1,2})[ -]([A-Za-z]{3})[A-Za-z]*[ -]([0-9]{2}|[0-9]{4})(\\s|$)";
            return new SqlValue(
                SqlLambda.Let(text, v => $"multiIf(match({v}, '{NoDate}'), NULL, match({v}, '^\\\\s*[0-9]{{4}}'), {Parsed(v)}, match({v}, '{DayFirst}'), {Parsed(Completed(v))}, match({v}, '[0-9]{{4}}'), {Parsed(v)}, NULL)"), KqlType.DateTime, true);

            static string Parsed(string v) => $"parseDateTime64BestEffortUSOrNull({v}, 7, 'UTC')";

            static string Completed(string v) => SqlLambda.Let($"extractGroups({v}, '{DayFirst}')[3]", year =>
                $"multiIf(length({year}) = 4, {Written(v, "")}, {year} < '50', {Written(v, "20")}, {Written(v, "19")})");

            static string Written(string v, string century) => $"replaceRegexpOne({v}, '{DayFirst}', '\\\\1 \\\\2 {century}\\\\3\\\\4')";
        }
    }

    public static SqlValue ToTimeSpan(SqlValue value)
    {
        var x = value.Text;
        return value.Type switch
        {
            KqlType.TimeSpan => value,
            KqlType.String => new SqlValue(SqlLambda.Let(x, ParseTimeSpan), KqlType.TimeSpan, true),
            KqlType.Dynamic => new SqlValue(SqlLambda.Let(ToText(value).Text, ParseTimeSpan), KqlType.TimeSpan, true),
            KqlType.Int or KqlType.Long => new SqlValue($"toInt64({x})", KqlType.TimeSpan, value.Nullable),
            KqlType.Real => new SqlValue($"accurateCastOrNull(trunc({x}), 'Int64')", KqlType.TimeSpan, true),
            KqlType.Decimal => new SqlValue($"toInt64OrNull(toString(trunc({x})))", KqlType.TimeSpan, true),
            _ => SqlConstant.Null(KqlType.TimeSpan),
        };
    }

    /// <summary>A datetime as ticks since 1970.</summary>
    public static SqlValue Ticks(SqlValue value) =>
        value is { IsConstant: true, Constant: DateTime constant }
            ? SqlConstant.Long(constant.Ticks - UnixEpochTicks) with { Type = KqlType.TimeSpan }
            : new SqlValue($"reinterpret({value.Text}, 'Int64')", KqlType.TimeSpan, value.Nullable);

    /// <summary>Ticks since 1970 as a datetime; null outside the years 1 to 9999.</summary>
    public static SqlValue FromCheckedTicks(SqlValue ticks) => FromTicks(new SqlValue(
        SqlLambda.Let(ticks.Text, t => $"if({t} BETWEEN {SqlText.Long(FirstTicks)} AND {SqlText.Long(LastTicks)}, {t}, NULL)"), KqlType.TimeSpan, true));

    /// <summary>Ticks since 1970, known to be in the years 1 to 9999, as a datetime.</summary>
    public static SqlValue FromTicks(SqlValue ticks) => new($"reinterpret({ticks.Text}, 'DateTime64(7, \\'UTC\\')')", KqlType.DateTime, ticks.Nullable);

    private static SqlValue ToInteger(SqlValue value, KqlType type, string physical)
    {
        var x = value.Text;
        if (value is { IsConstant: true, Constant: int or long } && type == KqlType.Long)
            return SqlConstant.Of(value.Constant, type);
        switch (value.Type)
        {
            case KqlType.Int or KqlType.Long when value.Type == type:
                return value;
            case KqlType.Int:
                return new SqlValue($"toInt64({x})", type, value.Nullable);
            case KqlType.Long:
                return new SqlValue($"accurateCastOrNull({x}, 'Int32')", type, true);
            case KqlType.Bool:
                return new SqlValue($"to{physical}({x})", type, value.Nullable);
            case KqlType.TimeSpan or KqlType.DateTime:
            {
                var ticks = value.Type == KqlType.TimeSpan ? $"toInt64({x})" : $"({Ticks(value).Text} + {SqlText.Long(UnixEpochTicks)})";
                return type == KqlType.Long ? new SqlValue(ticks, type, value.Nullable) : new SqlValue($"accurateCastOrNull({ticks}, 'Int32')", type, true);
            }

            case KqlType.Real:
                return new SqlValue($"accurateCastOrNull(trunc({x}), '{physical}')", type, true);
            case KqlType.Decimal:
                return new SqlValue($"to{physical}OrNull(toString(trunc({x})))", type, true);
            case KqlType.String:
                return new SqlValue(SqlLambda.Let(x, v => ParseInteger(v, physical)), type, true);
            case KqlType.Dynamic:
                return new SqlValue(FromJson(value, physical), type, true);
            default:
                return SqlConstant.Null(type);
        }
    }

    private static string ParseInteger(string x, string physical) =>
        $"if(startsWith(lower({x}), '0x'), if(match({x}, '^..[0-9a-fA-F]{{1,16}}$'), to{physical}OrNull(toString(reinterpretAsInt64(reverse(unhex(substring({x}, 3)))))), NULL), "
        + $"ifNull(to{physical}OrNull(trimBoth({x})), if(match({x}, '^\\\\s*[-+]?[0-9]+\\\\.[0-9]*\\\\s*$'), accurateCastOrNull(trunc(toFloat64OrNull(trimBoth({x}))), '{physical}'), NULL)))";

    private static string FromJson(SqlValue value, string physical) => value.Json is { Steps.Count: > 0 } path
        ? $"JSONExtract({path.Root}{path.Arguments}, 'Nullable({physical})')"
        : $"JSONExtract({value.Text}, 'Nullable({physical})')";

    // Kusto prints a real as .NET does, but always as a real: 1.0 and not 1.
    private static string RealText(string x) =>
        $"multiIf(isNaN({x}), 'NaN', isInfinite({x}), if({x} > 0, '∞', '-∞'), "
        + $"abs({x}) >= 1e15 OR (abs({x}) < 1e-4 AND {x} != 0), {ExponentText(x)}, "
        + $"{x} = trunc({x}), concat(toString({x}), '.0'), toString({x}))";

    // The engine writes as few digits as tell the number, too, but begins with exponents elsewhere: at 1e21 and 1e-7.
    private static string ExponentText(string x) => $"concat(if({x} < 0, '-', ''), {SqlLambda.Let($"toString(abs({x}))", t =>
        $"multiIf(position({t}, 'e') > 0, {Scientific($"splitByChar('e', {t})[1]", $"toInt32OrZero(splitByChar('e', {t})[2])")}, "
        + $"abs({x}) >= 1, {Scientific(Digits($"replaceRegexpOne(replaceOne({t}, '.', ''), '0+$', '')"), $"length(splitByChar('.', {t})[1]) - 1")}, "
        + $"{Scientific(Digits($"replaceRegexpOne({t}, '^[0.]+', '')"), $"1 - length(extract({t}, '^[0.]+'))")})")})";

    private static string Scientific(string mantissa, string power) => SqlLambda.Let(power, p =>
        $"concat({mantissa}, 'E', if({p} >= 0, '+', '-'), if(abs({p}) < 10, '0', ''), toString(abs({p})))");

    private static string Digits(string digits) => SqlLambda.Let(digits, d => $"if(length({d}) = 1, {d}, concat(substring({d}, 1, 1), '.', substring({d}, 2)))");

    private static string DateTimeText(string x) => $"concat(replaceOne(toString({x}), ' ', 'T'), 'Z')";

    private static string TimeSpanText(string x) =>
        $"concat(if({x} < 0, '-', ''), "
        + $"if(abs({x}) >= {TicksPerDay}, concat(toString(intDiv(abs({x}), {TicksPerDay})), '.'), ''), "
        + $"leftPad(toString(intDiv(abs({x}), 36000000000) % 24), 2, '0'), ':', "
        + $"leftPad(toString(intDiv(abs({x}), 600000000) % 60), 2, '0'), ':', "
        + $"leftPad(toString(intDiv(abs({x}), 10000000) % 60), 2, '0'), "
        + $"if(abs({x}) % 10000000 = 0, '', concat('.', leftPad(toString(abs({x}) % 10000000), 7, '0'))))";

    /// <summary>Units of a number that stands for a timespan; without one it counts days.</summary>
    private static readonly IReadOnlyList<(string Name, double Ticks)> Units =
        [("", TimeSpan.TicksPerDay), .. LiteralText.TimeUnits.Select(n => (n.Key, n.Value == 0 ? 0.01 : (double)n.Value))];

    private static string ParseTimeSpan(string x)
    {
        // [-][d.]hh:mm[:ss[.fffffff]], or a number with a unit.
        const string Clock = @"^\\s*(-?)(?:([0-9]+)\\.)?([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\\.([0-9]{1,7}))?)?\\s*$";
        const string Unit = @"^\\s*(-?[0-9]+(?:\\.[0-9]+)?)\\s*([a-z]*)\\s*$";
        var g = $"extractGroups({x}, '{Clock}')";
        var clock = $"if(toInt64OrZero({g}[2]) > {TimeSpan.MaxValue.Days - 1}, NULL, if({g}[1] = '-', -1, 1) * (toInt64OrZero({g}[2]) * {TicksPerDay} + toInt64OrZero({g}[3]) * 36000000000 + toInt64OrZero({g}[4]) * 600000000"
            + $" + toInt64OrZero({g}[5]) * 10000000 + toInt64OrZero(rightPad({g}[6], 7, '0'))))";
        var u = $"extractGroups({x}, '{Unit}')";
        var unit = $"accurateCastOrNull(trunc(toFloat64OrZero({u}[1]) * transform({u}[2], [{string.Join(", ", Units.Select(n => SqlText.Quote(n.Name)))}], "
            + $"[{string.Join(", ", Units.Select(n => SqlText.Real(n.Ticks)))}], nan)), 'Int64')";
        return $"multiIf(notEmpty({g}), {clock}, notEmpty({u}), {unit}, NULL)";
    }
}
