using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vedette.Defender.Alerts;
using Vedette.Defender.Correlation;
using Vedette.Defender.Incidents;
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
    public async Task Incidents_of_which_people_said_different_things_are_not_merged()
    {
        await using var world = await CreateAsync();
        var user = new AlertEvidence { EntityType = EvidenceKind.User, AccountName = "dana", DomainName = "EXAMPLE", UserSid = "S-1-5-21-1-2-3-1104" };
        (string Column, string One, string Two, bool Merges)[] cases =
        [
            ("assigned_to", "ana", "ben", false), ("assigned_to", "ana", "ANA", true), ("classification", "TruePositive", "FalsePositive", false),
            ("classification", "TruePositive", "Unknown", true), ("determination", "Malware", "Phishing", false),
        ];
        var device = 100;
        foreach (var (column, said, contradicted, merges) in cases)
        {
            var (left, right) = (device++, device++);
            var account = Copy(user);
            account.UserSid = $"S-1-5-21-1-2-3-{device}";
            var one = await RaiseAsync(world, "A", "Execution", left, 0, AlertSeverity.Low);
            var two = await RaiseAsync(world, "B", "Execution", right, 1, AlertSeverity.Low, Copy(account));
            await world.Get<NpgsqlDataSource>().ExecuteAsync(
                $"UPDATE defender.incidents SET {column} = '{said}' WHERE id = {one.IncidentId}; UPDATE defender.incidents SET {column} = '{contradicted}' WHERE id = {two.IncidentId}");
            var bridge = await RaiseAsync(world, "C", "Execution", left, 2, AlertSeverity.Low, Copy(account));
            bridge.IncidentId.ShouldBe(one.IncidentId);
            (await IncidentAsync(world, two)).Status.ShouldBe(merges ? IncidentStatus.Redirected : IncidentStatus.Active, $"{column} {said} {contradicted}");
        }
    }

    [Fact]
    public async Task What_people_did_in_a_merged_incident_goes_on_in_the_one_that_stays()
    {
        await using var world = await CreateAsync();
        var user = new AlertEvidence { EntityType = EvidenceKind.User, AccountName = "dana", DomainName = "EXAMPLE", UserSid = "S-1-5-21-1-2-3-1104" };
        var one = await RaiseAsync(world, "A", "Execution", 1, 0, AlertSeverity.Low);
        var two = await RaiseAsync(world, "B", "Execution", 2, 1, AlertSeverity.Low, Copy(user));
        var three = await RaiseAsync(world, "B", "Execution", 3, 1, AlertSeverity.Low, new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = "203.0.113.9" });
        var incidents = world.Get<IncidentService>();
        (await incidents.UpdateAsync(
            DefenderWorld.Caller,
            two.IncidentId!.Value,
            new IncidentUpdate { Status = "InProgress", AssignedTo = "ana", Classification = "TruePositive", Tags = ["night"], Comment = "Looking." },
            default)).Error.ShouldBeNull();
        await RaiseAsync(world, "C", "Execution", 3, 2, AlertSeverity.Low, Copy(user));
        (await IncidentAsync(world, three)).RedirectIncidentId.ShouldBe(two.IncidentId);
        await RaiseAsync(world, "D", "Execution", 1, 2, AlertSeverity.Low, Copy(user));

        var merged = await IncidentAsync(world, one);
        (merged.Status, merged.AssignedTo, merged.Classification).ShouldBe((IncidentStatus.InProgress, "ana", AlertClassification.TruePositive));
        merged.Tags.ShouldBe(["night"]);
        merged.Comments.Single().Comment.ShouldBe("Looking.");

        // A chain of merges leads to the end at once, and each link of it says when it changed.
        foreach (var gone in new[] { two, three })
        {
            var redirected = await IncidentAsync(world, gone);
            redirected.RedirectIncidentId.ShouldBe(one.IncidentId);
            redirected.LastUpdateTime.ShouldBe(merged.LastUpdateTime);
        }

        (await incidents.UpdateAsync(DefenderWorld.Caller, two.IncidentId.Value, new IncidentUpdate { Status = "Resolved" }, default)).Error!.Refusal.ShouldBe(Refusal.BadRequest);
    }

    [Fact]
    public async Task An_alert_that_becomes_more_brings_its_incident_up_to_date_and_links_it()
    {
        await using var world = await CreateAsync();
        var address = new AlertEvidence { EntityType = EvidenceKind.Ip, IpAddress = "203.0.113.9" };
        var other = await RaiseAsync(world, "A", "Execution", 1, 0, AlertSeverity.Low, Copy(address));
        var alert = NewAlert(world, "B", "Malware", 2, 1, AlertSeverity.Low) with { MergeKey = "m" };
        var first = (await world.Get<AlertIntake>().RaiseAsync(alert, default)).Alert;
        var before = await IncidentAsync(world, first);
        var more = await world.Get<AlertIntake>().RaiseAsync(alert with { Severity = AlertSeverity.High, LastEventTime = alert.LastEventTime.AddMinutes(1) }, default);
        more.Intake.ShouldBe(Intake.Merged);
        var after = await IncidentAsync(world, first);
        (after.Id, after.Severity).ShouldBe((before.Id, AlertSeverity.High));
        after.LastUpdateTime.ShouldBeGreaterThan(before.LastUpdateTime);

        var linked = await world.Get<AlertIntake>().RaiseAsync(alert with { Evidence = [Copy(address)] }, default);
        linked.Alert.IncidentId.ShouldBe(other.IncidentId);
        await using var state = world.Open();
        (await state.Alerts.AsNoTracking().SingleAsync(a => a.Id == first.Id)).IncidentId.ShouldBe(other.IncidentId);
        (await state.Incidents.AsNoTracking().SingleAsync(i => i.Id == before.Id)).Status.ShouldBe(IncidentStatus.Redirected);
        var home = await state.Incidents.AsNoTracking().SingleAsync(i => i.Id == other.IncidentId);
        (home.Severity, home.Name).ShouldBe((AlertSeverity.High, "Multi-stage incident involving Malware & Execution on multiple endpoints"));
    }

    [Fact]
    public async Task Status_and_owner_flow_between_an_incident_and_its_alerts()
    {
        await using var world = await CreateAsync();
        var one = await RaiseAsync(world, "A", "Execution", 1, 0, AlertSeverity.Low);
        var two = await RaiseAsync(world, "B", "Execution", 1, 1, AlertSeverity.Low);
        var (alerts, incidents) = (world.Get<AlertService>(), world.Get<IncidentService>());
        async Task<Incident> TellAlertAsync(Alert alert, AlertUpdate update)
        {
            (await alerts.UpdateAsync(DefenderWorld.Caller, alert.Id, update, default)).Error.ShouldBeNull();
            return await IncidentAsync(world, one);
        }

        (await TellAlertAsync(one, new AlertUpdate { Status = "Resolved" })).Status.ShouldBe(IncidentStatus.Active);
        (await TellAlertAsync(two, new AlertUpdate { Status = "Resolved" })).Status.ShouldBe(IncidentStatus.Resolved);
        (await TellAlertAsync(two, new AlertUpdate { Comment = "Done." })).Status.ShouldBe(IncidentStatus.Resolved);
        (await TellAlertAsync(two, new AlertUpdate { Status = "InProgress" })).Status.ShouldBe(IncidentStatus.Active);

        (await incidents.UpdateAsync(DefenderWorld.Caller, one.IncidentId!.Value, new IncidentUpdate { AssignedTo = "ana", Classification = "FalsePositive", Status = "Resolved" }, default))
            .Error.ShouldBeNull();
        await using var state = world.Open();
        foreach (var alert in await state.Alerts.AsNoTracking().ToListAsync())
            (alert.Status, alert.AssignedTo).ShouldBe((AlertStatus.Resolved, "ana"));
        (await state.Alerts.AsNoTracking().SingleAsync(alert => alert.Id == two.Id)).Classification.ShouldBe(AlertClassification.FalsePositive);

        // Opening an incident again leaves its alerts as they are, and a word about one of them does not close it.
        (await incidents.UpdateAsync(DefenderWorld.Caller, one.IncidentId.Value, new IncidentUpdate { Status = "Active" }, default)).Error.ShouldBeNull();
        (await TellAlertAsync(two, new AlertUpdate { Comment = "Again." })).Status.ShouldBe(IncidentStatus.Active);
    }

    [Fact]
    public async Task Times_of_changes_become_visible_in_their_order()
    {
        await using var world = await CreateAsync();
        var raised = new List<Alert>();
        for (var device = 1; device <= 12; device++) raised.Add(await RaiseAsync(world, "A", "Execution", device, 0, AlertSeverity.Low));
        raised.Select(alert => alert.LastUpdateTime).ShouldBeUnique();

        // The clock stands still; writers run into each other; a reader that never sees a time below one it has seen.
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(async () =>
        {
            var known = new Dictionary<long, DateTime>();
            var highest = DateTime.MinValue;
            while (!stop.IsCancellationRequested)
            {
                await using var state = world.Open();
                var now = await state.Incidents.AsNoTracking().ToDictionaryAsync(i => i.Id, i => i.LastUpdateTime);
                foreach (var (id, time) in now)
                    if (!known.TryGetValue(id, out var before) || before != time) time.ShouldBeGreaterThan(highest);
                (known, highest) = (now, now.Values.Max());
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async writer =>
        {
            for (var round = 0; round < 15; round++)
            {
                var alert = raised[(round * 5 + writer * 3) % raised.Count];
                var outcome = writer % 2 == 0
                    ? (await world.Get<AlertService>().UpdateAsync(DefenderWorld.Caller, alert.Id, new AlertUpdate { Comment = "c" }, default)).Error
                    : (await world.Get<IncidentService>().UpdateAsync(DefenderWorld.Caller, alert.IncidentId!.Value, new IncidentUpdate { Status = round % 2 == 0 ? "Resolved" : "Active" }, default)).Error;
                outcome.ShouldBeNull();
            }
        }));
        await stop.CancelAsync();
        await reader;
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
        var raised = await world.Get<AlertIntake>().RaiseAsync(NewAlert(world, title, category, device, hours, severity, evidence), CancellationToken.None);
        raised.Intake.ShouldBe(Intake.Raised);
        return raised.Alert;
    }

    private static NewAlert NewAlert(DefenderWorld world, string title, string category, int device, double hours, AlertSeverity severity, params AlertEvidence[] evidence) => new()
    {
        TenantId = DefenderWorld.Tenant,
        Title = title,
        Description = "d",
        Severity = severity,
        Category = category,
        MachineId = DefenderWorld.MachineId(device),
        FirstEventTime = world.Now.AddHours(hours),
        LastEventTime = world.Now.AddHours(hours),
        Evidence = evidence.Length > 0 ? evidence : None,
    };
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
