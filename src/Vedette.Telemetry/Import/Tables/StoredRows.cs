using System.Security.Cryptography;
using System.Text;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>Knows which rows a tenant has already, by a hash over all their values.</summary>
public sealed class StoredRows(IClickHouse engine, TelemetryOptions options)
{
    /// <summary>Hashes of the rows of a table between two moments, both included; of all its rows when it holds a state.</summary>
    internal async Task<HashSet<UInt128>> HashesAsync(Guid tenantId, HuntingTable table, DateTime from, DateTime until, CancellationToken cancellationToken)
    {
        var columns = string.Join(", ", table.Columns.Select(column => ClickHouseName.Quote(column.Name)));
        var window = PhysicalTable.All[table.Name].TimeColumn is { } time ? $" AND {ClickHouseName.Quote(time)} >= {{from:DateTime64(7, 'UTC')}} AND {ClickHouseName.Quote(time)} <= {{until:DateTime64(7, 'UTC')}}" : "";
        var parameters = new List<ClickHouseParameter> { new("tenant", tenantId) };
        if (window.Length > 0) parameters.AddRange([new("from", from), new("until", until)]);
        await using var reader = await engine.QueryAsync(
            new ClickHouseStatement($"SELECT {columns} FROM {ClickHouseName.Quote(options.Database)}.{ClickHouseName.Quote(table.Name)} WHERE {PhysicalTable.TenantColumn} = {{tenant:UUID}}{window}") { Parameters = parameters },
            cancellationToken);
        var known = new HashSet<UInt128>();
        var values = new object?[table.Columns.Count];
        while (await reader.ReadAsync() is { } block)
        {
            for (var row = 0; row < block.RowCount; row++)
            {
                for (var column = 0; column < values.Length; column++) values[column] = HuntingRows.Value(block.Columns[column], row, table.Columns[column].Type);
                known.Add(Hash(values));
            }
        }

        return known;
    }

    /// <summary>What tells a row from another of its table. An absent text is as good as an empty one.</summary>
    internal static UInt128 Hash(IReadOnlyList<object?> values)
    {
        var text = new StringBuilder();
        foreach (var value in values)
        {
            text.Append(value switch
            {
                null => "",
                DateTime time => time.Ticks.ToString(System.Globalization.CultureInfo.InvariantCulture),
                IFormattable other => other.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
                _ => value.ToString(),
            }).Append('\u001F');
        }

        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
