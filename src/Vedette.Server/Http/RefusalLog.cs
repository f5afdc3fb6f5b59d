using System.Collections.Concurrent;

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
    Guid Id, DateTime Time, string Call, int Status, string Code, string Message, string Explanation, Guid? ApplicationId);

/// <summary>Remembers the latest refusals, so that an administrator can ask why a call was refused by the id in its answer.</summary>
public sealed class RefusalLog
{
    private const int Capacity = 2000;
    private readonly ConcurrentDictionary<Guid, RefusedCall> _byId = new();
    private readonly ConcurrentQueue<Guid> _order = new();

    /// <summary>The refusal with an id, or null when it is unknown or forgotten.</summary>
    public RefusedCall? Find(Guid id) => _byId.GetValueOrDefault(id);

    /// <summary>The latest refusals, newest first.</summary>
    public IReadOnlyList<RefusedCall> Latest(int count) => [.. _byId.Values.OrderByDescending(r => r.Time).Take(count)];

    internal void Add(RefusedCall refusal)
    {
        _byId[refusal.Id] = refusal;
        _order.Enqueue(refusal.Id);
        while (_order.Count > Capacity && _order.TryDequeue(out var oldest)) _byId.TryRemove(oldest, out _);
    }
}
