namespace Vedette.Server.Control.Api;

/// <summary>One call of the control API.</summary>
/// <param name="Method">HTTP verb.</param>
/// <param name="Path">Path; a segment in braces is an argument of that name.</param>
/// <param name="Operation">The operation that answers; arguments are the body's members, the query's and the path's.</param>
/// <param name="Summary">What it does.</param>
internal sealed record ControlRoute(string Method, string Path, string Operation, string Summary)
{
    /// <summary>Every call of the control API.</summary>
    public static IReadOnlyList<ControlRoute> All { get; } =
    [
        new("GET", "/control/status", "status", "Where the server listens and what it holds."),
        new("POST", "/control/reset", "data.reset", "Deletes all data but the directory; {\"seed\": true} makes the demo organisation anew."),
        new("POST", "/control/seed", "data.seed", "Makes sure of the demo organisation."),
        new("POST", "/control/generate", "data.generate", "Makes many devices and alerts: {\"machines\": 100, \"alerts\": 50, \"evidence\": 3}."),
        new("GET", "/control/snapshots", "snapshots.list", "The snapshots."),
        new("PUT", "/control/snapshots/{name}", "snapshots.take", "Copies all data but the directory under a name."),
        new("POST", "/control/snapshots/{name}/restore", "snapshots.restore", "Puts all data back as it was."),
        new("DELETE", "/control/snapshots/{name}", "snapshots.delete", "Deletes a snapshot."),
        new("GET", "/control/clock", "clock.show", "What time the server goes by."),
        new("PUT", "/control/clock", "clock.set", "{\"time\", \"advance\", \"frozen\", \"reset\"}: sets, moves, stops or releases the clock."),
        new("PUT", "/control/action-timing", "timing.set", "{\"timing\": \"at-once\" | \"5s\" | \"3r\" | \"never\", \"outcome\": \"Failed\"}: how simulated devices pace actions."),
        new("GET", "/control/faults", "faults.list", "The scripted faults and how often each was played."),
        new("POST", "/control/faults", "faults.add", "Orders a fault: {\"route\": \"GET /api/alerts\", \"status\": 429, \"retryAfter\": 1, \"times\": 1}."),
        new("DELETE", "/control/faults", "faults.remove", "Takes all faults away."),
        new("DELETE", "/control/faults/{id}", "faults.remove", "Takes one fault away."),
        new("GET", "/control/quotas", "quotas.show", "How strictly calls are counted."),
        new("PUT", "/control/quotas", "quotas.set", "{\"mode\": \"Real\" | \"Off\", \"scale\": 0.1}: switches or scales call quotas."),
        new("GET", "/control/requests", "requests.list", "The latest API calls: what each needed, had and got. ?client=, ?status=, ?call=, ?limit="),
        new("DELETE", "/control/requests", "requests.clear", "Forgets the calls."),
        new("GET", "/control/permissions", "permissions.report", "Permissions that each application used, and those it never needed."),
    ];
}
