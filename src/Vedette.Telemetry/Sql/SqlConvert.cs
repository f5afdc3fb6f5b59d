using System.Globalization;
using Vedette.Kql;

namespace Vedette.Telemetry.Sql;

/// <summary>Conversions between KQL types, with Kusto's results: what cannot be converted is null.</summary>
internal static class SqlConvert
{
    /// <summary>Ticks from 0001-01-01 to 1970-01-01.</summary>
    public const long UnixEpochTicks = 621355968000000000;

    public const long TicksPerDay = TimeSpan.TicksPerDay;

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
            return SqlConstant.Of(value.Constant, KqlType.Real);
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
        KqlType.String or KqlType.Dynamic => new SqlValue($"toDecimal256OrNull({ToText(value).Text}, 17)", KqlType.Decimal, true),
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
            KqlType.Dynamic => new SqlValue($"transform(lower({ToText(value).Text}), ['true', '1', 'false', '0'], [toNullable(true), true, false, false], NULL)", KqlType.Bool, true),
            _ => SqlConstant.Null(KqlType.Bool),
        };
    }

    public static SqlValue ToGuid(SqlValue value) => value.Type switch
    {
        KqlType.Guid => value,
        KqlType.String or KqlType.Dynamic => new SqlValue($"toUUIDOrNull(replaceRegexpAll({ToText(value).Text}, '[-{{}}() ]', ''))", KqlType.Guid, true),
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
            KqlType.Int or KqlType.Long => FromTicks(new SqlValue($"({x} - {UnixEpochTicks})", KqlType.TimeSpan, value.Nullable)),
            _ => SqlConstant.Null(KqlType.DateTime),
        };

        // The engine's lenient parser would complete partial texts ("12:00", "5") and count seconds of long numbers; Kusto reads neither as dates.
        static SqlValue FromText(string text) => new(
            SqlLambda.Let(text, v => $"if(match({v}, '[0-9]{{4}}') AND NOT match({v}, '^\\\\s*[0-9]{{9,13}}([.][0-9]*)?\\\\s*$'), parseDateTime64BestEffortUSOrNull({v}, 7, 'UTC'), NULL)"), KqlType.DateTime, true);
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
            KqlType.Real or KqlType.Decimal => new SqlValue($"toInt64({x})", KqlType.TimeSpan, value.Nullable),
            _ => SqlConstant.Null(KqlType.TimeSpan),
        };
    }

    /// <summary>A datetime as ticks since 1970.</summary>
    public static SqlValue Ticks(SqlValue value) =>
        value is { IsConstant: true, Constant: DateTime constant }
            ? SqlConstant.Long(constant.Ticks - UnixEpochTicks) with { Type = KqlType.TimeSpan }
            : new SqlValue($"reinterpret({value.Text}, 'Int64')", KqlType.TimeSpan, value.Nullable);

    /// <summary>Ticks since 1970 as a datetime; null outside the years 1 to 9999.</summary>
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
            case KqlType.Bool or KqlType.TimeSpan:
                return new SqlValue($"to{physical}({x})", type, value.Nullable);
            case KqlType.DateTime:
                return new SqlValue($"to{physical}({Ticks(value).Text} + {UnixEpochTicks})", type, value.Nullable);
            case KqlType.Real:
                return new SqlValue($"accurateCastOrNull(trunc({x}), '{physical}')", type, true);
            case KqlType.Decimal:
                return new SqlValue($"to{physical}({x})", type, value.Nullable);
            case KqlType.String:
                return new SqlValue(SqlLambda.Let(x, v => ParseInteger(v, physical)), type, true);
            case KqlType.Dynamic:
                return new SqlValue(FromJson(value, physical), type, true);
            default:
                return SqlConstant.Null(type);
        }
    }

    private static string ParseInteger(string x, string physical) =>
        $"if(startsWith(lower({x}), '0x'), to{physical}OrNull(toString(reinterpretAsInt64(reverse(unhex(substring({x}, 3)))))), "
        + $"ifNull(to{physical}OrNull(trimBoth({x})), if(match({x}, '^\\\\s*[-+]?[0-9]+\\\\.[0-9]*\\\\s*$'), accurateCastOrNull(trunc(toFloat64OrNull(trimBoth({x}))), '{physical}'), NULL)))";

    private static string FromJson(SqlValue value, string physical) => value.Json is { Steps.Count: > 0 } path
        ? $"JSONExtract({path.Root}{path.Arguments}, 'Nullable({physical})')"
        : $"JSONExtract({value.Text}, 'Nullable({physical})')";

    // Kusto prints a real as .NET does, but always as a real: 1.0 and not 1.
    private static string RealText(string x) =>
        $"multiIf(isNaN({x}), 'NaN', isInfinite({x}), if({x} > 0, '∞', '-∞'), "
        + $"abs({x}) >= 1e15 OR (abs({x}) < 1e-4 AND {x} != 0), {ExponentText(x)}, "
        + $"{x} = trunc({x}), concat(toString({x}), '.0'), toString({x}))";

    private static string ExponentText(string x)
    {
        // The engine switches to exponents elsewhere, so the mantissa is scaled by hand.
        var power = $"toInt64(floor(ifNotFinite(log10(abs({x})), 0)))";
        return $"concat(toString(round({x} / exp10({power}), 15)), 'E', if({power} >= 0, '+', '-'), leftPad(toString(abs({power})), 2, '0'))";
    }

    private static string DateTimeText(string x) => $"concat(replaceOne(toString({x}), ' ', 'T'), 'Z')";

    private static string TimeSpanText(string x) =>
        $"concat(if({x} < 0, '-', ''), "
        + $"if(abs({x}) >= {TicksPerDay}, concat(toString(intDiv(abs({x}), {TicksPerDay})), '.'), ''), "
        + $"leftPad(toString(intDiv(abs({x}), 36000000000) % 24), 2, '0'), ':', "
        + $"leftPad(toString(intDiv(abs({x}), 600000000) % 60), 2, '0'), ':', "
        + $"leftPad(toString(intDiv(abs({x}), 10000000) % 60), 2, '0'), "
        + $"if(abs({x}) % 10000000 = 0, '', concat('.', leftPad(toString(abs({x}) % 10000000), 7, '0'))))";

    private static string ParseTimeSpan(string x)
    {
        // [-][d.]hh:mm[:ss[.fffffff]], or a number with a unit.
        const string Clock = @"^\\s*(-?)(?:([0-9]+)\\.)?([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\\.([0-9]{1,7}))?)?\\s*$";
        const string Unit = @"^\\s*(-?[0-9]+(?:\\.[0-9]+)?)\\s*(d|h|m|s|ms|microsecond|tick|days?|hours?|minutes?|seconds?|milliseconds?)?\\s*$";
        var g = $"extractGroups({x}, '{Clock}')";
        var clock = $"if({g}[1] = '-', -1, 1) * (toInt64OrZero({g}[2]) * {TicksPerDay} + toInt64OrZero({g}[3]) * 36000000000 + toInt64OrZero({g}[4]) * 600000000"
            + $" + toInt64OrZero({g}[5]) * 10000000 + toInt64OrZero(rightPad({g}[6], 7, '0')))";
        var u = $"extractGroups({x}, '{Unit}')";
        var unit = $"toInt64(toFloat64OrZero({u}[1]) * transform({u}[2], ['d','h','m','s','ms','microsecond','tick',''], "
            + $"[{TicksPerDay}., 36000000000., 600000000., 10000000., 10000., 10., 1., {TicksPerDay}.], {TicksPerDay}.))";
        return $"multiIf(notEmpty({g}), {clock}, notEmpty({u}), {unit}, NULL)";
    }
}
