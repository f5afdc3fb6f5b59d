using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.External;

/// <summary>cosmosdb_sql_request: the documents that a query to a Cosmos DB collection gives, a row each.</summary>
internal sealed class CosmosRequestStep(PluginCall call, ExternalSession session) : ExternalStep(call, session)
{
    private const int PageSize = 1000;
    private const int MaxDocuments = 500_000;
    private const int MaxColumns = 5000;

    /// <summary>Documents that are bare values have one column.</summary>
    private const string Bare = "$1";

    protected override async Task<LocalTable> FetchAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var connection = Connection(Text(input, "connection_string"));
        foreach (var part in new[] { "AccountEndpoint", "Database", "Collection" })
        {
            if (connection.GetValueOrDefault(part.ToLowerInvariant()) is not { Length: > 0 })
                throw Refused($"the connection string needs {part}.");
        }

        if (connection.GetValueOrDefault("accountkey") is not { Length: > 0 } key)
            throw Refused("the connection string needs an AccountKey; armResourceId and access tokens are not understood.");
        if (!Uri.TryCreate(connection["accountendpoint"], UriKind.Absolute, out var endpoint))
            throw Refused("the AccountEndpoint is not an https address.");
        var body = Encoding.UTF8.GetBytes(LocalJson.Write(new JsonObject { ["query"] = Text(input, "sql_query"), ["parameters"] = Parameters(Bag(input, "sql_parameters")) }));
        var path = $"dbs/{connection["database"]}/colls/{connection["collection"]}";
        var documents = new List<JsonNode?>();
        var characters = 0L;
        string? continuation = null;
        do
        {
            var (page, length, next) = await PageAsync(endpoint, path, key, body, continuation, cancellationToken);
            characters += length;
            documents.AddRange(page);
            continuation = next;
            if (characters > Session.Connector.Options.MaxCharacters || documents.Count > MaxDocuments)
                throw new HuntingException(HuntingFailure.ExcessiveResources, $"{Name} read more than {Session.Connector.Options.MaxCharacters} characters or {MaxDocuments} documents.");
        }
        while (continuation is not null);
        return Table(documents);
    }

    protected override LocalTable Shape(LocalTable fetched)
    {
        if (Call.IsOpen)
            return fetched;
        var places = Call.Columns.Select(c => (Column: c, Place: fetched.Columns.ToList().FindIndex(f => f.Name == c.Name))).ToList();
        return new LocalTable(
            [.. places.Select(p => new LocalColumn(p.Column.Name, p.Column.Type))],
            [.. fetched.Rows.Select(row => places.Select(p => p.Place < 0 ? LocalValues.To(null, KqlType.String, p.Column.Type)
                : LocalValues.To(row[p.Place], fetched.Columns[p.Place].Type, p.Column.Type)).ToArray())]);
    }

    private static JsonArray Parameters(JsonObject? bag) =>
        new([.. (bag ?? []).Select(p => (JsonNode)new JsonObject { ["name"] = p.Key, ["value"] = p.Value?.DeepClone() })]);

    private static LocalTable Table(List<JsonNode?> documents)
    {
        var types = new Dictionary<string, KqlType?>(StringComparer.Ordinal);
        var columns = new List<string>();
        var rows = documents.ConvertAll(d => d as JsonObject ?? new JsonObject { [Bare] = d?.DeepClone() });
        foreach (var (name, value) in rows.SelectMany(r => r))
        {
            if (!types.TryGetValue(name, out var known) && columns.Count < MaxColumns)
                columns.Add(name);
            types[name] = BagTypes.Common(known, BagTypes.Of(value));
        }

        var typed = columns.ConvertAll(c => new LocalColumn(c, types[c] ?? KqlType.String));
        return new LocalTable(typed, rows.ConvertAll(row => typed.Select(c => row[c.Name] is { } value
            ? LocalValues.To(LocalJson.Write(value), KqlType.Dynamic, c.Type)
            : LocalValues.To(null, KqlType.String, c.Type)).ToArray()));
    }

    private async Task<(IReadOnlyList<JsonNode?> Documents, long Length, string? Next)> PageAsync(
        Uri endpoint, string path, string key, byte[] body, string? continuation, CancellationToken cancellationToken)
    {
        var date = Session.UtcNow.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
        var authorization = Authorization(key, path, date);
        var address = new Uri(endpoint, string.Join('/', path.Split('/').Select(Uri.EscapeDataString)) + "/docs");
        var call = new ExternalCall(Name, address, target =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, target)
            {
                Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/query+json") } },
            };
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            request.Headers.TryAddWithoutValidation("x-ms-date", date);
            request.Headers.TryAddWithoutValidation("x-ms-version", "2018-12-31");
            request.Headers.TryAddWithoutValidation("x-ms-documentdb-isquery", "True");
            request.Headers.TryAddWithoutValidation("x-ms-documentdb-query-enablecrosspartition", "True");
            request.Headers.TryAddWithoutValidation("x-ms-max-item-count", PageSize.ToString(CultureInfo.InvariantCulture));
            if (continuation is not null)
                request.Headers.TryAddWithoutValidation("x-ms-continuation", continuation);
            return request;
        }) { FollowsRedirects = false, TakesAnyAnswer = true };
        await using var answer = await Session.Connector.SendAsync(call, cancellationToken);
        using var reader = new StreamReader(answer.Body, Encoding.UTF8);
        var text = await reader.ReadToEndAsync(cancellationToken);
        var json = LocalJson.Parse(text) as JsonObject;
        if (!answer.Response.IsSuccessStatusCode)
            throw Refused($"'{address.Host}' answered {(int)answer.Response.StatusCode}{(json?["message"] is JsonValue message ? ": " + LocalJson.Text(message).Split('\n')[0].Trim() : ".")}");
        if (json?["Documents"] is not JsonArray documents)
            throw Refused($"'{address.Host}' did not answer with documents.");
        var next = answer.Response.Headers.TryGetValues("x-ms-continuation", out var values) ? values.FirstOrDefault() : null;
        return ([.. documents], text.Length, string.IsNullOrEmpty(next) ? null : next);
    }

    // The documented signature by an account's key.
    private string Authorization(string key, string path, string date)
    {
        var secret = new byte[key.Length];
        if (!Convert.TryFromBase64String(key, secret, out var length))
            throw Refused("the AccountKey is not base64.");
        var hash = HMACSHA256.HashData(secret.AsSpan(0, length), Encoding.UTF8.GetBytes($"post\ndocs\n{path}\n{date}\n\n"));
        return Uri.EscapeDataString($"type=master&ver=1.0&sig={Convert.ToBase64String(hash)}");
    }
}
