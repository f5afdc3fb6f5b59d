using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Defender.Vulnerabilities.Exports;
using Vedette.Defender.Vulnerabilities.Knowledge;

namespace Vedette.Server.Control.Operations;

/// <summary><c>kb.import</c>: reads feeds of vulnerabilities and matches all tenants' software against them.</summary>
internal sealed class ImportKnowledge(KnowledgeImporter importer, VulnerabilityAssessment assessment, ExportSnapshots exports) : Operation<ImportKnowledge.Input>("kb.import")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var reports = new List<object>();
        foreach (var file in input.Files)
        {
            if (!File.Exists(file)) throw new OperationException("bad_input", $"There is no file '{file}'.");
            try
            {
                var report = await importer.ImportAsync(file, new Relay(Path.GetFileName(file), progress), cancellationToken);
                reports.Add(new
                {
                    file, feed = report.Source.ToString(), released = report.Released, records = report.Records, understood = report.Understood, ranges = report.Ranges,
                    notUnderstood = report.Notes.Select(note => new { reason = note.Reason, count = note.Count, examples = note.Examples }).ToArray(),
                });
            }
            catch (InvalidDataException error)
            {
                throw new OperationException("unreadable", $"{file}: {error.Message}", error);
            }
        }

        progress.Report(new OperationProgress("Matching the devices' software", 0, null));
        foreach (var tenant in await assessment.TenantsAsync(cancellationToken)) await assessment.RunAsync(tenant, cancellationToken);
        await exports.ExpireAsync(null, cancellationToken);
        return new { files = reports };
    }

    internal sealed record Input(string[] Files);

    private sealed class Relay(string file, IProgress<OperationProgress> progress) : IProgress<KnowledgeProgress>
    {
        public void Report(KnowledgeProgress value) => progress.Report(new OperationProgress($"Reading {file}", value.BytesRead, value.BytesTotal));
    }
}

/// <summary><c>kb.status</c>: what is known of vulnerabilities.</summary>
internal sealed class KnowledgeStatusOperation(KnowledgeStore store) : Operation<KnowledgeStatusOperation.Input>("kb.status")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var status = await store.StatusAsync(cancellationToken);
        return new
        {
            vulnerabilities = status.Vulnerabilities, exploited = status.Exploited, ranges = status.Ranges, packages = status.Packages,
            feeds = status.Feeds.Select(feed => new { feed = feed.Source, file = feed.Name, released = feed.Released, importedAt = feed.ImportedAt, records = feed.Records, understood = feed.Understood }).ToArray(),
        };
    }

    internal sealed record Input;
}

/// <summary><c>kb.refresh</c>: assesses all tenants now and lets the next export make new files, instead of waiting for the next six hours.</summary>
internal sealed class RefreshAssessment(VulnerabilityAssessment assessment, ExportSnapshots exports) : Operation<RefreshAssessment.Input>("kb.refresh")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var tenants = await assessment.TenantsAsync(cancellationToken);
        foreach (var tenant in tenants)
        {
            progress.Report(new OperationProgress("Assessing", 0, tenants.Count));
            await assessment.RunAsync(tenant, cancellationToken);
        }

        await exports.ExpireAsync(null, cancellationToken);
        return new { tenants = tenants.Count };
    }

    internal sealed record Input;
}
