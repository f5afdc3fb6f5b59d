using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vedette.Defender.Alerts;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections;

/// <summary>The result of one run of a rule, as the alerts to raise.</summary>
/// <param name="Alerts">Alerts in order of their first event, at most as many as a run may raise.</param>
/// <param name="Rows">Rows that the query gave.</param>
/// <param name="Dropped">Alerts beyond the limit.</param>
internal sealed record RuleMatches(IReadOnlyList<NewAlert> Alerts, int Rows, int Dropped)
{
    /// <summary>Groups result rows into alerts: rows with the same entities in the same period become one.</summary>
    public static RuleMatches From(
        DetectionRule rule, Guid tenantId, HuntingResult result, (DateTime From, DateTime To) window, AlertTime alertTime, DetectionOptions options)
    {
        var index = ResultRow.Index(result.Columns);
        var groups = new Dictionary<string, Group>(StringComparer.Ordinal);
        var rows = result.Rows.Select(values => new ResultRow(index, values))
            // Without a time of their own, events count from the look-back, as in the service.
            .Select(row => (Row: row, Time: row.Time("Timestamp") ?? window.From))
            .OrderBy(entry => entry.Time);
        foreach (var (row, time) in rows)
        {
            var device = EvidenceReader.Device(rule, row);
            var evidence = EvidenceReader.Read(rule, row).ToList();
            var mergeKey = MergeKey(rule, time, EvidenceReader.Identity(device ?? "", evidence), options);
            if (!groups.TryGetValue(mergeKey, out var group))
                groups.Add(mergeKey, group = new Group(mergeKey, $"{rule.Id:N}/{device}/{row.Text("ReportId")}/{time.Ticks}", device, DetectionRule.FillTitle(rule.Title, row.Text), time));
            if (group.Events++ >= options.MaxEventsPerAlert) continue;
            group.Last = time;
            group.Evidence.AddRange(evidence);
        }

        var alerts = groups.Values.OrderBy(group => group.First).Take(options.MaxAlertsPerRun).Select(group => new NewAlert
        {
            TenantId = tenantId,
            Title = group.Title,
            Description = rule.Description,
            Severity = Enum.Parse<AlertSeverity>(rule.Severity),
            Category = rule.Category,
            MachineId = group.Device,
            FirstEventTime = group.First,
            LastEventTime = group.Last,
            DetectionSource = rule.DetectionSource,
            DetectorId = rule.Id,
            MitreTechniques = rule.Techniques,
            Evidence = group.Evidence,
            DeduplicationKey = group.Identity,
            MergeKey = group.MergeKey,
            CreationTime = alertTime == AlertTime.WithEvents ? group.Last + Delay(group.MergeKey) : null,
        }).ToArray();
        return new RuleMatches(alerts, result.Rows.Count, groups.Count - alerts.Length);
    }

    private static string MergeKey(DetectionRule rule, DateTime time, string identity, DetectionOptions options)
    {
        var period = options.CollapsePeriod > TimeSpan.Zero ? time.Ticks / options.CollapsePeriod.Ticks : time.Ticks;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{rule.Id:N}/{period}/{identity}"))))[..40];
    }

    // A detection needs a minute or two; the same alert always the same time.
    private static TimeSpan Delay(string key) => TimeSpan.FromSeconds(45 + int.Parse(key.AsSpan(0, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private sealed class Group(string mergeKey, string identity, string? device, string title, DateTime first)
    {
        public string MergeKey => mergeKey;

        public string Identity => identity;

        public string? Device => device;

        public string Title => title;

        public DateTime First { get; } = first;

        public DateTime Last { get; set; } = first;

        public int Events { get; set; }

        public List<AlertEvidence> Evidence { get; } = [];
    }
}

/// <summary>What time alerts carry as that of their creation.</summary>
public enum AlertTime
{
    /// <summary>The present, by the product's clock.</summary>
    Now,

    /// <summary>Shortly after their last event, as if the rule had been running then: for a history that is made up in one go.</summary>
    WithEvents,
}
