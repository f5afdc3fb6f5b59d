using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Security.Hunting;

/// <summary>Runs hunting queries, under the short name of the action and under the qualified one that generated clients use.</summary>
internal sealed class HuntingHandlers(HuntingCalls hunting, HuntingSettings settings, TimeProvider clock) : IGraphSecurityHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("POST /security/runHuntingQuery", RunAsync),
        new("POST /security/microsoft.graph.security.runHuntingQuery", RunAsync),
    ];

    private ValueTask<ApiResult> RunAsync(ApiCall call)
    {
        (DateTime From, DateTime To)? window = null;
        if (call.Body.Text("Timespan") is { Length: > 0 } text)
        {
            var now = clock.GetUtcNow().UtcDateTime;
            if (HuntingTimespan.Read(text, now) is not { } read) return new(call.Error("InvalidTimespan", text));

            // What lies further back than the look-back stays out of sight.
            var earliest = now - settings.Graph.LookBack;
            window = (read.From < earliest ? earliest : read.From, read.To < earliest ? earliest : read.To);
        }

        return hunting.RunAsync(call, call.Body.Text("Query")!, settings.Graph, HuntingSpelling.Camel, window);
    }
}
