namespace Vedette.Kql;

/// <summary>Facts about scalar types: names and conversions between them.</summary>
public static class KqlTypes
{
    private static readonly Dictionary<string, KqlType> Names = new(StringComparer.Ordinal)
    {
        ["bool"] = KqlType.Bool,
        ["boolean"] = KqlType.Bool,
        ["int"] = KqlType.Int,
        ["int32"] = KqlType.Int,
        ["long"] = KqlType.Long,
        ["int64"] = KqlType.Long,
        ["real"] = KqlType.Real,
        ["double"] = KqlType.Real,
        ["decimal"] = KqlType.Decimal,
        ["string"] = KqlType.String,
        ["datetime"] = KqlType.DateTime,
        ["DateTime"] = KqlType.DateTime,
        ["date"] = KqlType.DateTime,
        ["timespan"] = KqlType.TimeSpan,
        ["time"] = KqlType.TimeSpan,
        ["guid"] = KqlType.Guid,
        ["uniqueid"] = KqlType.Guid,
        ["uuid"] = KqlType.Guid,
        ["dynamic"] = KqlType.Dynamic,
    };

    /// <summary>All words for types.</summary>
    internal static IEnumerable<string> AllNames => Names.Keys;

    private static readonly Dictionary<string, KqlType>.AlternateLookup<ReadOnlySpan<char>> Lookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Reads a type word, including old spellings (<c>double</c>, <c>date</c>, <c>uniqueid</c> …).</summary>
    public static bool TryParse(ReadOnlySpan<char> name, out KqlType type) => Lookup.TryGetValue(name, out type);

    /// <summary>The language's name of a type: <c>long</c>, <c>datetime</c> …; <c>unknown</c> for <see cref="KqlType.Unknown"/>.</summary>
    public static string Name(this KqlType type) => type switch
    {
        KqlType.Bool => "bool",
        KqlType.Int => "int",
        KqlType.Long => "long",
        KqlType.Real => "real",
        KqlType.Decimal => "decimal",
        KqlType.String => "string",
        KqlType.DateTime => "datetime",
        KqlType.TimeSpan => "timespan",
        KqlType.Guid => "guid",
        KqlType.Dynamic => "dynamic",
        _ => "unknown",
    };

    /// <summary>The .NET name that query results carry: <c>Int64</c>, <c>DateTime</c>, <c>SByte</c> for bool …</summary>
    public static string DotNetName(this KqlType type) => type switch
    {
        KqlType.Bool => "SByte",
        KqlType.Int => "Int32",
        KqlType.Long => "Int64",
        KqlType.Real => "Double",
        KqlType.Decimal => "SqlDecimal",
        KqlType.String => "String",
        KqlType.DateTime => "DateTime",
        KqlType.TimeSpan => "TimeSpan",
        KqlType.Guid => "Guid",
        _ => "Object",
    };

    /// <summary>int or long.</summary>
    public static bool IsInteger(this KqlType type) => type is KqlType.Int or KqlType.Long;

    /// <summary>int, long, real or decimal.</summary>
    public static bool IsNumeric(this KqlType type) => type is KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal;

    /// <summary>A number, datetime or timespan.</summary>
    public static bool IsSummable(this KqlType type) => type.IsNumeric() || type is KqlType.DateTime or KqlType.TimeSpan;

    /// <summary>Has an order: everything but guid and dynamic.</summary>
    public static bool IsOrderable(this KqlType type) => type.IsSummable() || type is KqlType.Bool or KqlType.String;

    /// <summary>Whether every value of <paramref name="from"/> is promoted to <paramref name="to"/> by itself (int to long, real, decimal …).</summary>
    public static bool IsPromotable(KqlType from, KqlType to) => (from, to) switch
    {
        (KqlType.Int, KqlType.Long or KqlType.Real or KqlType.Decimal) => true,
        (KqlType.Long, KqlType.Real or KqlType.Decimal) => true,
        (KqlType.Real, KqlType.Decimal) => true,
        (KqlType.Dynamic, KqlType.String) => true,
        _ => false,
    };

    /// <summary>The wider of two numeric types.</summary>
    public static KqlType Widest(KqlType a, KqlType b) => Rank(a) >= Rank(b) ? a : b;

    private static int Rank(KqlType type) => type switch
    {
        KqlType.Int => 1,
        KqlType.Long => 2,
        KqlType.Real => 3,
        KqlType.Decimal => 4,
        _ => 0,
    };
}
