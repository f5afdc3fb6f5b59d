using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vedette.Defender.Alerts;
using Vedette.Defender.Alerts.Evidence;
using Vedette.Defender.Investigations;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections;

/// <summary>The result of one run of a rule, as the alerts to raise.</summary>
/// <param name="Alerts">Alerts in order of their first event, at most as many as a run may raise.</param>
/// <param name="Rows">Rows that the query gave.</param>
/// <param name="Dropped">Alerts beyond the limit.</param>
internal sealed record RuleMatches(IReadOnlyList<NewAlert> Alerts, int Rows, int Dropped)
{
    private const int LargestDetails = 4 * 1024;

    private IReadOnlyDictionary<string, IReadOnlyList<ResponseTarget>>? _targets;

    /// <summary>What the rule's responses are to be done to because of an alert.</summary>
    public IReadOnlyList<ResponseTarget> TargetsOf(NewAlert alert) => alert.MergeKey is { } key && _targets?.GetValueOrDefault(key) is { } targets ? targets : [];

    /// <summary>Groups result rows into alerts: rows with the same entities in the same period become one.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="tenantId">Whose telemetry it was run over.</param>
    /// <param name="result">What its query gave.</param>
    /// <param name="window">The times of arrival that were looked at.</param>
    /// <param name="alertTime">What time alerts carry.</param>
    /// <param name="options">Limits.</param>
    /// <param name="deviceOfName">Finds a device's id by its name, for rules whose result has no device id; null finds none.</param>
    public static RuleMatches From(
        DetectionRule rule, Guid tenantId, HuntingResult result, (DateTime From, DateTime To) window, AlertTime alertTime, DetectionOptions options,
        Func<string, string?>? deviceOfName = null)
    {
        var index = ResultRow.Index(result.Columns);
        var groups = new Dictionary<string, Group>(StringComparer.Ordinal);
        var rows = result.Rows.Select(values => new ResultRow(index, values))
            // Without a time of their own, events count from the look-back, as in the service.
            .Select(row => (Row: row, Time: row.Time("Timestamp") ?? row.Time("TimeGenerated") ?? window.From))
            .OrderBy(entry => entry.Time);
        foreach (var (row, time) in rows)
        {
            var device = EvidenceReader.Device(rule, row)
                ?? (EvidenceReader.DeviceName(rule, row) is { } name ? deviceOfName?.Invoke(name) : null);
            var evidence = EvidenceReader.Read(rule, row).ToList();
            var details = Details(rule, row);
            var title = DetectionRule.FillTitle(rule.Title, row.Text);
            var description = rule.DynamicDescription ? DetectionRule.FillTitle(rule.Description, row.Text) : rule.Description;
            var mergeKey = MergeKey(rule, time, Identity(rule, device, evidence, title, description, details), options);
            if (!groups.TryGetValue(mergeKey, out var group))
            {
                // One event may make several alerts where details tell them apart.
                var apart = rule.DynamicDescription || rule.CustomDetails.Count > 0 ? "/" + mergeKey[..12] : "";
                groups.Add(mergeKey, group = new Group(mergeKey, $"{rule.Id:N}/{device}/{row.Text("ReportId")}/{time.Ticks}{apart}", device, time)
                {
                    Title = title, Description = description, Details = details,
                });
            }

            group.AddTargets(rule, row);
            if (group.Events++ >= options.MaxEventsPerAlert) continue;
            group.Last = time;
            group.Evidence.AddRange(evidence);

            // What rows of mail, identity, applications and clouds tell of beside the entities that the rule names.
            if (!rule.Shipped) group.Evidence.AddRange(ColumnEvidence.Of(new HuntingValues(row.Text, row.Number, row.Time)));
        }

        var kept = groups.Values.OrderBy(group => group.First).Take(options.MaxAlertsPerRun).ToArray();
        var alerts = kept.Select(group => new NewAlert
        {
            TenantId = tenantId,
            Title = group.Title,
            Description = group.Description,
            RecommendedAction = rule.RecommendedActions,
            Severity = Enum.Parse<AlertSeverity>(rule.Severity),
            Category = rule.Category,
            MachineId = group.Device,
            FirstEventTime = group.First,
            LastEventTime = group.Last,
            DetectionSource = rule.DetectionSource,
            ServiceSource = rule.ServiceSource,
            DetectorId = rule.Id,
            MitreTechniques = rule.Techniques,
            CustomDetails = group.Details,
            Uncorrelated = rule.Uncorrelated,
            InvestigationRequest = rule.Responses.Any(response => response.Kind == ResponseKind.InitiateInvestigation)
                ? new InvestigationRequest($"Custom detection: {rule.Label}", $"Custom detection rule {rule.Name}.")
                : null,
            Evidence = group.Evidence,
            DeduplicationKey = group.Identity,
            MergeKey = group.MergeKey,
            CreationTime = alertTime == AlertTime.WithEvents ? group.Last + Delay(group.MergeKey) : null,
        }).ToArray();
        return new RuleMatches(alerts, result.Rows.Count, groups.Count - alerts.Length)
        {
            _targets = rule.Responses.Count == 0 ? null : kept.ToDictionary(group => group.MergeKey, group => group.Targets, StringComparer.Ordinal),
        };
    }

    // Details and dynamic texts count beside the entities, where a rule has any.
    private static string Identity(
        DetectionRule rule, string? device, List<AlertEvidence> evidence, string title, string description, IReadOnlyDictionary<string, string> details)
    {
        var identity = EvidenceReader.Identity(device ?? "", evidence);
        if (details.Count == 0 && !rule.DynamicDescription) return identity;
        return $"{identity}\n{title}\n{description}\n{string.Join('\n', details.Select(detail => $"{detail.Key}={detail.Value}"))}";
    }

    // Above the limit the service drops all of them.
    private static Dictionary<string, string> Details(DetectionRule rule, ResultRow row)
    {
        var details = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var detail in rule.CustomDetails)
            if (row.Text(detail.Column) is { } value) details[detail.Name] = value;
        return details.Sum(detail => Encoding.UTF8.GetByteCount(detail.Key) + Encoding.UTF8.GetByteCount(detail.Value)) > LargestDetails ? [] : details;
    }

    private static string MergeKey(DetectionRule rule, DateTime time, string identity, DetectionOptions options)
    {
        var period = options.CollapsePeriod > TimeSpan.Zero ? time.Ticks / options.CollapsePeriod.Ticks : time.Ticks;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{rule.Id:N}/{period}/{identity}"))))[..40];
    }

    // A detection needs a minute or two; the same alert always the same time.
    private static TimeSpan Delay(string key) => TimeSpan.FromSeconds(45 + int.Parse(key.AsSpan(0, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private sealed class Group(string mergeKey, string identity, string? device, DateTime first)
    {
        private const int MostTargets = 100;
        private readonly Dictionary<string, ResponseTarget> _targets = new(StringComparer.Ordinal);

        public string MergeKey => mergeKey;

        public string Identity => identity;

        public string? Device => device;

        public required string Title { get; init; }

        public required string Description { get; init; }

        public required IReadOnlyDictionary<string, string> Details { get; init; }

        public DateTime First { get; } = first;

        public DateTime Last { get; set; } = first;

        public int Events { get; set; }

        public List<AlertEvidence> Evidence { get; } = [];

        public IReadOnlyList<ResponseTarget> Targets => [.. _targets.Values];

        public void AddTargets(DetectionRule rule, ResultRow row)
        {
            foreach (var response in rule.Responses)
            {
                var values = new Dictionary<string, string>(StringComparer.Ordinal);
                foreach (var (role, column) in response.Columns)
                    if (row.Text(column) is { } value) values[role] = value;
                var target = new ResponseTarget(response, values);
                if (_targets.Count < MostTargets) _targets.TryAdd(target.Key, target);
            }
        }
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
