using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Batch;

/// <summary>Several requests in one: each goes through the whole pipeline with the batch's token, in the order that <c>dependsOn</c> asks for.</summary>
internal sealed class BatchHandlers(IServiceProvider services) : IGraphHandlers
{
    private const int MostRequests = 20;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => [new("POST /$batch", RunAsync)];

    private async ValueTask<ApiResult> RunAsync(ApiCall call)
    {
        var list = call.Body.Value("requests")!.Value;
        if (list.GetArrayLength() > MostRequests) return call.Error("BatchTooLarge");
        var parts = new List<BatchPart>();
        foreach (var item in list.EnumerateArray())
        {
            if (BatchPart.Read(item, out var part) is { } problem) return call.Error("BatchInvalid", problem);
            if (parts.Any(other => string.Equals(other.Id, part!.Id, StringComparison.OrdinalIgnoreCase))) return call.Error("BatchInvalid", $"the id '{part!.Id}' is there twice.");
            parts.Add(part!);
        }

        foreach (var part in parts)
            if (part.DependsOn.FirstOrDefault(name => !parts.TakeWhile(other => other != part).Any(other => other.Id == name)) is { } unknown)
                return call.Error("BatchInvalid", $"the request '{part.Id}' depends on '{unknown}', which does not stand before it.");

        // The pipeline holds these handlers, so it is asked for when it is there.
        var pipeline = services.GetRequiredService<RequestPipeline>();
        var answers = new List<BatchAnswer>(parts.Count);
        foreach (var part in parts)
        {
            var failed = part.DependsOn.FirstOrDefault(name => answers.Any(answer => answer.Id == name && answer.Status >= 400));
            answers.Add(failed is null ? await SendAsync(call, pipeline, part) : BatchAnswer.Failed(part.Id, call.Error("FailedDependency", failed)));
        }

        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteStartArray("responses"u8);
            foreach (var answer in answers) answer.Write(json);
            json.WriteEndArray();
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        })
        {
            OData = false,
        };
    }

    private async ValueTask<BatchAnswer> SendAsync(ApiCall call, RequestPipeline pipeline, BatchPart part)
    {
        var outer = call.Http;
        var inner = new DefaultHttpContext { RequestServices = outer.RequestServices, RequestAborted = call.Aborted };
        inner.Connection.RemoteIpAddress = outer.Connection.RemoteIpAddress;
        var request = inner.Request;
        request.Method = part.Method;
        request.Scheme = outer.Request.Scheme;
        request.Host = outer.Request.Host;
        request.Protocol = outer.Request.Protocol;

        // A relative address belongs to the version that the batch was sent to.
        var root = new Uri($"{call.ServiceRoot}/");
        if (!Uri.TryCreate(root, part.Url.TrimStart('/'), out var target) || target.Host != root.Host || part.Url.Contains("://", StringComparison.Ordinal))
            return BatchAnswer.Failed(part.Id, call.Error("BatchInvalid", $"'{part.Url}' is not a relative URL."));
        request.Path = PathString.FromUriComponent(target);
        request.QueryString = QueryString.FromUriComponent(target);
        if (request.Path.Value!.EndsWith("/$batch", StringComparison.OrdinalIgnoreCase)) return BatchAnswer.Failed(part.Id, call.Error("BatchInvalid", "a batch cannot hold a batch."));
        request.Headers.Authorization = outer.Request.Headers.Authorization;
        foreach (var (name, value) in part.Headers) request.Headers[name] = value;
        if (part.Body is { } body)
        {
            request.Body = new MemoryStream(body);
            request.ContentLength = body.Length;
        }

        await using var output = new MemoryStream();
        inner.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(output));
        if (!await pipeline.TryHandleAsync(inner)) inner.Response.StatusCode = StatusCodes.Status404NotFound;
        await inner.Response.CompleteAsync();
        return new BatchAnswer(part.Id, inner.Response.StatusCode, inner.Response.Headers, output.ToArray());
    }
}

/// <summary>One request of a batch.</summary>
internal sealed record BatchPart(string Id, string Method, string Url, IReadOnlyDictionary<string, string> Headers, byte[]? Body, IReadOnlyList<string> DependsOn)
{
    private static readonly string[] Methods = ["GET", "POST", "PATCH", "PUT", "DELETE"];

    /// <summary>Reads one request.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public static string? Read(JsonElement item, out BatchPart? part)
    {
        part = null;
        if (item.ValueKind != JsonValueKind.Object) return "a request is an object.";
        if (Text(item, "id") is not { Length: > 0 and < 200 } id) return "a request lacks its id.";
        if (Text(item, "method")?.ToUpperInvariant() is not { } method || !Methods.Contains(method)) return $"the request '{id}' lacks its method.";
        if (Text(item, "url") is not { Length: > 0 } url) return $"the request '{id}' lacks its url.";
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (item.TryGetProperty("headers", out var given) && given.ValueKind == JsonValueKind.Object)
        {
            foreach (var header in given.EnumerateObject())
            {
                if (header.Value.ValueKind != JsonValueKind.String || header.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) || header.Value.GetString()!.Any(char.IsControl))
                    return $"a header of the request '{id}' is not one.";
                headers[header.Name] = header.Value.GetString()!;
            }
        }

        byte[]? body = null;
        if (item.TryGetProperty("body", out var content) && content.ValueKind != JsonValueKind.Null)
        {
            if (!headers.ContainsKey("Content-Type")) return $"the request '{id}' has a body and no Content-Type header.";
            body = JsonSerializer.SerializeToUtf8Bytes(content);
        }

        var depends = item.TryGetProperty("dependsOn", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!).ToArray()
            : [];
        part = new BatchPart(id, method, url, headers, body, depends);
        return null;
    }

    private static string? Text(JsonElement item, string name) => item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>The answer to one request of a batch.</summary>
internal sealed record BatchAnswer(string Id, int Status, IHeaderDictionary Headers, byte[] Body)
{
    /// <summary>The answer to a request that was not sent.</summary>
    public static BatchAnswer Failed(string id, ApiError error)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("error"u8);
            json.WriteString("code"u8, error.Template.Code);
            json.WriteString("message"u8, error.Message);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return new BatchAnswer(id, error.Template.Status, new HeaderDictionary { ["Content-Type"] = "application/json" }, buffer.WrittenSpan.ToArray());
    }

    /// <summary>Writes the answer: JSON as it is, anything else in Base64.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        json.WriteNumber("status"u8, Status);
        json.WriteStartObject("headers"u8);
        foreach (var (name, value) in Headers.Where(header => !header.Key.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))) json.WriteString(name, value.ToString());
        json.WriteEndObject();
        if (Body.Length > 0)
        {
            json.WritePropertyName("body"u8);
            if (Headers.ContentType.ToString().StartsWith("application/json", StringComparison.OrdinalIgnoreCase)) json.WriteRawValue(Body);
            else json.WriteBase64StringValue(Body);
        }

        json.WriteEndObject();
    }
}
