using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Defender.Actions;
using Vedette.Defender.Indicators;
using Vedette.Defender.Investigations;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections.Custom;

/// <summary>Orders what rules want done, through the same services that people's orders go through, and records how each ended.</summary>
internal sealed partial class RuleResponder(
    ResponseJournal journal,
    ActionService actions,
    InvestigationService investigations,
    IndicatorService indicators,
    IHuntingService hunting,
    CustomRuleStore rules,
    NpgsqlDataSource database,
    DetectionOptions options,
    TimeProvider clock,
    ILogger<RuleResponder> log,
    IAccountActor? accounts = null) : IRuleResponder
{
    private const string Source = "CustomDetection";
    private readonly DetectionJournal _runs = new(database);

    /// <inheritdoc/>
    public async Task RespondAsync(DetectionRule rule, Alert alert, IReadOnlyList<ResponseTarget> targets, CancellationToken cancellationToken)
    {
        foreach (var (id, target) in await journal.BeginAsync(alert.TenantId, rule.Id, alert.Id, targets, Now, cancellationToken))
        {
            string? reference = null, reason;
            try
            {
                (reference, reason) = await ActAsync(rule, alert, target, cancellationToken);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailure(exception, target.Response.Kind, rule.Label);
                reason = "The action could not be taken: " + exception.Message;
            }

            await journal.EndAsync(id, reference, reason, Now, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task RunsEndedAsync(Guid tenantId, IReadOnlyList<DetectionRun> ended, CancellationToken cancellationToken)
    {
        if (options.FailuresUntilDisabled <= 0) return;
        foreach (var run in ended.Where(IsItsOwn))
        {
            var latest = await _runs.RunsAsync(tenantId, run.RuleId, options.FailuresUntilDisabled, cancellationToken);
            if (latest.Count < options.FailuresUntilDisabled || !latest.All(IsItsOwn)) continue;
            if (await rules.AutoDisableAsync(tenantId, run.RuleId, latest[^1].StartedAt, Now, cancellationToken)) LogDisabled(run.RuleTitle, options.FailuresUntilDisabled);
        }
    }

    // A failure that the rule is to blame for, rather than the engine.
    private static bool IsItsOwn(DetectionRun run) => run.Status == RunStatus.Failed && run.Failure?.Contains($"{HuntingFailure.Internal}: ", StringComparison.Ordinal) != true;

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    // What it came to, or why it came to nothing.
    private Task<(string? Reference, string? Reason)> ActAsync(DetectionRule rule, Alert alert, ResponseTarget target, CancellationToken cancellationToken)
    {
        var response = target.Response;
        return response.Kind switch
        {
            ResponseKind.IsolateDevice => OrderAsync(rule, alert, target, MachineActionType.Isolate, response.IsolationType ?? "Full", cancellationToken),
            ResponseKind.CollectInvestigationPackage => OrderAsync(rule, alert, target, MachineActionType.CollectInvestigationPackage, null, cancellationToken),
            ResponseKind.RunAntivirusScan => OrderAsync(rule, alert, target, MachineActionType.RunAntiVirusScan, "Quick", cancellationToken),
            ResponseKind.RestrictAppExecution => OrderAsync(rule, alert, target, MachineActionType.RestrictCodeExecution, null, cancellationToken),
            ResponseKind.StopAndQuarantineFile => OrderAsync(rule, alert, target, MachineActionType.StopAndQuarantineFile, null, cancellationToken),
            ResponseKind.InitiateInvestigation => InvestigateAsync(rule, alert, target, cancellationToken),
            ResponseKind.AllowFile or ResponseKind.BlockFile => IndicateAsync(rule, alert, target, cancellationToken),
            ResponseKind.DisableUser or ResponseKind.ForceUserPasswordReset => AccountAsync(alert, target, cancellationToken),
            ResponseKind.MarkUserAsCompromised => Nobody("No identity protection service is connected that could set the user's risk level."),
            _ => Nobody("No mail service is connected that could act on the message."),
        };
    }

    private static Task<(string? Reference, string? Reason)> Nobody(string reason) => Task.FromResult<(string?, string?)>((null, reason));

    private static Caller Caller(DetectionRule rule, Alert alert) => new(alert.TenantId, $"Custom detection: {rule.Label}") { Source = Source };

    private static string Comment(DetectionRule rule, Alert alert) => $"Custom detection rule {rule.Name}, alert {alert.Id}.";

    private async Task<(string? Reference, string? Reason)> OrderAsync(
        DetectionRule rule, Alert alert, ResponseTarget target, MachineActionType type, string? scope, CancellationToken cancellationToken)
    {
        if (!target.Values.TryGetValue(ResponseRoles.Device, out var device)) return (null, "The result has no device id.");
        var sha1 = target.Values.GetValueOrDefault(ResponseRoles.Sha1);
        if (type == MachineActionType.StopAndQuarantineFile && sha1 is null) return (null, "The result has no SHA-1 of the file.");
        var order = new ActionOrder(type, Comment(rule, alert)) { Scope = scope, Sha1 = sha1, ExternalId = alert.Id };
        var outcome = await actions.RequestAsync(Caller(rule, alert), device, order, cancellationToken);
        return outcome.Error is { } error ? (null, Explain(error)) : (outcome.Value.Id.ToString(), null);
    }

    private async Task<(string? Reference, string? Reason)> InvestigateAsync(DetectionRule rule, Alert alert, ResponseTarget target, CancellationToken cancellationToken)
    {
        if (!target.Values.TryGetValue(ResponseRoles.Device, out var device)) return (null, "The result has no device id.");

        // The alert began it when it was raised, unless it was there before.
        if (alert.InvestigationId is { } begun && device.Equals(alert.MachineId, StringComparison.OrdinalIgnoreCase))
            return (begun.ToString(System.Globalization.CultureInfo.InvariantCulture), null);
        var outcome = await investigations.StartAsync(Caller(rule, alert), device, Comment(rule, alert), cancellationToken);
        return outcome.Error is { } error ? (null, Explain(error)) : (outcome.Value.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), null);
    }

    private async Task<(string? Reference, string? Reason)> IndicateAsync(DetectionRule rule, Alert alert, ResponseTarget target, CancellationToken cancellationToken)
    {
        var (type, hash) = target.Values.TryGetValue(ResponseRoles.Sha256, out var sha256) ? (nameof(IndicatorType.FileSha256), sha256)
            : (nameof(IndicatorType.FileSha1), target.Values.GetValueOrDefault(ResponseRoles.Sha1));
        if (hash is null) return (null, "The result has no hash of the file.");
        var block = target.Response.Kind == ResponseKind.BlockFile;
        var draft = new IndicatorDraft
        {
            IndicatorValue = hash, IndicatorType = type, Action = block ? nameof(IndicatorAction.BlockAndRemediate) : nameof(IndicatorAction.Allowed),
            Title = alert.Title, Description = Comment(rule, alert), Severity = rule.Severity, RecommendedActions = rule.RecommendedActions, GenerateAlert = block,
            RbacGroupNames = target.Response.DeviceGroups.Count > 0 ? target.Response.DeviceGroups : rule.DeviceGroups ?? [], ExternalId = alert.Id,
        };
        var outcome = (await indicators.SubmitAsync(Caller(rule, alert), Source, [draft], cancellationToken))[0];
        return outcome.Error is { } error ? (null, Explain(error)) : (outcome.Value.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), null);
    }

    private async Task<(string? Reference, string? Reason)> AccountAsync(Alert alert, ResponseTarget target, CancellationToken cancellationToken)
    {
        if (accounts is null) return (null, "No directory is connected that could act on the account.");
        var account = await AccountOfAsync(alert.TenantId, target, cancellationToken);
        if (account is null) return (null, $"No account of the directory is known for the security identifier {target.Values.GetValueOrDefault(ResponseRoles.Sid) ?? "(none)"}.");
        var reason = target.Response.Kind == ResponseKind.DisableUser
            ? await accounts.DisableAsync(alert.TenantId, account, cancellationToken)
            : await accounts.ResetPasswordAsync(alert.TenantId, account, cancellationToken);
        return (reason is null ? account.ObjectId?.ToString() ?? account.UserPrincipalName : null, reason);
    }

    // By what the event says of the account, else by what is known about identities.
    private async Task<AccountReference?> AccountOfAsync(Guid tenantId, ResponseTarget target, CancellationToken cancellationToken)
    {
        Guid? objectId = Guid.TryParse(target.Values.GetValueOrDefault(ResponseRoles.ObjectId), out var id) ? id : null;
        var upn = target.Values.GetValueOrDefault(ResponseRoles.Upn);
        if (objectId is not null || upn is not null) return new AccountReference(objectId, upn);
        if (target.Values.GetValueOrDefault(ResponseRoles.Sid) is not { } sid || !sid.All(character => char.IsAsciiLetterOrDigit(character) || character == '-')) return null;
        var answer = await hunting.RunAsync(
            new HuntingRequest(tenantId, $"IdentityInfo | where OnPremSid == '{sid}' or CloudSid == '{sid}' | top 1 by Timestamp | project AccountObjectId, AccountUpn"), cancellationToken);
        if (answer.Rows.Count == 0) return null;
        var row = new ResultRow(ResultRow.Index(answer.Columns), answer.Rows[0]);
        return new AccountReference(Guid.TryParse(row.Text("AccountObjectId"), out var known) ? known : null, row.Text("AccountUpn"));
    }

    private static string Explain(DomainError error) => error.Refusal switch
    {
        Refusal.MachineNotFound => $"The device {error.Details[0]} is not known.",
        Refusal.ActionInProgress => "Action is already in progress.",
        Refusal.OsPlatformNotSupported when string.IsNullOrEmpty(error.Details[0]) => "The device's operating system is not known.",
        Refusal.OsPlatformNotSupported => $"The device's operating system {error.Details[0]} does not support the action.",
        Refusal.ClientVersionNotSupported => $"The device's operating system is too old for {error.Details[0]}.",
        Refusal.InvalidHashValue => $"'{error.Details[0]}' is not a hash of the needed kind.",
        _ => error.Details.Count > 0 ? error.Details[0] : error.Refusal.ToString(),
    };

    [LoggerMessage(LogLevel.Warning, "{Kind} of the detection rule {Rule} could not be done.")]
    private partial void LogFailure(Exception exception, ResponseKind kind, string rule);

    [LoggerMessage(LogLevel.Warning, "The custom detection rule {Rule} was switched off: its last {Runs} runs failed.")]
    private partial void LogDisabled(string rule, int runs);
}
