using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Vedette.Server.Http;
using Vedette.Server.OpenApi;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.OpenApi;

/// <summary>
/// Sends requests made from the OpenAPI document: well-formed ones, and ones with one thing wrong. Whatever comes back must be an answer that the
/// document tells of. The environment variable VEDETTE_FUZZ_REQUESTS makes it longer.
/// </summary>
public sealed class DescribedFuzzTests
{
    private const int Usual = 1_500;
    private static readonly int[] Known = [200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 414, 429];

    private static readonly string[] Odd =
    [
        "", " ", "x", "null", "'", "%", "-1", "0", "1e400", "99999999999999999999", "\u0001", "🙂", "../..", "a/b", "<b>", "{}", "[]", "true", "1' or '1'='1", "2026-13-40", "9999-12-31T23:59:59.9999999Z",
        new string('x', 5_000), "$filter", "(((((((((", "not not not", "a eq 1 and", "\\u0000",
    ];

    private readonly Random _random = new(20261120);

    [Fact]
    public async Task Every_answer_is_one_that_the_document_tells_of()
    {
        var requests = int.TryParse(Environment.GetEnvironmentVariable("VEDETTE_FUZZ_REQUESTS"), CultureInfo.InvariantCulture, out var wanted) ? wanted : Usual;
        await using var host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await host.SeedAsync(Seed.Machine(1), Seed.Machine(2), Seed.Alert(1));
        var surface = host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Endpoint");
        var document = JsonNode.Parse(await SurfaceDescription.Of(surface, "1.0").SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1))!;
        var calls = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject().Select(operation => (Path: path.Key, Method: operation.Key.ToUpperInvariant(), Operation: operation.Value!)))
            .ToArray();
        var failures = new List<string>();
        for (var i = 0; i < requests; i++)
        {
            var (path, method, operation) = calls[i % calls.Length];
            using var request = Make(host, path, method, operation);
            using var response = await host.Client.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync();
            if (Wrong(response, body) is { } why) failures.Add($"{why}: {method} {request.RequestUri} {Short(request.Content is null ? "" : await request.Content.ReadAsStringAsync())} -> {(int)response.StatusCode} {Short(body)}");
        }

        failures.ShouldBeEmpty(string.Join('\n', failures.Take(20)));
    }

    private static string? Wrong(HttpResponseMessage response, string body)
    {
        var status = (int)response.StatusCode;
        if (status >= 500) return "server error";
        if (!Known.Contains(status)) return "undocumented status";
        if (response.Content.Headers.ContentType?.MediaType != "application/json" || body.Length == 0) return null;
        try
        {
            using var json = JsonDocument.Parse(body);
            return status < 400 || json.RootElement.GetProperty("error").GetProperty("message").GetString() is { Length: > 0 } ? null : "error without a message";
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException)
        {
            return "not the JSON that was promised";
        }
    }

    private HttpRequestMessage Make(EndpointHost host, string path, string method, JsonNode operation)
    {
        var query = new List<string>();
        foreach (var parameter in operation["parameters"] as JsonArray ?? [])
        {
            var name = (string)parameter!["name"]!;
            if ((string)parameter["in"]! == "path") path = path.Replace($"{{{name}}}", Escape(PathValue(name)), StringComparison.Ordinal);
            else if (_random.Next(3) == 0) query.Add($"{name}={Escape(QueryValue(name, parameter))}");
        }

        var uri = host.Client.BaseAddress + path.TrimStart('/') + (query.Count > 0 ? "?" + string.Join('&', query) : "");
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(uri));
        var roles = operation["x-application-permissions"]!.AsArray().SelectMany(group => group!.AsArray().Select(role => (string)role!)).ToArray();
        if (_random.Next(20) > 0) request.Headers.Authorization = new("Bearer", _random.Next(20) > 0 ? EndpointHost.Token(roles) : Odd[2]);
        if (operation["requestBody"]?["content"]?["application/json"]?["schema"] is { } schema) request.Content = new StringContent(Body(schema), Encoding.UTF8, "application/json");
        return request;
    }

    private string PathValue(string name) => _random.Next(3) == 0 ? Pick() is { Length: > 0 and < 1_000 } odd ? odd : "-" : name switch
    {
        "id" => _random.Next(2) == 0 ? Seed.MachineId(1) : Seed.MachineId(9),
        "ip" => "10.0.0.1",
        "domain" => "host.example",
        "timestamp" => "2026-11-20T08:00:00Z",
        _ => "1",
    };

    private string QueryValue(string name, JsonNode parameter)
    {
        if (_random.Next(3) == 0) return Pick();
        var first = ((string?)parameter["description"] ?? "").Replace("May name ", "", StringComparison.Ordinal).TrimEnd('.').Split(", ")[0];
        return name switch
        {
            "$filter" => $"{first} eq 'x'",
            "$orderby" => $"{first} desc",
            "$select" => "id",
            "$expand" => first,
            "$top" or "$skip" => "3",
            "$count" => "true",
            _ => "x",
        };
    }

    private string Body(JsonNode schema)
    {
        if (_random.Next(8) == 0) return Pick();
        var body = new JsonObject();
        foreach (var (name, member) in schema["properties"]!.AsObject())
        {
            if (_random.Next(6) == 0) continue;
            body[name] = _random.Next(4) == 0 ? OddJson() : Value(member!);
        }

        return body.ToJsonString();
    }

    private static JsonNode? Value(JsonNode member)
    {
        if (member["enum"] is JsonArray values) return values[0]?.DeepClone();
        var type = member["type"] is JsonArray types ? (string?)types[0] : (string?)member["type"];
        return type switch
        {
            "boolean" => true,
            "integer" => 1,
            "array" => new JsonArray("x"),
            "object" => new JsonObject(),
            _ when (string?)member["format"] == "date-time" => "2026-11-20T08:00:00Z",
            _ => "text",
        };
    }

    private JsonNode? OddJson() => _random.Next(6) switch
    {
        0 => null,
        1 => JsonValue.Create(_random.NextInt64()),
        2 => new JsonArray(new JsonArray(new JsonObject())),
        3 => new JsonObject { ["a"] = Pick() },
        4 => JsonValue.Create(true),
        _ => Pick(),
    };

    private string Pick() => Odd[_random.Next(Odd.Length)];

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private static string Short(string text) => text.Length <= 300 ? text : text[..300];
}
