namespace Vedette.Telemetry.Hunting;

/// <summary>What <c>externaldata</c> and the plug-ins that call services may reach. Off until a host is named.</summary>
public sealed record ExternalDataOptions
{
    /// <summary>
    /// Hosts that may be read: <c>feeds.example.com</c>, <c>feeds.example.com:8443</c>, <c>*.example.com</c> (any name below it), an address, or a
    /// network such as <c>10.20.0.0/16</c>. Without a port only 443 is meant. A name that leads to a private address is refused unless the address
    /// or its network is in the list as well.
    /// </summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Bytes of one file or answer, as transferred, at most.</summary>
    public long MaxBytes { get; init; } = 32L * 1024 * 1024;

    /// <summary>Characters of all files of one <c>externaldata</c>, or of all that one plug-in fetches, unpacked, at most.</summary>
    public int MaxCharacters { get; init; } = 32 * 1024 * 1024;

    /// <summary>Time for one file or call, from the connection to its last byte.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What is wrong with the values; empty when they can be used.</summary>
    public IEnumerable<string> Problems()
    {
        if (MaxBytes is < 1 or > 1L << 30) yield return $"ExternalData:MaxBytes is a number from 1 to {1L << 30}.";
        if (MaxCharacters is < 1 or > 256 << 20) yield return $"ExternalData:MaxCharacters is a number from 1 to {256 << 20}.";
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMinutes(10)) yield return "ExternalData:Timeout is a time above 0 and up to ten minutes.";
        foreach (var host in AllowedHosts)
        {
            if (ExternalHosts.Problem(host) is { } problem) yield return "ExternalData:AllowedHosts: " + problem;
        }
    }
}
