using System.Net;
using System.Text.Json.Nodes;
using Vedette.Testing;

namespace Vedette.Defender.Tests.Streaming;

/// <summary>An address that takes deliveries, or refuses the first few.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly LoopbackListener _listener;
    private readonly Queue<int> _refusals;

    public WebhookReceiver(params int[] refusals)
    {
        _refusals = new Queue<int>(refusals);
        _listener = new LoopbackListener("events", TakeAsync);
    }

    public string Address => _listener.Address;

    public List<(string Body, string? Signature)> Taken { get; } = [];

    public IEnumerable<JsonNode> Records => Taken.SelectMany(delivery => JsonNode.Parse(delivery.Body)!["records"]!.AsArray().Select(record => record!));

    public void Dispose() => _listener.Dispose();

    private Task TakeAsync(HttpListenerContext context, string body)
    {
        if (_refusals.TryDequeue(out var status)) context.Response.StatusCode = status;
        else Taken.Add((body, context.Request.Headers["X-Vedette-Signature-256"]));
        return Task.CompletedTask;
    }
}
