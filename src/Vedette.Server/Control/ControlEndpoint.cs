using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Vedette.Server.Control;

/// <summary>
/// The control socket: a Unix socket that only the owner of the data folder can open. <c>POST /operations/{name}</c> with a JSON object
/// answers JSON lines: any number of <c>{"progress":…}</c> and, from operations with long answers, of <c>{"text":…}</c>, then one <c>{"result":…}</c> or <c>{"error":{"code","message"}}</c>.
/// </summary>
internal static class ControlEndpoint
{
    /// <summary>Marks a connection as one that came through the control socket.</summary>
    public static void Mark(ConnectionContext connection) => connection.Features.Set(new ControlConnection());

    /// <summary>True for a request that came through the control socket.</summary>
    public static bool IsControl(HttpContext context) => context.Features.Get<ControlConnection>() is not null;

    /// <summary>Answers one request.</summary>
    public static async Task HandleAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method)
            || !context.Request.Path.StartsWithSegments("/operations", out var rest)
            || rest.Value is not { Length: > 1 } name)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var cancelled = context.RequestAborted;
        context.Response.ContentType = "application/x-ndjson";
        var lines = Channel.CreateBounded<JsonObject>(256);
        var work = RunAsync(context, name[1..], lines.Writer, cancelled);
        await foreach (var line in lines.Reader.ReadAllAsync(cancelled))
        {
            await WriteLineAsync(context, line, cancelled);
        }

        await WriteLineAsync(context, await work, cancelled);
    }

    private static async Task<JsonObject> RunAsync(HttpContext context, string name, ChannelWriter<JsonObject> lines, CancellationToken cancelled)
    {
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: cancelled);
            var progress = new LineProgress(lines);
            var operation = context.RequestServices.GetRequiredService<OperationRegistry>().Get(name);
            return new JsonObject { ["result"] = await operation.RunAsync(body.RootElement, progress, cancelled) };
        }
        catch (OperationException exception)
        {
            return Error(exception.Code, exception.Message);
        }
        catch (JsonException exception)
        {
            return Error("bad_input", exception.Message);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ControlEndpoint).FullName!)
                .LogError(exception, "Operation {Operation} failed", name);
            return Error("internal", $"{name} failed: {exception.Message}");
        }
        finally
        {
            lines.Complete();
        }
    }

    private static JsonObject Error(string code, string message) =>
        new() { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } };

    private static async Task WriteLineAsync(HttpContext context, JsonObject line, CancellationToken cancelled)
    {
        await context.Response.WriteAsync(line.ToJsonString(OperationJson.Options) + "\n", cancelled);
        await context.Response.Body.FlushAsync(cancelled);
    }

    private sealed class ControlConnection;

    // Not Progress<T>: that one posts to the thread pool, and lines would come out of order. A reader that is slow misses steps, but no text.
    private sealed class LineProgress(ChannelWriter<JsonObject> lines) : IProgress<OperationProgress>, IAnswerText
    {
        public void Report(OperationProgress value) =>
            lines.TryWrite(new JsonObject { ["progress"] = JsonSerializer.SerializeToNode(value, OperationJson.Options) });

        public ValueTask WriteAsync(string text, CancellationToken cancellationToken) => lines.WriteAsync(new JsonObject { ["text"] = text }, cancellationToken);
    }
}
