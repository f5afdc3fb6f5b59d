namespace Vedette.Defender.Vulnerabilities.Inventory;

/// <summary>When the support of a product, or of some of its versions, ends.</summary>
/// <param name="Vendor">Vendor.</param>
/// <param name="Name">Product.</param>
/// <param name="Versions">Beginning of the versions meant; empty for the whole product.</param>
/// <param name="EndsOn">Last day of support.</param>
internal sealed record SupportFact(string Vendor, string Name, string Versions, DateOnly EndsOn)
{
    /// <summary><c>Version</c> or <c>Software</c>, as the end-of-support states name it.</summary>
    public string Scope => Versions.Length > 0 ? "Version" : "Software";
}

/// <summary>Published ends of support. Sources: the vendors' lifecycle pages.</summary>
internal static class SupportFacts
{
    private static readonly Lazy<ILookup<string, SupportFact>> Facts = new(() =>
        TvmJson.Resource<SupportFact[]>("support").ToLookup(f => $"{f.Vendor}:{f.Name}", StringComparer.Ordinal));

    /// <summary>The end of a version's support; null when none is known.</summary>
    public static SupportFact? Of(string vendor, string name, string version) => Facts.Value[$"{vendor}:{name}"]
        .Where(f => f.Versions.Length == 0 || version == f.Versions || version.StartsWith(f.Versions + ".", StringComparison.Ordinal))
        .OrderByDescending(f => f.Versions.Length).FirstOrDefault();
}
