using System.Globalization;

namespace Vedette.Foundation.Postgres;

/// <summary>Clears what a killed server left of its engine: processes on their way out, and the notes of a server that is gone.</summary>
internal static class Leftovers
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    internal static async Task ClearAsync(EnginePlace place, CancellationToken cancellationToken)
    {
        var note = Path.Combine(place.Cluster, "postmaster.pid");
        if (!File.Exists(note) || !Directory.Exists("/proc/self")) return;

        // The engine was told to stop when its server died: give it time, then insist. Its note must stay while any of its processes lives.
        foreach (var signal in new int?[] { null, Posix.Quit, Posix.Kill })
        {
            var living = Living(place);
            if (signal is { } number) living.ForEach(id => Posix.Signal(id, number));
            for (var waited = TimeSpan.Zero; living.Count > 0 && waited < Patience; waited += Look)
            {
                await Task.Delay(Look, cancellationToken);
                living = Living(place);
            }

            if (living.Count == 0) break;
        }

        if (Living(place) is [var survivor, ..])
        {
            throw new PostgresStartException($"An engine of an earlier server (process {survivor}) still uses {place.Cluster} and does not end.");
        }

        // Nobody uses the cluster, so the note is stale. Left in place, it would stop the engine if its process number were in use by another.
        File.Delete(note);
        foreach (var socket in Directory.EnumerateFiles(place.Cluster, ".s.PGSQL.*")) File.Delete(socket);
    }

    /// <summary>The cluster's processes, told by its mark in their command lines (which anyone may read, unlike their folders).</summary>
    private static List<int> Living(EnginePlace place)
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) || id == Environment.ProcessId) continue;
            try
            {
                var line = File.ReadAllText(Path.Combine(folder, "cmdline"));
                if (line.Contains(place.ClusterName, StringComparison.Ordinal) && line.Contains("postgres", StringComparison.Ordinal)) found.Add(id);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked.
            }
        }

        return found;
    }
}
