using Vedette.Telemetry.Import;

namespace Vedette.Telemetry.Tests.Import;

/// <summary>Imports files into a list.</summary>
internal sealed class ImportRun
{
    public static readonly Guid Tenant = Guid.Parse("6f2c1c1e-3b0f-4a54-9a5d-0c0f6a3f8a11");

    public required ImportReport Report { get; init; }

    public required CollectingStore Store { get; init; }

    public static async Task<ImportRun> OfAsync(IReadOnlyList<string> files, ImportOptions? options = null, TimeProvider? time = null, IDeviceObserver? observer = null)
    {
        var store = new CollectingStore();
        var importer = new LogImporter(store, new InMemoryImportJournal(), observer, time ?? TimeProvider.System);
        var report = await importer.ImportAsync(Tenant, files, options ?? new ImportOptions(), null, CancellationToken.None);
        return new ImportRun { Report = report, Store = store };
    }
}
