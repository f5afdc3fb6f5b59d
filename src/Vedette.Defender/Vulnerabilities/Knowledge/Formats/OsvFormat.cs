using System.Text.Json;
using Vedette.Defender.Vulnerabilities.Versions;

namespace Vedette.Defender.Vulnerabilities.Knowledge.Formats;

/// <summary>Open Source Vulnerabilities: one record an object, alone, in an array, line by line, or in a zip. Source: ossf.github.io/osv-schema.</summary>
internal sealed class OsvFormat : FeedFormat
{
    public override KnowledgeSource Source => KnowledgeSource.Osv;

    public override bool IsWhole => true;

    public override bool Recognises(JsonItem item) => Text(item.Value, "id") is not null && Text(item.Value, "modified") is not null;

    public override IEnumerable<KnowledgeEntry> Read(JsonItem item, ImportNotes notes)
    {
        var record = item.Value;
        if (Text(record, "id") is not { } id)
        {
            notes.Add("record without an id", record.ToString() is { Length: > 60 } text ? text[..60] : record.ToString());
            yield break;
        }

        var vector = Items(record, "severity").Where(s => Text(s, "type") == "CVSS_V3").Select(s => Text(s, "score")).FirstOrDefault(s => s is not null);
        var score = vector is null ? null : CvssScore.Of(vector);
        if (vector is not null && score is null) notes.Add("CVSS vector that cannot be read", $"{id}: {vector}");
        var affected = Items(record, "affected").SelectMany(a => Ranges(id, a, notes)).ToList();
        foreach (var cve in Cves(id, record))
        {
            yield return new KnowledgeEntry(cve)
            {
                Record = id,
                Description = Text(record, "details") ?? Text(record, "summary") ?? "",
                Severity = score is null ? Word(record) : null,
                Cvss = score,
                CvssVector = score is null ? null : vector,
                PublishedOn = Time(record, "published"),
                UpdatedOn = Time(record, "modified"),
                PublicExploit = Items(record, "references").Any(r => Text(r, "type") == "EVIDENCE"),
                Affected = affected,
                IsWithdrawn = Time(record, "withdrawn") is not null,
            };
        }
    }

    // An advisory stands for the CVEs that it names; one that names none is known by its own id.
    private static IEnumerable<string> Cves(string id, JsonElement record)
    {
        if (id.StartsWith("CVE-", StringComparison.Ordinal)) return [id];
        var named = Items(record, "aliases").Concat(Items(record, "upstream"))
            .Where(a => a.ValueKind == JsonValueKind.String).Select(a => a.GetString()!)
            .Where(a => a.StartsWith("CVE-", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).ToList();
        return named.Count > 0 ? named : [id];
    }

    private static string? Word(JsonElement record) =>
        record.TryGetProperty("database_specific", out var specific) && Text(specific, "severity") is { } word
            ? word.ToUpperInvariant() switch { "LOW" => "Low", "MODERATE" or "MEDIUM" => "Medium", "HIGH" or "IMPORTANT" => "High", "CRITICAL" => "Critical", _ => null }
            : null;

    private static IEnumerable<AffectedRange> Ranges(string id, JsonElement affected, ImportNotes notes)
    {
        if (!affected.TryGetProperty("package", out var package) || Text(package, "name") is not { } name || Text(package, "ecosystem") is not { } ecosystem)
        {
            // Records about source code alone name a repository and commits, which no inventory holds.
            notes.Add("affected entry without a package", id);
            yield break;
        }

        var scheme = Scheme(ecosystem);
        var versions = Items(affected, "versions").Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!).ToList();
        if (VersionOrder.Of(scheme) is null)
        {
            notes.Add($"ranges of {scheme.Split(':')[0]}, whose order of versions is not known", $"{id}: {name}");
            if (versions.Count > 0) yield return new AffectedRange(scheme, name) { Versions = versions };
            yield break;
        }

        var found = false;
        foreach (var range in Items(affected, "ranges"))
        {
            if (Text(range, "type") is not ("ECOSYSTEM" or "SEMVER")) continue;
            foreach (var span in Spans(range))
            {
                found = true;
                yield return new AffectedRange(scheme, name) { Introduced = span.Introduced is "0" ? null : span.Introduced, Fixed = span.Fixed, LastAffected = span.Last };
            }
        }

        if (!found && versions.Count > 0) yield return new AffectedRange(scheme, name) { Versions = versions };
        else if (!found) notes.Add("affected package without versions", $"{id}: {name}");
    }

    private static IEnumerable<(string? Introduced, string? Fixed, string? Last)> Spans(JsonElement range)
    {
        string? introduced = null;
        foreach (var step in Items(range, "events"))
        {
            if (Text(step, "introduced") is { } from)
            {
                if (introduced is not null) yield return (introduced, null, null);
                introduced = from;
            }
            else if (Text(step, "fixed") is { } until && introduced is not null)
            {
                yield return (introduced, until, null);
                introduced = null;
            }
            else if (Text(step, "last_affected") is { } last && introduced is not null)
            {
                yield return (introduced, null, last);
                introduced = null;
            }
        }

        if (introduced is not null) yield return (introduced, null, null);
    }

    // Ubuntu:22.04:LTS is Ubuntu:22.04.
    private static string Scheme(string ecosystem)
    {
        var parts = ecosystem.Split(':');
        return parts is ["Ubuntu", _, "LTS"] ? $"{parts[0]}:{parts[1]}" : ecosystem;
    }
}
