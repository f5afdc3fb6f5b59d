using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.External;

/// <summary>http_request and http_request_post: one row with the answer's headers and its body.</summary>
internal sealed class HttpRequestStep(PluginCall call, ExternalSession session, HttpMethod method) : ExternalStep(call, session)
{
    private const int MaxHeaders = 64;

    // Headers that say how a message travels. They are the connection's own.
    private static readonly string[] Own =
        ["connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "x-ms-client-request-id", "x-ms-readonly"];

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions Bounded = new() { MaxDepth = 256 };

    protected override async Task<LocalTable> FetchAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var address = Text(input, "Uri");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri))
            throw Refused($"'{address}' is not an https address.");
        var headers = Headers(Bag(input, "RequestHeaders"));
        var content = method == HttpMethod.Post ? Encoding.UTF8.GetBytes(Text(input, "Content")) : null;
        var request = new ExternalCall(Name, uri, target => Request(target, headers, content)) { FollowsRedirects = content is null, TakesAnyAnswer = true };
        await using var answer = await Session.Connector.SendAsync(request, cancellationToken);
        if (!answer.Response.IsSuccessStatusCode)
            throw Refused($"'{uri.Host}' answered {(int)answer.Response.StatusCode}.");
        var all = new JsonObject();
        foreach (var (name, values) in answer.Response.Headers.Concat(answer.Response.Content.Headers))
            all[name] = string.Join(", ", values);
        var type = answer.Response.Content.Headers.ContentType;
        var body = await ReadAsync(answer.Body, type, cancellationToken);
        return new LocalTable(
            [new LocalColumn("ResponseHeaders", KqlType.Dynamic), new LocalColumn("ResponseBody", KqlType.Dynamic)],
            [[LocalJson.Write(all), type?.MediaType is "application/json" ? Json(body) : LocalValues.Quote(body)]]);
    }

    private HttpRequestMessage Request(Uri target, List<(string Name, string Value)> headers, byte[]? content)
    {
        var request = new HttpRequestMessage(method, target);
        if (content is not null)
            request.Content = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") } };
        foreach (var (name, value) in headers)
        {
            // A content header of a request without content says nothing.
            if (!request.Headers.TryAddWithoutValidation(name, value) && request.Content is { } body)
            {
                body.Headers.Remove(name);
                body.Headers.TryAddWithoutValidation(name, value);
            }
        }

        request.Headers.TryAddWithoutValidation("x-ms-client-request-id", Session.RequestId);
        request.Headers.TryAddWithoutValidation("x-ms-readonly", "true");
        return request;
    }

    private List<(string Name, string Value)> Headers(JsonObject? bag)
    {
        var headers = new List<(string, string)>();
        foreach (var (name, value) in bag ?? [])
        {
            var text = LocalJson.Text(value);
            if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') || text.Any(char.IsControl))
                throw Refused($"'{name}' is not a header.");
            if (Own.Contains(name, StringComparer.OrdinalIgnoreCase))
                throw Refused($"the header '{name}' cannot be set.");
            headers.Add((name, text));
        }

        return headers.Count <= MaxHeaders ? headers : throw Refused($"a request has {MaxHeaders} headers at most.");
    }

    private async Task<string> ReadAsync(Stream body, MediaTypeHeaderValue? type, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(body, CharacterSet(type), detectEncodingFromByteOrderMarks: true, leaveOpen: true);
        var text = new StringBuilder();
        var buffer = new char[16384];
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (text.Append(buffer, 0, read).Length > Session.Connector.Options.MaxCharacters)
                throw new HuntingException(HuntingFailure.ExcessiveResources, $"{Name} read more than {Session.Connector.Options.MaxCharacters} characters.");
        }

        return text.ToString();
    }

    private static Encoding CharacterSet(MediaTypeHeaderValue? type)
    {
        try
        {
            return type?.CharSet is { Length: > 0 } name ? Encoding.GetEncoding(name.Trim('"')) : Encoding.UTF8;
        }
        catch (ArgumentException)
        {
            return Encoding.UTF8;
        }
    }

    // A body that says it is JSON and is not stays a string.
    private static string Json(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Bounded);
            return JsonSerializer.Serialize(document.RootElement, Plain);
        }
        catch (JsonException)
        {
            return LocalValues.Quote(body);
        }
    }
}
