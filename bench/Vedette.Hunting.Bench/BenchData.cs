using System.Diagnostics;
using Vedette.Telemetry.Engine;

namespace Vedette.Hunting.Bench;

/// <summary>The data folder of the contest: the events in ClickHouse, and the same rows in a DuckDB file when its package is there.</summary>
internal sealed class BenchData(IClickHouse engine, string database, Guid tenant, string folder)
{
    private const int Devices = 5000;
    private const int Days = 30;

    /// <summary>Folder whose <c>node_modules</c> holds DuckDB.</summary>
    public static string PackageFolder(string folder) => Path.Combine(folder, "node");

    /// <summary>DuckDB's file.</summary>
    public static string DuckFile(string folder) => Path.Combine(folder, "hunting.duckdb");

    /// <summary>Makes what is missing.</summary>
    public async Task PrepareAsync(long rows)
    {
        if (await CountAsync("DeviceNetworkEvents") != rows || await CountAsync("DeviceProcessEvents") != rows)
        {
            foreach (var table in EventGenerator.Columns.Keys) await engine.ExecuteAsync($"TRUNCATE TABLE {database}.{table}");
            File.Delete(DuckFile(folder));
            await new EventGenerator(engine, database, tenant).RunAsync(rows, rows, Devices, Days);
            foreach (var table in EventGenerator.Columns.Keys)
            {
                Console.Error.WriteLine($"merging {table}");
                await engine.ExecuteAsync($"OPTIMIZE TABLE {database}.{table} FINAL");
            }
        }

        if (File.Exists(DuckFile(folder)) || !Directory.Exists(Path.Combine(PackageFolder(folder), "node_modules"))) return;
        var clock = Stopwatch.StartNew();
        var making = DuckFile(folder) + ".new";
        File.Delete(making);
        await using (var duck = new DuckDbContestant(PackageFolder(folder), making))
        {
            foreach (var (table, columns) in EventGenerator.Columns)
            {
                Console.Error.WriteLine($"copying {table} to DuckDB");
                var parquet = Path.GetFullPath(Path.Combine(folder, table + ".parquet"));
                File.Delete(parquet);

                // In the order of the days and, within them, of ClickHouse's sorting key: DuckDB skips by smallest and largest values as well.
                var terms = columns.ReplaceLineEndings(" ").Split(',', StringSplitOptions.TrimEntries)
                    .Select(static c => c is "Timestamp" or "ProcessCreationTime" or "InitiatingProcessCreationTime" ? $"toDateTime64(assumeNotNull({c}), 6, 'UTC') AS {c}" : c);
                await engine.ExecuteAsync(
                    $"INSERT INTO FUNCTION file('{parquet}', 'Parquet') SELECT {string.Join(", ", terms)} FROM {database}.{table} ORDER BY toDate({table}.Timestamp), DeviceId, {table}.Timestamp");
                await duck.RunAsync($"CREATE TABLE {table} AS SELECT * FROM read_parquet('{parquet}')");
                File.Delete(parquet);
            }

            await duck.RunAsync("CHECKPOINT");
        }

        File.Move(making, DuckFile(folder));
        Console.Error.WriteLine($"copied in {clock.Elapsed.TotalSeconds:F0} s");
    }

    private async Task<long> CountAsync(string table) =>
        (long)(await engine.ScalarAsync($"SELECT toInt64(count()) FROM {database}.{table}"))!;
}
