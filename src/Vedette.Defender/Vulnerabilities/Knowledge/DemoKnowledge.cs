namespace Vedette.Defender.Vulnerabilities.Knowledge;

/// <summary>A small knowledge that fits the simulated devices, so that there is something to see without any feed. Its facts are public ones.</summary>
internal static class DemoKnowledge
{
    /// <summary>Adds it, unless it is there in this form.</summary>
    /// <returns>Whether it was added.</returns>
    public static async Task<bool> EnsureAsync(KnowledgeStore store, DateTime now, CancellationToken cancellationToken)
    {
        var facts = TvmJson.Resource<Fact[]>("demo-knowledge");
        var form = $"{facts.Length} vulnerabilities";
        var known = await store.StatusAsync(cancellationToken);
        if (known.Feeds.Any(f => f.Source == nameof(KnowledgeSource.Demo) && f.Released == form)) return false;
        await store.AddAsync(KnowledgeSource.Demo, [.. facts.Select(Entry)], cancellationToken);
        await store.FinishAsync(new ImportedFeed(nameof(KnowledgeSource.Demo), "demo", form, now, facts.Length, facts.Length), cancellationToken);
        return true;
    }

    private static KnowledgeEntry Entry(Fact fact) => new(fact.Id)
    {
        Description = fact.Description,
        Cvss = fact.Cvss,
        PublishedOn = fact.Published.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc),
        UpdatedOn = fact.Updated.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc),
        PublicExploit = fact.Exploit is not "none",
        ExploitVerified = fact.Exploit is "verified" or "kit",
        ExploitInKit = fact.Exploit is "kit",
        ExploitTypes = fact.Types,
        Epss = fact.Epss,
        Affected = fact.Affected,
    };

    private sealed record Fact(
        string Id, string Description, double Cvss, DateOnly Published, DateOnly Updated, string Exploit, double Epss, string[] Types, AffectedRange[] Affected);
}
