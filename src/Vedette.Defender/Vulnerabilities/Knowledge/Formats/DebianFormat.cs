namespace Vedette.Defender.Vulnerabilities.Knowledge.Formats;

/// <summary>Debian's security tracker: an object of packages, each an object of vulnerabilities with their state in each release.</summary>
internal sealed class DebianFormat : FeedFormat
{
    private static readonly Dictionary<string, string> Releases = new(StringComparer.Ordinal)
    {
        ["buster"] = "10", ["bullseye"] = "11", ["bookworm"] = "12", ["trixie"] = "13", ["forky"] = "14", ["sid"] = "sid",
    };

    public override KnowledgeSource Source => KnowledgeSource.Debian;

    public override bool Recognises(JsonItem item) =>
        item.Name.Length > 0 && Members(item.Value).Take(1).Any(cve => cve.Value.ValueKind == System.Text.Json.JsonValueKind.Object && cve.Value.TryGetProperty("releases", out _));

    public override IEnumerable<KnowledgeEntry> Read(JsonItem item, ImportNotes notes)
    {
        foreach (var vulnerability in Members(item.Value))
        {
            if (!vulnerability.Value.TryGetProperty("releases", out var releases))
            {
                notes.Add("vulnerability without releases", $"{item.Name}: {vulnerability.Name}");
                continue;
            }

            var affected = new List<AffectedRange>();
            string? severity = null;
            foreach (var release in Members(releases))
            {
                severity ??= Severity(Text(release.Value, "urgency"));
                if (!Releases.TryGetValue(release.Name, out var number))
                {
                    notes.Add($"release '{release.Name}', which is not known", $"{item.Name}: {vulnerability.Name}");
                    continue;
                }

                var range = new AffectedRange($"Debian:{number}", item.Name);
                switch (Text(release.Value, "status"))
                {
                    case "open":
                        affected.Add(range);
                        break;
                    case "resolved" when Text(release.Value, "fixed_version") is { } version:
                        // Version 0 means that the release never had the fault.
                        if (version != "0") affected.Add(range with { Fixed = version });
                        break;
                    case "undetermined":
                        notes.Add("state 'undetermined'", $"{item.Name}: {vulnerability.Name} in {release.Name}");
                        break;
                    case var state:
                        notes.Add($"state '{state}', which is not known", $"{item.Name}: {vulnerability.Name} in {release.Name}");
                        break;
                }
            }

            yield return new KnowledgeEntry(vulnerability.Name)
            {
                Record = item.Name,
                Description = Text(vulnerability.Value, "description") ?? "",
                Severity = severity,
                Affected = affected,
            };
        }
    }

    private static string? Severity(string? urgency) => urgency?.TrimEnd('*') switch
    {
        "high" => "High",
        "medium" => "Medium",
        "low" or "unimportant" => "Low",
        _ => null,
    };
}
