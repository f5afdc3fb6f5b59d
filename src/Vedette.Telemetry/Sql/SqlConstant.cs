using System.Globalization;
using System.Text.Json;
using Vedette.Kql;

namespace Vedette.Telemetry.Sql;

/// <summary>Literals and NULLs as <see cref="SqlValue"/>.</summary>
internal static class SqlConstant
{
    public static SqlValue String(string value) => new(SqlText.Quote(value), KqlType.String, false) { IsConstant = true, Constant = value };

    public static SqlValue Long(long value) => new("toInt64(" + value.ToString(CultureInfo.InvariantCulture) + ")", KqlType.Long, false) { IsConstant = true, Constant = value };

    public static SqlValue Dynamic(string json) =>
        new(SqlText.Quote(json is "null" ? "" : json), KqlType.Dynamic, false) { IsConstant = true, Constant = json is "null" ? "" : json };

    public static SqlValue Null(KqlType type) => type switch
    {
        KqlType.String => String(""),
        KqlType.Dynamic => Dynamic(""),
        _ => new SqlValue("CAST(NULL, 'Nullable(" + SqlTypes.Physical(type).Replace("'", "\\'", StringComparison.Ordinal) + ")')", type, true) { IsConstant = true, Constant = null },
    };

    /// <summary>A .NET value of a KQL type as SQL.</summary>
    public static SqlValue Of(object? value, KqlType type)
    {
        if (value is null)
            return Null(type);
        var text = type switch
        {
            KqlType.Bool => (bool)value ? "true" : "false",
            KqlType.Int => "toInt32(" + Convert.ToInt32(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) + ")",
            KqlType.Long => "toInt64(" + Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) + ")",
            KqlType.Real => SqlText.Real(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
            KqlType.Decimal => Convert.ToDecimal(value, CultureInfo.InvariantCulture) is var number && Math.Abs(number) < 1e20m
                ? "toDecimal128('" + number.ToString(CultureInfo.InvariantCulture) + "', 17)"
                : "toDecimal256('" + number.ToString(CultureInfo.InvariantCulture) + "', 17)",
            KqlType.DateTime => SqlText.DateTime((DateTime)value),
            KqlType.TimeSpan => "toInt64(" + ((TimeSpan)value).Ticks.ToString(CultureInfo.InvariantCulture) + ")",
            KqlType.Guid => "toUUID('" + ((Guid)value).ToString("D") + "')",
            KqlType.Dynamic => SqlText.Quote(DynamicText(value)),
            _ => SqlText.Quote((string)value),
        };
        return new SqlValue(text, type, false) { IsConstant = true, Constant = type == KqlType.Dynamic ? DynamicText(value) : value };
    }

    private static string DynamicText(object value) => value switch
    {
        JsonElement element => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? "" : element.GetRawText(),
        "null" => "",
        string text => text,
        _ => value.ToString() ?? "",
    };
}

/// <summary>Physical types of the KQL types.</summary>
internal static class SqlTypes
{
    /// <summary>The engine's type without its Nullable wrapper.</summary>
    public static string Physical(KqlType type) => type switch
    {
        KqlType.Bool => "Bool",
        KqlType.Int => "Int32",
        KqlType.Long or KqlType.TimeSpan => "Int64",
        KqlType.Real => "Float64",
        KqlType.Decimal => "Decimal(76, 17)",
        KqlType.DateTime => SqlText.DateTimeType,
        KqlType.Guid => "UUID",
        _ => "String",
    };

    /// <summary>The engine's type as a column of an intermediate result.</summary>
    public static string Column(KqlType type) =>
        type is KqlType.String or KqlType.Dynamic or KqlType.Unknown ? "String" : "Nullable(" + Physical(type) + ")";

    public static bool IsNumber(KqlType type) => type is KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal;

    public static bool IsInteger(KqlType type) => type is KqlType.Int or KqlType.Long;
}
