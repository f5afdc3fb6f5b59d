using System.Text.Json;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint;

public sealed class IndicatorTests : IAsyncLifetime
{
    private const string Own = "Ti.ReadWrite";
    private const string All = "Ti.ReadWrite.All";
    private EndpointHost _host = null!;

    public async Task InitializeAsync() => _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Submits_an_indicator_and_replaces_it_when_value_type_and_action_are_the_same()
    {
        var first = await SubmitAsync("203.0.113.44", "IpAddress", "Block", new() { ["application"] = "one", ["severity"] = "High", ["rbacGroupNames"] = "A, B" });
        first.Status.ShouldBe(200, first.Body);
        first.Json.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#Indicators/$entity");
        first.Json.GetProperty("createdBySource").GetString().ShouldBe("PublicApi");
        first.Json.GetProperty("createdBy").GetString().ShouldBe(EndpointHost.Application.ToString());
        first.Json.GetProperty("rbacGroupNames").EnumerateArray().Select(g => g.GetString()).ShouldBe(["A", "B"]);
        var id = first.Json.GetProperty("id").GetString()!;

        var again = await SubmitAsync("203.0.113.44", "IpAddress", "Block", new() { ["application"] = "two", ["title"] = "renamed" });
        again.Json.GetProperty("id").GetString().ShouldBe(id);
        again.Json.GetProperty("title").GetString().ShouldBe("renamed");
        again.Json.GetProperty("application").GetString().ShouldBe("one");
        again.Json.GetProperty("severity").GetString().ShouldBe("Informational");
        again.Json.GetProperty("lastUpdatedBy").GetString().ShouldBe(EndpointHost.Application.ToString());

        (await SubmitAsync("203.0.113.44", "IpAddress", "Warn")).Json.GetProperty("id").GetString().ShouldNotBe(id);
        (await _host.GetAsync("/api/indicators?$filter=indicatorValue+eq+'203.0.113.44' and action eq 'Block'", All)).Ids.ShouldBe([id]);
    }

    [Theory]
    [InlineData("10.0.0.1", "IpAddress", "Block", "InvalidIpAddress", "IP address 10.0.0.1 is invalid.")]
    [InlineData("203.0.113.0/24", "IpAddress", "Block", "InvalidIpAddress", "IP address 203.0.113.0/24 is invalid.")]
    [InlineData("xyz", "FileSha256", "Block", "InvalidHashValue", "Hash value xyz is invalid.")]
    [InlineData("not a domain", "DomainName", "Block", "InvalidDomainName", "Domain name not a domain is invalid.")]
    [InlineData("http://", "Url", "Block", "InvalidUrl", "URL http:// is invalid.")]
    [InlineData("bad.example", "DomainName", "BlockAndRemediate", "BadRequest", "Action BlockAndRemediate is not supported for indicators of type DomainName.")]
    [InlineData("bad.example", "DomainName", "Audit", "BadRequest", "Action Audit requires generateAlert to be true.")]
    [InlineData("bad.example", "DomainName", "AlertAndBlock", "InvalidInput", "Invalid input action.")]
    [InlineData("bad.example", "Domain", "Block", "InvalidRequestBody", "Request body is incorrect")]
    public async Task Refuses_what_the_service_refuses(string value, string type, string action, string code, string message) =>
        (await SubmitAsync(value, type, action)).ShouldFail(400, code, message);

    [Fact]
    public async Task Shows_an_application_its_own_indicators_and_nobody_the_expired_ones()
    {
        var mine = (await SubmitAsync("own.example", "DomainName", "Block")).Json.GetProperty("id").GetString();
        await _host.ExecuteAsync($"UPDATE defender.indicators SET created_by = 'other' WHERE id = {mine}");
        var second = (await SubmitAsync("own2.example", "DomainName", "Block")).Json.GetProperty("id").GetString();
        (await _host.GetAsync("/api/indicators", All)).Ids.ShouldBe([mine, second]);
        (await _host.GetAsync("/api/indicators", Own)).Ids.ShouldBe([second]);
        (await _host.SendAsync(HttpMethod.Delete, $"/api/indicators/{mine}", null, EndpointHost.Token(Own))).ShouldFail(404, "ResourceNotFound", $"Indicator {mine} was not found");
        await _host.ExecuteAsync($"UPDATE defender.indicators SET expiration_time = now() - interval '1 minute' WHERE id = {second}");
        (await _host.GetAsync("/api/indicators", All)).Ids.ShouldBe([mine]);
    }

    [Fact]
    public async Task Imports_each_item_on_its_own()
    {
        var answer = await _host.PostAsync("/api/indicators/import", new { Indicators = new[] { Item("a.example", "DomainName", "Block"), Item("10.0.0.1", "IpAddress", "Block"), Item("a.example", "DomainName", "Block") } }, All);
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json.TryGetProperty("@odata.context", out _).ShouldBeFalse();
        answer.Value.Select(i => i.GetProperty("isFailed").GetBoolean()).ShouldBe([false, true, false]);
        answer.Value[1].GetProperty("failureReason").GetString().ShouldBe("IP address 10.0.0.1 is invalid.");
        answer.Value[1].GetProperty("id").ValueKind.ShouldBe(JsonValueKind.Null);
        answer.Value[2].GetProperty("id").GetString().ShouldBe(answer.Value[0].GetProperty("id").GetString());
        (await _host.PostAsync("/api/indicators/import", new { Indicators = Enumerable.Range(0, 501).Select(n => Item($"a{n}.example", "DomainName", "Block")) }, All))
            .ShouldFail(400, "MaximumBatchSizeExceeded", "Maximum batch size exceeded. Received: 501, allowed: 500.");
        (await _host.PostAsync("/api/indicators/import", new { indicators = Array.Empty<int>() }, All)).ShouldFail(400, "MissingRequiredParameter", "Parameter Indicators is missing.");
    }

    [Fact]
    public async Task Deletes_one_or_many_or_none()
    {
        var ids = new List<string>();
        foreach (var name in new[] { "d1.example", "d2.example", "d3.example" }) ids.Add((await SubmitAsync(name, "DomainName", "Block")).Json.GetProperty("id").GetString()!);
        var one = await _host.SendAsync(HttpMethod.Delete, $"/api/indicators/{ids[0]}", null, EndpointHost.Token(All));
        (one.Status, one.Body).ShouldBe((204, ""));
        (await _host.PostAsync("/api/indicators/BatchDelete", new { IndicatorIds = new[] { ids[1], "999999" } }, All)).ShouldFail(404, "ResourceNotFound", "Indicator 999999 was not found");
        (await _host.PostAsync("/api/indicators/BatchDelete", new { IndicatorIds = new[] { ids[1], "x" } }, All)).ShouldFail(400, "InvalidInput", "Invalid input IndicatorIds: x.");
        (await _host.PostAsync("/api/indicators/BatchDelete", new { IndicatorIds = Array.Empty<string>() }, All)).Status.ShouldBe(400);
        (await _host.GetAsync("/api/indicators", All)).Ids.ShouldBe([ids[1], ids[2]]);
        (await _host.PostAsync("/api/indicators/BatchDelete", new { IndicatorIds = new[] { ids[1], ids[2] } }, All)).Status.ShouldBe(204);
        (await _host.GetAsync("/api/indicators/$count", All)).Body.ShouldBe("0");
    }

    private Task<Answer> SubmitAsync(string value, string type, string action, Dictionary<string, object>? more = null)
    {
        var body = Item(value, type, action);
        foreach (var (key, given) in more ?? []) body[key] = given;
        return _host.PostAsync("/api/indicators", body, All);
    }

    private static Dictionary<string, object> Item(string value, string type, string action) => new()
    {
        ["indicatorValue"] = value, ["indicatorType"] = type, ["action"] = action, ["title"] = "t", ["description"] = "d",
    };
}
