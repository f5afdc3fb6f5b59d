using System.Collections.Concurrent;

namespace Vedette.Telemetry.Engine;

/// <summary>
/// Tables that are loaded when they are first needed instead of when the engine opens. Loading looks at every part of every table, about
/// 0.7 ms each: too long to wait for when most queries need one table. Before the engine opens, each table of the database is marked as
/// detached, which the engine respects; it is attached again on first use, or in the background.
/// </summary>
internal sealed class DeferredTables
{
    // Statements about tables, rather than on them, need all.
    private static readonly string[] Catalogues = ["system.tables", "system.columns", "system.parts", "system.data_skipping_indices"];

    private readonly string _database;
    private readonly Func<string, Task> _execute;
    private readonly ConcurrentDictionary<string, Lazy<Task>> _pending = new(StringComparer.Ordinal);

    private DeferredTables(string database, IEnumerable<string> tables, Func<string, Task> execute)
    {
        _database = database;
        _execute = execute;
        foreach (var table in tables) _pending[table] = new Lazy<Task>(() => AttachAsync(table));
    }

    /// <summary>Marks the tables of a database in a closed data folder, and remembers to attach them.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="database">Name of the database; nothing happens when the folder does not have it.</param>
    /// <param name="execute">Runs a statement without looking for deferred tables.</param>
    public static DeferredTables Mark(string folder, string database, Func<string, Task> execute)
    {
        var metadata = Path.Combine(folder, "metadata", database);
        var tables = new List<string>();
        if (Directory.Exists(metadata))
        {
            foreach (var file in Directory.EnumerateFiles(metadata, "*.sql"))
            {
                var table = Path.GetFileNameWithoutExtension(file);
                if (!table.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_')) continue;
                File.WriteAllBytes(file + ".detached", []);
                tables.Add(table);
            }
        }

        return new DeferredTables(database, tables, execute);
    }

    /// <summary>Waits until the tables that a statement names are there.</summary>
    public Task RequireAsync(string sql)
    {
        if (_pending.IsEmpty) return Task.CompletedTask;
        if (Catalogues.Any(c => sql.Contains(c, StringComparison.Ordinal))) return LoadAllAsync();
        List<Task>? needed = null;
        foreach (var (table, attach) in _pending)
        {
            if (sql.Contains(table, StringComparison.Ordinal)) (needed ??= []).Add(attach.Value);
        }

        return needed is null ? Task.CompletedTask : Task.WhenAll(needed);
    }

    /// <summary>Attaches what is left, one table after the other.</summary>
    public async Task LoadAllAsync(CancellationToken cancellationToken = default)
    {
        foreach (var (_, attach) in _pending)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await attach.Value;
        }
    }

    private async Task AttachAsync(string table)
    {
        await _execute($"ATTACH TABLE IF NOT EXISTS {ClickHouseName.Quote(_database)}.{ClickHouseName.Quote(table)}");
        _pending.TryRemove(table, out _);
    }
}
