using Vedette.Server.Control.Scripting;
using Vedette.Server.Http;

namespace Vedette.Server.Control.Operations;

/// <summary><c>faults.list</c>: the scripted faults and how often each was played.</summary>
internal sealed class ListFaults(FaultBook book) : Operation<ListFaults.Input>("faults.list")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(new { faults = book.Rules.Select(rule => new { rule = rule.Rule, matched = rule.Matched, played = rule.Played }).ToArray() });

    internal sealed record Input;
}

/// <summary><c>faults.add</c>: orders a fault.</summary>
internal sealed class AddFault(FaultBook book) : Operation<FaultRule>("faults.add")
{
    protected override Task<object?> RunAsync(FaultRule input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult<object?>(book.Add(input));
        }
        catch (ArgumentException exception)
        {
            throw new OperationException("bad_input", exception.Message, exception);
        }
    }
}

/// <summary><c>faults.remove</c>: takes one fault away, or all.</summary>
internal sealed class RemoveFaults(FaultBook book) : Operation<RemoveFaults.Input>("faults.remove")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (input.Id is null) book.Clear();
        else if (!book.Remove(input.Id)) throw new OperationException("not_found", $"There is no fault '{input.Id}'.");
        return Task.FromResult<object?>(new { removed = input.Id ?? "all" });
    }

    internal sealed record Input(string? Id = null);
}

/// <summary><c>quotas.show</c> and, with arguments, <c>quotas.set</c>: how strictly calls are counted.</summary>
internal sealed class ShowQuotas(QuotaPolicy policy) : Operation<ShowQuotas.Input>("quotas.show")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(new { mode = policy.Mode, scale = policy.Scale });

    internal sealed record Input;
}

/// <summary><c>quotas.set</c>: switches call quotas, or multiplies every limit; the counts begin anew.</summary>
internal sealed class SetQuotas(QuotaPolicy policy, QuotaLedger ledger) : Operation<SetQuotas.Input>("quotas.set")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (input is { Mode: null, Scale: null }) throw new OperationException("bad_input", "Give a mode (Real or Off), a scale, or both.");
        if (input.Scale is not (null or > 0 and <= 10_000)) throw new OperationException("bad_input", "A scale is above 0 and at most 10000.");
        policy.Mode = input.Mode ?? policy.Mode;
        policy.Scale = input.Scale ?? policy.Scale;
        ledger.Forget();
        return Task.FromResult<object?>(new { mode = policy.Mode, scale = policy.Scale });
    }

    internal sealed record Input(QuotaMode? Mode = null, double? Scale = null);
}
