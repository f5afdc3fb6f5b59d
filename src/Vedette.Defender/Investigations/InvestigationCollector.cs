using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Indicators;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Investigations;

/// <summary>
/// Looks at a device's telemetry around the alerts of an investigation and gives verdicts. The rules, the first that fits decides:
/// <list type="number">
/// <item>an indicator allows it: no threat</item>
/// <item>an indicator blocks it: malicious</item>
/// <item>it is signed by a trusted publisher: no threat</item>
/// <item>antivirus found it: malicious</item>
/// <item>an alert names it and hardly any device of the organisation has it: malicious for a high alert, suspicious for a medium one</item>
/// <item>a malicious file contacted it, or a high alert names it: suspicious</item>
/// <item>nothing speaks against it: no threat</item>
/// </list>
/// A process by which an alert of medium or high severity stands is suspicious whatever its file is: the alert is about what it did.
/// </summary>
public sealed class InvestigationCollector(IDbContextFactory<DefenderDbContext> states, IHuntingService hunting, IndicatorCache indicators)
{
    private const int MostFiles = 200;
    private const int RareDevices = 2;
    private static readonly TimeSpan Around = TimeSpan.FromHours(1);
    private static readonly TimeSpan Manual = TimeSpan.FromHours(24);

    private sealed record File(string Sha1, string? Name, string? Path)
    {
        public AlertSeverity? Alerted { get; set; }
    }

    /// <summary>Everything that is worth a verdict.</summary>
    public async Task<IReadOnlyList<InvestigatedEntity>> CollectAsync(Investigation investigation, CancellationToken cancellationToken)
    {
        List<Alert> alerts;
        await using (var state = await states.CreateDbContextAsync(cancellationToken))
        {
            alerts = await state.Alerts.AsNoTracking().Include(a => a.Evidence)
                .Where(a => a.TenantId == investigation.TenantId && a.InvestigationId == investigation.Id).ToListAsync(cancellationToken);
        }

        var evidence = alerts.SelectMany(a => a.Evidence.Select(e => (Alert: a, Evidence: e))).ToArray();
        var from = evidence.Length > 0 ? alerts.Min(a => a.FirstEventTime) - Around : investigation.StartTime - Manual;
        var to = evidence.Length > 0 ? alerts.Max(a => a.LastEventTime) + Around : investigation.StartTime;

        var files = new Dictionary<string, File>(StringComparer.OrdinalIgnoreCase);
        foreach (var (alert, item) in evidence.Where(e => e.Evidence.Sha1 is { Length: 40 }))
        {
            var file = files.TryGetValue(item.Sha1!, out var known) ? known : files[item.Sha1!] = new File(item.Sha1!.ToLowerInvariant(), item.FileName, item.FilePath);
            if (file.Alerted is null || alert.Severity > file.Alerted) file.Alerted = alert.Severity;
        }

        await AddFilesOfDeviceAsync(investigation, files, evidence.Length > 0, from, to, cancellationToken);
        var judged = await JudgeFilesAsync(investigation, files, cancellationToken);
        var contacts = await ContactsAsync(investigation, judged, from, to, cancellationToken);
        foreach (var (alert, item) in evidence)
        {
            if (item.IpAddress is { } address) Contact(contacts, "Ip", address, alert.Severity == AlertSeverity.High ? "An alert of high severity names it." : null);
            if (item.Url is { } url) Contact(contacts, "Url", url, alert.Severity == AlertSeverity.High ? "An alert of high severity names it." : null);
        }

        var sets = await indicators.GetAsync(investigation.TenantId, cancellationToken);
        return
        [
            .. judged,
            .. Behaviours(evidence, judged),
            .. contacts.Select(contact =>
            {
                var facts = contact.Key.Kind == "Ip" ? sets.ByAddress(contact.Key.Value) : sets.ByUrl(contact.Key.Value).ToArray();
                var seen = new InvestigatedEntity(contact.Key.Kind, contact.Key.Value, Verdict.NoThreatsFound, "Nothing speaks against it.");
                return seen.By(facts) ?? (contact.Value is { } reason ? seen with { Verdict = Verdict.Suspicious, Reason = reason } : seen);
            }),
        ];
    }

    // A file that is dealt with answers for its processes.
    private static IEnumerable<InvestigatedEntity> Behaviours((Alert Alert, AlertEvidence Evidence)[] evidence, List<InvestigatedEntity> files)
    {
        var settled = files.Where(f => f.Verdict != Verdict.NoThreatsFound || f.Reason.StartsWith("Allowed", StringComparison.Ordinal)).Select(f => f.Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return evidence.Where(e => e.Evidence.EntityType == EvidenceKind.Process && e.Alert.Severity >= AlertSeverity.Medium && !settled.Contains(e.Evidence.Sha1 ?? ""))
            .Select(e => new InvestigatedEntity(
                "Process", $"{e.Evidence.FileName}:{e.Evidence.ProcessId?.ToString(CultureInfo.InvariantCulture) ?? "?"}", Verdict.Suspicious,
                $"An alert of {e.Alert.Severity.ToString().ToLowerInvariant()} severity is about what it did.") { Name = e.Evidence.FileName, Path = e.Evidence.FilePath })
            .DistinctBy(e => e.Value);
    }

    private static void Contact(Dictionary<(string Kind, string Value), string?> contacts, string kind, string value, string? reason)
    {
        if (!contacts.TryGetValue((kind, value), out var known) || known is null) contacts[(kind, value)] = reason;
    }

    // With evidence: what its processes started and wrote. Without: what ran on the device.
    private async Task AddFilesOfDeviceAsync(
        Investigation investigation, Dictionary<string, File> files, bool byEvidence, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var origin = byEvidence ? $" and InitiatingProcessSHA1 in~ ({Quoted(files.Keys)})" : "";
        if (byEvidence && files.Count == 0) return;
        foreach (var table in byEvidence ? new[] { "DeviceProcessEvents", "DeviceFileEvents" } : ["DeviceProcessEvents"])
        {
            var query = $"{table} | where DeviceId == '{investigation.MachineId}' and Timestamp between ({Time(from)} .. {Time(to)}) and isnotempty(SHA1){origin} "
                + $"| summarize FileName = take_any(FileName), FolderPath = take_any(FolderPath) by SHA1 | take {MostFiles}";
            foreach (var row in (await RunAsync(investigation, query, cancellationToken)).Rows)
            {
                var sha1 = (string)row[0]!;
                if (sha1.Length == 40 && files.Count < MostFiles) files.TryAdd(sha1, new File(sha1.ToLowerInvariant(), row[1] as string, row[2] as string));
            }
        }
    }

    private async Task<List<InvestigatedEntity>> JudgeFilesAsync(Investigation investigation, Dictionary<string, File> files, CancellationToken cancellationToken)
    {
        if (files.Count == 0) return [];
        var list = Quoted(files.Keys);
        var trusted = await SetAsync(investigation, $"DeviceFileCertificateInfo | where SHA1 in~ ({list}) and IsTrusted == true | distinct SHA1", cancellationToken);
        var detected = await SetAsync(investigation, $"DeviceEvents | where ActionType == 'AntivirusDetection' and SHA1 in~ ({list}) | distinct SHA1", cancellationToken);
        var common = await SetAsync(
            investigation,
            $"union (DeviceProcessEvents | where SHA1 in~ ({list}) | project SHA1, DeviceId), (DeviceFileEvents | where SHA1 in~ ({list}) | project SHA1, DeviceId) "
                + $"| summarize Devices = dcount(DeviceId) by SHA1 | where Devices > {RareDevices} | project SHA1",
            cancellationToken);
        var sets = await indicators.GetAsync(investigation.TenantId, cancellationToken);
        return [.. files.Values.Select(file => Judge(file) with { Name = file.Name, Path = file.Path }).Select(e => e with { Remediation = e.Verdict == Verdict.Malicious ? Remediation.Pending : Remediation.NotNeeded })];

        InvestigatedEntity Judge(File file)
        {
            InvestigatedEntity Found(Verdict verdict, string reason) => new("File", file.Sha1, verdict, reason);
            if (Found(Verdict.NoThreatsFound, "").By(sets.ByHash(file.Sha1)) is { } byIndicator) return byIndicator;
            if (trusted.Contains(file.Sha1)) return Found(Verdict.NoThreatsFound, "Signed by a trusted publisher.");
            if (detected.Contains(file.Sha1)) return Found(Verdict.Malicious, "Antivirus found it.");
            if (file.Alerted is not { } severity || common.Contains(file.Sha1) || InvestigationFacts.IsCore(file.Path)) return Found(Verdict.NoThreatsFound, "Nothing speaks against it.");
            return severity switch
            {
                AlertSeverity.High => Found(Verdict.Malicious, "An alert of high severity names it, and hardly any other device has it."),
                AlertSeverity.Medium => Found(Verdict.Suspicious, "An alert of medium severity names it, and hardly any other device has it."),
                _ => Found(Verdict.NoThreatsFound, "Nothing speaks against it."),
            };
        }
    }

    private async Task<Dictionary<(string Kind, string Value), string?>> ContactsAsync(
        Investigation investigation, List<InvestigatedEntity> files, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var contacts = new Dictionary<(string Kind, string Value), string?>();
        var malicious = files.Where(f => f.Verdict == Verdict.Malicious).Select(f => f.Value).ToArray();
        if (malicious.Length == 0) return contacts;
        var query = $"DeviceNetworkEvents | where DeviceId == '{investigation.MachineId}' and Timestamp between ({Time(from)} .. {Time(to)}) and InitiatingProcessSHA1 in~ ({Quoted(malicious)}) "
            + $"| distinct RemoteIP, RemoteUrl | take {MostFiles}";
        foreach (var row in (await RunAsync(investigation, query, cancellationToken)).Rows)
        {
            if (row[0] is string { Length: > 0 } address) Contact(contacts, "Ip", address, "A malicious file contacted it.");
            if (row[1] is string { Length: > 0 } url) Contact(contacts, "Url", url, "A malicious file contacted it.");
        }

        return contacts;
    }

    private async Task<HashSet<string>> SetAsync(Investigation investigation, string query, CancellationToken cancellationToken) =>
        [.. (await RunAsync(investigation, query, cancellationToken)).Rows.Select(row => ((string)row[0]!).ToLowerInvariant())];

    private Task<HuntingResult> RunAsync(Investigation investigation, string query, CancellationToken cancellationToken) =>
        hunting.RunAsync(new HuntingRequest(investigation.TenantId, query), cancellationToken);

    // Only hashes are put into queries: 40 hexadecimal digits cannot end a literal.
    private static string Quoted(IEnumerable<string> hashes) => string.Join(", ", hashes.Where(h => h.All(char.IsAsciiHexDigit)).Select(h => $"'{h}'"));

    private static string Time(DateTime time) => $"datetime({time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture)})";
}

/// <summary>Verdicts that indicators give.</summary>
internal static class IndicatorVerdict
{
    /// <summary>The entity as its indicators judge it; null when they say nothing.</summary>
    public static InvestigatedEntity? By(this InvestigatedEntity entity, IReadOnlyList<IndicatorFact> facts)
    {
        if (facts.FirstOrDefault(f => f.Action == IndicatorAction.Allowed) is { } allowed) return entity with { Verdict = Verdict.NoThreatsFound, Reason = $"Allowed by indicator {allowed.Id}." };
        if (facts.FirstOrDefault(f => f.Blocks || f.Action == IndicatorAction.Warn) is { } blocked) return entity with { Verdict = Verdict.Malicious, Reason = $"Blocked by indicator {blocked.Id}." };
        return null;
    }
}
