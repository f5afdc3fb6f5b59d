using System.Collections.Frozen;

namespace Vedette.Defender.Machines;

/// <summary>Names of Windows releases by build number. Source: Microsoft's release information pages.</summary>
internal static class WindowsReleases
{
    private static readonly FrozenDictionary<long, string> Names = new Dictionary<long, string>
    {
        [10240] = "1507", [10586] = "1511", [14393] = "1607", [15063] = "1703", [16299] = "1709", [17134] = "1803", [17763] = "1809",
        [18362] = "1903", [18363] = "1909", [19041] = "2004", [19042] = "20H2", [19043] = "21H1", [19044] = "21H2", [19045] = "22H2",
        [20348] = "21H2", [22000] = "21H2", [22621] = "22H2", [22631] = "23H2", [25398] = "23H2", [26100] = "24H2", [26200] = "25H2",
    }.ToFrozenDictionary();

    /// <summary>The release of a build; an empty string when it is not known.</summary>
    internal static string Of(long? build) => build is { } number ? Names.GetValueOrDefault(number, "") : "";
}
