using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Ingest;

/// <summary>
/// One row on its way into a hunting table. Values are .NET values of the column's KQL type: string, int, long, double, decimal, bool,
/// <see cref="DateTime"/> (UTC), <see cref="TimeSpan"/>, <see cref="Guid"/>; a dynamic value is its JSON text. Null means null (the empty
/// string for a string column).
/// </summary>
public sealed class HuntingRow(HuntingTable table)
{
    /// <summary>The table that the row belongs to.</summary>
    public HuntingTable Table { get; } = table;

    /// <summary>Values by column ordinal.</summary>
    public object?[] Values { get; } = new object?[table.Columns.Count];

    /// <summary>A value by column name.</summary>
    /// <exception cref="ArgumentException">The table has no such column.</exception>
    public object? this[string column]
    {
        get => Values[Ordinal(column)];
        set => Values[Ordinal(column)] = value;
    }

    /// <summary>Starts a row of the named table.</summary>
    /// <exception cref="KeyNotFoundException">There is no such table.</exception>
    public static HuntingRow For(string table) => new(HuntingSchema.Tables[table]);

    private int Ordinal(string column)
    {
        var ordinal = Table.OrdinalOf(column);
        return ordinal >= 0 ? ordinal : throw new ArgumentException($"{Table.Name} has no column '{column}'.", nameof(column));
    }
}
