using System.Globalization;
using System.Text.RegularExpressions;
using Vedette.Agent.Contract;
using Vedette.Telemetry.Import;

namespace Vedette.Defender.Vulnerabilities.Inventory;

/// <summary>Turns what imported logs tell of programs into an inventory: names as product codes write them.</summary>
internal static partial class ImportedSoftware
{
    // Words of a company's form, which product codes leave out.
    private static readonly HashSet<string> Forms = new(StringComparer.Ordinal)
    {
        "corporation", "corp", "incorporated", "inc", "llc", "ltd", "limited", "gmbh", "ag", "sa", "co", "company", "foundation", "technologies", "software", "systems", "project", "group", "the",
    };

    /// <summary>The software that a device is seen to have. Parts of the operating system stand for the system, which is listed when its build is known.</summary>
    public static IReadOnlyList<SoftwareItem> Of(ObservedDevice device)
    {
        var items = new Dictionary<(string, string, string), SoftwareItem>();
        if (OperatingSystem(device) is { } system) items[(system.Vendor, system.Name, system.Version)] = system;
        foreach (var seen in device.Software)
        {
            var vendor = Vendor(seen.Company);
            var name = Product(seen.Product, vendor);
            var version = Number().Match(seen.Version.Replace(',', '.').Replace(" ", "", StringComparison.Ordinal)).Value;
            if (vendor.Length == 0 || name.Length == 0 || version.Length == 0 || IsSystem(vendor, name)) continue;
            items.TryAdd((vendor, name, version), new SoftwareItem(vendor, name, version) { DiskPaths = [seen.Path], FirstSeen = DateTime.SpecifyKind(device.FirstSeen, DateTimeKind.Utc) });
        }

        return [.. items.Values];
    }

    private static SoftwareItem? OperatingSystem(ObservedDevice device)
    {
        if (device is not { OsBuild: { } build, OsRevision: { } revision } || !device.OsPlatform.StartsWith("Windows", StringComparison.Ordinal)) return null;
        var simulated = new Vedette.Defender.State.Machine { OsPlatform = device.OsPlatform, OsBuild = build, Version = Machines.WindowsReleases.Of(build) };
        var version = string.Create(CultureInfo.InvariantCulture, $"10.0.{build}.{revision}");
        return SimulatedInventory.OperatingSystem(SimulatedDevice.Of(simulated) with { Version = version }) with { FirstSeen = DateTime.SpecifyKind(device.FirstSeen, DateTimeKind.Utc) };
    }

    private static bool IsSystem(string vendor, string name) => vendor == "microsoft" && name is "windows_operating_system" or "windows";

    private static string Vendor(string company) => string.Join('_', Words(company).Where(word => !Forms.Contains(word)));

    private static string Product(string product, string vendor)
    {
        var name = string.Join('_', Words(product));
        return name.StartsWith(vendor + "_", StringComparison.Ordinal) ? name[(vendor.Length + 1)..] : name;
    }

    private static IEnumerable<string> Words(string text) =>
        Word().Matches(text.ToLowerInvariant().Replace("\u00ae", "", StringComparison.Ordinal).Replace("\u2122", "", StringComparison.Ordinal).Replace("(r)", "", StringComparison.Ordinal)
            .Replace("(tm)", "", StringComparison.Ordinal)).Select(match => match.Value.TrimEnd('.')).Where(word => word.Length > 0);

    [GeneratedRegex(@"[\p{L}\p{N}][\p{L}\p{N}.+#-]*")]
    private static partial Regex Word();

    [GeneratedRegex(@"^\d+(\.\d+)*")]
    private static partial Regex Number();
}
