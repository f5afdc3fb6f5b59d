using Vedette.Telemetry.Engine;

namespace Vedette.Telemetry.Schema;

/// <summary>
/// Copies of all hunting tables, each in a database of its own. A copy shares the stored parts with the tables, so taking one writes nothing
/// but links, however much telemetry there is.
/// </summary>
public sealed class HuntingSnapshots(IClickHouse engine, string database)
{
    private readonly string _database = ClickHouseName.Quote(database);

    /// <summary>Takes a copy, in place of one of the same name.</summary>
    public async Task TakeAsync(string name, CancellationToken cancellationToken)
    {
        var copy = CopyOf(name);
        await DeleteAsync(name, cancellationToken);
        await engine.ExecuteAsync(new ClickHouseStatement($"CREATE DATABASE {copy}"), cancellationToken);
        foreach (var (table, partitions) in await PartitionsAsync(database, cancellationToken))
        {
            var quoted = ClickHouseName.Quote(table);
            await engine.ExecuteAsync(new ClickHouseStatement($"CREATE TABLE {copy}.{quoted} AS {_database}.{quoted}"), cancellationToken);
            await AttachAsync($"{copy}.{quoted}", $"{_database}.{quoted}", partitions, cancellationToken);
        }
    }

    /// <summary>Puts the tables back as they were.</summary>
    public async Task RestoreAsync(string name, CancellationToken cancellationToken)
    {
        await EmptyAsync(cancellationToken);
        foreach (var (table, partitions) in await PartitionsAsync(NameOf(name), cancellationToken))
        {
            var quoted = ClickHouseName.Quote(table);
            await AttachAsync($"{_database}.{quoted}", $"{CopyOf(name)}.{quoted}", partitions, cancellationToken);
        }
    }

    /// <summary>Empties every table.</summary>
    public async Task EmptyAsync(CancellationToken cancellationToken)
    {
        foreach (var table in (await PartitionsAsync(database, cancellationToken)).Keys)
            await engine.ExecuteAsync(new ClickHouseStatement($"TRUNCATE TABLE {_database}.{ClickHouseName.Quote(table)}"), cancellationToken);
    }

    /// <summary>Deletes a copy, if there is one.</summary>
    public Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        engine.ExecuteAsync(new ClickHouseStatement($"DROP DATABASE IF EXISTS {CopyOf(name)} SYNC"), cancellationToken);

    private string NameOf(string name) => $"{database}_snapshot_{name}";

    private string CopyOf(string name) => ClickHouseName.Quote(NameOf(name));

    private async Task AttachAsync(string to, string from, IEnumerable<string> partitions, CancellationToken cancellationToken) =>
        await engine.ExecuteAsync(
            new ClickHouseStatement($"ALTER TABLE {to} {string.Join(", ", partitions.Select(partition => $"ATTACH PARTITION ID '{partition}' FROM {from}"))}"),
            cancellationToken);

    private async Task<IReadOnlyDictionary<string, string[]>> PartitionsAsync(string of, CancellationToken cancellationToken)
    {
        var rows = await engine.RowsAsync(
            new ClickHouseStatement("SELECT table, groupUniqArray(partition_id) FROM system.parts WHERE active AND database = {database:String} GROUP BY table ORDER BY table")
            {
                Parameters = [new("database", of)],
            },
            cancellationToken);
        return rows.ToDictionary(row => (string)row[0]!, row => ((System.Collections.IEnumerable)row[1]!).Cast<string>().Order(StringComparer.Ordinal).ToArray(), StringComparer.Ordinal);
    }
}
