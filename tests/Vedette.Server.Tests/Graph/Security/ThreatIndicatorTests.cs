using System.Globalization;
using System.Text.Json;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Security;

public sealed class ThreatIndicatorTests(SecurityFixture graph) : IClassFixture<SecurityFixture>
{
    private const string Role = "ThreatIndicators.ReadWrite.OwnedBy";
    private const string Path = "/beta/security/tiIndicators";
    private static readonly string Later = DateTime.UtcNow.AddDays(10).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    [Fact]
    public async Task An_indicator_for_devices_is_one_of_the_Endpoint_API_too()
    {
        var address = $"203.0.113.{graph.Next() % 200}";
        var made = await SendAsync(HttpMethod.Post, Path, new
        {
            action = "Block", targetProduct = "microsoft defender atp", networkDestinationIPv4 = address, description = "Bad host", expirationDateTime = Later, severity = 5, threatType = "C2",
            tlpLevel = "amber", confidence = 80, tags = new[] { "a" }, externalId = "x-1",
        });
        made.Status.ShouldBe(201, made.Body);
        made.Json.GetProperty("@odata.context").GetString()!.ShouldEndWith("/beta/$metadata#Security/tiIndicators/$entity");
        foreach (var (name, value) in new[]
        {
            ("action", "block"), ("targetProduct", "Microsoft Defender ATP"), ("networkDestinationIPv4", address), ("threatType", "C2"), ("tlpLevel", "amber"), ("externalId", "x-1"),
            ("azureTenantId", EndpointHost.Tenant.ToString()), ("expirationDateTime", Later),
        }) made.Json.GetProperty(name).GetString().ShouldBe(value, name);
        (made.Json.GetProperty("confidence").GetInt32(), made.Json.GetProperty("severity").GetInt32(), made.Json.GetProperty("isActive").GetBoolean()).ShouldBe((80, 5, true));
        made.Json.GetProperty("killChain").GetArrayLength().ShouldBe(0);

        var endpoint = (await graph.Host.GetAsync($"/api/indicators?$filter=indicatorValue eq '{address}'", "Ti.ReadWrite.All")).Value.Single();
        (endpoint.GetProperty("action").GetString(), endpoint.GetProperty("severity").GetString(), endpoint.GetProperty("indicatorType").GetString(), endpoint.GetProperty("generateAlert").GetBoolean())
            .ShouldBe(("Block", "High", "IpAddress", true));
        endpoint.GetProperty("id").GetString().ShouldBe(made.Json.GetProperty("id").GetString());

        var id = made.Json.GetProperty("id").GetString();
        (await SendAsync(HttpMethod.Patch, $"{Path}/{id}", new { description = "Worse", severity = 2 })).Status.ShouldBe(204);
        var changed = await graph.SendAsync(HttpMethod.Patch, $"{Path}/{id}", new { targetProduct = "Microsoft Defender ATP", expirationDateTime = Later }, Role, ("Prefer", "return=representation"));
        changed.Status.ShouldBe(200, changed.Body);
        (changed.Json.GetProperty("description").GetString(), changed.Json.GetProperty("severity").GetInt32()).ShouldBe(("Worse", 2));
        (await SendAsync(HttpMethod.Patch, $"{Path}/{id}", new { action = "allow" })).ShouldFail(400, "BadRequest", "The property 'action' cannot be changed.");
        (await SendAsync(HttpMethod.Delete, $"{Path}/{id}")).Status.ShouldBe(204);
        (await SendAsync(HttpMethod.Get, $"{Path}/{id}")).ShouldFail(404, "ResourceNotFound", $"tiIndicator {id} was not found");
        (await graph.Host.GetAsync($"/api/indicators?$filter=indicatorValue eq '{address}'", "Ti.ReadWrite.All")).Value.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_indicator_of_the_Endpoint_API_is_seen_by_who_submitted_it()
    {
        var domain = $"bad{graph.Next()}.example";
        (await graph.Host.PostAsync("/api/indicators", new { indicatorValue = domain, indicatorType = "DomainName", action = "Audit", title = "t", description = "d", generateAlert = true }, "Ti.ReadWrite.All")).Status.ShouldBe(200);
        var seen = (await SendAsync(HttpMethod.Get, $"{Path}?$filter=domainName eq '{domain}'&$count=true")).Json;
        seen.GetProperty("@odata.count").GetInt32().ShouldBe(1);
        seen.GetProperty("value")[0].GetProperty("action").GetString().ShouldBe("alert");
    }

    [Fact]
    public async Task An_indicator_for_logs_is_kept_and_no_device_acts_on_it()
    {
        var mail = $"spam{graph.Next()}@bad.example";
        var made = await SendAsync(HttpMethod.Post, Path, new { targetProduct = "Azure Sentinel", emailSenderAddress = mail, description = "d", expirationDateTime = Later, threatType = "Phishing", tlpLevel = "green" });
        made.Status.ShouldBe(201, made.Body);
        made.Json.GetProperty("action").ValueKind.ShouldBe(JsonValueKind.Null);
        var id = made.Json.GetProperty("id").GetGuid();
        (await graph.Host.GetAsync("/api/indicators", "Ti.ReadWrite.All")).Body.ShouldNotContain(mail);
        (await SendAsync(HttpMethod.Patch, $"{Path}/{id}", new { tags = new[] { "b" }, externalId = "y" })).Status.ShouldBe(204);
        var after = (await SendAsync(HttpMethod.Get, $"{Path}/{id}")).Json;
        (after.GetProperty("tags")[0].GetString(), after.GetProperty("externalId").GetString(), after.GetProperty("emailSenderAddress").GetString()).ShouldBe(("b", "y", mail));
        (await SendAsync(HttpMethod.Patch, $"{Path}/{id}", new { emailSenderAddress = "x@y.example" })).Status.ShouldBe(400);
    }

    [Fact]
    public async Task Of_many_each_stands_for_itself()
    {
        var mark = graph.Next();
        object Good(int n) => new { action = "alert", targetProduct = "Microsoft Defender ATP", domainName = $"m{mark}-{n}.example", expirationDateTime = Later, externalId = $"{mark}-{n}" };
        var all = await SendAsync(HttpMethod.Post, Path + "/submitTiIndicators", new { value = new[] { Good(1), Good(2) } });
        all.Status.ShouldBe(200, all.Body);
        all.Value.Select(item => item.GetProperty("domainName").GetString()).ShouldBe([$"m{mark}-1.example", $"m{mark}-2.example"]);
        var some = await SendAsync(HttpMethod.Post, Path + "/submitTiIndicators", new { value = new[] { Good(3), new { action = "block", targetProduct = "Microsoft Defender ATP", domainName = "not a domain" } } });
        some.Status.ShouldBe(206, some.Body);
        (some.Value[1].GetProperty("code").GetInt32(), some.Value[1].GetProperty("message").GetString()).ShouldBe((400, "Domain name not a domain is invalid."));
        var changed = await SendAsync(HttpMethod.Post, Path + "/updateTiIndicators", new { value = new object[] { new { id = all.Ids[0], description = "new" }, new { id = "999999", description = "x" } } });
        (changed.Status, changed.Value[0].GetProperty("description").GetString(), changed.Value[1].GetProperty("code").GetInt32()).ShouldBe((206, "new", 404));
        var deleted = await SendAsync(HttpMethod.Post, Path + "/deleteTiIndicators", new { value = new[] { all.Ids[0] } });
        (deleted.Status, deleted.Value.Single().GetProperty("code").GetInt32()).ShouldBe((200, 200));
        var byExternal = await SendAsync(HttpMethod.Post, Path + "/deleteTiIndicatorsByExternalId", new { value = new[] { $"{mark}-2", $"{mark}-3", "nobody" } });
        (byExternal.Status, string.Join(' ', byExternal.Value.Select(item => item.GetProperty("code").GetInt32()))).ShouldBe((206, "200 200 404"));
        (await SendAsync(HttpMethod.Get, $"{Path}?$filter=startswith(externalId,'{mark}-')")).Value.ShouldBeEmpty();
        (await SendAsync(HttpMethod.Post, Path + "/submitTiIndicators", new { value = Enumerable.Range(0, 101).Select(Good) })).ShouldFail(400, "UnknownError", "");
    }

    [Theory]
    [InlineData("""{"targetProduct": "Elsewhere"}""", "Invalid value specified for property 'targetProduct'.")]
    [InlineData("""{"targetProduct": "Microsoft Defender ATP", "domainName": "a.example"}""", "A value is required for property 'action'.")]
    [InlineData("""{"targetProduct": "Azure Sentinel", "url": "https://a.example"}""", "A value is required for property 'description'.")]
    [InlineData("""{"targetProduct": "Microsoft Defender ATP", "action": "block", "fileHashValue": "aa"}""", "A value is required for property 'fileHashType'.")]
    [InlineData("""{"targetProduct": "Microsoft Defender ATP", "action": "block", "severity": 9, "url": "https://a.example"}""", "Invalid value specified for property 'severity'.")]
    [InlineData("""{"targetProduct": "Microsoft Defender ATP", "action": "block", "url": "https://a.example", "expirationDateTime": "2019-03-01T21:44:03.1668987+00:00"}""", "The value of 'expirationDateTime' lies in the past.")]
    [InlineData("""{"action": "block"}""", "A value is required for property 'targetProduct'.")]
    public async Task What_is_wrong_with_an_indicator_is_named(string body, string message) =>
        (await SendAsync(HttpMethod.Post, Path, body)).ShouldFail(400, "BadRequest", message);

    [Fact]
    public async Task The_calls_are_of_the_beta_and_need_their_permission()
    {
        (await SendAsync(HttpMethod.Get, "/v1.0/security/tiIndicators")).Status.ShouldBe(400);
        (await graph.GetAsync(Path, "SecurityAlert.Read.All")).ShouldFail(
            403, "Forbidden", "Missing application roles. API required roles: ThreatIndicators.ReadWrite.OwnedBy, application roles: SecurityAlert.Read.All.");
    }

    private Task<Answer> SendAsync(HttpMethod method, string path, object? body = null) => graph.SendAsync(method, path, body, Role);
}
