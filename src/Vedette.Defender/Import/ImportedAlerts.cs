using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Alerts;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Import;

/// <summary>Makes alerts of imported rows of AlertInfo and AlertEvidence, so that every API shows them. The rows themselves stay as they are.</summary>
public sealed partial class ImportedAlerts(IHuntingService hunting, AlertIntake intake, IDbContextFactory<DefenderDbContext> states)
{
    private const int Together = 500;

    /// <summary>Raises the alerts that stored rows tell of and that are not there yet; evidence that came later joins its alert.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="alertIds">Alerts that were imported.</param>
    /// <param name="cancellationToken">Stops between two alerts; doing it again goes on.</param>
    /// <returns>Alerts that are new.</returns>
    public async Task<int> RaiseAsync(Guid tenantId, IReadOnlySet<string> alertIds, CancellationToken cancellationToken)
    {
        var raised = 0;
        foreach (var ids in alertIds.Order(StringComparer.Ordinal).Chunk(Together))
        {
            await using var state = await states.CreateDbContextAsync(cancellationToken);
            var own = await state.Alerts.AsNoTracking().Where(alert => alert.TenantId == tenantId && ids.Contains(alert.Id) && alert.DeduplicationKey != "imported/" + alert.Id).Select(alert => alert.Id).ToListAsync(cancellationToken);
            var infos = (await RowsAsync(tenantId, "AlertInfo", ids, cancellationToken)).GroupBy(row => row("AlertId") as string).ToDictionary(group => group.Key!, group => group.Last(), StringComparer.Ordinal);
            var evidence = (await RowsAsync(tenantId, "AlertEvidence", ids, cancellationToken)).ToLookup(row => row("AlertId") as string, StringComparer.Ordinal);
            var machines = evidence.SelectMany(rows => rows).Select(row => row("DeviceId") as string).Where(id => id is { Length: > 0 }).Distinct().ToArray();
            var known = (await state.Machines.AsNoTracking().Where(machine => machine.TenantId == tenantId && machines.Contains(machine.Id)).Select(machine => machine.Id).ToListAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
            foreach (var id in ids.Except(own, StringComparer.Ordinal))
            {
                // Evidence without its alert waits for the alert.
                if (!infos.TryGetValue(id, out var info)) continue;
                var answer = await intake.RaiseAsync(Alert(tenantId, id, info, [.. evidence[id]], known), cancellationToken);
                if (answer.Intake == Intake.Raised) raised++;
            }
        }

        return raised;
    }

    private static string Key(string alertId) => "imported/" + alertId;

    private static NewAlert Alert(Guid tenantId, string id, Func<string, object?> info, IReadOnlyList<Func<string, object?>> evidence, HashSet<string> machines)
    {
        var created = info("Timestamp") as DateTime? ?? default;
        var times = evidence.Select(row => row("Timestamp")).OfType<DateTime>().DefaultIfEmpty(created).ToArray();
        return new NewAlert
        {
            TenantId = tenantId,
            Id = id,
            RowsAreStored = true,
            Title = Text(info("Title")) ?? id,
            Description = Text(info("Title")) ?? id,
            Severity = Enum.TryParse<AlertSeverity>(Text(info("Severity")), ignoreCase: true, out var severity) ? severity : AlertSeverity.Informational,
            Category = Text(info("Category")) ?? "",
            MachineId = evidence.Where(row => Text(row("EntityType")) is "Machine" or "Device").Concat(evidence).Select(row => Text(row("DeviceId"))).FirstOrDefault(device => device is not null && machines.Contains(device)),
            FirstEventTime = times.Min(),
            LastEventTime = times.Max(),
            DetectionSource = AlertRows.SourceOf(Text(info("DetectionSource")) ?? ""),
            ServiceSource = Text(info("ServiceSource")) ?? "Microsoft Defender for Endpoint",
            MitreTechniques = [.. Technique().Matches(Text(info("AttackTechniques")) ?? "").Select(match => match.Value).Distinct()],
            ThreatFamilyName = evidence.Select(row => Text(row("ThreatFamily"))).FirstOrDefault(name => name is not null),
            Evidence = [.. evidence.Select(Piece).OfType<AlertEvidence>()],
            DeduplicationKey = Key(id),
            MergeKey = Key(id),
            CreationTime = created,
        };
    }

    private static AlertEvidence? Piece(Func<string, object?> row)
    {
        if (!Enum.TryParse<EvidenceKind>(Text(row("EntityType")), ignoreCase: true, out var kind)) return null;
        var more = Fields(Text(row("AdditionalFields")));
        return new AlertEvidence
        {
            EntityType = kind,
            EvidenceCreationTime = row("Timestamp") as DateTime? ?? default,
            EvidenceRole = Text(row("EvidenceRole")) ?? "Related",
            FileName = Text(row("FileName")),
            FilePath = Text(row("FolderPath")),
            Sha1 = Text(row("SHA1")),
            Sha256 = Text(row("SHA256")),
            IpAddress = Text(row("RemoteIP")) ?? Text(row("LocalIP")),
            Url = Text(row("RemoteUrl")),
            AccountName = Text(row("AccountName")),
            DomainName = Text(row("AccountDomain")),
            UserSid = Text(row("AccountSid")),
            UserPrincipalName = Text(row("AccountUpn")),
            AadUserId = Guid.TryParse(Text(row("AccountObjectId")), out var user) ? user : null,
            ProcessCommandLine = Text(row("ProcessCommandLine")),
            ProcessId = Number(more, "ProcessId"),
            ParentProcessId = Number(more, "ParentProcessId"),
            RegistryKey = Text(row("RegistryKey")),
            RegistryValueName = Text(row("RegistryValueName")),
            RegistryValue = Text(row("RegistryValueData")),
            Details = Details(kind, row),
        };
    }

    // What belongs to a kind and has no property of its own, under the names of the typed evidence.
    private static string? Details(EvidenceKind kind, Func<string, object?> row)
    {
        Dictionary<string, string?> values = kind switch
        {
            EvidenceKind.MailMessage => new() { ["networkMessageId"] = Text(row("NetworkMessageId")), ["subject"] = Text(row("EmailSubject")), ["recipientEmailAddress"] = Text(row("AccountUpn")) },
            EvidenceKind.Mailbox => new() { ["primaryAddress"] = Text(row("AccountUpn")), ["upn"] = Text(row("AccountUpn")) },
            EvidenceKind.CloudApplication => new() { ["displayName"] = Text(row("Application")) },
            EvidenceKind.OAuthApplication => new() { ["appId"] = Text(row("OAuthApplicationId")), ["displayName"] = Text(row("Application")) },
            EvidenceKind.AzureResource => new() { ["resourceId"] = Text(row("ResourceID")), ["resourceType"] = Text(row("ResourceType")) },
            EvidenceKind.Malware => new() { ["name"] = Text(row("ThreatFamily")) },
            _ => [],
        };
        var present = values.Where(value => value.Value is not null).ToDictionary();
        return present.Count == 0 ? null : JsonSerializer.Serialize(present);
    }

    private async Task<List<Func<string, object?>>> RowsAsync(Guid tenantId, string table, string[] ids, CancellationToken cancellationToken)
    {
        var answer = await hunting.RunAsync(new HuntingRequest(tenantId, $"{table} | where AlertId in (dynamic({JsonSerializer.Serialize(ids)})) | order by Timestamp asc"), cancellationToken);
        var ordinals = HuntingSchema.Tables[table].Columns.ToDictionary(column => column.Name, column => column.Ordinal, StringComparer.Ordinal);
        return [.. answer.Rows.Select(row => (Func<string, object?>)(column => row[ordinals[column]]))];
    }

    private static string? Text(object? value) => value is string { Length: > 0 } text ? text : null;

    private static JsonElement? Fields(string? json)
    {
        if (json is null) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static long? Number(JsonElement? fields, string name) =>
        fields is { } bag && bag.TryGetProperty(name, out var value) && long.TryParse(value.ToString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    [GeneratedRegex(@"T\d{4}(\.\d{3})?")]
    private static partial Regex Technique();
}
