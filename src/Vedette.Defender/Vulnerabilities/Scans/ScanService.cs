using System.Globalization;
using System.Net;
using Dapper;
using Npgsql;
using Vedette.Foundation;

namespace Vedette.Defender.Vulnerabilities.Scans;

/// <summary>
/// Keeps definitions of authenticated scans and lets due ones run. A scan is carried out by what the state knows: a target that is a device
/// of the tenant and was seen lately is scanned, any other cannot be reached. Runs follow from the definitions and the clock alone, so they are
/// made up for when somebody looks, and a restart loses none.
/// </summary>
public sealed class ScanService(NpgsqlDataSource database, IIdentifierSource identifiers, TimeProvider clock)
{
    /// <summary>Most targets of a definition.</summary>
    public const int MostTargets = 4096;

    private const int MostInterval = 24 * 30;
    private const int MostCatchUp = 30;

    /// <summary>Makes a definition.</summary>
    public async Task<Outcome<Guid>> CreateAsync(Caller caller, ScanDraft draft, CancellationToken cancellationToken)
    {
        if (Check(draft) is { } error) return error;
        var now = clock.GetUtcNow().UtcDateTime;
        var scanner = draft.ScannerMachineId!.ToLowerInvariant();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var seen = await connection.QuerySingleOrDefaultAsync<(int Group, DateTime LastSeen)?>(new CommandDefinition(
            "SELECT rbac_group_id, last_seen FROM defender.machines WHERE tenant_id = @TenantId AND id = @scanner", new { caller.TenantId, scanner }, cancellationToken: cancellationToken));
        if (seen is not { } machine || !caller.Sees(machine.Group)) return new DomainError(Refusal.MachineNotFound, draft.ScannerMachineId);
        if (machine.LastSeen < now.AddDays(-30)) return new DomainError(Refusal.BadRequest, $"Machine {draft.ScannerMachineId} was not seen within the retention period.");
        var id = identifiers.NewGuid();
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO defender.scan_agents (tenant_id, machine_id, assigned_application_id, scanner_software_version, last_command_execution)
            VALUES (@TenantId, @scanner, @application, '10.8630.19041.1', @now) ON CONFLICT DO NOTHING;
            INSERT INTO defender.scan_definitions (tenant_id, id, scan_type, scan_name, is_active, target, interval_in_hours, created_by, target_type, authentication,
                scanner_machine_id, created_at, next_run)
            VALUES (@TenantId, @id, @ScanType, @ScanName, @IsActive, @Target, @IntervalInHours, @Name, @TargetType, @Authentication::jsonb, @scanner, @now, @now)
            """,
            new
            {
                caller.TenantId, id, draft.ScanType, draft.ScanName, draft.IsActive, draft.Target, draft.IntervalInHours, caller.Name, draft.TargetType, draft.Authentication,
                scanner, now, application = identifiers.NewGuid(),
            },
            cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return id;
    }

    /// <summary>Changes a definition.</summary>
    public async Task<Outcome<Guid>> UpdateAsync(Caller caller, Guid id, ScanDraft draft, CancellationToken cancellationToken)
    {
        if (Check(draft) is { } error) return error;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var changed = await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE defender.scan_definitions SET scan_name = coalesce(@ScanName, scan_name), is_active = coalesce(@IsActive, is_active), target = coalesce(@Target, target),
                target_type = coalesce(@TargetType, target_type), interval_in_hours = coalesce(@IntervalInHours, interval_in_hours),
                authentication = coalesce(@Authentication::jsonb, authentication),
                next_run = CASE WHEN @IsActive AND NOT is_active THEN @now ELSE next_run END
            WHERE tenant_id = @TenantId AND id = @id
            """,
            new { caller.TenantId, id, draft.ScanName, draft.IsActive, draft.Target, draft.TargetType, draft.IntervalInHours, draft.Authentication, now = clock.GetUtcNow().UtcDateTime },
            cancellationToken: cancellationToken));
        return changed == 1 ? id : new DomainError(Refusal.ResourceNotFound, "Scan definition", id.ToString());
    }

    /// <summary>Deletes definitions with their history, all or none.</summary>
    public async Task<Outcome<int>> DeleteAsync(Caller caller, IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var deleted = (await connection.QueryAsync<Guid>(new CommandDefinition(
            "DELETE FROM defender.scan_definitions WHERE tenant_id = @TenantId AND id = ANY(@ids) RETURNING id", new { caller.TenantId, ids = ids.ToArray() }, cancellationToken: cancellationToken))).ToHashSet();
        foreach (var id in ids)
            if (!deleted.Contains(id)) return new DomainError(Refusal.ResourceNotFound, "Scan definition", id.ToString());
        await transaction.CommitAsync(cancellationToken);
        return deleted.Count;
    }

    /// <summary>Runs what is due.</summary>
    public async Task RunDueAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var due = (await connection.QueryAsync<Due>(new CommandDefinition(
            """
            SELECT d.id AS "Id", d.target AS "Target", d.target_type AS "TargetType", d.interval_in_hours AS "Interval", d.next_run AS "NextRun", d.scanner_machine_id AS "Scanner",
                m.health_status = 'Active' AND m.last_seen >= @since AS "IsOn"
            FROM defender.scan_definitions d LEFT JOIN defender.machines m ON m.tenant_id = d.tenant_id AND m.id = d.scanner_machine_id
            WHERE d.tenant_id = @tenantId AND d.is_active AND d.next_run <= @now ORDER BY d.id FOR UPDATE OF d
            """,
            new { tenantId, now, since = now.AddDays(-30) },
            transaction,
            cancellationToken: cancellationToken))).AsList();
        if (due.Count == 0) return;
        var machines = (await connection.QueryAsync<Reachable>(new CommandDefinition(
            """
            SELECT id AS "Id", computer_dns_name AS "Name", last_ip_address AS "Ip", os_platform || ' ' || version AS "Description"
            FROM defender.machines WHERE tenant_id = @tenantId AND last_seen >= @since ORDER BY id
            """,
            new { tenantId, since = now.AddDays(-30) },
            cancellationToken: cancellationToken))).AsList();
        foreach (var definition in due) await RunAsync(connection, tenantId, definition, machines, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task RunAsync(NpgsqlConnection connection, Guid tenantId, Due definition, List<Reachable> machines, DateTime now, CancellationToken cancellationToken)
    {
        var interval = TimeSpan.FromHours(Math.Max(1, definition.Interval));
        var missed = (long)((now - definition.NextRun) / interval);
        var run = definition.NextRun + Math.Max(0, missed - MostCatchUp + 1) * interval;
        var targets = definition.IsOn == true ? Scan(definition, machines) : [];
        var good = targets.Count(t => t.ScanStatus == "Success");
        var status = good == 0 ? "Fail" : good == targets.Count ? "Success" : "Partial Success";
        var reason = definition.IsOn != true ? "The scanner device is not reachable." : good == 0 ? "No target could be reached." : null;
        for (; run <= now; run += interval)
        {
            await connection.ExecuteAsync(new CommandDefinition(
                """
                INSERT INTO defender.scan_sessions (tenant_id, id, definition_id, scanner_machine_id, executed_at, status, failure_reason, targets)
                VALUES (@tenantId, @session, @Id, @Scanner, @run, @status, @reason, @targets::jsonb);
                UPDATE defender.scan_agents SET last_command_execution = @run WHERE tenant_id = @tenantId AND machine_id = @Scanner;
                UPDATE defender.scan_definitions SET next_run = @next WHERE tenant_id = @tenantId AND id = @Id
                """,
                new
                {
                    tenantId, session = identifiers.NewHex(16), definition.Id, definition.Scanner, run, status, reason, next = run + interval,
                    targets = System.Text.Json.JsonSerializer.Serialize(targets, TvmJson.Options),
                },
                cancellationToken: cancellationToken));
        }
    }

    private static List<ScannedTarget> Scan(Due definition, List<Reachable> machines)
    {
        var results = new List<ScannedTarget>();
        foreach (var target in Targets(definition.Target))
        {
            var found = definition.TargetType == "Hostname" ? ByName(machines, target) : ByAddress(machines, target);
            results.AddRange(found.Select((m, at) => new ScannedTarget(
                m.Ip ?? "", m.Name ?? "", m.Description, "", "Success", TimeSpan.FromSeconds(11 + at % 7).ToString("c", CultureInfo.InvariantCulture))));
            if (found.Count == 0)
                results.Add(new ScannedTarget(definition.TargetType == "Hostname" ? "" : target, definition.TargetType == "Hostname" ? target : "", "", "The target could not be reached.", "Fail", "00:00:30"));
        }

        return results;
    }

    private static List<Reachable> ByName(List<Reachable> machines, string name) =>
        [.. machines.Where(m => m.Name is { } known && (known.Equals(name, StringComparison.OrdinalIgnoreCase) || known.Split('.')[0].Equals(name, StringComparison.OrdinalIgnoreCase)))];

    private static List<Reachable> ByAddress(List<Reachable> machines, string target)
    {
        if (!target.Contains('/', StringComparison.Ordinal)) return [.. machines.Where(m => m.Ip == target)];
        return IPNetwork.TryParse(target, out var network) ? [.. machines.Where(m => IPAddress.TryParse(m.Ip, out var address) && network.Contains(address))] : [];
    }

    private static IEnumerable<string> Targets(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static DomainError? Check(ScanDraft draft)
    {
        if (draft.IntervalInHours is <= 0 or > MostInterval) return new DomainError(Refusal.InvalidInput, "intervalInHours");
        if (draft.ScanName is { } name && (string.IsNullOrWhiteSpace(name) || name.Length > 200)) return new DomainError(Refusal.InvalidInput, "scanName");
        if (draft.Target is not { } target) return null;
        var targets = Targets(target).ToList();
        if (targets.Count == 0) return new DomainError(Refusal.InvalidInput, "target");
        if (targets.Count > MostTargets) return new DomainError(Refusal.MaximumBatchSizeExceeded, $"{targets.Count}", $"{MostTargets}");
        if (draft.TargetType != "Ip") return null;
        var wrong = targets.Find(t => !IPAddress.TryParse(t, out _) && !IPNetwork.TryParse(t, out _));
        return wrong is null ? null : new DomainError(Refusal.InvalidIpAddress, wrong);
    }

    private sealed class Due
    {
        public Guid Id { get; init; }

        public string Target { get; init; } = "";

        public string TargetType { get; init; } = "";

        public int Interval { get; init; }

        public DateTime NextRun { get; init; }

        public string Scanner { get; init; } = "";

        public bool? IsOn { get; init; }
    }

    private sealed class Reachable
    {
        public string Id { get; init; } = "";

        public string? Name { get; init; }

        public string? Ip { get; init; }

        public string Description { get; init; } = "";
    }
}
