using System.Collections.Concurrent;
using Npgsql;

namespace Vedette.Server.Http.Entities;

/// <summary>What a table's version was, and whether a page that is read from now on may be kept under it.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="IsQuiet">Whether nobody was changing the table right after the version was read.</param>
internal readonly record struct TableVersion(long Version, bool IsQuiet);

/// <summary>
/// Asks the database for the versions of tables. Requests that ask while an answer is under way share the next one: it is read after each of
/// them began, so none sees a state older than itself, and under load one question serves many.
/// </summary>
internal sealed class TableVersions(NpgsqlDataSource database)
{
    private readonly ConcurrentDictionary<string, Line> _lines = new(StringComparer.Ordinal);

    /// <summary>The version of a table now.</summary>
    /// <param name="sequence">The sequence that its triggers move on; a name of ours, never a caller's.</param>
    public Task<TableVersion> CurrentAsync(string sequence) => _lines.GetOrAdd(sequence, name => new Line(database, name)).AskAsync();

    private sealed class Line(NpgsqlDataSource database, string sequence)
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource<TableVersion>? _next;
        private bool _isAsking;

        public Task<TableVersion> AskAsync()
        {
            lock (_lock)
            {
                _next ??= new TaskCompletionSource<TableVersion>(TaskCreationOptions.RunContinuationsAsynchronously);
                var mine = _next.Task;
                if (!_isAsking)
                {
                    _isAsking = true;
                    _ = AskAllAsync();
                }

                return mine;
            }
        }

        private async Task AskAllAsync()
        {
            while (true)
            {
                TaskCompletionSource<TableVersion> waiting;
                lock (_lock)
                {
                    if (_next is null)
                    {
                        _isAsking = false;
                        return;
                    }

                    (waiting, _next) = (_next, null);
                }

                try
                {
                    waiting.SetResult(await ReadAsync());
                }
                catch (Exception failure)
                {
                    waiting.SetException(failure);
                }
            }
        }

        // Two statements, so that the look at who is writing is later than the version: whoever changes something in between moves the version on.
        private async Task<TableVersion> ReadAsync()
        {
            await using var batch = database.CreateBatch();
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"SELECT last_value FROM {sequence}"));
            batch.BatchCommands.Add(new NpgsqlBatchCommand($"SELECT pg_try_advisory_xact_lock(hashtextextended('{sequence}', 0))"));
            await using var reader = await batch.ExecuteReaderAsync();
            await reader.ReadAsync();
            var version = reader.GetInt64(0);
            await reader.NextResultAsync();
            await reader.ReadAsync();
            return new TableVersion(version, reader.GetBoolean(0));
        }
    }
}
