using System.Net;
using System.Net.Sockets;

namespace Vedette.Testing;

/// <summary>A storage account on this machine: npm's azurite with everything in memory.</summary>
public sealed class StorageEmulator : IDisposable
{
    /// <summary>The emulator's published account, the same on every machine.</summary>
    public const string Account = "devstoreaccount1";

    /// <summary>The account's published key.</summary>
    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly NodeServer _server;

    private StorageEmulator(NodeServer server, int port, string scheme)
    {
        _server = server;
        Port = port;
        ConnectionString = $"DefaultEndpointsProtocol={scheme};AccountName={Account};AccountKey={Key};BlobEndpoint={scheme}://127.0.0.1:{port}/{Account};";
    }

    /// <summary>How to reach the account.</summary>
    public string ConnectionString { get; }

    /// <summary>The port on the loopback address.</summary>
    public int Port { get; }

    /// <summary>Starts one.</summary>
    /// <param name="certificate">The certificate that it shows; null for plain http.</param>
    public static async Task<StorageEmulator> StartAsync(TestCertificate? certificate = null)
    {
        int port;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        string[] encrypted = certificate is null ? [] : ["--cert", certificate.CertificateFile, "--key", certificate.KeyFile];
        var (server, _) = await NodeServer.StartAsync(
            Path.Combine("node_modules", "azurite", "dist", "src", "blob", "main.js"),
            static line => line.Contains("successfully listens", StringComparison.Ordinal),
            ["--blobPort", $"{port}", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", .. encrypted]);
        return new StorageEmulator(server, port, certificate is null ? "http" : "https");
    }

    /// <inheritdoc/>
    public void Dispose() => _server.Dispose();
}
