namespace Vedette.Defender;

/// <summary>Settings of the domain.</summary>
public sealed record DefenderOptions
{
    /// <summary>Folder for the files that actions produce.</summary>
    public required string FilesFolder { get; init; }

    /// <summary>How long an action waits for a device that does not call. Source: the service's published three days.</summary>
    public TimeSpan ActionLifetime { get; init; } = TimeSpan.FromDays(3);

    /// <summary>Live response sessions of a tenant at once, at most. Source: the service's published limit.</summary>
    public int LiveResponseSessions { get; init; } = 25;

    /// <summary>Bytes of a file that a device hands over, at most.</summary>
    public long MaxUploadBytes { get; init; } = 3L * 1024 * 1024 * 1024;

    /// <summary>Whether devices without a real agent are played by the server.</summary>
    public bool SimulateDevices { get; init; } = true;
}
