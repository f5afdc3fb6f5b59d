using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Server.Http;

namespace Vedette.Server.Control.Api;

/// <summary>
/// The control API: what integrators' tests change while the server runs. Off unless the server was started with it; every call needs its key.
/// It stands before everything else, so the faults that it scripts never meet it.
/// </summary>
internal static class ControlApi
{
    private const int LargestBody = 4 * 1024 * 1024;
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 32, AllowTrailingCommas = true };

    /// <summary>Serves the control API and plays scripted faults on addresses that no API surface owns, such as the token endpoint.</summary>
    public static void MapControlApi(this WebApplication application, ControlKey key)
    {
        application.Use((context, next) => context.Request.Path.StartsWithSegments("/control") ? HandleAsync(context, key) : next(context));
        application.Use(async (context, next) =>
        {
            var services = context.RequestServices;
            if (services.GetRequiredService<RequestPipeline>().Owns(context.Request.Path)
                || await services.GetRequiredService<IFaultScript>().NextAsync(context, null) is not { } fault)
            {
                await next(context);
                return;
            }

            await PlayAsync(context, fault);
        });
    }

    private static async Task PlayAsync(HttpContext context, ScriptedFault fault)
    {
        if (fault.Status == 0)
        {
            context.Abort();
            return;
        }

        var response = context.Response;
        response.StatusCode = fault.Status;
        response.ContentType = "application/json; charset=utf-8";
        if (fault.RetryAfter is { } seconds) response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (name, value) in fault.Headers) response.Headers[name] = value;
        var body = fault.Body ?? new JsonObject
        {
            ["error"] = fault.Code ?? "temporarily_unavailable",
            ["error_description"] = fault.Message ?? "The request failed as ordered.",
        }.ToJsonString(OperationJson.Options);
        await response.WriteAsync(body, context.RequestAborted);
    }

    private static async Task HandleAsync(HttpContext context, ControlKey key)
    {
        if (!key.IsIn(context.Request))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"control\"";
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "unauthorized", "The control API needs its own key as a bearer token: the file control.key in the data folder's keys.");
            return;
        }

        var path = context.Request.Path.Value!.TrimEnd('/');
        if (path.Equals("/control", StringComparison.OrdinalIgnoreCase))
        {
            await context.Response.WriteAsJsonAsync(
                new { calls = ControlRoute.All.Select(route => new { route.Method, route.Path, route.Summary }) }, OperationJson.Options, context.RequestAborted);
            return;
        }

        var matches = ControlRoute.All.Select(route => (Route: route, Arguments: Match(route.Path, path))).Where(match => match.Arguments is not null).ToArray();
        if (matches.Length == 0)
        {
            await RefuseAsync(context, StatusCodes.Status404NotFound, "not_found", $"The control API has no '{path}'. GET /control lists its calls.");
            return;
        }

        var (found, arguments) = matches.FirstOrDefault(match => match.Route.Method == context.Request.Method);
        if (found is null)
        {
            context.Response.Headers.Allow = string.Join(", ", matches.Select(match => match.Route.Method));
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "method_not_allowed", $"'{path}' takes {context.Response.Headers.Allow}.");
            return;
        }

        await RunAsync(context, found, arguments!);
    }

    private static async Task RunAsync(HttpContext context, ControlRoute route, JsonObject arguments)
    {
        try
        {
            foreach (var (name, values) in context.Request.Query) arguments[name] = Value(values.ToString());
            foreach (var (name, value) in await BodyAsync(context.Request)) arguments.TryAdd(name, value?.DeepClone());
            var input = JsonSerializer.SerializeToElement(arguments, OperationJson.Options);
            var operation = context.RequestServices.GetRequiredService<OperationRegistry>().Get(route.Operation);
            var result = await operation.RunAsync(input, new Silent(), context.RequestAborted);
            await context.Response.WriteAsJsonAsync(result, OperationJson.Options, context.RequestAborted);
        }
        catch (OperationException exception)
        {
            var status = exception.Code switch
            {
                "not_found" => StatusCodes.Status404NotFound,
                "conflict" => StatusCodes.Status409Conflict,
                _ => StatusCodes.Status400BadRequest,
            };
            await RefuseAsync(context, status, exception.Code, exception.Message);
        }
        catch (JsonException exception)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "bad_input", $"The body is not a JSON object: {exception.Message}");
        }
        catch (Exception exception) when (exception is not OperationCanceledException && !context.Response.HasStarted)
        {
            context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ControlApi).FullName!).LogError(exception, "{Operation} failed", route.Operation);
            await RefuseAsync(context, StatusCodes.Status500InternalServerError, "internal", $"{route.Operation} failed: {exception.Message}");
        }
    }

    private static async Task<JsonObject> BodyAsync(HttpRequest request)
    {
        if (request.ContentLength > LargestBody) throw new OperationException("bad_input", $"A body has at most {LargestBody} bytes.");
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        while (await request.Body.ReadAsync(chunk, request.HttpContext.RequestAborted) is > 0 and var read)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > LargestBody) throw new OperationException("bad_input", $"A body has at most {LargestBody} bytes.");
        }

        if (buffer.Length == 0) return [];
        return JsonNode.Parse(buffer.ToArray(), null, Reading) as JsonObject ?? throw new OperationException("bad_input", "The body must be a JSON object.");
    }

    private static JsonObject? Match(string template, string path)
    {
        var wanted = template.Split('/');
        var given = path.Split('/');
        if (wanted.Length != given.Length) return null;
        var arguments = new JsonObject();
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i].StartsWith('{')) arguments[wanted[i].Trim('{', '}')] = given[i];
            else if (!wanted[i].Equals(given[i], StringComparison.OrdinalIgnoreCase)) return null;
        }

        return arguments;
    }

    private static JsonNode? Value(string text) => bool.TryParse(text, out var flag) ? JsonValue.Create(flag) : JsonValue.Create(text);

    private static Task RefuseAsync(HttpContext context, int status, string code, string message)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { error = new { code, message } }, OperationJson.Options, context.RequestAborted);
    }

    private sealed class Silent : IProgress<OperationProgress>
    {
        public void Report(OperationProgress value)
        {
            // A call of the control API answers once, when the work is done.
        }
    }
}
