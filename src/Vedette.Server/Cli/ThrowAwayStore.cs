using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Server.Control;
using Vedette.Server.Control.Operations;
using Vedette.Server.Hosting;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Tables;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Cli;

/// <summary>
/// Hunting tables in a folder that goes away with this: the telemetry engine alone, without a state database, so that a query over a recording has its
/// answer in a second.
/// </summary>
internal sealed class ThrowAwayStore : IAsyncDisposable
{
    private readonly Guid _tenant = Guid.NewGuid();
    private readonly TelemetryEngine _engine;
    private readonly TelemetryOptions _options;
    private readonly HuntingService _hunting;
    private readonly IOperation[] _operations;

    private ThrowAwayStore(DirectoryInfo folder, ServerSettings settings)
    {
        _options = Engines.OptionsOf(new ServerOptions { Settings = settings }, folder.FullName);
        _engine = new TelemetryEngine(_options, TimeProvider.System);
        var catalogue = new HuntingCatalogue(_options);
        _hunting = new HuntingService(_engine, _options, catalogue, TimeProvider.System);
        _operations = [new HuntOperation(_hunting, catalogue, _ => _tenant, settings.Hunting), new HuntBatchOperation(_hunting, _ => _tenant, settings.Hunting)];
    }

    /// <summary>Opens one.</summary>
    /// <param name="folder">An empty folder; whoever made it deletes it.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    public static async Task<ThrowAwayStore> OpenAsync(DirectoryInfo folder, CancellationToken cancellationToken)
    {
        var store = new ThrowAwayStore(folder, ServerSettings.Read(DataFolder.At(folder.FullName)));
        try
        {
            await store._engine.StartAsync(cancellationToken);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs <c>hunt</c> or <c>hunt.batch</c>.</summary>
    /// <exception cref="OperationException">It refused or failed.</exception>
    public Task<JsonNode?> RunAsync(string operation, object input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        _operations.Single(known => known.Name == operation)
            .RunAsync(JsonSerializer.SerializeToElement(input, input.GetType(), OperationJson.Options), progress, cancellationToken);

    /// <summary>Imports files, as the operation <c>import</c> does, without devices, people and alerts.</summary>
    /// <exception cref="OperationException">None of the files can be read, or there is no such table.</exception>
    public async Task<ImportReport> ImportAsync(string[] paths, bool shiftToNow, string? table, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        await using var rows = new HuntingStore(_engine, _options.Database, TimeProvider.System);
        var service = new ImportService(rows, new InMemoryImportJournal(), null, new StoredRows(_engine, _options), TimeProvider.System);
        try
        {
            var report = await service.ImportAsync(
                _tenant, [.. paths.SelectMany(ImportOperation.Expand)], new ImportOptions { ShiftToNow = shiftToNow, Table = table }, new ImportOperation.Relay(progress), cancellationToken);
            return ImportOperation.Readable(report);
        }
        catch (ArgumentException exception)
        {
            throw new OperationException("bad_input", exception.Message.Split(" (Parameter")[0], exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _hunting.Dispose();
        await _engine.DisposeAsync();
    }
}
