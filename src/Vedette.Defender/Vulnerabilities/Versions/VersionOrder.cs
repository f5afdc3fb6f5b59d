namespace Vedette.Defender.Vulnerabilities.Versions;

/// <summary>How versions compare. Each scheme (a distribution, a package registry, plain products) has rules of its own.</summary>
internal static class VersionOrder
{
    // The first part of a scheme's name, before the colon, and its rules. OSV's names of ecosystems are used where OSV has one.
    private static readonly Dictionary<string, Comparison<string>> ByScheme = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Debian"] = DpkgVersion.Compare,
        ["Ubuntu"] = DpkgVersion.Compare,
        ["Red Hat"] = RpmVersion.Compare,
        ["Rocky Linux"] = RpmVersion.Compare,
        ["AlmaLinux"] = RpmVersion.Compare,
        ["SUSE"] = RpmVersion.Compare,
        ["openSUSE"] = RpmVersion.Compare,
        ["Mageia"] = RpmVersion.Compare,
        ["openEuler"] = RpmVersion.Compare,
        ["npm"] = SemanticVersion.Compare,
        ["crates.io"] = SemanticVersion.Compare,
        ["Go"] = SemanticVersion.Compare,
        ["Hex"] = SemanticVersion.Compare,
        ["Pub"] = SemanticVersion.Compare,
        ["SwiftURL"] = SemanticVersion.Compare,
        ["GitHub Actions"] = SemanticVersion.Compare,
        ["NuGet"] = SemanticVersion.Compare,
        ["PyPI"] = PythonVersion.Compare,
        ["cpe"] = DottedVersion.Compare,
        ["Windows"] = DottedVersion.Compare,
    };

    /// <summary>The rules of a scheme; null when they are not known, so that nobody compares by the wrong ones.</summary>
    public static Comparison<string>? Of(string scheme)
    {
        var colon = scheme.IndexOf(':', StringComparison.Ordinal);
        return ByScheme.GetValueOrDefault(colon < 0 ? scheme : scheme[..colon]);
    }

    /// <summary>The greatest of some versions by a scheme's rules; null when there is none or the rules are not known.</summary>
    public static string? Greatest(string scheme, IEnumerable<string> versions)
    {
        if (Of(scheme) is not { } compare) return null;
        string? greatest = null;
        foreach (var version in versions)
            if (greatest is null || compare(version, greatest) > 0) greatest = version;
        return greatest;
    }
}
