using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Vedette.Server.Tests.Graph.Subscriptions;

/// <summary>A receiver of change notifications as an application has one: it gives validation tokens back, or does as it is told instead.</summary>
internal sealed class NotificationReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Func<HttpListenerContext, string, Task>? _validate;
    private readonly Task _work;

    public NotificationReceiver(Func<HttpListenerContext, string, Task>? validate = null)
    {
        _validate = validate;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/hook/";
        }

        _listener.Prefixes.Add(Address);
        _listener.Start();
        _work = Task.Run(ListenAsync);
    }

    public string Address { get; }

    public ConcurrentQueue<JsonElement> Told { get; } = new();

    public ConcurrentQueue<string> Validated { get; } = new();

    public static async Task AnswerAsync(HttpListenerContext context, int status, string body, string type = "text/plain")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
    }

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
            try
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var body = await reader.ReadToEndAsync();
                if (context.Request.QueryString["validationToken"] is { } token)
                {
                    Validated.Enqueue($"{context.Request.HttpMethod} {context.Request.ContentType} {context.Request.Url!.Query} {body}");
                    await (_validate ?? ((c, t) => AnswerAsync(c, 200, t)))(context, token);
                }
                else
                {
                    foreach (var notification in JsonDocument.Parse(body).RootElement.GetProperty("value").EnumerateArray()) Told.Enqueue(notification.Clone());
                    context.Response.StatusCode = 202;
                }

                context.Response.Close();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                // The listener was closed, or the other end went away.
            }
        }
    }
}
