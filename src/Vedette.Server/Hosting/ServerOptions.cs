using Vedette.Defender.State;

namespace Vedette.Server.Hosting;

/// <summary>How a server is to run: what the command line and the environment say.</summary>
internal sealed record ServerOptions
{
    /// <summary>The data folder.</summary>
    public string Data { get; init; } = ".vedette";

    /// <summary>Port of https on the loopback interface; 0 takes a free one.</summary>
    public int HttpsPort { get; init; } = 8443;

    /// <summary>Port of plain http on the loopback interface; 0 takes a free one.</summary>
    public int HttpPort { get; init; } = 8080;

    /// <summary>True to answer, on <see cref="HostsPort"/>, by the host names of the real services.</summary>
    public bool Hosts { get; init; }

    /// <summary>Port of https for the real services' host names.</summary>
    public int HostsPort { get; init; } = 443;

    /// <summary>Port of the CONNECT proxy for the real services' host names; 0 takes a free one, null has none.</summary>
    public int? ProxyPort { get; init; }

    /// <summary>Start without the demo organisation's devices and telemetry. The demo application exists all the same.</summary>
    public bool Empty { get; init; }

    /// <summary>True for a command that wants the demo organisation without serving it.</summary>
    public bool Demo { get; init; }

    /// <summary>Print one JSON object when ready instead of text for people.</summary>
    public bool Json { get; init; }

    /// <summary>True to apply the real service's call quotas.</summary>
    public bool Quotas { get; init; } = true;

    /// <summary>How simulated devices pace their actions; null leaves what the tenant's settings say.</summary>
    public ActionTiming? ActionTiming { get; init; }

    /// <summary>Days of telemetry to keep.</summary>
    public int RetentionDays { get; init; } = 30;

    /// <summary>Connection string of a PostgreSQL to use instead of the embedded one.</summary>
    public string? Postgres { get; init; }

    /// <summary>Address of a ClickHouse to use instead of the embedded one.</summary>
    public string? ClickHouse { get; init; }

    /// <summary>False for a command that opens the data without serving it.</summary>
    public bool Serve { get; init; } = true;

    /// <summary>Serve the control API and record requests.</summary>
    public bool Control { get; init; }

    /// <summary>YAML file with steps to run before the ports open.</summary>
    public string? Scenario { get; init; }

    /// <summary>What the data folder's settings say.</summary>
    public ServerSettings Settings { get; init; } = new();

    /// <summary>Log more.</summary>
    public bool Verbose { get; init; }
}
