using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.State;
using Vedette.Identity.Directory;
using Vedette.Identity.Tokens;
using Vedette.Server.Http;
using Vedette.Server.Tests.Access;
using Vedette.Server.Tests.Endpoint;
using Vedette.Server.Tests.Graph.Security;

namespace Vedette.Server.Tests.Graph.Conformance;

/// <summary>One server with a directory and with something of every kind of Graph security.</summary>
public sealed class GraphContractFixture : IAsyncLifetime
{
    private readonly Dictionary<string, string> _ids = new(StringComparer.Ordinal);
    private Guid _user;
    private string _upn = "";

    internal DirectoryHost Host { get; private set; } = null!;

    internal IReadOnlyList<ApiSurface> Surfaces { get; private set; } = [];

    public async Task InitializeAsync()
    {
        Host = await DirectoryHost.StartAsync();
        Host.Services.GetRequiredService<QuotaPolicy>().Mode = QuotaMode.Off;
        Surfaces = [.. Host.Services.GetServices<ApiSurface>().Where(surface => surface.Name.StartsWith("Graph", StringComparison.Ordinal))];
        var user = await Host.AddUserAsync("soc1@contoso.example", null, DirectoryRole.GlobalAdministrator);
        (_user, _upn) = (user.Id, user.UserPrincipalName);
        await SeedAsync();
    }

    public async Task DisposeAsync() => await Host.DisposeAsync();

    /// <summary>The path of a call with its parameters filled in so that something is found.</summary>
    internal string PathOf(DocumentedCall call)
    {
        var id = call.Path.Split('/')[1] switch
        {
            "security" => call.Path.Contains("incidents", StringComparison.Ordinal) ? "1" : _ids["alert"],
            "applications" => _ids["application"],
            "servicePrincipals" when call.Method == "GET" && call.Path.EndsWith("appRoleAssignedTo", StringComparison.Ordinal) => _ids["resource"],
            "servicePrincipals" => _ids["principal"],
            "oauth2PermissionGrants" => _ids["grant"],
            _ => "",
        };
        return call.Path.Replace("{id}", id, StringComparison.Ordinal).Replace("{appId}", _ids["appId"], StringComparison.Ordinal)
            .Replace("{assignmentId}", _ids[call.Path.Contains("appRoleAssignedTo", StringComparison.Ordinal) ? "assigned" : "assignment"], StringComparison.Ordinal);
    }

    internal string Application(params string[] roles) => Write(d => d with { Roles = roles });

    internal string Delegated(params string[] scopes) => Write(d => d with
    {
        Scopes = scopes,
        User = new TokenUser(_user, _upn, "Soc One", null, null, ["pwd"], null),
    });

    private string Write(Func<AccessTokenDescription, AccessTokenDescription> change) => AccessTokenWriter.Write(
        change(new AccessTokenDescription
        {
            TenantId = Host.Tenant.Id,
            ClientId = Guid.Parse(_ids["appId"]),
            ServicePrincipalId = Guid.Parse(_ids.GetValueOrDefault("principal", Guid.Empty.ToString())),
            ClientDisplayName = "Contract",
            Audience = SecurityFixture.Resource,
            Authority = "https://localhost",
            NotBefore = DateTimeOffset.UtcNow.AddMinutes(-5),
            Expires = DateTimeOffset.UtcNow.AddHours(1),
        }),
        Host.Services.GetRequiredService<ISigningKeySource>().Current.Signer(DateTimeOffset.UtcNow));

    private async Task SeedAsync()
    {
        var client = await Host.AddClientAsync(["Application.ReadWrite.All"], "graph", ["User.Read"]);
        _ids["appId"] = client.Id;
        var all = Application([.. GraphFixture.Everything]);
        _ids["application"] = await IdAsync($"/v1.0/applications?$filter=appId eq '{client.Id}'", all);
        _ids["principal"] = await IdAsync($"/v1.0/servicePrincipals?$filter=appId eq '{client.Id}'", all);
        _ids["resource"] = await IdAsync("/v1.0/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'", all);

        // Who may only change what is theirs owns itself.
        var owner = new Dictionary<string, string> { ["@odata.id"] = $"https://graph.microsoft.com/v1.0/directoryObjects/{_ids["principal"]}" };
        foreach (var owned in new[] { $"applications/{_ids["application"]}", $"servicePrincipals/{_ids["principal"]}" })
            (await Host.SendAsync(HttpMethod.Post, $"/v1.0/{owned}/owners/$ref", all, owner)).Status.ShouldBe(204);
        _ids["assignment"] = await IdAsync($"/v1.0/servicePrincipals/{_ids["principal"]}/appRoleAssignments", all);
        _ids["assigned"] = _ids["assignment"];
        _ids["grant"] = await IdAsync($"/v1.0/servicePrincipals/{_ids["principal"]}/oauth2PermissionGrants", all);
        var tenant = Host.Tenant.Id;
        var machine = Seed.Machine(1, m => (m.TenantId, m.VmMetadata) = (tenant, new VmMetadata("6f9619ff-8b86-d011-b42d-00c04fc964ff", "Azure", "/subscriptions/x", "7f9619ff-8b86-d011-b42d-00c04fc964ff")));
        var alert = Seed.Alert(1, a =>
        {
            (a.TenantId, a.IncidentId, a.MachineId) = (tenant, 1, machine.Id);
            a.Comments = [new AlertComment("c", "x", Seed.Start)];
        });
        _ids["alert"] = alert.Id;
        await Host.SeedAsync(machine, alert, new Incident { Id = 1, TenantId = tenant, Name = "x", Severity = AlertSeverity.High, CreatedTime = Seed.Start, LastUpdateTime = Seed.Start, Comments = [new AlertComment("c", "x", Seed.Start)] });
        foreach (var kind in Enum.GetValues<EvidenceKind>()) await Host.SeedAsync(Seed.Evidence(alert, kind));
    }

    private async Task<string> IdAsync(string path, string token)
    {
        var answer = await Host.GetAsync(path, token);
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Value[0].GetProperty("id").GetString()!;
    }
}
