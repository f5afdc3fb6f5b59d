using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Vedette.Server.Http;

/// <summary>One refused call: what it needed and what it had. Never holds a token or a secret.</summary>
/// <param name="Id">The <c>target</c> of the error answer.</param>
/// <param name="Time">When, UTC.</param>
/// <param name="Call">Verb and path template.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Code of the error answer.</param>
/// <param name="Message">Text of the error answer.</param>
/// <param name="Explanation">What was needed and what was had, in words.</param>
/// <param name="ApplicationId">The calling application, when the token told it.</param>
public sealed record RefusedCall(
    Guid Id, DateTime Time, string Call, int Status, string Code, string Message, string Explanation, Guid? ApplicationId)
{
    /// <summary>Tenant of the token, when it told one.</summary>
    public Guid? TenantId { get; init; }

    /// <summary>Object id of the signed-in user; null in application context or without a good token.</summary>
    public Guid? UserId { get; init; }

    /// <summary>Application id of the API that was called.</summary>
    public Guid? ResourceAppId { get; init; }

    /// <summary>Permissions any one of which would have helped; empty when permissions were not the reason.</summary>
    public IReadOnlyList<string> Needed { get; init; } = [];

    /// <summary>Permissions that the token has.</summary>
    public IReadOnlyList<string> Had { get; init; } = [];
}

/// <summary>
/// Remembers the latest refusals, so that an administrator can ask why a call was refused by the id in its answer. This is the part in
/// memory; <see cref="Insight.RefusalKeeper"/> keeps them in the database besides.
/// </summary>
public sealed class RefusalLog
{
    private const int Capacity = 2000;
    private readonly ConcurrentDictionary<Guid, RefusedCall> _byId = new();
    private readonly ConcurrentQueue<Guid> _order = new();
    private readonly Channel<RefusedCall> _unkept = Channel.CreateBounded<RefusedCall>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    /// <summary>Refusals that are not in the database yet. A flood drops the oldest.</summary>
    internal ChannelReader<RefusedCall> Unkept => _unkept.Reader;

    /// <summary>The refusal with an id, or null when it is unknown or forgotten.</summary>
    public RefusedCall? Find(Guid id) => _byId.GetValueOrDefault(id);

    /// <summary>The latest refusals, newest first.</summary>
    public IReadOnlyList<RefusedCall> Latest(int count) => [.. _byId.Values.OrderByDescending(r => r.Time).Take(count)];

    internal void Add(RefusedCall refusal)
    {
        _byId[refusal.Id] = refusal;
        _order.Enqueue(refusal.Id);
        while (_order.Count > Capacity && _order.TryDequeue(out var oldest)) _byId.TryRemove(oldest, out _);
        if (refusal.Status is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden) _unkept.Writer.TryWrite(refusal);
    }
}
