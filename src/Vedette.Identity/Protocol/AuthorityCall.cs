using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Vedette.Identity.Protocol;

/// <summary>What an endpoint of the authority gets to know of a request, free of any web framework.</summary>
public sealed record AuthorityCall
{
    /// <summary>Scheme, host and port as the client used them, without a trailing slash.</summary>
    public required string Authority { get; init; }

    /// <summary>The path segment that names the tenant, as sent.</summary>
    public required string TenantSegment { get; init; }

    /// <summary>1 or 2: which generation of endpoints was called.</summary>
    public required int Version { get; init; }

    /// <summary>HTTP method in upper case.</summary>
    public required string Method { get; init; }

    /// <summary>Body fields. Names are case-sensitive.</summary>
    public IReadOnlyDictionary<string, string> Form { get; init; } = new Dictionary<string, string>();

    /// <summary>True when the body could not be read as a form, or repeats a field.</summary>
    public bool FormIsMalformed { get; init; }

    /// <summary>The Authorization header, or null.</summary>
    public string? Authorization { get; init; }

    /// <summary>The Origin header, or null.</summary>
    public string? Origin { get; init; }

    /// <summary>Address of the caller, or null.</summary>
    public string? RemoteAddress { get; init; }

    /// <summary>Identifies this answer; a new one for each call.</summary>
    public required Guid TraceId { get; init; }

    /// <summary>The client's own request id, or a new one.</summary>
    public required Guid CorrelationId { get; init; }

    /// <summary>A field that is there and not empty, or null.</summary>
    public string? Field(string name) => Form.TryGetValue(name, out var value) && value.Length > 0 ? value : null;
}

/// <summary>A JSON answer of the authority.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">JSON as UTF-8.</param>
/// <param name="RetryAfter">Whole seconds for the Retry-After header, or null.</param>
public sealed record AuthorityAnswer(int Status, ReadOnlyMemory<byte> Body, int? RetryAfter = null)
{
    /// <summary>The WWW-Authenticate header, or null.</summary>
    public string? Challenge { get; init; }

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a JSON object.</summary>
    public static AuthorityAnswer Json(int status, Action<Utf8JsonWriter> members, int? retryAfter = null)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return new AuthorityAnswer(status, buffer.WrittenMemory, retryAfter);
    }

    /// <summary>Writes a refusal in the form that all endpoints of the authority share.</summary>
    public static AuthorityAnswer Refusal(ProtocolError error, AuthorityCall call, DateTimeOffset now)
    {
        var timestamp = now.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return Json(
            error.Status,
            json =>
            {
                json.WriteString("error", error.Error);
                json.WriteString("error_description", $"AADSTS{error.Number}: {error.Text} Trace ID: {call.TraceId} Correlation ID: {call.CorrelationId} Timestamp: {timestamp}");
                json.WriteStartArray("error_codes");
                json.WriteNumberValue(error.Number);
                json.WriteEndArray();
                json.WriteString("timestamp", timestamp);
                json.WriteString("trace_id", call.TraceId);
                json.WriteString("correlation_id", call.CorrelationId);
                if (error.HasErrorUri) json.WriteString("error_uri", $"{call.Authority}/error?code={error.Number}");
                if (error.Suberror is not null) json.WriteString("suberror", error.Suberror);
                if (error.Claims is not null) json.WriteString("claims", error.Claims);
            },
            error.RetryAfter);
    }
}
