using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Alerts.Evidence;
using Vedette.Defender.Incidents;
using Vedette.Defender.Investigations;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Foundation;

namespace Vedette.Defender.Alerts;

/// <summary>
/// Where alerts come in, whoever raises them: known ones are recognised, repeated ones merged, new ones put into an incident; the device's risk
/// and the hunting rows follow in the same transaction.
/// </summary>
public sealed class AlertIntake(
    IDbContextFactory<DefenderDbContext> states,
    IEnumerable<IAlertCorrelator> correlators,
    InvestigationStarter investigations,
    OutboxSignal outbox,
    IIdentifierSource identifiers,
    TimeProvider clock)
{
    private const int LongestText = 32 * 1024;

    /// <summary>Raises an alert.</summary>
    public async Task<RaisedAlert> RaiseAsync(NewAlert incoming, CancellationToken cancellationToken)
    {
        var investigates = incoming.Investigate && (incoming.InvestigationRequest is not null || await investigations.IsAutomaticAsync(incoming.TenantId, cancellationToken));
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        await using var transaction = await state.Database.BeginTransactionAsync(cancellationToken);

        // One alert of a tenant at a time: deduplication, merging and correlation all look at what is there before they add. What comes with a
        // time of its own keeps it.
        var moment = await UpdateMoment.TakeAsync(state, incoming.TenantId, incoming.CreationTime ?? clock.GetUtcNow().UtcDateTime, cancellationToken);
        var now = incoming.CreationTime ?? moment;
        if (incoming.DeduplicationKey is { } key
            && await Alerts(state, incoming.TenantId).FirstOrDefaultAsync(a => a.DeduplicationKey == key, cancellationToken) is { } known
            && (incoming.MergeKey is null || known.MergeKey != incoming.MergeKey || known.Status == AlertStatus.Resolved))
        {
            return new RaisedAlert(known, Intake.Known);
        }

        if (await OpenAlertAsync(state, incoming, cancellationToken) is { } open)
        {
            if (!AddsTo(open, incoming)) return new RaisedAlert(open, Intake.Known);
            var added = Merge(open, incoming, now);
            foreach (var correlator in correlators) await correlator.CorrelateAsync(state, open, cancellationToken);
            if (!incoming.RowsAreStored) state.AddHuntingRows(open.TenantId, open.LastUpdateTime, [.. AlertRows.Evidence(open, added)]);
            await CommitAsync(state, transaction, open, cancellationToken);
            return new RaisedAlert(open, Intake.Merged);
        }

        var machine = incoming.MachineId is { } id
            ? await state.Machines.AsNoTracking().FirstOrDefaultAsync(m => m.TenantId == incoming.TenantId && m.Id == id, cancellationToken)
            : null;
        var alert = await CreateAsync(state, incoming, machine, now, cancellationToken);
        state.Alerts.Add(alert);
        await CorrelateAsync(state, alert, incoming.Uncorrelated, cancellationToken);
        var isInvestigated = investigates && machine is not null
            && await InvestigationStarter.AttachAsync(state, alert, machine, incoming.InvestigationRequest, cancellationToken);
        if (!incoming.RowsAreStored) state.AddHuntingRows(alert.TenantId, alert.AlertCreationTime, AlertRows.Raised(alert));
        await CommitAsync(state, transaction, alert, cancellationToken);
        if (isInvestigated) investigations.Committed();
        return new RaisedAlert(alert, Intake.Raised);
    }

    /// <summary>Sets a device's risk to the gravest of its open alerts.</summary>
    internal static Task<int> UpdateRiskAsync(DefenderDbContext state, Guid tenantId, IReadOnlyCollection<string> machineIds, CancellationToken cancellationToken)
    {
        var ids = machineIds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        return state.Database.ExecuteSqlAsync(
            $"""
            UPDATE defender.machines AS machine SET risk_score = graded.risk
            FROM (
                SELECT wanted.id, coalesce((
                    SELECT grave.severity FROM unnest(ARRAY['High', 'Medium', 'Low', 'Informational']) WITH ORDINALITY AS grave(severity, rank)
                    WHERE EXISTS (SELECT FROM defender.alerts AS alert
                        WHERE alert.tenant_id = {tenantId} AND alert.machine_id = wanted.id AND alert.severity = grave.severity AND alert.status <> 'Resolved')
                    ORDER BY rank LIMIT 1), 'None') AS risk
                FROM unnest({ids}) AS wanted(id)) AS graded
            WHERE machine.tenant_id = {tenantId} AND machine.id = graded.id AND machine.risk_score <> graded.risk
            """,
            cancellationToken);
    }

    /// <summary>The open alert that takes the incoming one in; null when there is none.</summary>
    private static async Task<Alert?> OpenAlertAsync(DefenderDbContext state, NewAlert incoming, CancellationToken cancellationToken)
    {
        var open = Alerts(state, incoming.TenantId).Where(a => a.Status != AlertStatus.Resolved);
        if (incoming.MergeKey is { } key && await open.FirstOrDefaultAsync(a => a.MergeKey == key, cancellationToken) is { } same) return same;
        if (!incoming.MergesByTitle || incoming.MachineId is not { } machine) return null;
        return await open.Where(a => a.MachineId == machine && a.Title == incoming.Title).OrderByDescending(a => a.AlertCreationTime).FirstOrDefaultAsync(cancellationToken);
    }

    private static IQueryable<Alert> Alerts(DefenderDbContext state, Guid tenantId) =>
        state.Alerts.Include(a => a.Evidence).Where(a => a.TenantId == tenantId);

    private async Task CommitAsync(
        DefenderDbContext state, Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction transaction, Alert alert, CancellationToken cancellationToken)
    {
        await state.SaveChangesAsync(cancellationToken);
        if (alert.MachineId is { } machine) await UpdateRiskAsync(state, alert.TenantId, [machine], cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Raise();
    }

    private async Task<Alert> CreateAsync(DefenderDbContext state, NewAlert incoming, Machine? machine, DateTime now, CancellationToken cancellationToken)
    {
        var alert = new Alert
        {
            TenantId = incoming.TenantId,
            Id = incoming.Id ?? NewId(now, incoming.DetectionSource),
            Title = Bounded(incoming.Title),
            Description = Bounded(incoming.Description),
            RecommendedAction = incoming.RecommendedAction is { } advice ? Bounded(advice) : null,
            Severity = incoming.Severity,
            Category = incoming.Category,
            DetectionSource = incoming.DetectionSource,
            ServiceSource = incoming.ServiceSource,
            DetectorId = incoming.DetectorId,
            MitreTechniques = [.. incoming.MitreTechniques],
            CustomDetails = new Dictionary<string, string>(incoming.CustomDetails, StringComparer.Ordinal),
            ThreatName = incoming.ThreatName,
            ThreatFamilyName = incoming.ThreatFamilyName,
            AlertCreationTime = now,
            LastUpdateTime = now,
            FirstEventTime = incoming.FirstEventTime,
            LastEventTime = incoming.LastEventTime,
            MachineId = incoming.MachineId,
            ComputerDnsName = machine?.ComputerDnsName,
            RbacGroupId = machine?.RbacGroupId ?? 0,
            RbacGroupName = machine?.RbacGroupName,
            RelatedUser = incoming.RelatedUser ?? UserOf(incoming.Evidence),
            DeduplicationKey = incoming.DeduplicationKey,
            MergeKey = incoming.MergeKey,
        };
        if (machine is not null)
        {
            var users = await state.LogonUsers.AsNoTracking()
                .Where(u => u.TenantId == incoming.TenantId && u.MachineId == machine.Id && u.FirstSeen <= incoming.LastEventTime && u.LastSeen >= incoming.FirstEventTime.AddDays(-1))
                .OrderByDescending(u => u.LastSeen).Take(5).ToListAsync(cancellationToken);
            alert.LoggedOnUsers = [.. users.Select(u => new LoggedOnUser(u.AccountName, u.AccountDomain))];
        }

        Add(alert, incoming.Evidence, now);
        return alert;
    }

    private async Task CorrelateAsync(DefenderDbContext state, Alert alert, bool alone, CancellationToken cancellationToken)
    {
        foreach (var correlator in alone ? [] : correlators) await correlator.CorrelateAsync(state, alert, cancellationToken);
        if (alert.IncidentId is not null) return;

        // Every alert belongs to an incident: nobody claimed this one, so it gets its own.
        var incident = new Incident
        {
            TenantId = alert.TenantId,
            Name = alert.Title,
            Severity = alert.Severity,
            CreatedTime = alert.AlertCreationTime,
            LastUpdateTime = alert.AlertCreationTime,
        };
        state.Incidents.Add(incident);
        await state.SaveChangesAsync(cancellationToken);
        alert.IncidentId = incident.Id;
    }

    private static bool AddsTo(Alert open, NewAlert incoming)
    {
        var known = open.Evidence.Select(Identity).ToHashSet();
        return incoming.LastEventTime > open.LastEventTime || incoming.FirstEventTime < open.FirstEventTime || incoming.Severity > open.Severity
            || incoming.Evidence.Any(item => !known.Contains(Identity(item)));
    }

    private static List<AlertEvidence> Merge(Alert open, NewAlert incoming, DateTime now)
    {
        open.LastUpdateTime = now;
        if (incoming.LastEventTime > open.LastEventTime) open.LastEventTime = incoming.LastEventTime;
        if (incoming.FirstEventTime < open.FirstEventTime) open.FirstEventTime = incoming.FirstEventTime;
        if (incoming.Severity > open.Severity) open.Severity = incoming.Severity;
        open.MitreTechniques = [.. open.MitreTechniques.Union(incoming.MitreTechniques, StringComparer.Ordinal)];
        return Add(open, incoming.Evidence, now);
    }

    private static List<AlertEvidence> Add(Alert alert, IReadOnlyList<AlertEvidence> evidence, DateTime now)
    {
        var known = alert.Evidence.Select(Identity).ToHashSet();
        var added = new List<AlertEvidence>();
        foreach (var item in evidence)
        {
            if (!known.Add(Identity(item))) continue;
            item.TenantId = alert.TenantId;
            item.AlertId = alert.Id;
            if (item.EvidenceCreationTime == default) item.EvidenceCreationTime = now;
            added.Add(item);
        }

        alert.Evidence.AddRange(added);
        return added;
    }

    /// <summary>What makes two pieces of evidence the same.</summary>
    private static (EvidenceKind, string?, string?, string?, string?, long?, DateTime?) Identity(AlertEvidence item) => item.EntityType switch
    {
        EvidenceKind.Process => (item.EntityType, item.FileName, item.ProcessCommandLine, null, null, item.ProcessId, item.ProcessCreationTime),
        EvidenceKind.File => (item.EntityType, item.FileName, item.FilePath, item.Sha1 ?? item.Sha256, null, null, null),
        EvidenceKind.User or EvidenceKind.Mailbox => (item.EntityType, item.AccountName ?? item.AadUserId?.ToString(), item.DomainName, item.UserSid, item.UserPrincipalName, null, null),
        EvidenceKind.Ip or EvidenceKind.Url or EvidenceKind.RegistryKey or EvidenceKind.RegistryValue =>
            (item.EntityType, item.IpAddress, item.Url, item.RegistryKey, item.RegistryValueName, null, null),
        _ => (item.EntityType, EvidenceKinds.Canonical(item.Details), null, null, null, null, null),
    };

    private static RelatedUser? UserOf(IReadOnlyList<AlertEvidence> evidence) =>
        evidence.FirstOrDefault(e => e is { EntityType: EvidenceKind.User, AccountName.Length: > 0 }) is { } user
            ? new RelatedUser(user.AccountName!, user.DomainName ?? "")
            : null;

    /// <summary>An identity in the service's form: provider, 18 digits of ticks, a signed number.</summary>
    private string NewId(DateTime now, string detectionSource)
    {
        var provider = detectionSource == "AutomatedInvestigation" ? "ar" : "da";
        var number = int.Parse(identifiers.NewHex(4), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{provider}{now.Ticks}_{number}");
    }

    private static string Bounded(string text) => text.Length <= LongestText ? text : text[..LongestText];
}
