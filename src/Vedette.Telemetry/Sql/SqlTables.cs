using System.Collections.Concurrent;
using Vedette.Kql;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Sql;

/// <summary>The hunting tables as the compiler sees them.</summary>
public static class SqlTables
{
    private static readonly ConcurrentDictionary<(string Database, string Table), SqlTable?> Known = new();

    /// <summary>A resolver over the hunting tables of a database.</summary>
    public static Func<string, SqlTable?> In(string database) => name => Known.GetOrAdd((database, name), static key =>
    {
        if (!PhysicalTable.All.TryGetValue(key.Table, out var table))
            return null;
        var columns = table.Columns.ToDictionary(c => c.Name, c => new SqlTableColumn(c.Name, c.KqlType, c.Nullable, c.IsDictionary), StringComparer.Ordinal);
        return new SqlTable(key.Database, key.Table, columns, table.TimeColumn, table.DeviceColumn) { CountedColumns = table.CountedColumns };
    });

    /// <summary>The hunting tables as names for the binder.</summary>
    public static IEnumerable<KqlTable> Schema =>
        HuntingSchema.Tables.Values.Select(t => new KqlTable(t.Name, [.. t.Columns.Select(c => new KqlColumnDefinition(c.Name, c.Type))]));
}
