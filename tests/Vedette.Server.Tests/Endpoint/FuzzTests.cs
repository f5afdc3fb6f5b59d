using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>Throws rubbish at every answered call: whatever comes back, it must not be a fault of the server.</summary>
public sealed class FuzzTests
{
    private const int Rounds = 20;

    private static readonly string[] Rubbish =
    [
        "", "x", "null", "'", "''", "\0", "a\0b", "%", "%25", "../../etc", "\ud83d\ude42", "𝔘𝔫𝔦", "1", "-1", "99999999999999999999", "1e400", "true", "{}", "[]", "$count", "()",
        new string('a', 3000), "a'b\"c\\d", "2026-11-20", "2026-13-40T99:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "00000000-0000-0000-0000-000000000000", "--", ";drop table x",
    ];

    private static readonly string[] Filters =
    [
        "{0} eq {1}", "{0} eq '{1}'", "{0} in ('{1}')", "{0} in ()", "contains({0},'{1}')", "{0}/any(x: x eq '{1}')", "{0}/any()", "not {0}", "({0} ne null) or {0} gt {1}", "{0} add 1 eq 2", "length({0}) gt 1",
        "{0} eq {0}", "year({0}) eq 2026", "{0} has 'x'", "{0}/$count gt 0", "cast({0},Edm.String) eq '{1}'", "{0} eq duration'P1D'", "substring({0},{1}) eq 'a'", "indexof({0},'{1}') div 0 eq 1", "{0} mod 0 eq 1", "{0} lt -{1}",
        "geo.distance({0},{0}) lt 1", "isof({0},Edm.String)", "tolower({0}) eq '{1}' and 1 eq 1", "true", "1 eq 1", "{1}", "now() gt {0}", "date({0}) eq 2026-11-20", "concat({0},'{1}') eq 'x'",
    ];

    private static readonly string[] Members =
    [
        "id", "method", "url", "headers", "body", "dependsOn", "redirectUris", "requestedAccessTokenVersion", "oauth2PermissionScopes", "value", "displayName", "description", "isEnabled",
        "allowedMemberTypes", "resourceAppId", "resourceAccess", "type", "key", "keyId", "startDateTime", "endDateTime", "password", "usage",
    ];

    [Fact]
    public async Task Never_fails_on_rubbish()
    {
        await using var host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await host.SeedAsync(Seed.Machine(1), Seed.Machine(2), Seed.Alert(1));
        var surface = host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Endpoint");
        var failures = await AttackAsync(
            host.Client, surface, surface.Handlers.Keys.Where(row => !row.Path.Contains("advanced", StringComparison.Ordinal)), "",
            row => EndpointHost.Token([.. row.Application.SelectMany(group => group)]), [Seed.MachineId(1)]);
        failures.ShouldBeEmpty(string.Join('\n', failures));
    }

    /// <summary>Sends rubbish to rows of a surface and returns what the server failed at.</summary>
    /// <param name="client">The server.</param>
    /// <param name="surface">The surface.</param>
    /// <param name="rows">The rows to send to.</param>
    /// <param name="root">What stands before their paths.</param>
    /// <param name="token">A token that is good for a row.</param>
    /// <param name="ids">Keys of things that are there.</param>
    internal static async Task<IReadOnlyList<string>> AttackAsync(
        HttpClient client, ApiSurface surface, IEnumerable<ApiEndpoint> rows, string root, Func<ApiEndpoint, string> token, string[] ids)
    {
        var random = new Random(20261120);
        var failures = new List<string>();
        foreach (var row in rows)
        {
            for (var i = 0; i < Rounds; i++)
            {
                var path = root + string.Join('/', row.Path.Split('/').Select(segment => Fill(segment, random, ids))) + Query(row, random);
                using var request = new HttpRequestMessage(new HttpMethod(row.Method), new Uri(client.BaseAddress + path.TrimStart('/')));
                request.Headers.Authorization = new("Bearer", token(row));
                if (surface.Dialect.PagesByToken && random.Next(2) == 0) request.Headers.Add("ConsistencyLevel", "eventual");
                if (row.Body.Count > 0) request.Content = new StringContent(Body(row, random, ids), Encoding.UTF8, "application/json");
                using var response = await client.SendAsync(request);
                if ((int)response.StatusCode >= 500) failures.Add($"{row.Method} {Uri.UnescapeDataString(path)[..Math.Min(200, path.Length)]} -> {await response.Content.ReadAsStringAsync()}");
            }
        }

        return failures;
    }

    private static string Fill(string segment, Random random, string[] ids)
    {
        if (!segment.Contains('{', StringComparison.Ordinal)) return segment;
        var known = segment == "{id}" && random.Next(3) == 0 ? Pick(ids, random) : Uri.EscapeDataString(Pick(Rubbish, random)).Replace("%00", "%01", StringComparison.Ordinal);
        if (known.Length == 0) known = "-";
        var open = segment.IndexOf('{', StringComparison.Ordinal);
        while (open >= 0)
        {
            var close = segment.IndexOf('}', open);
            segment = segment[..open] + known.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal) + segment[(close + 1)..];
            open = segment.IndexOf('{', StringComparison.Ordinal);
        }

        return segment;
    }

    private static string Query(ApiEndpoint row, Random random)
    {
        var options = new List<string>();
        if (row.OData.Filter.Count > 0)
        {
            var filter = string.Format(System.Globalization.CultureInfo.InvariantCulture, Pick(Filters, random), Pick([.. row.OData.Filter], random), Pick(Rubbish, random).Replace("'", "''", StringComparison.Ordinal));
            options.Add("$filter=" + Uri.EscapeDataString(filter));
            if (random.Next(3) == 0) options.Add($"$orderby={Uri.EscapeDataString(Pick([.. row.OData.Filter, .. Rubbish], random))}{Pick([" desc", "", " asc,id"], random)}");
            if (random.Next(3) == 0) options.Add("$top=" + Uri.EscapeDataString(Pick([.. Rubbish, "5", "0"], random)));
            if (random.Next(3) == 0) options.Add("$skip=" + Uri.EscapeDataString(Pick([.. Rubbish, "2147483647"], random)));
            if (random.Next(4) == 0) options.Add("$select=" + Uri.EscapeDataString(Pick([.. row.OData.Filter, "*", "a,b,,", .. Rubbish], random)));
            if (random.Next(4) == 0) options.Add("$expand=" + Uri.EscapeDataString(Pick(["evidence", "evidence($select=x)", .. Rubbish], random)));
        }

        foreach (var field in row.Query) options.Add($"{field.Name}={Uri.EscapeDataString(Pick(Rubbish, random))}");
        return options.Count == 0 ? "" : "?" + string.Join('&', options);
    }

    private static string Body(ApiEndpoint row, Random random, string[] ids)
    {
        if (random.Next(10) == 0) return Pick(Rubbish, random);
        var body = new Dictionary<string, object?>();
        foreach (var field in row.Body)
        {
            body[field.Name] = random.Next(6) switch
            {
                0 => null,
                1 => random.Next(),
                2 => new[] { Pick(Rubbish, random), null },
                3 when field.Values is { } values => Pick([.. values], random),
                4 when field.Type == "Strings" => new[] { Pick(Rubbish, random), Pick(ids, random) },
                4 when field.Type == "Object" => Nested(random, 0),
                4 when field.Type == "Array" => Enumerable.Range(0, random.Next(4)).Select(_ => Nested(random, 0)).ToArray(),
                4 => new Dictionary<string, object?> { ["type"] = Pick(Rubbish, random), ["params"] = new object?[] { null, 1, new { key = "Path", value = Pick(Rubbish, random) } } },
                _ => Pick(Rubbish, random),
            };
        }

        return JsonSerializer.Serialize(body);
    }

    // An object whose members have names that some part of a body has, with anything in them.
    private static object? Nested(Random random, int depth)
    {
        if (depth > 3 || random.Next(4) == 0) return random.Next(3) switch { 0 => null, 1 => random.Next(5), _ => Pick(Rubbish, random) };
        if (random.Next(4) == 0) return Enumerable.Range(0, random.Next(3)).Select(_ => Nested(random, depth + 1)).ToArray();
        return Enumerable.Range(0, 4).Select(_ => Pick(Members, random)).Distinct().ToDictionary(name => name, _ => Nested(random, depth + 1));
    }

    private static string Pick(string[] choices, Random random) => choices[random.Next(choices.Length)];
}
