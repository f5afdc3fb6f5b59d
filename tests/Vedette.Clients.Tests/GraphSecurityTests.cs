using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Notifications;
using Vedette.Defender.State;
using Vedette.Server.Tests.Access;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Clients.Tests;

/// <summary>A connector's day with Microsoft's unmodified Graph client: lists with pages, changes, comments, a hunt, changes told and asked for.</summary>
public sealed class GraphSecurityTests
{
    [Fact]
    public async Task A_script_lists_changes_comments_hunts_and_hears_of_changes()
    {
        await using var host = await DirectoryHost.StartAsync(https: true);
        var client = await host.AddClientAsync(["SecurityAlert.ReadWrite.All", "SecurityIncident.ReadWrite.All", "ThreatHunting.Read.All"], "graph");
        var tenant = host.Tenant.Id;
        await host.SeedAsync(Seed.Machine(1, machine => machine.TenantId = tenant));
        await host.SeedAsync([.. Enumerable.Range(1, 5).Select(number => (object)new Incident
        {
            Id = number, TenantId = tenant, Name = $"Incident {number}", Severity = AlertSeverity.Medium, CreatedTime = Seed.Start.AddHours(number), LastUpdateTime = Seed.Start.AddHours(number),
        })]);
        var alerts = Enumerable.Range(1, 10).Select(number => Seed.Alert(number, alert =>
        {
            (alert.TenantId, alert.IncidentId, alert.MachineId, alert.Severity) = (tenant, 1 + (number % 5), Seed.MachineId(1), number == 7 ? AlertSeverity.High : AlertSeverity.Low);
            alert.Evidence.Add(new AlertEvidence { TenantId = tenant, AlertId = alert.Id, EntityType = EvidenceKind.Ip, IpAddress = "203.0.113.7", EvidenceCreationTime = Seed.Start });
        })).ToArray();
        await host.SeedAsync([.. alerts]);

        // The server's own worker is not part of this host, so it is told when there is something to send.
        var settings = JsonSerializer.Serialize(new { address = host.Https, tenant, clientId = client.Id, secret = client.Secret });
        using var log = JsonDocument.Parse(await ClientProcess.RunAsync(
            "node", [ClientProcess.NodeScript("security.mjs")], settings, host.AuthorityFile,
            async _ => (await host.Services.GetRequiredService<NotificationDispatcher>().DispatchAsync(default)).ShouldBe(1)));
        string Told(string name) => log.RootElement.GetProperty(name).GetRawText();

        Told("alerts").ShouldBe(JsonSerializer.Serialize(alerts.Select(alert => alert.Id).Reverse()));
        Told("incidents").ShouldBe("""["5","4","3","2","1"]""");
        Told("evidence").ShouldContain("#microsoft.graph.security.ipEvidence");
        Told("updated").ShouldBe("\"inProgress\"");
        Told("comments").ShouldBe("""["Looking."]""");
        Told("incident").ShouldBe("""["truePositive","malware",["script"]]""");
        Told("incidentComments").ShouldBe("""["Together."]""");
        Told("hunt").ShouldBe("""[["answer","words"],[{"answer":42,"words":"a b"}]]""");
        Told("delta").ShouldBe("5");
        Told("told").ShouldBe("""[["updated","security/incidents/3","only we know",true]]""");
        Told("since").ShouldBe("""[["3","resolved"]]""");
        Told("renewed").ShouldBe("true");
        Told("subscriptions").ShouldBe("0");
        Told("refused").ShouldBe("""[400,"The query specified in the URI is not valid. The limit of '50' for Top query has been exceeded. The value from the incoming request is '100'."]""");
    }
}
