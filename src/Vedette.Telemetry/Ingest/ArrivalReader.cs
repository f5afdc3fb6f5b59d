using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Ingest;

/// <summary>A row in the order of its arrival.</summary>
/// <param name="Arrived">When the server received it, UTC.</param>
/// <param name="Values">Values by column ordinal of its table.</param>
public readonly record struct ArrivedRow(DateTime Arrived, object?[] Values);

/// <summary>
/// Reads rows in the order of their arrival, window by window, so that who follows them misses none: a window ends where every row that arrived
/// before is visible (<see cref="IHuntingStore.CompleteUntil"/>).
/// </summary>
public sealed class ArrivalReader(IClickHouse engine, TelemetryOptions options)
{
    private readonly string _database = ClickHouseName.Quote(options.Database);

    /// <summary>When each table's stored parts last changed. A table whose time is still the same has no new rows.</summary>
    public async Task<IReadOnlyDictionary<string, DateTime>> ChangesAsync(CancellationToken cancellationToken)
    {
        var rows = await engine.RowsAsync(
            new ClickHouseStatement("SELECT table, toDateTime64(max(modification_time), 7, 'UTC'), count() FROM system.parts WHERE active AND database = {database:String} GROUP BY table")
            {
                Parameters = [new("database", options.Database)],
            },
            cancellationToken);
        return rows.ToDictionary(row => (string)row[0]!, row => ((DateTime)row[1]!).AddTicks(Convert.ToInt64(row[2], System.Globalization.CultureInfo.InvariantCulture)), StringComparer.Ordinal);
    }

    /// <summary>
    /// Where a window that begins at <paramref name="from"/> ends so that it holds about <paramref name="rows"/> rows; rows that arrived together
    /// are never parted. Null when nothing arrived before <paramref name="until"/>.
    /// </summary>
    public async Task<DateTime?> WindowAsync(Guid tenantId, HuntingTable table, DateTime from, DateTime until, int rows, CancellationToken cancellationToken)
    {
        const int moments = 10_000;
        var counted = await engine.RowsAsync(
            new ClickHouseStatement(
                $"""
                SELECT {PhysicalTable.IngestTimeColumn}, count() FROM {_database}.{ClickHouseName.Quote(table.Name)}
                WHERE {Window} GROUP BY 1 ORDER BY 1 LIMIT {moments}
                """) { Parameters = Parameters(tenantId, from, until) },
            cancellationToken);
        if (counted.Count == 0) return null;
        var total = 0L;
        foreach (var row in counted)
        {
            total += Convert.ToInt64(row[1], System.Globalization.CultureInfo.InvariantCulture);
            if (total >= rows) return ((DateTime)row[0]!).AddTicks(1);
        }

        return counted.Count < moments ? until : ((DateTime)counted[^1][0]!).AddTicks(1);
    }

    /// <summary>The rows of a window, from <paramref name="from"/> to before <paramref name="until"/>.</summary>
    public async IAsyncEnumerable<ArrivedRow> RowsAsync(
        Guid tenantId, HuntingTable table, DateTime from, DateTime until, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var columns = string.Join(", ", table.Columns.Select(column => ClickHouseName.Quote(column.Name)).Append(PhysicalTable.IngestTimeColumn));
        await using var reader = await engine.QueryAsync(
            new ClickHouseStatement(
                $"SELECT {columns} FROM {_database}.{ClickHouseName.Quote(table.Name)} WHERE {Window} ORDER BY {PhysicalTable.IngestTimeColumn}")
            {
                Parameters = Parameters(tenantId, from, until),
            },
            cancellationToken);
        while (await reader.ReadAsync() is { } block)
        {
            for (var row = 0; row < block.RowCount; row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var values = new object?[table.Columns.Count];
                for (var column = 0; column < values.Length; column++) values[column] = HuntingRows.Value(block.Columns[column], row, table.Columns[column].Type);
                yield return new ArrivedRow((DateTime)block.Columns[values.Length][row]!, values);
            }
        }
    }

    private static string Window =>
        $"{PhysicalTable.TenantColumn} = {{tenant:UUID}} AND {PhysicalTable.IngestTimeColumn} >= {{from:DateTime64(7, 'UTC')}} AND {PhysicalTable.IngestTimeColumn} < {{until:DateTime64(7, 'UTC')}}";

    private static IReadOnlyList<ClickHouseParameter> Parameters(Guid tenantId, DateTime from, DateTime until) =>
        [new("tenant", tenantId), new("from", from), new("until", until)];
}
