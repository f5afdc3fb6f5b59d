using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Vedette.Defender.Tests.Streaming;

/// <summary>A storage account on this machine: npm's azurite with everything in memory.</summary>
internal sealed class StorageEmulator : IDisposable
{
    // The emulator's published account and key, the same on every machine.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private readonly Process _process;

    private StorageEmulator(Process process, int port)
    {
        _process = process;
        ConnectionString = $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint=http://127.0.0.1:{port}/{Account};";
    }

    public string ConnectionString { get; }

    public static async Task<StorageEmulator> StartAsync()
    {
        int port;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        var script = Path.Combine(ProjectFolder(), "node", "node_modules", "azurite", "dist", "src", "blob", "main.js");
        File.Exists(script).ShouldBeTrue("azurite is not installed: run tests/install-clients.sh");
        var start = new ProcessStartInfo("node", [script, "--blobPort", $"{port}", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]) { RedirectStandardOutput = true };
        var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            if (line.Contains("successfully listens", StringComparison.Ordinal)) return new StorageEmulator(process, port);
        throw new InvalidOperationException("azurite ended before it listened.");
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static string ProjectFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "tests", "Vedette.Defender.Tests");
            if (Directory.Exists(candidate)) return candidate;
        }

        throw new DirectoryNotFoundException("The test project's folder was not found above the program.");
    }
}
