namespace Vedette.Server.Hosting;

/// <summary>What operations may ask about the running server.</summary>
internal sealed class ServerState
{
    /// <summary>Where it listens; null for a command that only opened the data.</summary>
    public ServerAddress? Address { get; set; }

    /// <summary>The demo application and its tenant.</summary>
    public DemoCredentials? Demo { get; set; }

    /// <summary>PEM file of the authority that clients are to trust.</summary>
    public string AuthorityCertificateFile { get; set; } = "";
}
