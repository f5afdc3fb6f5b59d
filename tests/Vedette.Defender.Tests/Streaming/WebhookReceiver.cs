using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Vedette.Defender.Tests.Streaming;

/// <summary>An address that takes deliveries, or refuses the first few.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Queue<int> _refusals = new();
    private readonly Task _work;

    public WebhookReceiver(params int[] refusals)
    {
        foreach (var status in refusals) _refusals.Enqueue(status);
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/events/";
        }

        _listener.Prefixes.Add(Address);
        _listener.Start();
        _work = Task.Run(ListenAsync);
    }

    public string Address { get; }

    public List<(string Body, string? Signature)> Taken { get; } = [];

    public IEnumerable<JsonNode> Records => Taken.SelectMany(delivery => JsonNode.Parse(delivery.Body)!["records"]!.AsArray().Select(record => record!));

    public void Dispose()
    {
        _listener.Stop();
        _listener.Close();
        _work.GetAwaiter().GetResult();
    }

    private async Task ListenAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            if (_refusals.TryDequeue(out var status)) context.Response.StatusCode = status;
            else Taken.Add((body, context.Request.Headers["X-Vedette-Signature-256"]));
            context.Response.Close();
        }
    }
}
