using Vedette.Defender.Detections;
using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary><c>rules.list</c>: the detection rules in force, and what is wrong with those that are not.</summary>
internal sealed class ListRules(RuleCatalogue catalogue) : Operation<ListRules.Input>("rules.list")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var set = catalogue.Current;
        return Task.FromResult<object?>(new
        {
            rules = set.Rules.OrderBy(rule => rule.Title, StringComparer.Ordinal).Select(rule => new
            {
                id = rule.Id,
                title = rule.Title,
                severity = rule.Severity,
                category = rule.Category,
                techniques = rule.Techniques,
                schedule = rule.Schedule.Frequency is { } frequency ? $"every {frequency:c}" : "continuous",
                enabled = rule.Enabled,
                shipped = rule.Shipped,
                file = rule.File,
                finds = rule.Finds,
            }).ToArray(),
            problems = set.Problems.Select(problem => new { file = problem.File, line = problem.Line, column = problem.Column, message = problem.Message }).ToArray(),
        });
    }

    internal sealed record Input;
}

/// <summary><c>rules.run</c>: runs every rule over what arrived since its last run.</summary>
internal sealed class RunRules(DetectionEngine engine, DirectoryService directory) : Operation<RunRules.Input>("rules.run")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        progress.Report(new OperationProgress("Running the detection rules", 0, null));
        var summary = await engine.RunNowAsync(directory.FindTenant(input.Tenant).Id, cancellationToken);
        return new { rules = summary.Runs.Count, alertsRaised = summary.Alerts, failed = summary.Failures, seconds = Math.Round(summary.Elapsed.TotalSeconds, 2) };
    }

    internal sealed record Input(string? Tenant);
}
