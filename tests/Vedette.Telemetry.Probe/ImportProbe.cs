using System.Globalization;
using System.Text.Json;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Probe;

/// <summary>An import in a process that may be killed.</summary>
internal static class ImportProbe
{
    private static readonly Guid Tenant = Guid.Parse("22222222-2222-2222-2222-222222222222");

    public static async Task ImportAsync(string folder, string now, string chunkEvents, string[] files)
    {
        await using var engine = EmbeddedClickHouse.Open(folder, connections: 2);
        await new HuntingDatabase(engine, "vedette").EnsureAsync();
        await using var store = new HuntingStore(engine, "vedette", TimeProvider.System);
        var importer = new LogImporter(store, new FileJournal(Path.Combine(folder, "import-journal.json")), null, new FixedTime(DateTimeOffset.Parse(now, CultureInfo.InvariantCulture)));
        var options = new ImportOptions { ShiftToNow = true, ChunkEvents = int.Parse(chunkEvents, CultureInfo.InvariantCulture) };
        var report = await importer.ImportAsync(Tenant, files, options, null, CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"done rows {report.Rows} resumed {report.Files.Sum(file => file.ChunksResumed)} known {report.Files.Count(file => file.AlreadyImported)}"));
    }

    public static async Task TablesAsync(string folder)
    {
        await using var engine = EmbeddedClickHouse.Open(folder, connections: 2);
        foreach (var table in HuntingSchema.Tables.Values.OrderBy(table => table.Name, StringComparer.Ordinal))
        {
            var columns = string.Join(", ", table.Columns.Select(column => $"`{column.Name}`"));
            var counts = (await engine.RowsAsync(new(
                $"SELECT toInt64(count()), toInt64(uniqExact(cityHash64({columns}))), toString(sum(cityHash64({columns}))) FROM vedette.{table.Name}")))[0];
            if ((long)counts[0]! > 0) Console.WriteLine($"{table.Name} {counts[0]} {counts[1]} {counts[2]}");
        }
    }

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    /// <summary>A journal in a file that is replaced as a whole.</summary>
    private sealed class FileJournal(string path) : IImportJournal
    {
        private readonly Dictionary<string, ImportState> _states =
            File.Exists(path) ? JsonSerializer.Deserialize<Dictionary<string, ImportState>>(File.ReadAllText(path))! : [];

        public Task<ImportState?> FindAsync(Guid tenantId, string contentHash, CancellationToken cancellationToken) =>
            Task.FromResult(_states.GetValueOrDefault(contentHash));

        public Task<ImportState> BeginAsync(Guid tenantId, string contentHash, string file, TimeSpan shift, CancellationToken cancellationToken)
        {
            if (!_states.ContainsKey(contentHash)) Write(contentHash, new ImportState(shift, 0, false));
            return Task.FromResult(_states[contentHash]);
        }

        public Task ChunkDoneAsync(Guid tenantId, string contentHash, int chunk, CancellationToken cancellationToken)
        {
            // Between storing and noting: where a crash must not store twice.
            Console.WriteLine($"stored {chunk}");
            Write(contentHash, _states[contentHash] with { ChunksDone = chunk + 1 });
            return Task.CompletedTask;
        }

        public Task CompleteAsync(Guid tenantId, string contentHash, long events, long rows, CancellationToken cancellationToken)
        {
            Write(contentHash, _states[contentHash] with { Complete = true });
            return Task.CompletedTask;
        }

        private void Write(string contentHash, ImportState state)
        {
            _states[contentHash] = state;
            File.WriteAllText(path + ".new", JsonSerializer.Serialize(_states));
            File.Move(path + ".new", path, overwrite: true);
        }
    }
}
