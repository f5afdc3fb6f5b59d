using System.Text.Json;
using Dapper;
using Npgsql;
using Vedette.Agent.Contract;
using Vedette.Defender.Alerts;
using Vedette.Defender.LiveResponse;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Indicators;

/// <summary>What follows when events match indicators: alerts, and on simulated devices the block itself.</summary>
internal sealed class IndicatorMatches(NpgsqlDataSource database, AlertIntake intake, DeviceDisks disks)
{
    /// <summary>What alerts of indicators call their source.</summary>
    public const string DetectionSource = "CustomerTI";

    private const string ThreatName = "CustomEnterpriseBlock";
    private const int MostEventsPerAlert = 20;
    private const int MostBlocks = 1000;
    private static readonly IndicatorType[] Files = [IndicatorType.FileSha1, IndicatorType.FileSha256, IndicatorType.FileMd5, IndicatorType.CertificateThumbprint];

    /// <summary>Raises the alerts; returns the events by which devices tell what they did.</summary>
    public async Task<IReadOnlyList<HuntingRow>> RaiseAsync(Guid tenantId, IReadOnlyList<IndicatorHit> hits, CancellationToken cancellationToken)
    {
        var devices = await DevicesAsync(tenantId, hits, cancellationToken);
        var consequences = new List<HuntingRow>();
        foreach (var group in hits.GroupBy(hit => (hit.Indicator.Id, Device: hit.Row["DeviceId"] as string ?? "")))
        {
            var indicator = group.First().Indicator;
            var device = devices.GetValueOrDefault(group.Key.Device);
            if (!indicator.IsFor(device?.GroupId ?? 0, device?.GroupName)) continue;
            var rows = group.Select(hit => hit.Row).ToArray();
            if (indicator.GenerateAlert) await intake.RaiseAsync(Alert(tenantId, indicator, group.Key.Device, device is not null, rows), cancellationToken);
            if (device is not { IsSimulated: true } || !(indicator.Blocks || indicator.Action == IndicatorAction.Audit)) continue;
            if (indicator is { Action: IndicatorAction.BlockAndRemediate, Type: not IndicatorType.CertificateThumbprint })
            {
                foreach (var sha1 in rows.Select(r => Text(r, "SHA1")).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase))
                    await disks.RemoveAsync(new DeviceSession(tenantId, group.Key.Device), sha1.ToLowerInvariant(), cancellationToken);
            }

            consequences.AddRange(rows.Take(MostBlocks - consequences.Count).Select(row => Consequence(indicator, row)).OfType<HuntingRow>());
        }

        return consequences;
    }

    private static NewAlert Alert(Guid tenantId, IndicatorFact indicator, string device, bool isKnown, HuntingRow[] rows)
    {
        var times = rows.Select(r => r["Timestamp"]).OfType<DateTime>().DefaultIfEmpty(indicator.Created).ToArray();
        var status = indicator.Action switch { IndicatorAction.Block => "Blocked", IndicatorAction.BlockAndRemediate => "Prevented", _ => "Detected" };
        return new NewAlert
        {
            TenantId = tenantId,
            Title = indicator.Title,
            Description = indicator.Description,
            RecommendedAction = indicator.RecommendedActions,
            Severity = indicator.Severity,
            Category = "SuspiciousActivity",
            DetectionSource = DetectionSource,
            MachineId = isKnown ? device : null,
            MitreTechniques = indicator.Techniques,
            ThreatName = indicator.Blocks && Files.Contains(indicator.Type) ? ThreatName : null,
            FirstEventTime = times.Min(),
            LastEventTime = times.Max(),
            Evidence = [.. rows.Take(MostEventsPerAlert).SelectMany(row => EventEvidence.Of(row.Table.Name, Values(row), status))],
            MergeKey = $"indicator/{indicator.Id}/{device}",
            Investigate = true,
        };
    }

    // Antivirus stops files, network protection stops connections; both tell so in DeviceEvents.
    private static HuntingRow? Consequence(IndicatorFact indicator, HuntingRow row)
    {
        var isFile = Files.Contains(indicator.Type);
        if (isFile && !indicator.Blocks) return null;
        var told = HuntingRow.For("DeviceEvents");
        foreach (var column in row.Table.Columns)
        {
            if (row.Values[column.Ordinal] is { } value && column.Name is not "AdditionalFields" && told.Table.OrdinalOf(column.Name) >= 0) told[column.Name] = value;
        }

        told["ActionType"] = isFile ? "AntivirusDetection" : indicator.Blocks ? "ExploitGuardNetworkProtectionBlocked" : "ExploitGuardNetworkProtectionAudited";
        told["AdditionalFields"] = JsonSerializer.Serialize(isFile
            ? new Dictionary<string, object> { ["ThreatName"] = $"EUS:Win32/{ThreatName}!cl", ["Action"] = indicator.Action == IndicatorAction.BlockAndRemediate ? "Quarantine" : "Block", ["WasRemediated"] = true }
            : new Dictionary<string, object> { ["ResponseCategory"] = "CustomBlockList", ["IsAudit"] = !indicator.Blocks, ["DisplayName"] = indicator.Title });
        return told;
    }

    private static Dictionary<string, object?> Values(HuntingRow row) =>
        row.Table.Columns.Where(c => row.Values[c.Ordinal] is not null).ToDictionary(c => c.Name, c => row.Values[c.Ordinal], StringComparer.Ordinal);

    private static string? Text(HuntingRow row, string column) => row.Table.OrdinalOf(column) >= 0 && row[column] is string { Length: > 0 } text ? text : null;

    private async Task<Dictionary<string, Device>> DevicesAsync(Guid tenantId, IReadOnlyList<IndicatorHit> hits, CancellationToken cancellationToken)
    {
        var ids = hits.Select(hit => hit.Row["DeviceId"] as string).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var devices = await connection.QueryAsync<Device>(new CommandDefinition(
            "SELECT id, rbac_group_id AS groupid, rbac_group_name AS groupname, channel = 'Simulated' AS issimulated FROM defender.machines WHERE tenant_id = @Tenant AND id = ANY(@Ids)",
            new { Tenant = tenantId, Ids = ids },
            cancellationToken: cancellationToken));
        return devices.ToDictionary(d => d.Id, StringComparer.Ordinal);
    }

    private sealed class Device
    {
        public string Id { get; init; } = "";

        public int GroupId { get; init; }

        public string? GroupName { get; init; }

        public bool IsSimulated { get; init; }
    }
}
