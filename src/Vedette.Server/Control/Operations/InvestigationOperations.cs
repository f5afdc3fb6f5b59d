using Vedette.Defender;
using Vedette.Defender.Investigations;
using Vedette.Defender.State;
using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary>An operation on automated investigations: what it shows of them, and the domain's refusals as its own.</summary>
internal abstract class InvestigationOperation<TInput>(string name, DirectoryService directory) : Operation<TInput>(name)
    where TInput : class
{
    /// <summary>Who asks: an administrator of the tenant.</summary>
    protected Caller Administrator(string? tenant) => new(directory.FindTenant(tenant).Id, "administrator") { Source = "Portal" };

    /// <summary>One investigation as listings show it.</summary>
    protected static object Show(Investigation investigation) => new
    {
        id = investigation.Id,
        state = investigation.State.ToString(),
        device = investigation.ComputerDnsName ?? investigation.MachineId,
        alert = investigation.TriggeringAlertId,
        started = investigation.StartTime,
        ended = investigation.EndTime,
        details = investigation.StatusDetails,
    };

    /// <summary>What the domain answered.</summary>
    /// <exception cref="OperationException">It refused.</exception>
    protected static T Value<T>(Outcome<T> outcome, long id) => outcome.Error is not { } error
        ? outcome.Value
        : throw (error.Refusal == Refusal.ResourceNotFound
            ? new OperationException("not_found", $"There is no investigation {id}.")
            : new OperationException("conflict", error.Details[0]));
}

/// <summary><c>investigation.list</c>: automated investigations, newest first.</summary>
internal sealed class ListInvestigations(InvestigationService investigations, DirectoryService directory) : InvestigationOperation<ListInvestigations.Input>("investigation.list", directory)
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        (await investigations.ListAsync(Administrator(input.Tenant), input.Waiting, input.Top ?? 100, cancellationToken)).Select(Show);

    internal sealed record Input(bool Waiting = false, int? Top = null, string? Tenant = null);
}

/// <summary><c>investigation.show</c>: one with what it looked at.</summary>
internal sealed class ShowInvestigation(InvestigationService investigations, DirectoryService directory) : InvestigationOperation<ShowInvestigation.Input>("investigation.show", directory)
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var caller = Administrator(input.Tenant);
        var investigation = Value(await investigations.GetAsync(caller, input.Id, cancellationToken), input.Id);
        var entities = await investigations.EntitiesAsync(caller.TenantId, input.Id, cancellationToken);
        return new
        {
            investigation = Show(investigation),
            entities = entities.Select(entity => new { kind = entity.Kind, value = entity.Value, path = entity.Path ?? entity.Name, verdict = entity.Verdict.ToString(), reason = entity.Reason, remediation = entity.Remediation.ToString(), action = entity.ActionId }),
        };
    }

    internal sealed record Input(long Id, string? Tenant = null);
}

/// <summary><c>investigation.decide</c>: approves or rejects the remediation that waits for a person.</summary>
internal sealed class DecideInvestigation(InvestigationService investigations, DirectoryService directory) : InvestigationOperation<DecideInvestigation.Input>("investigation.decide", directory)
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        Value(await investigations.DecideAsync(Administrator(input.Tenant), input.Id, input.Approve, cancellationToken), input.Id);
        return new { id = input.Id, decision = input.Approve ? "Approved" : "Rejected" };
    }

    internal sealed record Input(long Id, bool Approve, string? Tenant = null);
}
