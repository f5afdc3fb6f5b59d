using System.Diagnostics;

namespace Vedette.Testing;

/// <summary>A server of npm's, run by Node beside the tests.</summary>
internal sealed class NodeServer : IDisposable
{
    private readonly Process _process;
    private Task _rest = Task.CompletedTask;

    private NodeServer(Process process) => _process = process;

    /// <summary>Starts a script and waits for the line that says it listens.</summary>
    /// <param name="script">The script, below the folder of the packages.</param>
    /// <param name="isReady">Tells the line.</param>
    /// <param name="arguments">What the script is given.</param>
    public static async Task<(NodeServer Server, string Line)> StartAsync(string script, Func<string, bool> isReady, params string[] arguments)
    {
        var file = Path.Combine(Folder(), script);
        if (!File.Exists(file) || !Directory.Exists(Path.Combine(Folder(), "node_modules"))) throw new InvalidOperationException("The servers of the tests are not installed: run tests/install-clients.sh");
        var start = new ProcessStartInfo("node", [file, .. arguments]) { RedirectStandardOutput = true };
        var server = new NodeServer(Process.Start(start)!);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await server._process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (!isReady(line)) continue;
            // Whatever it says from now on is read and dropped: a full pipe would stop it.
            server._rest = server._process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            return (server, line);
        }

        server.Dispose();
        throw new InvalidOperationException($"{script} ended before it listened.");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        ((IAsyncResult)_rest).AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(5));
        _process.Dispose();
    }

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "tests", "Vedette.Testing", "node");
            if (Directory.Exists(candidate)) return candidate;
        }

        throw new DirectoryNotFoundException("The folder of the tests' servers was not found above the program.");
    }
}
