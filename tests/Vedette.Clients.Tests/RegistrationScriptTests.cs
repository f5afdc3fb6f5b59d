using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Server.Tests.Access;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Clients.Tests;

/// <summary>
/// The way of an administrator's script, with Microsoft's unmodified Graph client: application, secret, service principal, role, token, API
/// call, clean-up.
/// </summary>
[Collection(MatrixCollection.Name)]
public sealed class RegistrationScriptTests(MatrixServer server)
{
    [Fact]
    public async Task By_the_real_names_the_script_needs_no_setting_but_the_certificate()
    {
        var admin = server.Settings[MatrixHost.Administrator];
        var settings = JsonSerializer.Serialize(new { tenant = admin.Tenant, clientId = admin.ClientId, secret = admin.Secret, resource = EndpointHost.Audience });
        var told = (await server.RunAsync(["node", ClientProcess.NodeScript("register.mjs")], settings, new Dictionary<string, string>()))[0];
        (Text("assigned"), (int)told["status"]!, (bool)told["byAppId"]!, (bool)told["restored"]!).ShouldBe(("WindowsDefenderATP", 200, true, true));
        told["paged"]!.AsArray().Select(name => (string)name!).ShouldContain(admin.UserName);
        told["deleted"]!.AsArray().Select(name => (string)name!).ShouldBe(["Registered by script"]);
        ((int)told["gone"]!["status"]!).ShouldBe(404);

        string Text(string name) => (string)told[name]!;
    }

    [Fact]
    public async Task A_script_registers_an_application_uses_it_and_cleans_up()
    {
        await using var host = await DirectoryHost.StartAsync(https: true);
        var admin = await host.AddClientAsync(["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Directory.Read.All"], "graph");
        for (var number = 1; number <= 5; number++) await host.AddUserAsync($"user{number}");
        await host.SeedAsync(new Machine
        {
            TenantId = host.Tenant.Id,
            Id = new string('a', 40),
            ComputerDnsName = "pc-01.contoso.example",
            FirstSeen = DateTime.UtcNow.AddDays(-1),
            LastSeen = DateTime.UtcNow,
            OsPlatform = "Linux",
            OsProcessor = "x64",
            Version = "24.04",
        });

        var settings = JsonSerializer.Serialize(new { address = host.Https, tenant = host.Tenant.Id, clientId = admin.Id, secret = admin.Secret, resource = EndpointHost.Audience });
        using var log = JsonDocument.Parse(await ClientProcess.RunAsync("node", [ClientProcess.NodeScript("register.mjs")], settings, host.AuthorityFile));
        var told = log.RootElement;

        told.GetProperty("assigned").GetString().ShouldBe("WindowsDefenderATP");
        told.GetProperty("status").GetInt32().ShouldBe(200);
        told.GetProperty("machines").EnumerateArray().Select(name => name.GetString()).ShouldBe(["pc-01.contoso.example"]);
        told.GetProperty("byAppId").GetBoolean().ShouldBeTrue();
        told.GetProperty("paged").EnumerateArray().Select(name => name.GetString()).ShouldBe(Enumerable.Range(1, 5).Select(number => $"user{number}@contoso.example"), ignoreOrder: true);
        told.GetProperty("batch").EnumerateArray().Select(status => status.GetInt32()).ShouldBe([200, 200]);
        told.GetProperty("restored").GetBoolean().ShouldBeTrue();
        var gone = told.GetProperty("gone");
        (gone.GetProperty("status").GetInt32(), gone.GetProperty("code").GetString(), gone.GetProperty("hasRequestId").GetBoolean()).ShouldBe((404, "Request_ResourceNotFound", true));
        host.Directory.ListApplications().Select(application => application.DisplayName).ShouldNotContain("Registered by script");
    }
}
