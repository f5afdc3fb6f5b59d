using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Actions;
using Vedette.Defender.State;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Tests.Access;

/// <summary>Two tenants on one server: partner applications with a consent for each, and data that never crosses.</summary>
public sealed class TenantIsolationTests(DirectoryFixture fixture) : IClassFixture<DirectoryFixture>
{
    private const string Graph = "https://graph.microsoft.com";

    // Every text that the first tenant's data holds has this in it, and nothing of the second tenant's has.
    private const string Mark = "tenant-one-only";
    private readonly DirectoryHost _host = fixture.Host;

    [Fact]
    public async Task A_partner_application_acts_in_each_tenant_that_consented_with_that_tenants_data()
    {
        var (home, customer, stranger) = (await _host.AddTenantAsync("Partner"), await _host.AddTenantAsync("Customer"), await _host.AddTenantAsync("Stranger"));
        var partner = await _host.AddClientAsync(["Machine.Read.All"], tenant: home, multiTenant: true);
        await _host.SeedAsync(
            Seed.Machine(1, machine => (machine.TenantId, machine.ComputerDnsName) = (home.Id, "home-pc")),
            Seed.Machine(1, machine => (machine.TenantId, machine.ComputerDnsName) = (customer.Id, "customer-pc")));

        // Nobody consented in the customer's tenant yet: the application is not there.
        (await TryTokenAsync(partner, customer)).ShouldBe("AADSTS700016");
        await _host.Directory.ConsentAsync(partner.Id, customer.Id.ToString());
        var token = await _host.TokenAsync(partner, tenant: customer.Id.ToString());
        var claims = Payload(token);
        (claims.GetProperty("tid").GetGuid(), claims.GetProperty("iss").GetString()).ShouldBe((customer.Id, $"https://sts.windows.net/{customer.Id}/"));
        claims.GetProperty("oid").GetGuid().ShouldBe(_host.Directory.Directory.Principal(customer.Id, partner.Application.AppId)!.Id);
        (await _host.GetAsync("/api/machines", token)).Value.Select(machine => machine.GetProperty("computerDnsName").GetString()).ShouldBe(["customer-pc"]);
        (await _host.GetAsync("/api/machines", await _host.TokenAsync(partner))).Value.Select(machine => machine.GetProperty("computerDnsName").GetString()).ShouldBe(["home-pc"]);
        (await TryTokenAsync(partner, stranger)).ShouldBe("AADSTS700016");

        // The customer sees a service principal that belongs to somebody else, and no application.
        var admin = await _host.AddClientAsync(["Application.ReadWrite.All", "Directory.Read.All"], "graph", tenant: customer);
        var graph = await _host.TokenAsync(admin, Graph);
        var principal = (await _host.GetAsync($"/v1.0/servicePrincipals(appId='{partner.Id}')", graph)).Json;
        principal.GetProperty("appOwnerOrganizationId").GetGuid().ShouldBe(home.Id);
        (await _host.GetAsync($"/v1.0/applications(appId='{partner.Id}')", graph)).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Patch, $"/v1.0/applications/{partner.Application.Id}", graph, new { notes = "taken over" })).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/applications/{partner.Application.Id}/addPassword", graph, new { })).Status.ShouldBe(404);

        // A secret of the customer's service principal is good in the customer's tenant only.
        var secret = (await _host.SendAsync(HttpMethod.Post, $"/v1.0/servicePrincipals/{principal.GetProperty("id").GetString()}/addPassword", graph, new { })).Json.GetProperty("secretText").GetString()!;
        (await TryTokenAsync(partner with { Secret = secret }, customer)).ShouldBe("");
        (await TryTokenAsync(partner with { Secret = secret }, home)).ShouldBe("AADSTS7000215");

        // The customer takes it out again; the home tenant notices nothing.
        (await _host.SendAsync(HttpMethod.Delete, $"/v1.0/servicePrincipals/{principal.GetProperty("id").GetString()}", graph)).Status.ShouldBe(204);
        (await TryTokenAsync(partner, customer)).ShouldBe("AADSTS700016");
        (await TryTokenAsync(partner, home)).ShouldBe("");
    }

    [Fact]
    public async Task Only_a_multi_tenant_application_can_be_brought_into_another_tenant()
    {
        var (home, customer) = (await _host.AddTenantAsync(), await _host.AddTenantAsync());
        var single = await _host.AddClientAsync(["Machine.Read.All"], tenant: home);
        var multi = await _host.AddClientAsync(["Machine.Read.All"], tenant: home, multiTenant: true);
        var graph = await _host.TokenAsync(await _host.AddClientAsync(["Application.ReadWrite.All"], "graph", tenant: customer), Graph);
        (await _host.SendAsync(HttpMethod.Post, "/v1.0/servicePrincipals", graph, new { appId = single.Id })).ShouldFail(
            400, "Request_BadRequest", $"The appId '{single.Id}' of the service principal does not reference a valid application object.");
        (await _host.SendAsync(HttpMethod.Post, "/v1.0/servicePrincipals", graph, new { appId = multi.Id })).Status.ShouldBe(201);
        await Should.ThrowAsync<DirectoryException>(_host.Directory.ConsentAsync(single.Id, customer.Id.ToString()));

        // There, but nothing is consented to.
        (await _host.GetAsync("/api/machines", await _host.TokenAsync(multi, tenant: customer.Id.ToString()))).Status.ShouldBe(403);
    }

    [Fact]
    public async Task People_and_groups_of_another_tenant_cannot_be_named()
    {
        var (one, two) = (await _host.AddTenantAsync(), await _host.AddTenantAsync());
        var (stranger, own) = (await _host.AddUserAsync("ada", one), await _host.AddUserAsync("bob", two));
        var group = await _host.Directory.CreateGroupAsync(two.Id, new GroupDraft("Own"));
        var foreign = await _host.Directory.CreateGroupAsync(one.Id, new GroupDraft("Foreign"));
        var graph = await _host.TokenAsync(await _host.AddClientAsync(Tests.Graph.GraphFixture.Everything, "graph", tenant: two), Graph);
        object Reference(Guid id) => new Dictionary<string, string> { ["@odata.id"] = $"{Graph}/v1.0/directoryObjects/{id}" };
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/groups/{group.Id}/members/$ref", graph, Reference(stranger.Id))).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/groups/{group.Id}/members/$ref", graph, Reference(foreign.Id))).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/groups/{group.Id}/owners/$ref", graph, Reference(stranger.Id))).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/groups/{foreign.Id}/members/$ref", graph, Reference(own.Id))).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Delete, $"/v1.0/users/{stranger.Id}", graph)).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Patch, $"/v1.0/users/{stranger.UserPrincipalName}", graph, new { displayName = "Taken over" })).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Delete, $"/v1.0/groups/{foreign.Id}", graph)).Status.ShouldBe(404);
        var role = DirectoryRole.SecurityReader.ObjectId(two.Id);
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/directoryRoles/{role}/members/$ref", graph, Reference(stranger.Id))).Status.ShouldBe(404);
        (await _host.GetAsync($"/v1.0/directoryRoles/{DirectoryRole.SecurityReader.ObjectId(one.Id)}", graph)).Status.ShouldBe(404);
        var mine = _host.Directory.Directory.Principals(two.Id).First();
        var theirs = _host.Directory.Directory.Principal(one.Id, ResourceCatalogue.EndpointAppId)!;
        var assignment = new { principalId = mine.Id, resourceId = theirs.Id, appRoleId = "ea8291d3-4b9a-44b5-bc3a-6cea3026dc79" };
        (await _host.SendAsync(HttpMethod.Post, $"/v1.0/servicePrincipals/{mine.Id}/appRoleAssignments", graph, assignment)).Status.ShouldBe(404);
        (await _host.SendAsync(HttpMethod.Post, "/v1.0/oauth2PermissionGrants", graph, new { clientId = mine.Id, consentType = "Principal", principalId = stranger.Id, resourceId = mine.Id, scope = "x" })).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_user_of_one_tenant_cannot_sign_in_to_another()
    {
        var (one, two) = (await _host.AddTenantAsync(), await _host.AddTenantAsync());
        var client = await _host.AddClientAsync([], scopes: ["Machine.Read"], tenant: one, multiTenant: true);
        await _host.Directory.ConsentAsync(client.Id, two.Id.ToString());
        var user = await _host.AddUserAsync("ada", one, DirectoryRole.GlobalAdministrator);
        (await _host.GetAsync("/api/machines", await _host.UserTokenAsync(client, user))).Status.ShouldBe(200);
        var answer = await _host.AskTokenAsync(two.Id.ToString(),
        [
            new("grant_type", "password"), new("client_id", client.Id), new("client_secret", client.Secret), new("scope", $"{EndpointHost.Audience}/.default"),
            new("username", user.UserPrincipalName), new("password", DirectoryHost.Password),
        ]);
        answer.Status.ShouldBe(400);
        answer.Body.ShouldContain("AADSTS50034");
    }

    [Fact]
    public async Task No_call_of_any_surface_shows_one_tenant_what_belongs_to_another()
    {
        var (one, two) = (await _host.AddTenantAsync(Mark), await _host.AddTenantAsync());
        var names = await FillAsync(one);
        var (calls, shown) = await WalkAsync(await TokensAsync(two), names);
        shown.ShouldBeEmpty();
        calls.ShouldBeGreaterThan(150);

        // The same walk in the tenant itself finds a lot, so it would have found it above.
        (await WalkAsync(await TokensAsync(one), names)).Shown.Count.ShouldBeGreaterThan(30);

        var tokens = await TokensAsync(two);
        var hunt = new { Query = "DeviceProcessEvents | union DeviceInfo | project DeviceName, FileName" };
        foreach (var (path, api) in new[] { ("/api/advancedqueries/run", ResourceCatalogue.EndpointAppId), ("/api/advancedhunting/run", ResourceCatalogue.ThreatProtectionAppId) })
        {
            var answer = await _host.SendAsync(HttpMethod.Post, path, tokens[api], hunt);
            answer.Status.ShouldBe(200, answer.Body);
            answer.Json.GetProperty("Results").GetArrayLength().ShouldBe(0);
        }

        // And nothing of it can be acted upon.
        foreach (var machine in names["{id}"].Where(id => id.Length == 40))
        {
            (await _host.SendAsync(HttpMethod.Post, $"/api/machines/{machine}/isolate", tokens[ResourceCatalogue.EndpointAppId], new { Comment = "x", IsolationType = "Full" })).Status.ShouldBe(404);
            (await _host.SendAsync(HttpMethod.Post, $"/api/machines/{machine}/tags", tokens[ResourceCatalogue.EndpointAppId], new { Value = "x", Action = "Add" })).Status.ShouldBe(404);
        }
    }

    private async Task<Dictionary<Guid, string>> TokensAsync(Tenant tenant)
    {
        var tokens = new Dictionary<Guid, string>();
        foreach (var api in ResourceCatalogue.Default.All)
        {
            var client = await _host.AddClientAsync([.. api.AppRoles.Select(role => role.Value)], api.AppId.ToString(), tenant: tenant);
            tokens[api.AppId] = await _host.TokenAsync(client, api.ResourceUri);
        }

        return tokens;
    }

    // Reads every address of every surface, with every key, and tells which answers show something of the first tenant's.
    private async Task<(int Calls, IReadOnlyList<string> Shown)> WalkAsync(Dictionary<Guid, string> tokens, Dictionary<string, string[]> names)
    {
        var (calls, shown) = (0, new List<string>());
        var asked = names.Values.SelectMany(values => values).Distinct().OrderByDescending(value => value.Length).ToArray();
        foreach (var surface in _host.Services.GetServices<ApiSurface>())
        {
            foreach (var row in surface.Handlers.Keys.Where(row => row.Method == "GET"))
            {
                foreach (var path in Paths(surface.Roots[0] + row.Path, names).Distinct())
                {
                    var answer = await _host.GetAsync(path, tokens[row.Resource ?? surface.Resource]);
                    answer.Status.ShouldBeLessThan(500, $"{path}: {answer.Body}");
                    calls++;

                    // An answer may repeat what the path says, so that is taken out first; a list of things must not have it either.
                    var rest = asked.Aggregate(answer.Body, (body, value) => body.Replace(value, "", StringComparison.OrdinalIgnoreCase));
                    var items = answer.Status == 200 && answer.ContentType?.Contains("json", StringComparison.Ordinal) == true && answer.Json.TryGetProperty("value", out var list) && list.ValueKind == JsonValueKind.Array
                        ? list.ToString() : "";
                    if (rest.Contains(Mark, StringComparison.OrdinalIgnoreCase) || names["{id}"].Any(id => items.Contains(id, StringComparison.OrdinalIgnoreCase))) shown.Add(path);
                }
            }
        }

        return (calls, shown);
    }

    // Something of everything, and every key by which it could be asked for.
    private async Task<Dictionary<string, string[]>> FillAsync(Tenant tenant)
    {
        var machine = Seed.Machine(77, m => (m.TenantId, m.ComputerDnsName, m.LastIpAddress, m.MachineTags) = (tenant.Id, $"{Mark}-pc.example", "10.77.0.77", [$"{Mark}-tag"]));
        var alert = Seed.Alert(77, a => (a.TenantId, a.MachineId, a.Title, a.Description, a.DeduplicationKey) = (tenant.Id, machine.Id, $"{Mark} alert", $"{Mark} text", Mark));
        var action = new MachineAction { Id = Guid.NewGuid(), TenantId = tenant.Id, Type = MachineActionType.Isolate, MachineId = machine.Id, ComputerDnsName = machine.ComputerDnsName, Requestor = Mark, RequestorComment = Mark };
        var indicator = new Indicator { TenantId = tenant.Id, IndicatorValue = $"{Mark}.example", IndicatorType = IndicatorType.DomainName, Title = Mark, Description = Mark, CreatedBy = Mark };
        var logon = new LogonUser { TenantId = tenant.Id, MachineId = machine.Id, AccountDomain = Mark, AccountName = "ada", FirstSeen = Seed.Start, LastSeen = Seed.Start, LogonTypes = ["Interactive"], LogonCount = 1 };
        await _host.SeedAsync(machine, alert, Seed.Evidence(alert, EvidenceKind.User, e => (e.AccountName, e.DomainName) = ("ada", Mark)), action, indicator, logon);
        var process = HuntingRow.For("DeviceProcessEvents");
        (process["Timestamp"], process["DeviceId"], process["DeviceName"], process["FileName"], process["SHA1"]) = (DateTime.UtcNow, machine.Id, machine.ComputerDnsName, $"{Mark}.exe", new string('7', 40));
        await _host.Services.GetRequiredService<IHuntingStore>().AppendAsync(tenant.Id, [process], null, default);
        var user = await _host.Directory.CreateUserAsync(new CreateUserRequest("ada", $"{Mark} user") { Tenant = tenant.Id.ToString() });
        var group = await _host.Directory.CreateGroupAsync(tenant.Id, new GroupDraft($"{Mark} group"));
        await _host.Directory.AddMemberAsync(group, user.Id);
        var application = await _host.Directory.CreateApplicationAsync(new CreateApplicationRequest($"{Mark} application") { Tenant = tenant.Id.ToString() });
        await _host.Directory.AddOwnerAsync(tenant.Id, application.Id, user.Id);
        await _host.Directory.GrantAsync(new GrantRequest(application.AppId.ToString(), ["Alert.Read.All"]));
        await _host.Directory.ConsentAsync(application.AppId.ToString());
        string[] ids =
        [
            machine.Id, alert.Id, action.Id.ToString(), "177", user.Id.ToString(), user.UserPrincipalName, group.Id.ToString(), application.Id.ToString(), application.ServicePrincipalId!.Value.ToString(),
            _host.Directory.Directory.Assignments(application.ServicePrincipalId.Value)[0].Id.ToString(), tenant.Id.ToString(), DirectoryRole.SecurityReader.ObjectId(tenant.Id).ToString(), tenant.DefaultDomain,
        ];
        return new Dictionary<string, string[]>
        {
            // Two of them are not the first tenant's alone and are only asked for: the number of an incident, and the account name.
            ["{id}"] = [.. ids.Where(id => id.Length > 3)],
            ["{any}"] = ["177", "ada", new string('7', 40), "10.77.0.77", $"{Mark}.example", $"{Mark}-pc.example", $"{Mark}-tag", .. ids],
        };
    }

    private static IEnumerable<string> Paths(string template, Dictionary<string, string[]> names)
    {
        if (!template.Contains('{', StringComparison.Ordinal)) return [template];
        return names["{any}"].Select(name => System.Text.RegularExpressions.Regex.Replace(template, @"\{\w+\}", Uri.EscapeDataString(name)));
    }

    private async Task<string> TryTokenAsync(TestClient client, Tenant tenant)
    {
        var answer = await _host.AskTokenAsync(
            tenant.Id.ToString(),
            [new("grant_type", "client_credentials"), new("client_id", client.Id), new("client_secret", client.Secret), new("scope", $"{EndpointHost.Audience}/.default")]);
        return answer.Status == 200 ? "" : answer.Json.GetProperty("error_description").GetString()!.Split(':')[0];
    }

    private static JsonElement Payload(string token) => JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1])).RootElement;
}
