using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vedette.Defender.Alerts;
using Vedette.Defender.Correlation;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Correlation;

public sealed class AlertCorrelatorTests
{
    private static readonly AlertEvidence[] None = [];

    [Fact]
    public async Task Alerts_of_one_device_within_days_are_one_incident_named_by_what_happened()
    {
        await using var world = await CreateAsync();
        var first = await RaiseAsync(world, "Encoded command", "Execution", device: 1, hours: 0, AlertSeverity.Medium);
        (await IncidentAsync(world, first)).Name.ShouldBe("Encoded command on one endpoint");

        var second = await RaiseAsync(world, "Memory dumped", "CredentialAccess", device: 1, hours: 20, AlertSeverity.High);
        second.IncidentId.ShouldBe(first.IncidentId);
        var incident = await IncidentAsync(world, second);
        incident.Name.ShouldBe("Multi-stage incident involving Execution & Credential access on one endpoint");
        incident.Severity.ShouldBe(AlertSeverity.High);
        incident.Status.ShouldBe(IncidentStatus.Active);

        var late = await RaiseAsync(world, "Encoded command", "Execution", device: 1, hours: 20 + 73, AlertSeverity.Medium);
        late.IncidentId.ShouldNotBe(first.IncidentId);
    }

    [Fact]
    public async Task An_account_a_file_a_process_and_an_address_link_devices_but_what_everybody_has_does_not()
    {
        await using var world = await CreateAsync();
        AlertEvidence[] shared =
        [
            new() { EntityType = EvidenceKind.User, AccountName = "dana", DomainName = "EXAMPLE", UserSid = "S-1-5-21-1-2-3-1104" },
            new() { EntityType = EvidenceKind.File, FileName = "odd.exe", FilePath = @"C:\Users\dana", Sha256 = new string('a', 64) },
            new() { EntityType = EvidenceKind.Ip, IpAddress = "203.0.113.9" },
        ];
        AlertEvidence[] common =
        [
            new() { EntityType = EvidenceKind.User, AccountName = "SYSTEM", DomainName = "NT AUTHORITY", UserSid = "S-1-5-18" },
            new() { EntityType = EvidenceKind.Process, FileName = "cmd.exe", FilePath = @"C:\Windows\System32", Sha256 = new string('b', 64), ProcessId = 9 },
            new() { EntityType = EvidenceKind.Ip, IpAddress = "10.1.2.3" },
        ];
        var device = 10;
        foreach (var link in shared)
        {
            var one = await RaiseAsync(world, "A", "Execution", device++, 0, AlertSeverity.Low, Copy(link));
            var two = await RaiseAsync(world, "B", "Execution", device++, 1, AlertSeverity.Low, Copy(link));
            two.IncidentId.ShouldBe(one.IncidentId, link.EntityType.ToString());
            (await IncidentAsync(world, two)).Name.ShouldBe("Execution incident on multiple endpoints");
        }

        foreach (var link in common)
        {
            var one = await RaiseAsync(world, "A", "Execution", device++, 0, AlertSeverity.Low, Copy(link));
            var two = await RaiseAsync(world, "B", "Execution", device++, 1, AlertSeverity.Low, Copy(link));
            two.IncidentId.ShouldNotBe(one.IncidentId, link.EntityType.ToString());
        }
    }

    [Fact]
    public async Task An_alert_that_bridges_two_incidents_makes_them_one()
    {
        await using var world = await CreateAsync();
        var user = new AlertEvidence { EntityType = EvidenceKind.User, AccountName = "dana", DomainName = "EXAMPLE", UserSid = "S-1-5-21-1-2-3-1104" };
        var one = await RaiseAsync(world, "A", "Execution", 1, 0, AlertSeverity.Low);
        var two = await RaiseAsync(world, "B", "Ransomware", 2, 1, AlertSeverity.High, Copy(user));
        two.IncidentId.ShouldNotBe(one.IncidentId);

        var bridge = await RaiseAsync(world, "C", "LateralMovement", 1, 2, AlertSeverity.Medium, Copy(user));
        bridge.IncidentId.ShouldBe(one.IncidentId);
        await using var state = world.Open();
        (await state.Alerts.AsNoTracking().SingleAsync(a => a.Id == two.Id)).IncidentId.ShouldBe(one.IncidentId);
        var redirected = await state.Incidents.AsNoTracking().SingleAsync(i => i.Id == two.IncidentId);
        redirected.Status.ShouldBe(IncidentStatus.Redirected);
        redirected.RedirectIncidentId.ShouldBe(one.IncidentId);
        var merged = await IncidentAsync(world, bridge);
        merged.Name.ShouldBe("Multi-stage incident involving Execution & Ransomware on multiple endpoints");
        merged.Severity.ShouldBe(AlertSeverity.High);
        merged.SystemTags.ShouldBe(["Ransomware"]);
    }

    [Fact]
    public async Task A_name_that_a_person_gave_stays_and_a_closed_incident_takes_nothing()
    {
        await using var world = await CreateAsync();
        var first = await RaiseAsync(world, "A", "Execution", 1, 0, AlertSeverity.Low);
        await world.Get<NpgsqlDataSource>().ExecuteAsync($"UPDATE defender.incidents SET name = 'Operation Tulip' WHERE id = {first.IncidentId}");
        var second = await RaiseAsync(world, "B", "Discovery", 1, 1, AlertSeverity.Low);
        (await IncidentAsync(world, second)).Name.ShouldBe("Operation Tulip");

        await world.Get<NpgsqlDataSource>().ExecuteAsync($"UPDATE defender.incidents SET status = 'Resolved' WHERE id = {first.IncidentId}");
        (await RaiseAsync(world, "C", "Discovery", 1, 2, AlertSeverity.Low)).IncidentId.ShouldNotBe(first.IncidentId);
    }

    [Fact]
    public async Task Correlating_costs_the_same_whatever_is_stored()
    {
        await using var world = await CreateAsync();
        await world.Get<NpgsqlDataSource>().ExecuteAsync(
            """
            INSERT INTO defender.incidents (id, tenant_id, name, severity, status, tags, comments, created_time, last_update_time)
                SELECT n + 1000, '11111111-2222-4333-8444-555555555555', 'n', 'Low', 'Active', '{}', '[]', now(), now() FROM generate_series(1, 20000) AS n;
            INSERT INTO defender.incident_summaries (incident_id, tenant_id, name, title, titles, categories, alerts, devices)
                SELECT id, tenant_id, 'n', 'n', '{n}', '{Execution}', 1, 1 FROM defender.incidents;
            -- Years of incidents of one busy device, and of thousands of others.
            INSERT INTO defender.incident_entities
                SELECT tenant_id, 'device:' || CASE WHEN id % 2 = 0 THEN lpad('1', 40, '0') ELSE lpad(id::text, 40, '0') END, id,
                    timestamptz '2024-01-01' + id * interval '10 min', timestamptz '2024-01-01' + id * interval '10 min' FROM defender.incidents;
            ANALYZE defender.incident_entities; ANALYZE defender.incident_summaries; ANALYZE defender.incidents;
            """);
        await using var state = world.Open();
        var plan = await world.Get<NpgsqlDataSource>().ExplainAsync(AlertCorrelator.FindStatement.Replace("@keys", "ARRAY['device:' || lpad('1', 40, '0')]", StringComparison.Ordinal)
            .Replace("@windows", "ARRAY[interval '3 days']", StringComparison.Ordinal).Replace("@tenant", "'11111111-2222-4333-8444-555555555555'::uuid", StringComparison.Ordinal)
            .Replace("@first", "timestamptz '2026-03-04'", StringComparison.Ordinal).Replace("@last", "timestamptz '2026-03-04'", StringComparison.Ordinal).Replace("@most", "1000", StringComparison.Ordinal));
        plan.ShouldNotContain("Seq Scan");
        var alert = await RaiseAsync(world, "A", "Execution", 1, 0, AlertSeverity.Low);
        alert.IncidentId.ShouldNotBeNull();
    }

    private static AlertEvidence Copy(AlertEvidence evidence) => new()
    {
        EntityType = evidence.EntityType,
        AccountName = evidence.AccountName,
        DomainName = evidence.DomainName,
        UserSid = evidence.UserSid,
        FileName = evidence.FileName,
        FilePath = evidence.FilePath,
        Sha256 = evidence.Sha256,
        IpAddress = evidence.IpAddress,
        ProcessId = evidence.ProcessId,
    };

    private static Task<DefenderWorld> CreateAsync() => DefenderWorld.CreateAsync(services => services.AddSingleton<IAlertCorrelator, AlertCorrelator>());

    private static async Task<Incident> IncidentAsync(DefenderWorld world, Alert alert)
    {
        await using var state = world.Open();
        return await state.Incidents.AsNoTracking().SingleAsync(incident => incident.Id == alert.IncidentId);
    }

    private static async Task<Alert> RaiseAsync(
        DefenderWorld world, string title, string category, int device, double hours, AlertSeverity severity, params AlertEvidence[] evidence)
    {
        var time = world.Now.AddHours(hours);
        var raised = await world.Get<AlertIntake>().RaiseAsync(
            new NewAlert
            {
                TenantId = DefenderWorld.Tenant,
                Title = title,
                Description = "d",
                Severity = severity,
                Category = category,
                MachineId = DefenderWorld.MachineId(device),
                FirstEventTime = time,
                LastEventTime = time,
                Evidence = evidence.Length > 0 ? evidence : None,
            },
            CancellationToken.None);
        raised.Intake.ShouldBe(Intake.Raised);
        return raised.Alert;
    }
}

internal static class DataSourceExtensions
{
    public static async Task ExecuteAsync(this NpgsqlDataSource database, string statement)
    {
        await using var command = database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<string> ExplainAsync(this NpgsqlDataSource database, string statement)
    {
        await using var command = database.CreateCommand("EXPLAIN " + statement);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync()) lines.Add(reader.GetString(0));
        return string.Join('\n', lines);
    }
}
