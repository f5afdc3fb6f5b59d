using System.Globalization;
using System.Security.Cryptography;
using Vedette.Telemetry.Engine;

namespace Vedette.Telemetry.Schema;

/// <summary>
/// The database that holds the hunting tables: makes it, brings an older one up to date, and drops days that are past their retention.
/// </summary>
public sealed class HuntingDatabase(IClickHouse engine, string database)
{
    /// <summary>How the tables are called that hold the rows of a query's local step while it runs.</summary>
    internal const string StepPrefix = "hunting_step_";

    private const string StampPrefix = "vedette schema ";

    // Made from the files that the tables follow from rather than from their DDL, which takes a while to write and is seldom needed.
    private static readonly Lazy<string> Stamp = new(static () =>
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        foreach (var resource in new[] { "hunting-tables.json", "hunting-storage.json" })
        {
            using var stream = typeof(HuntingDatabase).Assembly.GetManifestResourceStream(resource)
                ?? throw new InvalidOperationException($"{resource} is missing from the assembly.");
            while (stream.Read(buffer) is > 0 and var read) hash.AppendData(buffer.AsSpan(0, read));
        }

        return $"{StampPrefix}{PhysicalTable.FormRevision}.{Convert.ToHexStringLower(hash.GetHashAndReset())[..16]}";
    });

    /// <summary>Name of the database.</summary>
    public string Name { get; } = database.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_') && database.Length > 0
        ? database
        : throw new ArgumentException($"'{database}' is not a database name.", nameof(database));

    /// <summary>
    /// Makes sure that all tables exist with all columns. Costs one small query when nothing changed since the last time; safe to repeat, also
    /// after an interruption.
    /// </summary>
    public async Task EnsureAsync(CancellationToken cancellationToken = default)
    {
        var found = await engine.ScalarAsync(
            "SELECT comment FROM system.databases WHERE name = {name:String}", cancellationToken, new ClickHouseParameter("name", Name));
        if (found as string == Stamp.Value) return;
        if (found is null) await engine.ExecuteAsync($"CREATE DATABASE IF NOT EXISTS {Name}", cancellationToken);
        await AddMissingAsync(cancellationToken);
        await engine.ExecuteAsync($"ALTER DATABASE {Name} MODIFY COMMENT '{Stamp.Value}'", cancellationToken);
    }

    /// <summary>
    /// Drops whole days whose events and whose arrival both lie before <paramref name="oldest"/>. A recording of older events that was imported
    /// later stays for the full retention.
    /// </summary>
    /// <returns>How many partitions were dropped.</returns>
    public async Task<int> DropBeforeAsync(DateTime oldest, CancellationToken cancellationToken = default)
    {
        var day = oldest.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var partitions = await engine.RowsAsync(new ClickHouseStatement(
            "SELECT table, partition_id FROM system.parts WHERE active AND database = {database:String} AND match(partition_id, '^[0-9]{8}$') "
            + "GROUP BY table, partition_id HAVING partition_id < {day:String} ORDER BY table, partition_id")
        {
            Parameters = [new("database", Name), new("day", day)],
        }, cancellationToken);
        var dropped = 0;
        foreach (var partition in partitions)
        {
            var (table, id) = ((string)partition[0]!, (string)partition[1]!);
            if (!PhysicalTable.All.ContainsKey(table)) continue;
            var newest = await engine.ScalarAsync(
                $"SELECT max({PhysicalTable.IngestTimeColumn}) FROM {Name}.{table} WHERE _partition_id = {{id:String}}",
                cancellationToken, new ClickHouseParameter("id", id));
            if (newest is DateTime time && time >= oldest) continue;
            await engine.ExecuteAsync($"ALTER TABLE {Name}.{table} DROP PARTITION ID '{id}'", cancellationToken);
            dropped++;
        }

        return dropped;
    }

    /// <summary>Drops the tables that queries of an earlier process left behind when it was killed. No query runs for an hour.</summary>
    public async Task DropLeftoversAsync(CancellationToken cancellationToken = default)
    {
        var tables = await engine.RowsAsync(
            new ClickHouseStatement(
                "SELECT database, name FROM system.tables WHERE startsWith(name, {prefix:String}) AND metadata_modification_time < now() - INTERVAL 1 HOUR")
            {
                Parameters = [new("prefix", StepPrefix)],
            },
            cancellationToken);
        foreach (var table in tables) await engine.ExecuteAsync($"DROP TABLE IF EXISTS {ClickHouseName.Quote((string)table[0]!)}.{ClickHouseName.Quote((string)table[1]!)}", cancellationToken);
    }

    private async Task AddMissingAsync(CancellationToken cancellationToken)
    {
        var existing = (await engine.RowsAsync(new ClickHouseStatement(
            "SELECT table, name, compression_codec FROM system.columns WHERE database = {database:String}") { Parameters = [new("database", Name)] }, cancellationToken))
            .ToLookup(static row => (string)row[0]!, static row => (Name: (string)row[1]!, Codec: (string)row[2]!), StringComparer.Ordinal);
        var indexes = (await engine.RowsAsync(new ClickHouseStatement(
            "SELECT table, name FROM system.data_skipping_indices WHERE database = {database:String}") { Parameters = [new("database", Name)] }, cancellationToken))
            .ToLookup(static row => (string)row[0]!, static row => (string)row[1]!, StringComparer.Ordinal);
        var projections = (await engine.RowsAsync(new ClickHouseStatement(
            "SELECT table, name FROM system.projections WHERE database = {database:String}") { Parameters = [new("database", Name)] }, cancellationToken))
            .ToLookup(static row => (string)row[0]!, static row => (string)row[1]!, StringComparer.Ordinal);
        foreach (var table in PhysicalTable.All.Values)
        {
            if (!existing.Contains(table.Table.Name))
            {
                await engine.ExecuteAsync(new ClickHouseStatement(table.Create(Name)) { Settings = PhysicalTable.CreateSettings }, cancellationToken);
                continue;
            }

            var columns = existing[table.Table.Name].ToDictionary(static c => c.Name, static c => c.Codec, StringComparer.Ordinal);
            var known = indexes[table.Table.Name].ToHashSet(StringComparer.Ordinal);
            var uncounted = table.Projections().Where(p => !projections[table.Table.Name].Contains(p.Name)).ToArray();
            var changes = table.Columns.Where(c => !columns.ContainsKey(c.Name)).Select(static c => "ADD COLUMN IF NOT EXISTS " + c.Definition)
                // Other compression holds for what is written or merged from now on.
                .Concat(table.Columns.Where(c => c.Codec.Length > 0 && columns.TryGetValue(c.Name, out var codec) && codec != $"CODEC({c.Codec})")
                    .Select(static c => $"MODIFY COLUMN {ClickHouseName.Quote(c.Name)} CODEC({c.Codec})"))
                .Concat(table.Indexes().Where(i => !known.Contains(i.Name)).Select(static i => "ADD INDEX IF NOT EXISTS " + i.Definition))
                .Concat(PhysicalTable.FormerProjections.Where(projections[table.Table.Name].Contains).Select(static p => "DROP PROJECTION IF EXISTS " + ClickHouseName.Quote(p)))
                .Concat(uncounted.Select(static p => "ADD PROJECTION IF NOT EXISTS " + p.Definition))
                .ToArray();
            if (changes.Length == 0) continue;
            await engine.ExecuteAsync($"ALTER TABLE {Name}.{table.Table.Name} {string.Join(", ", changes)}", cancellationToken);
            // The rows that are there are counted while the table is in use; queries count those of a part themselves until it is done.
            foreach (var (name, _) in uncounted)
                await engine.ExecuteAsync($"ALTER TABLE {Name}.{table.Table.Name} MATERIALIZE PROJECTION {ClickHouseName.Quote(name)}", cancellationToken);
        }
    }
}
