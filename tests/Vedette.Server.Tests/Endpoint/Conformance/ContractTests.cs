using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>
/// Holds every call of the shared reference against the surface: its route, its permissions, its OData abilities, its answer. What does not
/// hold stands in <c>exceptions.json</c> with a reason; an exception that is no longer needed fails as well.
/// </summary>
[Trait("Category", "Conformance")]
public sealed class ContractTests(ContractFixture fixture) : IClassFixture<ContractFixture>
{
    private readonly EndpointHost _host = fixture.Host;
    private readonly ApiSurface _surface = fixture.Host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Endpoint");

    [Fact]
    public void Every_call_of_the_reference_has_a_row_and_every_exception_a_reason()
    {
        _surface.Endpoints.Count.ShouldBe(SpecifiedCall.All.Count);
        SpecifiedCall.All.Where(call => call.RowIn(_surface) is null).Select(call => call.ToString())
            .ShouldAllBe(call => call.Contains("{exportFiles[n]}", StringComparison.Ordinal));
        ContractExceptions.Instance.Reasons.ShouldAllBe(reason => reason.Length > 10);
        ContractExceptions.Instance.Calls.Select(c => c.Call).Except(SpecifiedCall.All.Select(c => c.ToString())).ShouldBeEmpty();
    }

    [Fact]
    public Task Each_call_is_routed_in_any_case_with_and_without_its_version() => EachAsync(ContractExceptions.Everything, async call =>
    {
        if (!call.Path.StartsWith("/api/", StringComparison.Ordinal)) return "is not a path of this surface";
        if (call.RowIn(_surface) is not { } row || !_surface.Handlers.ContainsKey(row)) return "has no handler";
        var path = ContractRequest.Path(call);
        foreach (var spelling in new[] { path, Shouted(path), path.Replace("/api/", "/api/v1.0/", StringComparison.Ordinal), "/" + path })
        {
            var answer = await ContractRequest.SendAsync(_host, call, null, spelling);
            if (answer.Status != 401 || answer.Code != "Unauthorized") return $"{spelling} answered {answer.Status} without a token: {answer.Body}";
        }

        return null;
    });

    [Fact]
    public Task Each_call_refuses_an_application_without_permission_and_names_what_it_needs() => EachAsync("application", async call =>
    {
        var answer = await ContractRequest.SendAsync(_host, call, ContractRequest.Application(call, ["Nothing.Read.All"]));
        return Refused(answer, ContractRequest.Refusal(call, delegated: false));
    });

    [Fact]
    public Task Each_call_refuses_a_user_without_permission_and_names_what_it_needs() => EachAsync("delegated", async call =>
    {
        var answer = await ContractRequest.SendAsync(_host, call, ContractRequest.Delegated(call, "Nothing.Read.All"));
        return Refused(answer, ContractRequest.Refusal(call, delegated: true));
    });

    [Fact]
    public Task Each_call_takes_each_documented_permission() => EachAsync("permissions", async call =>
    {
        foreach (var delegated in new[] { false, true })
        {
            foreach (var permissions in ContractRequest.Sufficient(call, delegated))
            {
                var token = delegated ? ContractRequest.Delegated(call, permissions) : ContractRequest.Application(call, permissions);
                var answer = await ContractRequest.SendAsync(_host, call, token);
                if (answer.Status is 401 or 403 or >= 500) return $"answered {answer.Status} with {string.Join(' ', permissions)}: {answer.Body}";
            }
        }

        return null;
    });

    [Fact]
    public Task Each_list_filters_by_each_documented_property_and_by_no_other() => EachAsync("filter", async call =>
    {
        if (call.Filter.Count == 0) return null;
        var types = SpecifiedEntity.Find(call.Entity)?.Properties.ToDictionary(p => p.Name, p => p.Type, StringComparer.OrdinalIgnoreCase) ?? [];
        foreach (var property in call.Filter)
        {
            foreach (var name in new[] { property, property.ToUpperInvariant() })
            {
                var filter = types.GetValueOrDefault(property, "").StartsWith("Collection", StringComparison.Ordinal) ? $"{name}/any()" : $"{name} ne null";
                var answer = await GetAsync(call, "$filter=" + Uri.EscapeDataString(filter));
                if (answer.Status != 200) return $"refused $filter={filter}: {answer.Body}";
            }
        }

        foreach (var property in types.Keys.Except(call.Filter, StringComparer.OrdinalIgnoreCase).Append("noSuchProperty"))
        {
            var answer = await GetAsync(call, $"$filter={property}%20ne%20null");
            if (answer.Status != 400 || answer.Code != "ODataError") return $"took $filter on {property}: {answer.Status} {answer.Body}";
        }

        return null;
    });

    [Fact]
    public Task Each_list_pages_by_what_is_documented_and_refuses_the_rest() => EachAsync("paging", async call =>
    {
        if (!call.IsCollection || call.Method != "GET") return null;
        if (call.Top is { } top)
        {
            if ((await GetAsync(call, "$top=1")).Value is not { Count: <= 1 }) return "does not honour $top";
            if ((await GetAsync(call, $"$top={top}")).Status != 200) return $"refused $top={top}";
            if ((await GetAsync(call, $"$top={top + 1}")) is not { Status: 400, Code: "ODataError" }) return $"took $top={top + 1}";
            if ((await GetAsync(call, "$stop=1")) is not { Status: 400, Code: "" }) return "took $stop";
        }

        if (call.Skip)
        {
            var all = await GetAsync(call, "");
            if ((await GetAsync(call, "$skip=1")).Value.Count != Math.Max(0, all.Value.Count - 1)) return "does not honour $skip";
        }

        foreach (var property in call.Expand)
            if ((await GetAsync(call, "$expand=" + property)).Value[0].GetProperty(property).GetArrayLength() == 0) return $"does not expand {property}";
        if (call.Filter.Count > 0 && (await GetAsync(call, "$expand=noSuchProperty")).Status != 400) return "expands what is not there";
        return null;
    });

    [Fact]
    public Task Each_call_has_the_documented_limits() => EachAsync("limits", call =>
    {
        var limits = call.RowIn(_surface)!.Limits;
        var same = (call.PerMinute is null || limits.PerMinute == call.PerMinute) && (call.PerHour is null || limits.PerHour == call.PerHour);
        return Task.FromResult(same ? null : $"allows {limits.PerMinute} a minute and {limits.PerHour} an hour, documented are {call.PerMinute} and {call.PerHour}");
    });

    [Fact]
    public Task Each_read_has_the_documented_shape() => EachAsync("shape", async call =>
    {
        if (call.Method != "GET") return null;
        var answer = await GetAsync(call, call.Expand.Count > 0 ? "$expand=" + call.Expand[0] : "");
        return Shape(call, answer);
    });

    [Fact]
    public async Task Each_change_gives_a_documented_status_and_shape()
    {
        await using var fresh = await ContractFixture.StartAsync();
        await EachAsync("change", async call =>
        {
            if (call.Method == "GET") return null;
            var answer = await ContractRequest.SendAsync(fresh, call, ContractRequest.Full(call));
            if (answer.Status is < 200 or >= 300 || !call.Statuses.Contains(answer.Status)) return $"answered {answer.Status}: {answer.Body}";
            return answer.Body.Length == 0 || SpecifiedEntity.Find(call.Entity) is null ? null : Shape(call, answer);
        });
    }

    private static string? Shape(SpecifiedCall call, Answer answer)
    {
        if (answer.Status is not (200 or 201)) return $"answered {answer.Status}: {answer.Body}";
        if (call.Context is { } context && context.StartsWith('$') && !answer.Json.GetProperty("@odata.context").GetString()!.EndsWith("/" + context.Split(' ')[0], StringComparison.Ordinal))
            return $"has the context {answer.Json.GetProperty("@odata.context")}, documented as {context}";
        if (call.Returns.StartsWith("Edm.Int", StringComparison.Ordinal)) return long.TryParse(answer.Body, out _) ? null : $"is no number: {answer.Body}";
        if (call.Returns.StartsWith("Edm.String", StringComparison.Ordinal)) return answer.Json.GetProperty("value").ValueKind == JsonValueKind.String ? null : "value is no text";
        var items = call.IsCollection ? answer.Value : [answer.Json];
        if (items.Count == 0) return "nothing to look at";
        return items.Select(item => SpecifiedEntity.Check(call.Entity, item, ContractExceptions.Instance.Excepts)).FirstOrDefault(problem => problem is not null);
    }

    private static string? Refused(Answer answer, string message) =>
        answer.Status == 403 && (answer.Code, answer.Message) == ("Forbidden", message) ? null : $"answered {answer.Status}: {answer.Body}";

    private Task<Answer> GetAsync(SpecifiedCall call, string query)
    {
        var path = ContractRequest.Path(call);
        return ContractRequest.SendAsync(_host, call, ContractRequest.Full(call), query.Length == 0 ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{query}");
    }

    // Parameter values keep their case: only the words of the path are the route.
    private static string Shouted(string path)
    {
        var end = path.AsSpan().IndexOfAny("(?");
        return end < 0 ? path.ToUpperInvariant() : path[..end].ToUpperInvariant() + path[end..];
    }

    private async Task EachAsync(string check, Func<SpecifiedCall, Task<string?>> look)
    {
        var failures = new List<string>();
        var exceptions = ContractExceptions.Instance;
        foreach (var call in SpecifiedCall.All)
        {
            if (check != ContractExceptions.Everything && exceptions.Excepts(call, ContractExceptions.Everything)) continue;
            string? failure;
            try
            {
                failure = await look(call);
            }
            catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or JsonException or ArgumentOutOfRangeException)
            {
                failure = $"has another form of answer: {exception.Message}";
            }

            if (exceptions.Excepts(call, check) != failure is not null) failures.Add(failure is null ? $"{call}: the exception '{check}' is no longer needed" : $"{call}: {failure}");
        }

        failures.ShouldBeEmpty(string.Join('\n', failures));
    }
}
