namespace Vedette.Server.Hosting;

/// <summary>
/// The first thing a request meets. By one of the real services' names only that service's addresses are reached, as in reality; by any
/// other name a server of the real hosts' port refuses (421), so that it answers for nobody it does not stand in for.
/// </summary>
internal static class HostGate
{
    /// <summary>Puts the gate in front of everything that is served.</summary>
    public static void UseHostGate(this WebApplication application) => application.Use((context, next) =>
    {
        if (EmulatedHosts.Find(context.Request.Host.Host) is { } host)
        {
            if (Serves(host.Role, context.Request.Path.Value ?? "/")) return next(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        if (context.Features.Get<EmulatedConnection>() is null || EmulatedHosts.IsOwnName(context.Request.Host.Host)) return next(context);
        context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
        return Task.CompletedTask;
    });

    /// <summary>Marks a connection as one that was made to the real hosts' port or through the proxy.</summary>
    public static void Mark(Microsoft.AspNetCore.Connections.ConnectionContext connection) => connection.Features.Set(new EmulatedConnection());

    private static bool Serves(HostRole role, string path)
    {
        var text = path.AsSpan().TrimStart('/');
        var end = text.IndexOf('/');
        var first = end < 0 ? text : text[..end];
        var isDefender = first.Equals("api", StringComparison.OrdinalIgnoreCase);
        var isGraph = first.Equals("v1.0", StringComparison.OrdinalIgnoreCase) || first.Equals("beta", StringComparison.OrdinalIgnoreCase)
            || first.Equals("oidc", StringComparison.OrdinalIgnoreCase);
        return role switch
        {
            HostRole.Defender => isDefender,
            HostRole.Graph => isGraph,
            _ => !isDefender && !isGraph && end >= 0 && end < text.Length - 1 || first.Equals("error", StringComparison.OrdinalIgnoreCase),
        };
    }

    private sealed class EmulatedConnection;
}
