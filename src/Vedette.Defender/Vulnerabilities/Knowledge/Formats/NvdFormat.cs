using System.Text;
using System.Text.Json;

namespace Vedette.Defender.Vulnerabilities.Knowledge.Formats;

/// <summary>The National Vulnerability Database's answers and files in CVE JSON 2.0. Source: nvd.nist.gov/developers/vulnerabilities.</summary>
internal sealed class NvdFormat : FeedFormat
{
    // Best metric first; within one, the NVD's own score before others'.
    private static readonly string[] Metrics = ["cvssMetricV31", "cvssMetricV30", "cvssMetricV40", "cvssMetricV2"];

    public override KnowledgeSource Source => KnowledgeSource.Nvd;

    public override IReadOnlySet<string> Enter { get; } = new HashSet<string> { "vulnerabilities" };

    public override bool Recognises(JsonItem item) => item.Value.ValueKind == JsonValueKind.Object && item.Value.TryGetProperty("cve", out var cve) && Text(cve, "id") is not null;

    public override IEnumerable<KnowledgeEntry> Read(JsonItem item, ImportNotes notes)
    {
        // Members beside the list, such as its format and length, are no records.
        if (item.Name.Length > 0 && item.Name != "vulnerabilities") yield break;
        if (item.Value.ValueKind != JsonValueKind.Object || !item.Value.TryGetProperty("cve", out var cve) || Text(cve, "id") is not { } id)
        {
            notes.Add("record without a CVE", item.Value.ValueKind.ToString());
            yield break;
        }

        var (score, vector) = Score(cve);
        var exploits = Items(cve, "references").Where(r => Items(r, "tags").Any(t => t.ValueKind == JsonValueKind.String && t.GetString() == "Exploit"))
            .Select(r => Text(r, "url")).OfType<string>().Take(20).ToList();
        yield return new KnowledgeEntry(id)
        {
            Description = Items(cve, "descriptions").Where(d => Text(d, "lang") == "en").Select(d => Text(d, "value")).FirstOrDefault() ?? "",
            Cvss = score,
            CvssVector = vector,
            PublishedOn = Time(cve, "published"),
            UpdatedOn = Time(cve, "lastModified"),
            PublicExploit = exploits.Count > 0,
            ExploitUris = exploits,
            ExploitVerified = Text(cve, "cisaExploitAdd") is not null,
            Affected = [.. Items(cve, "configurations").SelectMany(c => Items(c, "nodes")).SelectMany(node => Matches(id, node, notes))],
            IsWithdrawn = Text(cve, "vulnStatus") is "Rejected",
        };
    }

    private static (double? Score, string? Vector) Score(JsonElement cve)
    {
        if (!cve.TryGetProperty("metrics", out var metrics)) return default;
        foreach (var name in Metrics)
        {
            var best = Items(metrics, name).OrderBy(m => Text(m, "type") == "Primary" ? 0 : 1).FirstOrDefault();
            if (best.ValueKind == JsonValueKind.Object && best.TryGetProperty("cvssData", out var data) && Number(data, "baseScore") is { } score)
                return (score, Text(data, "vectorString"));
        }

        return default;
    }

    private static IEnumerable<AffectedRange> Matches(string id, JsonElement node, ImportNotes notes)
    {
        if (node.TryGetProperty("negate", out var negate) && negate.ValueKind == JsonValueKind.True)
        {
            notes.Add("negated configuration", id);
            yield break;
        }

        foreach (var match in Items(node, "cpeMatch"))
        {
            // What is not vulnerable itself is the ground on which something else is.
            if (!match.TryGetProperty("vulnerable", out var vulnerable) || vulnerable.ValueKind != JsonValueKind.True) continue;
            if (Text(match, "criteria") is not { } criteria || Parts(criteria) is not [_, _, _, var vendor, var product, var version, var update, ..])
            {
                notes.Add("product name that cannot be read", $"{id}: {Text(match, "criteria")}");
                continue;
            }

            var range = new AffectedRange("cpe", $"{vendor}:{product}");
            if (version is not ("*" or "-"))
            {
                yield return range with { Versions = [update is "*" or "-" or "" ? version : $"{version}-{update}"] };
                continue;
            }

            if (version == "-") continue;
            var introduced = Text(match, "versionStartIncluding");
            if (introduced is null && Text(match, "versionStartExcluding") is { } after)
            {
                introduced = after;
                notes.Add("range that begins behind a version, read as beginning with it", $"{id}: {vendor} {product} {after}");
            }

            yield return range with { Introduced = introduced, Fixed = Text(match, "versionEndExcluding"), LastAffected = Text(match, "versionEndIncluding") };
        }
    }

    // cpe:2.3:part:vendor:product:version:update:… where a backslash takes the meaning from what follows it.
    private static List<string> Parts(string criteria)
    {
        var parts = new List<string>(13);
        var part = new StringBuilder();
        for (var at = 0; at < criteria.Length; at++)
        {
            if (criteria[at] == '\\' && at + 1 < criteria.Length) part.Append(criteria[++at]);
            else if (criteria[at] == ':')
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else part.Append(criteria[at]);
        }

        parts.Add(part.ToString());
        return parts;
    }
}
