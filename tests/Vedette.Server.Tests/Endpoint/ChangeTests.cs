using System.Text.Json;
using Vedette.Defender.State;

namespace Vedette.Server.Tests.Endpoint;

public sealed class ChangeTests : IAsyncLifetime
{
    private const string Alerts = "Alert.ReadWrite.All";
    private const string Machines = "Machine.ReadWrite.All";
    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync();
        await _host.SeedAsync([.. Enumerable.Range(1, 3).Select(n => Seed.Machine(n)), .. Enumerable.Range(1, 3).Select(n => Seed.Alert(n))]);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Updates_an_alert_and_answers_with_it()
    {
        var answer = await PatchAsync($"/api/alerts/{Seed.Alert(1).Id}", """{"status":"Resolved","assignedTo":"soc@contoso.example","classification":"FalsePositive","determination":"NotMalicious","comment":"known tool"}""", Alerts);
        answer.Status.ShouldBe(200, answer.Body);
        var alert = answer.Json;
        alert.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#Alerts/$entity");
        alert.GetProperty("status").GetString().ShouldBe("Resolved");
        alert.GetProperty("assignedTo").GetString().ShouldBe("soc@contoso.example");
        alert.GetProperty("classification").GetString().ShouldBe("FalsePositive");
        alert.GetProperty("determination").GetString().ShouldBe("Clean");
        alert.GetProperty("resolvedTime").ValueKind.ShouldBe(JsonValueKind.String);
        alert.GetProperty("comments")[0].GetProperty("comment").GetString().ShouldBe("known tool");
        alert.GetProperty("comments")[0].GetProperty("createdBy").GetString().ShouldBe(EndpointHost.Application.ToString());
        alert.GetProperty("comments")[0].GetProperty("createdTime").GetString().ShouldEndWith("Z");
        alert.GetProperty("title").GetString().ShouldBe("Alert 1");
    }

    [Theory]
    [InlineData("""{"status":"Closed"}""", "InvalidRequestBody")]
    [InlineData("""{"determination":"Apt"}""", "InvalidRequestBody")]
    [InlineData("""{"Status":"Resolved"}""", "InvalidRequestBody")]
    [InlineData("""{"status":5}""", "InvalidRequestBody")]
    [InlineData("""{"status":"Resolved" """, "InvalidRequestBody")]
    [InlineData("[]", "InvalidRequestBody")]
    [InlineData("", "InvalidRequestBody")]
    public async Task Refuses_a_body_that_does_not_fit(string body, string code)
    {
        var answer = await PatchAsync($"/api/alerts/{Seed.Alert(1).Id}", body, Alerts);
        answer.ShouldFail(400, code, "Request body is incorrect");
    }

    [Fact]
    public async Task Refuses_to_update_an_unknown_alert() =>
        (await PatchAsync("/api/alerts/none", """{"status":"New"}""", Alerts)).ShouldFail(404, "ResourceNotFound", "Alert none was not found");

    [Fact]
    public async Task Updates_many_alerts_or_none()
    {
        string[] ids = [Seed.Alert(1).Id, Seed.Alert(2).Id];
        var answer = await _host.PostAsync("/api/alerts/BatchUpdate", new { alertIds = ids, status = "InProgress", comment = "both" }, Alerts);
        (answer.Status, answer.Body).ShouldBe((200, ""));
        (await _host.GetAsync("/api/alerts?$filter=status eq 'InProgress'", Alerts)).Ids.ShouldBe(ids, ignoreOrder: true);
        (await _host.PostAsync("/api/alerts/batchUpdate", new { alertIds = new[] { Seed.Alert(3).Id, "none" }, status = "Resolved" }, Alerts))
            .ShouldFail(404, "ResourceNotFound", "Alert none was not found");
        (await _host.GetAsync("/api/alerts?$filter=status eq 'Resolved'", Alerts)).Ids.ShouldBeEmpty();
        (await _host.PostAsync("/api/alerts/batchUpdate", new { AlertIds = ids, status = "New" }, Alerts))
            .ShouldFail(400, "MissingRequiredParameter", "Parameter alertIds is missing.");
    }

    [Fact]
    public async Task Tells_the_user_of_an_alert()
    {
        var path = $"/api/alerts/{Seed.Alert(1).Id}/user";
        var unseen = await _host.GetAsync(path, "User.Read.All");
        unseen.Json.GetProperty("id").GetString().ShouldBe(@"CONTOSO\dana");
        foreach (var machine in new[] { 1, 2 })
        {
            await _host.SeedAsync(new LogonUser
            {
                TenantId = EndpointHost.Tenant, MachineId = Seed.MachineId(machine), AccountDomain = "contoso", AccountName = "dana",
                FirstSeen = Seed.Start, LastSeen = Seed.Start.AddDays(machine), LogonTypes = machine == 1 ? ["Network"] : ["Interactive", "Network"], LogonCount = machine,
            });
        }

        var seen = (await _host.GetAsync(path, "User.Read.All")).Json;
        seen.GetProperty("@odata.context").GetString().ShouldEndWith("$metadata#Users/$entity");
        seen.GetProperty("id").GetString().ShouldBe(@"contoso\dana");
        seen.GetProperty("logOnMachinesCount").GetInt32().ShouldBe(2);
        seen.GetProperty("mostPrevalentMachineId").GetString().ShouldBe(Seed.MachineId(2));
        seen.GetProperty("logonTypes").GetString().ShouldBe("Interactive, Network");
        seen.GetProperty("isOnlyNetworkUser").GetBoolean().ShouldBeFalse();
        (await _host.GetAsync("/api/users/dana/machines", "Machine.Read.All")).Ids.ShouldBe([Seed.MachineId(1), Seed.MachineId(2)]);
        (await _host.GetAsync("/api/users/dana/alerts", "Alert.Read.All")).Ids.Count.ShouldBe(3);
        (await _host.GetAsync("/api/users/nobody/alerts", "Alert.Read.All")).Ids.ShouldBeEmpty();
        await _host.SeedAsync(Seed.Alert(4, a => a.RelatedUser = null));
        (await _host.GetAsync($"/api/alerts/{Seed.Alert(4).Id}/user", "User.Read.All")).ShouldFail(404, "ResourceNotFound", $"User of alert {Seed.Alert(4).Id} was not found");
    }

    [Fact]
    public async Task Adds_and_removes_tags()
    {
        var path = $"/api/machines/{Seed.MachineId(1)}/tags";
        var added = await _host.PostAsync(path, new { Value = "lab x", Action = "Add" }, Machines);
        added.Status.ShouldBe(200, added.Body);
        added.Json.GetProperty("machineTags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["all", "tag1", "lab x"]);
        var removed = await _host.PostAsync(path, new { Value = "tag1", Action = "Remove" }, Machines);
        removed.Json.GetProperty("machineTags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["all", "lab x"]);
        (await _host.PostAsync(path, new { value = "x", action = "Add" }, Machines)).ShouldFail(400, "MissingRequiredParameter", "Parameter Value is missing.");
        (await _host.PostAsync(path, new { Value = "x", Action = "Toggle" }, Machines)).ShouldFail(400, "InvalidRequestBody", "Request body is incorrect");
        (await _host.PostAsync("/api/machines/none/tags", new { Value = "x", Action = "Add" }, Machines)).ShouldFail(404, "ResourceNotFound", "Machine none was not found");
    }

    [Fact]
    public async Task Tags_many_machines_at_once()
    {
        var answer = await _host.PostAsync("/api/machines/AddOrRemoveTagForMultipleMachines", new { Value = "wave1", Action = "Add", MachineIds = new[] { Seed.MachineId(1), Seed.MachineId(2) } }, Machines);
        answer.Ids.ShouldBe([Seed.MachineId(1), Seed.MachineId(2)]);
        (await _host.GetAsync("/api/machines/findbytag?tag=wave1", Machines)).Ids.Count.ShouldBe(2);
        var many = Enumerable.Range(0, 501).Select(Seed.MachineId).ToArray();
        (await _host.PostAsync("/api/machines/AddOrRemoveTagForMultipleMachines", new { Value = "x", Action = "Add", MachineIds = many }, Machines))
            .ShouldFail(400, "MaximumBatchSizeExceeded", "Maximum batch size exceeded. Received: 501, allowed: 500.");
    }

    [Fact]
    public async Task Values_and_updates_a_machine()
    {
        var path = $"/api/machines/{Seed.MachineId(1)}";
        (await _host.PostAsync(path + "/setDeviceValue", new { DeviceValue = "High" }, Machines)).Json.GetProperty("deviceValue").GetString().ShouldBe("High");
        (await _host.PostAsync(path + "/setDeviceValue", new { DeviceValue = "Huge" }, Machines)).ShouldFail(400, "InvalidRequestBody", "Request body is incorrect");
        var updated = await PatchAsync(path, """{"machineTags":["only"],"deviceValue":"Low"}""", Machines);
        updated.Json.GetProperty("machineTags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["only"]);
        updated.Json.GetProperty("deviceValue").GetString().ShouldBe("Low");
        (await PatchAsync(path, """{"deviceValue":null}""", Machines)).Json.GetProperty("deviceValue").GetString().ShouldBe("Low");
    }

    private Task<Answer> PatchAsync(string path, string body, params string[] roles) =>
        _host.SendAsync(HttpMethod.Patch, path, body, EndpointHost.Token(roles));
}
