using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Vedette.Identity.Protocol;
using Vedette.Server.Hosting;

namespace Vedette.Server.Authority;

/// <summary>What kind of answer is written, which decides its caching headers.</summary>
internal enum AnswerKind
{
    /// <summary>Tokens and refusals: never stored, and read by the pages that asked for them.</summary>
    Token,

    /// <summary>Never stored, and for no page to read.</summary>
    Private,

    /// <summary>Public documents: may be kept for a day, and read by pages of any origin.</summary>
    Document,
}

/// <summary>One HTTP request to the authority: reads what the protocol needs, within bounds, and writes the answer.</summary>
internal sealed class AuthorityRequest(HttpContext context, string tenant, int version, string lastSegment)
{
    private const int LongestBody = 256 * 1024;
    private const int LongestValue = 128 * 1024;
    private const int MostFields = 100;

    /// <summary>The last segment of the path, decoded.</summary>
    public string LastSegment => Uri.UnescapeDataString(lastSegment);

    /// <summary>Services of the request.</summary>
    public IServiceProvider Services => context.RequestServices;

    /// <summary>Set when the client leaves.</summary>
    public CancellationToken Aborted => context.RequestAborted;

    /// <summary>A query parameter, or null.</summary>
    public string? Query(string name) => context.Request.Query[name] is [{ Length: > 0 } value, ..] ? value : null;

    /// <summary>The exchange, for pages and cookies.</summary>
    public HttpContext Context => context;

    /// <summary>Reads the request.</summary>
    /// <param name="withForm">True when the body is a form.</param>
    /// <param name="orQuery">True when a GET request has its fields in the query.</param>
    public async Task<AuthorityCall> ReadAsync(bool withForm, bool orQuery = false)
    {
        var request = context.Request;
        var (fields, malformed) = orQuery && HttpMethods.IsGet(request.Method) && request.QueryString.HasValue
            ? ReadQuery(request)
            : withForm ? await ReadFormAsync(request) : ([], false);
        return new AuthorityCall
        {
            Authority = AddressOf(request),
            TenantSegment = Uri.UnescapeDataString(tenant),
            Version = version,
            Method = request.Method.ToUpperInvariant(),
            Form = fields,
            FormIsMalformed = malformed,
            Authorization = Header(request, HeaderNames.Authorization),
            Origin = Header(request, HeaderNames.Origin),
            RemoteAddress = context.Connection.RemoteIpAddress?.ToString(),
            TraceId = Guid.NewGuid(),
            CorrelationId = CorrelationId(request, fields),
        };
    }

    /// <summary>Scheme, host and port by which the client reached the server, as its metadata and issuers repeat them.</summary>
    public static string AddressOf(HttpRequest request)
    {
        var host = request.Host;
        var standard = host.Port is { } port && port == (request.IsHttps ? 443 : 80);
        var name = standard ? host.Host : host.Value;

        // The name is the client's to send, and may be no name at all.
        return Uri.TryCreate($"{request.Scheme}://{name?.ToLowerInvariant()}", UriKind.Absolute, out var address) && address is { PathAndQuery: "/", UserInfo: "" }
            ? address.GetLeftPart(UriPartial.Authority)
            : $"{request.Scheme}://localhost";
    }

    /// <summary>Writes an answer with the headers that all answers of the authority carry.</summary>
    public async Task WriteAsync(AuthorityAnswer answer, AuthorityCall call, AnswerKind kind)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = answer.Body.Length;
        var headers = response.Headers;
        headers[HeaderNames.XContentTypeOptions] = "nosniff";
        if (EmulatedHosts.Find(context.Request.Host.Host) is not null) headers[HeaderNames.StrictTransportSecurity] = "max-age=31536000; includeSubDomains";
        headers["x-ms-request-id"] = call.TraceId.ToString();
        if (kind == AnswerKind.Document && answer.Status == 200)
        {
            headers[HeaderNames.CacheControl] = "max-age=86400, private";
            headers[HeaderNames.AccessControlAllowOrigin] = "*";
        }
        else
        {
            headers[HeaderNames.CacheControl] = "no-store, no-cache";
            headers[HeaderNames.Pragma] = "no-cache";
            headers[HeaderNames.Expires] = "-1";
            if (kind == AnswerKind.Document) headers[HeaderNames.AccessControlAllowOrigin] = "*";
            else if (kind == AnswerKind.Token) CrossOrigin.Allow(context);
        }

        if (answer.RetryAfter is { } seconds) headers[HeaderNames.RetryAfter] = seconds.ToString(CultureInfo.InvariantCulture);
        if (answer.Status == StatusCodes.Status405MethodNotAllowed) headers[HeaderNames.Allow] = "POST";
        if (answer.Challenge is not null) headers[HeaderNames.WWWAuthenticate] = answer.Challenge;
        else if (answer.Status == StatusCodes.Status401Unauthorized && call.Authorization is not null) headers[HeaderNames.WWWAuthenticate] = $"Basic realm=\"{call.Authority}\"";
        if (string.Equals(Header(context.Request, "return-client-request-id"), "true", StringComparison.OrdinalIgnoreCase))
            headers["client-request-id"] = call.CorrelationId.ToString();
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }

    private async Task<(Dictionary<string, string> Fields, bool Malformed)> ReadFormAsync(HttpRequest request)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (request.ContentLength > LongestBody) return (fields, true);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = LongestBody;
        try
        {
            var form = await new FormPipeReader(request.BodyReader, Encoding.UTF8)
            {
                KeyLengthLimit = 256,
                ValueLengthLimit = LongestValue,
                ValueCountLimit = MostFields,
            }.ReadFormAsync(context.RequestAborted);

            // RFC 6749 3.2: no parameter may be sent twice.
            foreach (var (name, values) in form)
            {
                if (values.Count != 1 || HasNull(name) || HasNull(values[0])) return (fields, true);
                fields[name] = values[0] ?? "";
            }

            return (fields, false);
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException)
        {
            return ([], true);
        }
    }

    private static (Dictionary<string, string> Fields, bool Malformed) ReadQuery(HttpRequest request)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, values) in request.Query)
        {
            if (values.Count != 1 || HasNull(name) || HasNull(values[0])) return (fields, true);
            fields[name] = values[0] ?? "";
        }

        return (fields, false);
    }

    // No value of the protocol holds a null character, and no store of ours takes one.
    private static bool HasNull(string? text) => text?.Contains('\0', StringComparison.Ordinal) == true;

    private static Guid CorrelationId(HttpRequest request, Dictionary<string, string> fields)
    {
        const string Name = "client-request-id";
        if (Guid.TryParse(Header(request, Name), out var id)) return id;
        if (fields.TryGetValue(Name, out var field) && Guid.TryParse(field, out id)) return id;
        return request.QueryString.HasValue && Guid.TryParse(request.Query[Name], out id) ? id : Guid.NewGuid();
    }

    private static string? Header(HttpRequest request, string name) => request.Headers[name] is [{ } value, ..] ? value : null;
}
