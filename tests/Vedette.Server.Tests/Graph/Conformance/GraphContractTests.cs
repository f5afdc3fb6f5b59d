using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Conformance;

/// <summary>
/// Holds every call of the shared reference of Graph against the surface: its route, its permissions, its OData abilities, its answer. What
/// does not hold stands in <c>graph-exceptions.json</c> with a reason; an exception that is no longer needed fails as well.
/// </summary>
[Trait("Category", "Conformance")]
public sealed class GraphContractTests(GraphContractFixture graph) : IClassFixture<GraphContractFixture>
{
    private static readonly Lazy<IReadOnlyList<DocumentedCall>> Calls = new(() => DocumentedCall.Of("spec/xdr-graph/graph_endpoints.json"));
    private static readonly Lazy<DocumentedShapes> Shapes = new(() => new DocumentedShapes("spec/xdr-graph/graph_entities.json"));
    private static readonly Lazy<DocumentedExceptions> Exceptions = new(() => new DocumentedExceptions("graph-exceptions.json"));

    [Fact]
    public void Every_call_has_a_row_and_every_exception_a_call() =>
        Exceptions.Value.Calls.Select(entry => entry.Call).Except(Calls.Value.Select(call => call.ToString())).ShouldBeEmpty();

    [Fact]
    public Task Each_call_is_routed_in_any_case_and_in_both_versions() => EachAsync("route", async call =>
    {
        if (call.RowIn(graph.Surfaces) is not { } found || !found.Surface.Handlers.ContainsKey(found.Row)) return "has no handler";
        var path = graph.PathOf(call);
        foreach (var spelling in new[] { "/v1.0" + path, "/beta" + path, "/V1.0" + Shouted(path), "//v1.0" + path })
        {
            var answer = await graph.Host.SendAsync(new HttpMethod(call.Method), spelling, null);
            if ((answer.Status, answer.Code, answer.Message) != (401, "InvalidAuthenticationToken", "Access token is empty.")) return $"{spelling} answered {answer.Status} without a token: {answer.Body}";
        }

        return null;
    });

    [Fact]
    public Task Each_call_refuses_an_application_without_permission() => EachAsync("application", async call =>
        Refused(call, call.Application, "roles", await SendAsync(call, graph.Application("Nothing.Read.All"))));

    [Fact]
    public Task Each_call_refuses_a_user_without_permission() => EachAsync("delegated", async call =>
        Refused(call, call.Delegated, "scopes", await SendAsync(call, graph.Delegated("Nothing.Read.All"))));

    [Fact]
    public Task Each_call_takes_each_documented_permission() => EachAsync("permissions", async call =>
    {
        foreach (var delegated in new[] { false, true })
        {
            foreach (var permission in delegated ? call.Delegated : call.Application)
            {
                string[] enough = [permission, .. call.AlsoRequires.GetValueOrDefault(permission, [])];
                var answer = await SendAsync(call, delegated ? graph.Delegated(enough) : graph.Application(enough), body: "{}");
                if (answer.Status is 401 or 403 or >= 500) return $"answered {answer.Status} to {(delegated ? "a user" : "an application")} with {string.Join(' ', enough)}: {answer.Body}";
            }
        }

        return null;
    });

    [Fact]
    public Task Each_list_filters_by_each_documented_property_and_by_no_other() => EachAsync("filter", async call =>
    {
        if (call.Filter.Count == 0 || !call.IsSecurity) return null;
        foreach (var property in call.Filter)
            foreach (var name in new[] { property, property.ToUpperInvariant() })
                if (await GetAsync(call, $"$filter={name}%20ne%20null") is { Status: not 200 } refused) return $"refused $filter on {name}: {refused.Body}";
        foreach (var property in Shapes.Value.PropertiesOf(call.Entity).Except(call.Filter).Append("noSuchProperty"))
            if (await GetAsync(call, $"$filter={property}%20ne%20null") is not { Status: 400, Code: "BadRequest" }) return $"took $filter on {property}";
        return null;
    });

    [Fact]
    public Task Each_list_pages_by_what_is_documented() => EachAsync("paging", async call =>
    {
        if (!call.IsCollection || call.Method != "GET") return null;
        if (call.Top is { } top)
        {
            if ((await GetAsync(call, "$top=1")).Value is not { Count: <= 1 }) return "does not honour $top";
            if ((await GetAsync(call, $"$top={top}")).Status != 200) return $"refused $top={top}";
            var over = await GetAsync(call, $"$top={top + 1}");
            if (over.Status != 400) return $"took $top={top + 1}";
            if (call.IsSecurity && over.Message != $"The query specified in the URI is not valid. The limit of '{top}' for Top query has been exceeded. The value from the incoming request is '{top + 1}'.") return over.Body;
        }

        if (call.Skip && (await GetAsync(call, "$skip=1")).Status != 200) return "does not honour $skip";
        if (call.MaxSkip is { } most && ((await GetAsync(call, $"$skip={most}")).Status, (await GetAsync(call, $"$skip={most + 1}")).Status) != (200, 400)) return $"does not bound $skip at {most}";
        if (call.Count && (await GetAsync(call, "$count=true")).Json.TryGetProperty("@odata.count", out _) != call.IsSecurity) return "does not count";
        foreach (var property in call.Expand)
            if ((await GetAsync(call, "$expand=" + property)).Value[0].GetProperty(property).GetArrayLength() == 0) return $"does not expand {property}";
        return (await GetAsync(call, "$stop=1")).Status == 400 || !call.IsSecurity ? null : "took $stop";
    });

    [Fact]
    public Task Each_call_has_the_documented_limit() => EachAsync("limits", call =>
    {
        var minute = call.RowIn(graph.Surfaces)?.Row.Limits.PerMinute;
        return Task.FromResult(call.PerMinute is { } wanted && minute != wanted ? $"allows {minute} a minute, documented are {wanted}" : null);
    });

    [Fact]
    public Task Each_read_has_the_documented_shape() => EachAsync("shape", async call =>
    {
        if (call.Method != "GET" || !Shapes.Value.Has(call.Entity)) return null;
        foreach (var expand in call.Expand.Prepend(""))
        {
            var answer = await GetAsync(call, expand.Length == 0 ? "" : "$expand=" + expand);
            if (answer.Status != 200) return $"answered {answer.Status}: {answer.Body}";
            var items = call.IsCollection ? answer.Value : [answer.Json];
            if (items.Count == 0) return "nothing to look at";
            if (items.Select(item => Shapes.Value.Problem(call.Entity, item, Exceptions.Value.Excepts, expand.Length > 0)).FirstOrDefault(problem => problem is not null) is { } problem) return problem;
        }

        return null;
    });

    [Fact]
    public Task Each_change_of_security_gives_a_documented_status_and_shape() => EachAsync("change", async call =>
    {
        if (!call.IsSecurity || call.Method == "GET") return null;
        var body = call.Path switch
        {
            _ when call.Path.EndsWith("comments", StringComparison.Ordinal) => """{"@odata.type": "microsoft.graph.security.alertComment", "comment": "x"}""",
            _ when call.Path.EndsWith("HuntingQuery", StringComparison.Ordinal) => """{"Query": "print a = 1"}""",
            _ => """{"status": "inProgress"}""",
        };
        var answer = await SendAsync(call, graph.Application([.. call.Application]), body: body);
        if (answer.Status is < 200 or >= 300 || !call.Statuses.Contains(answer.Status)) return $"answered {answer.Status}: {answer.Body}";
        return (call.IsCollection ? answer.Value : [answer.Json]).Select(item => Shapes.Value.Problem(call.Entity, item, Exceptions.Value.Excepts)).FirstOrDefault(problem => problem is not null);
    });

    private static string? Refused(DocumentedCall call, IReadOnlyList<string> needed, string kind, Answer answer)
    {
        // What the service itself names as accepted goes beyond its pages for alerts.
        if (call.IsSecurity && call.Method == "GET" && call.Path.Contains("alerts_v2", StringComparison.Ordinal)) needed = [.. needed, "SecurityIncident.Read.All", "SecurityIncident.ReadWrite.All"];
        var (code, message) = call.IsSecurity
            ? ("Forbidden", $"Missing application {kind}. API required {kind}: {string.Join(',', needed)}, application {kind}: Nothing.Read.All.")
            : ("Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
        return (answer.Status, answer.Code, answer.Message) == (403, code, message) ? null : $"answered {answer.Status}: {answer.Body}";
    }

    private Task<Answer> GetAsync(DocumentedCall call, string query) => SendAsync(call, graph.Application([.. call.Application]), query);

    private Task<Answer> SendAsync(DocumentedCall call, string token, string query = "", string? body = null) =>
        graph.Host.SendAsync(new HttpMethod(call.Method), $"/v1.0{PathOf(call)}{(query.Length > 0 ? "?" + query : "")}", token, call.Method is "GET" or "DELETE" ? null : body ?? "{}");

    // What other checks look at is not deleted.
    private string PathOf(DocumentedCall call) => call.Method == "DELETE"
        ? string.Join('/', call.Path.Split('/').Select(part => part.StartsWith('{') ? "0f0f0f0f-0000-4000-8000-000000000001" : part))
        : graph.PathOf(call);

    // Identifiers keep their case.
    private string Shouted(string path) => string.Join('/', path.Split('/').Select(part => part.Any(char.IsDigit) && !part.StartsWith("alerts", StringComparison.Ordinal) ? part : part.ToUpperInvariant()));

    private static Task EachAsync(string check, Func<DocumentedCall, Task<string?>> look) => Exceptions.Value.EachAsync(Calls.Value, check, look);
}
