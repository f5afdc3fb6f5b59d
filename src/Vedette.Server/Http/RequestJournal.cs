using System.Collections.Concurrent;

namespace Vedette.Server.Http;

/// <summary>One call as the journal keeps it. Never holds a token, a secret or a body.</summary>
/// <param name="Id">Identity of the request; the <c>target</c> of an error answer.</param>
/// <param name="Time">When it was answered, UTC.</param>
/// <param name="Surface">Name of the surface.</param>
/// <param name="Call">Verb and path template.</param>
/// <param name="Path">Path and query as the client wrote them, cut after 2,000 characters.</param>
/// <param name="TenantId">Tenant of the token.</param>
/// <param name="ApplicationId">The calling application; null when the token was refused.</param>
/// <param name="Requestor">The user's principal name, or the application's name or id.</param>
/// <param name="Context"><c>application</c>, <c>user</c> or <c>none</c>.</param>
/// <param name="Needed">Permissions the call needs: one of each group.</param>
/// <param name="Had">Permissions that the token carried.</param>
/// <param name="Status">HTTP status of the answer.</param>
/// <param name="Milliseconds">Time taken.</param>
/// <param name="Explanation">Why it was refused.</param>
public sealed record JournalEntry(
    Guid Id, DateTime Time, string Surface, string Call, string Path, Guid? TenantId, Guid? ApplicationId, string? Requestor, string Context,
    IReadOnlyList<IReadOnlyList<string>> Needed, IReadOnlyList<string> Had, int Status, double Milliseconds, string? Explanation);

/// <summary>How an application used a permission.</summary>
/// <param name="Calls">Calls that it served.</param>
/// <param name="Last">The last of them, UTC.</param>
public sealed record PermissionUse(long Calls, DateTime Last);

/// <summary>
/// Remembers the latest calls and which permissions they used, while it is switched on. A call is credited to the first permission of each
/// group that the caller holds, because the tables name the least powerful one first.
/// </summary>
public sealed class RequestJournal(TimeProvider clock)
{
    private const int Capacity = 10_000;
    private const int LongestPath = 2_000;
    private readonly ConcurrentQueue<JournalEntry> _entries = new();
    private readonly ConcurrentDictionary<(Guid Tenant, Guid Application, Guid Resource, string Permission), PermissionUse> _uses = new();

    /// <summary>Whether calls are remembered.</summary>
    public bool Enabled { get; set; }

    /// <summary>The calls remembered, newest first.</summary>
    public IEnumerable<JournalEntry> Latest => _entries.Reverse();

    /// <summary>Permissions that were used, by tenant, application, API and name.</summary>
    public IReadOnlyDictionary<(Guid Tenant, Guid Application, Guid Resource, string Permission), PermissionUse> Uses => _uses;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _entries.Clear();
        _uses.Clear();
    }

    internal void Note(ApiCall call, ApiError? error, TimeSpan elapsed)
    {
        if (!Enabled) return;
        var now = clock.GetUtcNow().UtcDateTime;
        var caller = call.Caller as ApiCaller;
        var request = call.Http.Request;
        var path = request.Path + request.QueryString;
        var groups = caller is { IsUser: true } ? call.Endpoint.Delegated : call.Endpoint.Application;
        _entries.Enqueue(new JournalEntry(
            call.Id, now, call.Surface.Name, call.Endpoint.Key, path.Length <= LongestPath ? path : path[..LongestPath],
            caller?.TenantId, caller?.ApplicationId, caller?.Requestor, caller is null ? "none" : caller.IsUser ? "user" : "application",
            groups, caller is null ? [] : [.. caller.Permissions.Order(StringComparer.Ordinal)], call.Http.Response.StatusCode,
            Math.Round(elapsed.TotalMilliseconds, 2), error is null ? null : error.Explanation ?? error.Message));
        while (_entries.Count > Capacity) _entries.TryDequeue(out _);
        if (caller is null || call.Http.Response.StatusCode >= StatusCodes.Status400BadRequest) return;
        foreach (var group in groups)
        {
            if (group.FirstOrDefault(caller.Permissions.Contains) is not { } used) continue;
            _uses.AddOrUpdate(
                (caller.TenantId, caller.ApplicationId, call.Endpoint.Resource ?? call.Surface.Resource, used), new PermissionUse(1, now), (_, known) => new PermissionUse(known.Calls + 1, now));
        }
    }
}
