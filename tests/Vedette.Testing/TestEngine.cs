using Vedette.Telemetry.Engine;

namespace Vedette.Testing;

/// <summary>
/// The ClickHouse engine of a test process: opened on first use in a folder of its own under the system's temporary folder, closed and
/// removed when the process ends. A process has one engine, so tests keep apart by database: see <see cref="NewDatabaseAsync"/>.
/// </summary>
public static class TestEngine
{
    private const string Prefix = "vedette-test-";

    private static readonly Lazy<EmbeddedClickHouse> Lazy = new(Open);
    private static int _lastDatabase;

    /// <summary>The engine. Never dispose it in a test.</summary>
    public static IClickHouse Shared => Lazy.Value;

    /// <summary>Makes an empty database and returns its name.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref _lastDatabase)}";
        await Shared.ExecuteAsync($"CREATE DATABASE {name} ENGINE = Atomic");
        return name;
    }

    private static EmbeddedClickHouse Open()
    {
        RemoveLeftovers();
        var folder = Directory.CreateTempSubdirectory($"{Prefix}{Environment.ProcessId}-").FullName;
        var engine = EmbeddedClickHouse.Open(folder, connections: 4);
        // Runs after the engine's own handler, which was added first.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Remove(folder);
        return engine;
    }

    // A test host is given a tenth of a second to end and is killed then, often before its folder is gone: the next one removes it.
    private static void RemoveLeftovers()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            var owner = Path.GetFileName(folder)[Prefix.Length..].Split('-')[0];
            if (int.TryParse(owner, out var process) && !Directory.Exists($"/proc/{process}") && Directory.Exists("/proc")) Remove(folder);
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Another test process removes it at the same time, or it belongs to another user.
        }
    }
}
