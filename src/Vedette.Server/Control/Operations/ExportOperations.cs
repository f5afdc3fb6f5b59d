using Vedette.Defender.Streaming;
using Vedette.Identity.Directory;
using Vedette.Telemetry.Schema;

namespace Vedette.Server.Control.Operations;

/// <summary><c>exports.add</c>: orders an export of raw events.</summary>
internal sealed class AddExport(DataExportStore exports, DirectoryService directory) : Operation<AddExport.Input>("exports.add")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var targets = new[] { (ExportKind.Folder, input.Folder), (ExportKind.Webhook, input.Webhook), (ExportKind.Storage, input.Storage) }.Where(target => target.Item2 is not null).ToArray();
        if (targets is not [var (kind, value)]) throw new OperationException("bad_input", "Give one of folder, webhook and storage.");
        try
        {
            var tenant = directory.FindTenant(input.Tenant).Id;
            var (export, secret) = await exports.AddAsync(new NewDataExport(tenant, input.Name, kind, value!, input.Tables ?? [], input.FromStart), cancellationToken);
            return new { id = export.Id, name = export.Name, kind = export.Kind, target = export.Target, tables = export.Tables, secret };
        }
        catch (ArgumentException exception)
        {
            throw new OperationException("bad_input", exception.Message, exception);
        }
    }

    internal sealed record Input(
        string Name, string? Folder = null, string? Webhook = null, string? Storage = null, string[]? Tables = null, bool FromStart = false, string? Tenant = null);
}

/// <summary><c>exports.list</c>: the exports and how they fare.</summary>
internal sealed class ListExports(DataExportStore exports, DirectoryService directory) : Operation<ListExports.Input>("exports.list")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var list = await exports.ListAsync(directory.FindTenant(input.Tenant).Id, cancellationToken);
        return new
        {
            exports = list.Select(export => new
            {
                export.Id, export.TenantId, export.Name, export.Kind, export.Target, export.Tables, export.Enabled, export.CreatedAt, export.Records, export.LastDelivery, export.LastError,
                logs = HuntingSchema.Tables.Keys.Order(StringComparer.Ordinal).Select(table => new { category = StreamedTables.Category(table), enabled = export.Tables.Contains(table) }),
            }),
        };
    }

    internal sealed record Input(string? Tenant = null);
}

/// <summary><c>exports.remove</c>: ends an export.</summary>
internal sealed class RemoveExport(DataExportStore exports, DirectoryService directory) : Operation<RemoveExport.Input>("exports.remove")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        await exports.RemoveAsync(directory.FindTenant(input.Tenant).Id, input.Name, cancellationToken)
            ? new { name = input.Name, removed = true }
            : throw new OperationException("not_found", $"There is no export '{input.Name}'.");

    internal sealed record Input(string Name, string? Tenant = null);
}

/// <summary><c>exports.enable</c>: pauses an export or lets it go on where it stood.</summary>
internal sealed class EnableExport(DataExportStore exports, DirectoryService directory) : Operation<EnableExport.Input>("exports.enable")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        await exports.EnableAsync(directory.FindTenant(input.Tenant).Id, input.Name, input.Enabled, cancellationToken)
            ? new { name = input.Name, enabled = input.Enabled }
            : throw new OperationException("not_found", $"There is no export '{input.Name}'.");

    internal sealed record Input(string Name, bool Enabled, string? Tenant = null);
}
