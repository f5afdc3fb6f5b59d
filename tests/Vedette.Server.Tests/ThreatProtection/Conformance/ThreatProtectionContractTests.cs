using System.Xml.Linq;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.State;
using Vedette.Identity.Tokens;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;
using Vedette.Server.Tests.Graph.Conformance;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Tests.ThreatProtection.Conformance;

/// <summary>Holds every call of the shared reference of Threat Protection against the surface, with an incident that has all kinds of evidence.</summary>
[Trait("Category", "Conformance")]
public sealed class ThreatProtectionContractTests(ThreatProtectionContractTests.Fixture fixture) : IClassFixture<ThreatProtectionContractTests.Fixture>
{
    private static readonly Lazy<IReadOnlyList<DocumentedCall>> Calls = new(() => DocumentedCall.Of("spec/xdr-graph/xdr_endpoints.json"));
    private static readonly Lazy<DocumentedShapes> Shapes = new(() => new DocumentedShapes("spec/xdr-graph/xdr_entities.json"));
    private static readonly Lazy<DocumentedExceptions> Exceptions = new(() => new DocumentedExceptions("threat-protection-exceptions.json"));
    private readonly EndpointHost _host = fixture.Host;

    [Fact]
    public Task Each_call_is_routed_in_any_case_with_and_without_its_version() => EachAsync("route", async call =>
    {
        var path = PathOf(call);
        foreach (var spelling in new[] { path, path.ToUpperInvariant(), path.Replace("/api/", "/api/v1.0/", StringComparison.Ordinal), "/" + path })
        {
            var answer = await SendAsync(call, null, spelling);
            if (answer.Status != 401 || answer.Code != "Unauthorized") return $"{spelling} answered {answer.Status} without a token: {answer.Body}";
        }

        return null;
    });

    [Fact]
    public Task Each_call_refuses_who_lacks_its_permission_and_takes_each_that_is_documented() => EachAsync("permissions", async call =>
    {
        foreach (var (kind, needed, token) in new (string, IReadOnlyList<string>, Func<string[], string>)[] { ("roles", call.Application, Application), ("scopes", call.Delegated, Delegated) })
        {
            var refused = await SendAsync(call, token(["Nothing.Read.All"]));
            var text = $"Missing application {kind}. API required {kind}: {string.Join(',', needed)}, application {kind}: Nothing.Read.All.";
            if ((refused.Status, refused.Code, refused.Message) != (403, "Forbidden", text)) return $"answered {refused.Status}: {refused.Body}";
            foreach (var permission in needed)
            {
                var answer = await SendAsync(call, token([permission]));
                if (answer.Status != 200) return $"answered {answer.Status} with {permission}: {answer.Body}";
            }
        }

        return null;
    });

    [Fact]
    public Task Each_list_filters_by_each_documented_property_and_by_no_other() => EachAsync("filter", async call =>
    {
        if (call.Filter.Count == 0) return null;
        foreach (var property in call.Filter)
            foreach (var name in new[] { property, property.ToUpperInvariant() })
                if (await GetAsync(call, $"$filter={name}+ne+null") is { Status: not 200 } refused) return $"refused $filter on {name}: {refused.Body}";
        foreach (var property in Shapes.Value.PropertiesOf(call.Entity).Except(call.Filter).Append("noSuchProperty"))
            if (await GetAsync(call, $"$filter={property}%20ne%20null") is not { Status: 400, Code: "ODataError" }) return $"took $filter on {property}";
        foreach (var literal in new[] { "2024-01-02T03:04:05.1234567Z", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123456Z" })
            if ((await GetAsync(call, $"$filter=lastUpdateTime+ge+{literal}")).Value.Count == 0) return $"does not read {literal}";
        return null;
    });

    [Fact]
    public Task Each_list_pages_by_what_is_documented_and_refuses_the_rest() => EachAsync("paging", async call =>
    {
        if (!call.IsCollection) return null;
        if ((await GetAsync(call, "$top=1")).Value is not { Count: 1 }) return "does not honour $top";
        if ((await GetAsync(call, $"$top={call.Top}")).Status != 200) return $"refused $top={call.Top}";
        if (await GetAsync(call, $"$top={call.Top + 1}") is not { Status: 400, Code: "ODataError" }) return $"took $top={call.Top + 1}";
        var all = await GetAsync(call, "");
        if ((await GetAsync(call, "$skip=1")).Value.Count != all.Value.Count - 1) return "does not honour $skip";
        foreach (var other in new[] { "$orderby=createdTime", "$select=incidentId", "$count=true", "$expand=alerts" })
            if (await GetAsync(call, other) is not { Status: 400, Code: "ODataError" }) return $"took {other}";
        return await GetAsync(call, "$stop=1") is { Status: 400, Code: "" } ? null : "took $stop";
    });

    [Fact]
    public Task Each_call_has_the_documented_limits() => EachAsync("limits", call =>
    {
        var surfaces = _host.Services.GetServices<ApiSurface>().ToArray();
        var row = surfaces.SelectMany(surface => surface.Endpoints).FirstOrDefault(row => row.Method == call.Method && row.Path == call.Path);
        return Task.FromResult(row is null ? "has no row" : call.PerMinute is { } minute && row.Limits.PerMinute != minute ? $"allows {row.Limits.PerMinute} a minute" : null);
    });

    [Fact]
    public Task Each_answer_has_the_documented_shape() => EachAsync("shape", async call =>
    {
        var answer = await SendAsync(call, Application([.. call.Application]));
        if (answer.Status != 200) return $"answered {answer.Status}: {answer.Body}";
        if (call.Entity == "CSDL") return null;
        var items = call.IsCollection ? answer.Value : [answer.Json];
        return items.Count == 0 ? "nothing to look at" : items.Select(item => Shapes.Value.Problem(call.Entity, item, Exceptions.Value.Excepts)).FirstOrDefault(problem => problem is not null);
    });

    [Fact]
    public async Task The_metadata_describe_what_contexts_point_at()
    {
        foreach (var audience in new[] { EndpointHost.ThreatProtection, EndpointHost.Audience })
        {
            var answer = await _host.SendAsync(HttpMethod.Get, "/api/$metadata", null, EndpointHost.TokenFor(audience));
            answer.Status.ShouldBe(200, answer.Body);
            answer.ContentType.ShouldBe("application/xml");
            var document = XDocument.Parse(answer.Body);
            var sets = document.Descendants().Where(element => element.Name.LocalName == "EntitySet").Select(element => element.Attribute("Name")!.Value).ToArray();
            sets.ShouldContain("Incidents");
            sets.ShouldContain("Alerts");
            sets.ShouldBeUnique();
            var incident = document.Descendants().Single(element => element.Name.LocalName == "EntityType" && element.Attribute("Name")!.Value == "Incident");
            incident.Descendants().Where(element => element.Name.LocalName == "Property").Select(element => element.Attribute("Name")!.Value).ShouldContain("redirectIncidentId");
        }
    }

    private static string Application(string[] roles) => EndpointHost.TokenFor(EndpointHost.ThreatProtection, roles);

    private static string Delegated(string[] scopes) => EndpointHost.Write(d => d with
    {
        Audience = EndpointHost.ThreatProtection,
        Scopes = scopes,
        User = new TokenUser(new Guid("cccccccc-0000-4000-8000-000000000001"), "soc1@contoso.example", "Soc One", null, null, ["pwd"], null),
    });

    private static string PathOf(DocumentedCall call) => call.Path.Replace("{id}", "7", StringComparison.Ordinal);

    private Task<Answer> GetAsync(DocumentedCall call, string query) =>
        SendAsync(call, Application([.. call.Application]), PathOf(call) + (query.Length > 0 ? "?" + query : ""));

    private Task<Answer> SendAsync(DocumentedCall call, string? token, string? path = null) => _host.SendAsync(
        new HttpMethod(call.Method), path ?? PathOf(call),
        call.Method switch { "POST" => new { Query = "print 1" }, "PATCH" => new Dictionary<string, string> { ["status"] = "InProgress" }, _ => null }, token);

    private static Task EachAsync(string check, Func<DocumentedCall, Task<string?>> look) => Exceptions.Value.EachAsync(Calls.Value, check, look);

    public sealed class Fixture : IAsyncLifetime
    {
        internal EndpointHost Host { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services.AddVedetteThreatProtection());
            var alert = Seed.Alert(1, a => (a.IncidentId, a.MachineId) = (7, Seed.MachineId(1)));
            await Host.SeedAsync(
                Seed.Machine(1, m => (m.AadDeviceId, m.VmMetadata) = (Guid.NewGuid(), new VmMetadata("6f9619ff-8b86-d011-b42d-00c04fc964ff", "Azure", "/subscriptions/x", "7f9619ff-8b86-d011-b42d-00c04fc964ff"))),
                Seeded(7, i => (i.Comments, i.SystemTags, i.Tags) = ([new AlertComment("c", "d", Seed.Start)], ["Ransomware"], ["vip"])), Seeded(8), alert);
            foreach (var kind in new[] { EvidenceKind.File, EvidenceKind.User, EvidenceKind.Ip, EvidenceKind.Url, EvidenceKind.Process, EvidenceKind.RegistryValue, EvidenceKind.Mailbox, EvidenceKind.MailCluster, EvidenceKind.SecurityGroup, EvidenceKind.CloudApplication, EvidenceKind.OAuthApplication, EvidenceKind.MailMessage })
                await Host.SeedAsync(Seed.Evidence(alert, kind));
        }

        public async Task DisposeAsync() => await Host.DisposeAsync();

        private static Incident Seeded(long id, Action<Incident>? change = null)
        {
            var incident = new Incident { Id = id, TenantId = EndpointHost.Tenant, Name = "x", Severity = AlertSeverity.High, CreatedTime = Seed.Start, LastUpdateTime = Seed.Start };
            change?.Invoke(incident);
            return incident;
        }
    }
}
