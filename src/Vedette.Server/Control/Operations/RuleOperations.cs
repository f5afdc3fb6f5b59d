using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Custom;
using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary><c>rules.list</c>: the detection rules in force, those of files and a tenant's own, and what is wrong with files that are not.</summary>
internal sealed class ListRules(RuleCatalogue catalogue, CustomRuleService custom, DirectoryService directory) : Operation<ListRules.Input>("rules.list")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var set = catalogue.Current;
        var own = TenantOf(input) is { } tenant ? await custom.ListAsync(tenant, cancellationToken) : [];
        return new
        {
            rules = set.Rules.Select(rule => new
            {
                id = rule.Id.ToString(),
                title = rule.Title,
                severity = rule.Severity,
                category = rule.Category,
                techniques = rule.Techniques,
                schedule = Schedule(rule.Schedule.Frequency),
                enabled = rule.Enabled,
                origin = rule.Shipped ? "shipped" : "file",
                shipped = rule.Shipped,
                file = rule.File,
                finds = rule.Finds,
            }).Concat(own.Select(rule => new
            {
                id = rule.Id,
                title = rule.DisplayName,
                severity = rule.Body.Severity,
                category = rule.Body.Category,
                techniques = rule.Body.Techniques,
                schedule = Schedule(rule.Body.Frequency == 0 ? null : TimeSpan.FromMinutes(rule.Body.Frequency)),
                enabled = rule.Status == CustomRuleStatus.Enabled,
                origin = "tenant",
                shipped = false,
                file = "",
                finds = rule.Description ?? "",
            })).OrderBy(rule => rule.title, StringComparer.Ordinal).ToArray(),
            problems = set.Problems.Select(problem => new { file = problem.File, line = problem.Line, column = problem.Column, message = problem.Message }).ToArray(),
        };
    }

    private static string Schedule(TimeSpan? frequency) => frequency is { } time ? $"every {time:c}" : "continuous";

    // Rules of files can be listed where there is no tenant yet.
    private Guid? TenantOf(Input input)
    {
        try
        {
            return directory.FindTenant(input.Tenant).Id;
        }
        catch (DirectoryException) when (input.Tenant is null)
        {
            return null;
        }
    }

    internal sealed record Input(string? Tenant = null);
}

/// <summary><c>rules.run</c>: runs every rule, or one, over what arrived since its last run.</summary>
internal sealed class RunRules(DetectionEngine engine, DirectoryService directory, CustomRuleLookup lookup) : Operation<RunRules.Input>("rules.run")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        progress.Report(new OperationProgress(input.Rule is null ? "Running the detection rules" : "Running the detection rule", 0, null));
        var tenant = directory.FindTenant(input.Tenant).Id;
        var summary = input.Rule is { } rule
            ? await engine.RunOneAsync(tenant, await lookup.DetectorAsync(input.Tenant, rule, cancellationToken), cancellationToken)
            : await engine.RunNowAsync(tenant, cancellationToken);
        return new
        {
            rules = summary.Runs.Count, alertsRaised = summary.Alerts, failed = summary.Failures, seconds = Math.Round(summary.Elapsed.TotalSeconds, 2),
            failure = input.Rule is null ? null : summary.Runs.FirstOrDefault()?.Failure,
        };
    }

    internal sealed record Input(string? Tenant = null, string? Rule = null);
}
