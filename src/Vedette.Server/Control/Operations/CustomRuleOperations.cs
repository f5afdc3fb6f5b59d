using System.Text.Json;
using Vedette.Defender;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Custom;
using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary>What operations on a tenant's rules share.</summary>
internal sealed class CustomRuleLookup(CustomRuleService rules, RuleCatalogue catalogue, DirectoryService directory)
{
    /// <summary>Who made or changed a rule by command, as the rule tells it.</summary>
    private const string Name = "vedette";

    public Caller Caller(string? tenant) => new(directory.FindTenant(tenant).Id, Name);

    /// <summary>A rule of a tenant by id, name or detector id.</summary>
    /// <exception cref="OperationException">There is none, or it is a file's.</exception>
    public async Task<CustomRule> FindAsync(string? tenant, string reference, CancellationToken cancellationToken)
    {
        if (await rules.FindByAnyAsync(Caller(tenant).TenantId, reference, cancellationToken) is { } rule) return rule;
        if (FileRule(reference) is { } file)
        {
            throw new OperationException(
                "bad_input", $"'{file.Title}' is a rule of the file {file.File}. To change it or switch it off, put a file with the id {file.Id} into the folder rules of the data folder.");
        }

        throw new OperationException("not_found", $"There is no detection rule '{reference}'.");
    }

    /// <summary>The detector id of a rule of a tenant or of a file.</summary>
    /// <exception cref="OperationException">There is none.</exception>
    public async Task<Guid> DetectorAsync(string? tenant, string reference, CancellationToken cancellationToken) =>
        (await rules.FindByAnyAsync(Caller(tenant).TenantId, reference, cancellationToken))?.DetectorId ?? FileRule(reference)?.Id
        ?? throw new OperationException("not_found", $"There is no detection rule '{reference}'.");

    /// <summary>A rule of a file by id, title or file name; null when there is none.</summary>
    public DetectionRule? FileRule(string reference) => catalogue.Current.Rules.FirstOrDefault(rule =>
        rule.Id.ToString().Equals(reference, StringComparison.OrdinalIgnoreCase) || rule.Title.Equals(reference, StringComparison.OrdinalIgnoreCase)
        || rule.Name.Equals(reference, StringComparison.OrdinalIgnoreCase));
}

/// <summary><c>rules.show</c>: one rule, whole, in the form that <c>rules.create</c> and the detection-rule API take.</summary>
internal sealed class ShowRule(CustomRuleLookup lookup, CustomRuleService rules) : Operation<ShowRule.Input>("rules.show")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (await rules.FindByAnyAsync(lookup.Caller(input.Tenant).TenantId, input.Rule, cancellationToken) is { } rule) return CustomRuleService.Describe(rule);
        return lookup.FileRule(input.Rule) is { } file
            ? CustomRuleService.Convert(file)
            : throw new OperationException("not_found", $"There is no detection rule '{input.Rule}'.");
    }

    internal sealed record Input(string Rule, string? Tenant = null);
}

/// <summary><c>rules.create</c>: makes a tenant's rule of JSON as the detection-rule API takes it, or of a YAML rule file.</summary>
internal sealed class CreateRule(CustomRuleLookup lookup, CustomRuleService rules) : Operation<CreateRule.Input>("rules.create")
{
    private const int MaximumLength = 512 * 1024;

    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (input.Text.Length > MaximumLength) throw new OperationException("bad_input", $"A rule has at most {MaximumLength} characters.");
        using var document = Read(input);
        var outcome = await rules.CreateAsync(lookup.Caller(input.Tenant), document.RootElement, cancellationToken);
        if (outcome.Rule is { } rule) return new { id = rule.Id, name = rule.DisplayName, detectorId = rule.DetectorId, enabled = rule.Status == CustomRuleStatus.Enabled };
        throw new OperationException(
            outcome.Faults.Any(fault => fault.IsConflict) ? "conflict" : "bad_input",
            string.Join('\n', outcome.Faults.Select(fault => fault.Property.Length == 0 ? fault.Message : $"{fault.Property}: {fault.Message}")));
    }

    private static JsonDocument Read(Input input)
    {
        if (!input.Text.AsSpan().TrimStart().StartsWith("{"))
        {
            var problems = new List<RuleProblem>();
            return RuleFileParser.Parse(input.Text, input.File ?? "rule.yaml", shipped: false, problems) is { } rule
                ? JsonDocument.Parse(CustomRuleService.Convert(rule).ToJsonString())
                : throw new OperationException("bad_input", problems.Count > 0 ? string.Join('\n', problems) : "The text is neither a rule as JSON nor a rule file.");
        }

        try
        {
            return JsonDocument.Parse(input.Text, new JsonDocumentOptions { MaxDepth = 32 });
        }
        catch (JsonException exception)
        {
            throw new OperationException("bad_input", $"{input.File ?? "The rule"} is not JSON: {exception.Message}", exception);
        }
    }

    internal sealed record Input(string Text, string? File = null, string? Tenant = null);
}

/// <summary><c>rules.enable</c> and <c>rules.disable</c>: switch a tenant's rule on or off.</summary>
internal sealed class SwitchRule(CustomRuleLookup lookup, CustomRuleService rules, bool enable) : Operation<SwitchRule.Input>(enable ? "rules.enable" : "rules.disable")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var found = await lookup.FindAsync(input.Tenant, input.Rule, cancellationToken);
        var rule = await rules.SwitchAsync(lookup.Caller(input.Tenant), found.Id, enable ? CustomRuleStatus.Enabled : CustomRuleStatus.Disabled, cancellationToken) ?? found;
        return new { id = rule.Id, name = rule.DisplayName, enabled = rule.Status == CustomRuleStatus.Enabled };
    }

    internal sealed record Input(string Rule, string? Tenant = null);
}

/// <summary><c>rules.delete</c>: deletes a tenant's rule. Its alerts and history stay.</summary>
internal sealed class DeleteRule(CustomRuleLookup lookup, CustomRuleService rules) : Operation<DeleteRule.Input>("rules.delete")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var rule = await lookup.FindAsync(input.Tenant, input.Rule, cancellationToken);
        await rules.DeleteAsync(rule.TenantId, rule.Id, cancellationToken);
        return new { id = rule.Id, name = rule.DisplayName };
    }

    internal sealed record Input(string Rule, string? Tenant = null);
}

/// <summary><c>rules.history</c>: the latest runs of a rule or of all, and what a rule did to devices, files, users and messages.</summary>
internal sealed class RuleHistory(CustomRuleLookup lookup, DetectionEngine engine, ResponseJournal responses) : Operation<RuleHistory.Input>("rules.history")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (input.Top is < 1 or > 1000) throw new OperationException("bad_input", "A history has from 1 to 1000 entries.");
        var tenant = lookup.Caller(input.Tenant).TenantId;
        Guid? detector = input.Rule is { } reference ? await lookup.DetectorAsync(input.Tenant, reference, cancellationToken) : null;
        var runs = await engine.RunsAsync(tenant, detector, input.Top, cancellationToken);
        var taken = detector is { } one ? await responses.ListAsync(tenant, one, input.Top, cancellationToken) : [];
        return new
        {
            runs = runs.Select(run => new
            {
                rule = run.RuleTitle, started = run.StartedAt, status = run.Status, milliseconds = run.ElapsedMs, from = run.WindowFrom, to = run.WindowTo, rows = run.Rows,
                alerts = run.Alerts, merged = run.Merged, dropped = run.Dropped, failure = run.Failure, errorCode = run.ErrorCode,
            }).ToArray(),
            responses = taken.Select(action => new
            {
                alert = action.AlertId, action = action.Kind, subject = action.Subject, status = action.Status, reason = action.Reason, reference = action.Reference, started = action.CreatedAt,
            }).ToArray(),
        };
    }

    internal sealed record Input(string? Rule = null, string? Tenant = null, int Top = 20);
}
