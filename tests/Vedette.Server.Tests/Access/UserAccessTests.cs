using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Access;
using Vedette.Identity.Directory;
using Vedette.Server.Graph;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Tests.Access;

/// <summary>What signed-in users may do and see: directory roles, roles of Defender, device groups.</summary>
public sealed class UserAccessTests(DirectoryFixture fixture) : IClassFixture<DirectoryFixture>, IAsyncLifetime
{
    private static readonly string[] Scopes = ["Machine.Read", "Machine.Isolate", "Alert.Read", "AdvancedQuery.Read", "Machine.LiveResponse", "Library.Manage", "Ti.ReadWrite", "Vulnerability.Read"];
    private readonly DirectoryHost _host = fixture.Host;
    private Tenant _tenant = null!;
    private TestClient _client = null!;

    // Each test has a tenant of its own.
    public async Task InitializeAsync()
    {
        _tenant = await _host.AddTenantAsync();
        _client = await _host.AddClientAsync([], scopes: Scopes, tenant: _tenant);
        var tenant = _tenant.Id;
        await _host.SeedAsync(
            Seed.Machine(1, machine => (machine.TenantId, machine.RbacGroupId, machine.RbacGroupName) = (tenant, 1, "Servers")),
            Seed.Machine(2, machine => (machine.TenantId, machine.RbacGroupId, machine.RbacGroupName) = (tenant, 2, "Clients")),
            Seed.Machine(3, machine => (machine.TenantId, machine.RbacGroupId, machine.RbacGroupName) = (tenant, 0, null)));
        (await _host.Access.CreateDeviceGroupAsync(tenant, "Servers", Defender.State.AutomationLevel.Full, default)).Id.ShouldBe(1);
        (await _host.Access.CreateDeviceGroupAsync(tenant, "Clients", Defender.State.AutomationLevel.Full, default)).Id.ShouldBe(2);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_user_without_any_role_is_refused_with_the_permission_that_is_missing()
    {
        var token = await _host.UserTokenAsync(_client, await _host.AddUserAsync("ada", _tenant));
        (await _host.GetAsync("/api/machines", token)).ShouldFail(
            403, "Forbidden", "The user does not have the required role permission (ViewData) to perform this action.");
    }

    [Fact]
    public async Task A_security_reader_reads_but_does_not_act()
    {
        var token = await _host.UserTokenAsync(_client, await _host.AddUserAsync("rita", _tenant, DirectoryRole.SecurityReader));
        (await _host.GetAsync("/api/machines", token)).Ids.Count.ShouldBe(3);
        (await IsolateAsync(1, token)).ShouldFail(
            403, "Forbidden", "The user does not have the required role permission (ActiveRemediationActions) to perform this action.");
    }

    [Theory]
    [InlineData("Security Operator")]
    [InlineData("Security Administrator")]
    [InlineData("Global Administrator")]
    public async Task Operators_and_administrators_act(string role)
    {
        var token = await _host.UserTokenAsync(_client, await _host.AddUserAsync("omar", _tenant, DirectoryRole.Find(role)));
        (await IsolateAsync(1, token)).Status.ShouldBe(201);
    }

    [Fact]
    public async Task A_role_that_was_taken_back_ends_with_the_next_call_of_an_old_token()
    {
        var user = await _host.AddUserAsync("rita", _tenant, DirectoryRole.SecurityReader);
        var token = await _host.UserTokenAsync(_client, user);
        (await _host.GetAsync("/api/machines", token)).Status.ShouldBe(200);
        await _host.Directory.SetDirectoryRoleAsync((await _host.Directory.FindUserAsync(user.Id))!, DirectoryRole.SecurityReader, held: false);
        (await _host.GetAsync("/api/machines", token)).Status.ShouldBe(403);
    }

    [Fact]
    public async Task Once_roles_are_in_use_readers_need_one_and_administrators_do_not()
    {
        var (reader, administrator) = (await _host.AddUserAsync("rita", _tenant, DirectoryRole.SecurityReader), await _host.AddUserAsync("gus", _tenant, DirectoryRole.GlobalAdministrator));
        var (readers, administrators) = (await _host.UserTokenAsync(_client, reader), await _host.UserTokenAsync(_client, administrator));
        await _host.Access.CreateRoleAsync(_tenant.Id, "Analysts", null, ["ViewData", "Alerts investigation"], default);
        (await _host.GetAsync("/api/machines", readers)).Status.ShouldBe(403);
        (await _host.GetAsync("/api/machines", administrators)).Status.ShouldBe(200);

        // The role reaches the user through a group within a group.
        var outer = await _host.Directory.CreateGroupAsync(_tenant.Id, new GroupDraft("Analysts everywhere"));
        var inner = await _host.Directory.CreateGroupAsync(_tenant.Id, new GroupDraft("Analysts of the day shift"));
        await _host.Directory.AddMemberAsync(outer, inner.Id);
        await _host.Directory.AddMemberAsync(inner, reader.Id);
        await _host.Access.AssignAsync(_tenant.Id, "Analysts", outer.Id, held: true, default);
        (await _host.GetAsync("/api/machines", readers)).Status.ShouldBe(200);
        (await _host.GetAsync("/api/alerts", readers)).Status.ShouldBe(200);
        (await IsolateAsync(1, readers)).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_device_group_is_everybodys_until_somebody_is_named_for_it()
    {
        var tenant = _tenant.Id;
        var group = await _host.Directory.CreateGroupAsync(tenant, new GroupDraft("Server team"));
        var (inside, outside) = (await _host.AddUserAsync("sara", _tenant), await _host.AddUserAsync("otto", _tenant));
        await _host.Directory.AddMemberAsync(group, inside.Id);
        var everybody = await _host.Directory.CreateGroupAsync(tenant, new GroupDraft("Everybody"));
        foreach (var user in new[] { inside, outside }) await _host.Directory.AddMemberAsync(everybody, user.Id);
        await _host.Access.CreateRoleAsync(tenant, "Responders", null, [DefenderPermission.ViewData, DefenderPermission.ActiveRemediationActions], default);
        await _host.Access.AssignAsync(tenant, "Responders", everybody.Id, held: true, default);
        var (insiders, outsiders) = (await _host.UserTokenAsync(_client, inside), await _host.UserTokenAsync(_client, outside));
        (await _host.GetAsync("/api/machines", outsiders)).Ids.Count.ShouldBe(3);

        await _host.Access.AllowAsync(tenant, "Servers", group.Id, allowed: true, default);
        (await _host.GetAsync("/api/machines", outsiders)).Ids.ShouldBe([Seed.MachineId(2), Seed.MachineId(3)]);
        (await _host.GetAsync("/api/machines", insiders)).Ids.Count.ShouldBe(3);
        (await _host.GetAsync($"/api/machines/{Seed.MachineId(1)}", outsiders)).Status.ShouldBe(404);
        (await IsolateAsync(1, outsiders)).ShouldFail(404, "ResourceNotFound", $"Machine {Seed.MachineId(1)} was not found");
        (await IsolateAsync(1, insiders)).Status.ShouldBe(201);

        // Hunting sees the rows of the same devices, however the query is written.
        await _host.AppendAsync(tenant, [.. Enumerable.Range(1, 3).Select(number =>
        {
            var row = HuntingRow.For("DeviceEvents");
            (row["Timestamp"], row["DeviceId"]) = (DateTime.UtcNow, Seed.MachineId(number));
            return row;
        })]);
        const string query = "union DeviceEvents, (DeviceEvents | where DeviceId != 'x') | distinct DeviceId | sort by DeviceId asc";
        (await HuntAsync(query, outsiders)).ShouldBe([Seed.MachineId(2), Seed.MachineId(3)]);
        (await HuntAsync(query, insiders)).ShouldBe([Seed.MachineId(1), Seed.MachineId(2), Seed.MachineId(3)]);

        await _host.Access.AllowAsync(tenant, "Servers", group.Id, allowed: false, default);
        (await _host.GetAsync("/api/machines", outsiders)).Ids.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Scripts_and_files_of_ones_own_are_advanced_live_response()
    {
        var (basic, advanced) = (await MemberAsync("bea", DefenderPermission.LiveResponseBasic), await MemberAsync("ava", DefenderPermission.LiveResponseAdvanced));
        (await SessionAsync(1, basic, "GetFile", "Path")).Status.ShouldBe(201);
        foreach (var (command, key) in new[] { ("RunScript", "ScriptName"), ("putfile", "FileName") })
        {
            (await SessionAsync(2, basic, command, key)).ShouldFail(
                403, "Forbidden", "The user does not have the required role permission (LiveResponseAdvanced) to perform this action.");
        }

        (await SessionAsync(2, advanced, "RunScript", "ScriptName")).Status.ShouldBe(201);
        (await SessionAsync(3, advanced, "GetFile", "Path")).Status.ShouldBe(201);
        (await _host.GetAsync("/api/libraryfiles", advanced)).Status.ShouldBe(200);
        (await _host.GetAsync("/api/libraryfiles", basic)).Status.ShouldBe(403);
    }

    [Fact]
    public async Task A_scope_without_a_role_reaches_nothing()
    {
        var nobody = await _host.UserTokenAsync(_client, await _host.AddUserAsync("nora", _tenant));
        foreach (var (path, needed) in new[] { ("/api/indicators", "ViewData"), ("/api/vulnerabilities", "TvmViewData, ViewData"), ("/api/libraryfiles", "LiveResponseAdvanced") })
            (await _host.GetAsync(path, nobody)).ShouldFail(403, "Forbidden", $"The user does not have the required role permission ({needed}) to perform this action.");

        var reader = await MemberAsync("rita", DefenderPermission.ViewData);
        (await _host.GetAsync("/api/vulnerabilities", reader)).Status.ShouldBe(200);
        (await _host.SendAsync(HttpMethod.Post, "/api/indicators", reader, new { indicatorValue = "192.0.2.9", indicatorType = "IpAddress", title = "t", action = "Audit", description = "d" })).ShouldFail(
            403, "Forbidden", "The user does not have the required role permission (ManageSecuritySettings) to perform this action.");
    }

    [Fact]
    public async Task A_user_who_was_switched_off_has_no_access_left()
    {
        var user = await _host.AddUserAsync("gus", _tenant, DirectoryRole.GlobalAdministrator);
        var token = await _host.UserTokenAsync(_client, user);
        await _host.Directory.UpdateUserAsync((await _host.Directory.FindUserAsync(user.Id))!, new UserChange { AccountEnabled = false });
        (await _host.GetAsync("/api/machines", token)).Status.ShouldBe(403);
    }

    [Theory]
    [InlineData("View dta")]
    [InlineData("")]
    public async Task A_permission_that_does_not_exist_is_refused_with_those_that_do(string permission)
    {
        var refused = await Should.ThrowAsync<AccessException>(_host.Access.CreateRoleAsync(_tenant.Id, "Typo", null, [permission], default));
        refused.Message.ShouldContain("ViewData");
        (await _host.Access.RulesAsync(_tenant.Id, default)).Roles.ShouldBeEmpty();
    }

    [Fact]
    public void Every_right_that_a_call_asks_for_is_one_that_people_can_have()
    {
        var known = DefenderPermission.Expand(DefenderPermission.All)
            .Concat([GraphUserAccess.ManageApplications, GraphUserAccess.ManageConsent, GraphUserAccess.ManageUsers, GraphUserAccess.ManageGroups, GraphUserAccess.ManageRoles]).ToHashSet();
        foreach (var row in _host.Services.GetServices<ApiSurface>().SelectMany(surface => surface.Endpoints).Where(row => row.UserRole is not null))
            row.UserRole!.Split('|').ShouldAllBe(role => known.Contains(role), row.Key);
    }

    // A user in a group of their own that holds a role with the permission.
    private async Task<string> MemberAsync(string name, string permission)
    {
        var user = await _host.AddUserAsync(name, _tenant);
        var group = await _host.Directory.CreateGroupAsync(_tenant.Id, new GroupDraft($"{name}'s"));
        await _host.Directory.AddMemberAsync(group, user.Id);
        await _host.Access.CreateRoleAsync(_tenant.Id, $"{name} may", null, [permission], default);
        await _host.Access.AssignAsync(_tenant.Id, $"{name} may", group.Id, held: true, default);
        return await _host.UserTokenAsync(_client, user);
    }

    private Task<Answer> SessionAsync(int machine, string token, string command, string key) => _host.SendAsync(
        HttpMethod.Post, $"/api/machines/{Seed.MachineId(machine)}/runliveresponse", token,
        new { Comment = "test", Commands = new[] { new { type = command, @params = new[] { new { key, value = "a" } } } } });

    private Task<Answer> IsolateAsync(int machine, string token) =>
        _host.SendAsync(HttpMethod.Post, $"/api/machines/{Seed.MachineId(machine)}/isolate", token, new { Comment = "test", IsolationType = "Full" });

    private async Task<IReadOnlyList<string?>> HuntAsync(string query, string token)
    {
        var answer = await _host.SendAsync(HttpMethod.Post, "/api/advancedqueries/run", token, new { Query = query });
        answer.Status.ShouldBe(200, answer.Body);
        return [.. answer.Json.GetProperty("Results").EnumerateArray().Select(row => row.GetProperty("DeviceId").GetString())];
    }
}
