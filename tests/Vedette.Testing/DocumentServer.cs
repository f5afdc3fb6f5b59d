using System.Globalization;

namespace Vedette.Testing;

/// <summary>A Cosmos DB account on this machine: npm's server over https, with signatures checked.</summary>
public sealed class DocumentServer : IDisposable
{
    /// <summary>The account's key.</summary>
    public const string Key = "dmVkZXR0ZSBkb2N1bWVudCBzZXJ2ZXIga2V5";

    private readonly NodeServer _server;

    private DocumentServer(NodeServer server, int port) => (_server, Port) = (server, port);

    /// <summary>The port on the loopback address.</summary>
    public int Port { get; }

    /// <summary>Starts one that shows a certificate.</summary>
    public static async Task<DocumentServer> StartAsync(TestCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var (server, line) = await NodeServer.StartAsync(
            "documents.js", static line => int.TryParse(line, CultureInfo.InvariantCulture, out _), certificate.CertificateFile, certificate.KeyFile, Key);
        return new DocumentServer(server, int.Parse(line, CultureInfo.InvariantCulture));
    }

    /// <inheritdoc/>
    public void Dispose() => _server.Dispose();
}
