using Vedette.Telemetry.Engine;

namespace Vedette.Testing;

/// <summary>
/// The ClickHouse engine of a test process: opened on first use in a folder of its own under the system's temporary folder, closed and
/// removed when the process ends. A process has one engine, so tests keep apart by database: see <see cref="NewDatabaseAsync"/>.
/// </summary>
public static class TestEngine
{
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
        var folder = Directory.CreateTempSubdirectory("vedette-test-").FullName;
        var engine = EmbeddedClickHouse.Open(folder, connections: 4);
        // Runs after the engine's own handler, which was added first.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return engine;
    }
}
