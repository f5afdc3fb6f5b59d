namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Writes a call as SQL.</summary>
internal delegate SqlValue SqlFunction(SqlCall call);

/// <summary>The scalar functions that SQL can say, by their canonical KQL names. Each family of functions adds its own.</summary>
internal static class FunctionTable
{
    private static readonly Lazy<Dictionary<string, SqlFunction>> Lazy = new(() =>
    {
        var table = new Dictionary<string, SqlFunction>(StringComparer.Ordinal);
        ConversionFunctions.Add(table);
        StringFunctions.Add(table);
        RegexFunctions.Add(table);
        DateTimeFunctions.Add(table);
        MathFunctions.Add(table);
        ArrayFunctions.Add(table);
        BagFunctions.Add(table);
        NetFunctions.Add(table);
        EncodingFunctions.Add(table);
        GeoFunctions.Add(table);
        return table;
    });

    /// <summary>The function, or null when SQL cannot say it.</summary>
    public static SqlFunction? Find(string name) => Lazy.Value.GetValueOrDefault(name);

    /// <summary>
    /// The argument that SQL can only take as a constant, for functions that otherwise run in this process; -1 for all others.
    /// </summary>
    public static int ConstantArgument(string name) => name is "datetime_local_to_utc" or "datetime_utc_to_local" or "bag_has_key" or "bag_remove_keys" ? 1 : -1;

    /// <summary>Names of all functions in the table.</summary>
    public static IReadOnlyCollection<string> Names => Lazy.Value.Keys;
}
