using System.Text.Json;

namespace Vedette.Defender.Vulnerabilities.Knowledge.Formats;

/// <summary>CISA's catalogue of known exploited vulnerabilities.</summary>
internal sealed class KevFormat : FeedFormat
{
    public override KnowledgeSource Source => KnowledgeSource.Kev;

    public override IReadOnlySet<string> Enter { get; } = new HashSet<string> { "vulnerabilities" };

    public override bool Recognises(JsonItem item) => item.Value.ValueKind == JsonValueKind.Object && Text(item.Value, "cveID") is not null;

    public override IEnumerable<KnowledgeEntry> Read(JsonItem item, ImportNotes notes)
    {
        if (item.Name.Length > 0 && item.Name != "vulnerabilities") yield break;
        if (item.Value.ValueKind != JsonValueKind.Object || Text(item.Value, "cveID") is not { } id)
        {
            notes.Add("record without a CVE", item.Value.ValueKind.ToString());
            yield break;
        }

        yield return new KnowledgeEntry(id)
        {
            Description = Text(item.Value, "shortDescription") ?? "",
            PublicExploit = true,
            ExploitVerified = true,
            ExploitInKit = Text(item.Value, "knownRansomwareCampaignUse") == "Known",
            Tags = ["KnownExploited"],
        };
    }
}
