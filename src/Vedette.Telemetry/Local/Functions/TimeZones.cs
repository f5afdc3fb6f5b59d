namespace Vedette.Telemetry.Local.Functions;

/// <summary>Time zones by the names that queries give them.</summary>
internal static class TimeZones
{
    private static readonly Lazy<Dictionary<string, string>> Names = new(static () =>
    {
        var names = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var zone in TimeZoneInfo.GetSystemTimeZones())
            names.TryAdd(zone.Id, zone.Id);

        // The list leaves out names that are kept for those who know them (US/Pacific): they are files beside the others.
        const string folder = "/usr/share/zoneinfo";
        if (Directory.Exists(folder))
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                if (Path.GetRelativePath(folder, file) is var name && char.IsAsciiLetterUpper(name[0]) && !Path.HasExtension(name))
                    names.TryAdd(name, name);
            }
        }

        return names;
    });

    /// <summary>The name as the database of time zones writes it; null when there is no such zone.</summary>
    public static string? Name(string name) => Names.Value.TryGetValue(name, out var known) ? known
        : TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.HasIanaId ? name
        : TimeZoneInfo.TryConvertWindowsIdToIanaId(name, out var converted) && Names.Value.TryGetValue(converted, out var other) ? other
        : null;

    /// <summary>
    /// A local time as UTC. A time that there is twice is the later of the two; a time that the clocks leave out is taken by the clock behind the gap.
    /// </summary>
    public static DateTime ToUtc(DateTime local, TimeZoneInfo zone)
    {
        var (before, after) = (zone.GetUtcOffset(Utc(local, TimeSpan.FromDays(1))), zone.GetUtcOffset(Utc(local, TimeSpan.FromDays(-1))));
        var offset = before == after || zone.GetUtcOffset(Utc(local, after)) == after || zone.GetUtcOffset(Utc(local, before)) != before ? after : before;
        return Utc(local, offset);

        static DateTime Utc(DateTime local, TimeSpan offset) =>
            new(Math.Clamp(local.Ticks - offset.Ticks, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
    }
}
