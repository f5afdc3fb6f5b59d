using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Vedette.Testing;

namespace Vedette.Server.Tests.Graph.Subscriptions;

/// <summary>A receiver of change notifications as an application has one: it gives validation tokens back, or does as it is told instead.</summary>
internal sealed class NotificationReceiver : IDisposable
{
    private readonly LoopbackListener _listener;
    private readonly Func<HttpListenerContext, string, Task>? _validate;

    public NotificationReceiver(Func<HttpListenerContext, string, Task>? validate = null)
    {
        _validate = validate;
        _listener = new LoopbackListener("hook", TakeAsync);
    }

    public string Address => _listener.Address;

    public ConcurrentQueue<JsonElement> Told { get; } = new();

    public ConcurrentQueue<string> Validated { get; } = new();

    public static async Task AnswerAsync(HttpListenerContext context, int status, string body, string type = "text/plain")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
    }

    public void Dispose() => _listener.Dispose();

    private async Task TakeAsync(HttpListenerContext context, string body)
    {
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
    }
}
