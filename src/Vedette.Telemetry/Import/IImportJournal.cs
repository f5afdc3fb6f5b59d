namespace Vedette.Telemetry.Import;

/// <summary>What is remembered about the import of one content.</summary>
/// <param name="Shift">How far its times are moved; fixed by the first import that began it.</param>
/// <param name="ChunksDone">Chunks from the first on that are stored.</param>
/// <param name="Complete">Everything is stored.</param>
public sealed record ImportState(TimeSpan Shift, int ChunksDone, bool Complete);

/// <summary>
/// Remembers how far imports are, so that the same content is imported once and an interrupted import goes on. Contents are named by the
/// SHA-256 of their unpacked text, in lower-case hexadecimal. Every call is durable when it returns.
/// </summary>
public interface IImportJournal
{
    /// <summary>What is remembered about a content; null when nothing is.</summary>
    Task<ImportState?> FindAsync(Guid tenantId, string contentHash, CancellationToken cancellationToken);

    /// <summary>
    /// Begins the import of a content, or goes on with it: when the content is known its remembered state is given back and
    /// <paramref name="shift"/> is ignored.
    /// </summary>
    Task<ImportState> BeginAsync(Guid tenantId, string contentHash, string file, TimeSpan shift, CancellationToken cancellationToken);

    /// <summary>Notes that the chunk with this number (from 0) is stored.</summary>
    Task ChunkDoneAsync(Guid tenantId, string contentHash, int chunk, CancellationToken cancellationToken);

    /// <summary>Notes that everything is stored.</summary>
    Task CompleteAsync(Guid tenantId, string contentHash, long events, long rows, CancellationToken cancellationToken);
}

/// <summary>A journal that lasts as long as the object: for tools and tests that need no resumption.</summary>
public sealed class InMemoryImportJournal : IImportJournal
{
    private readonly Dictionary<(Guid, string), ImportState> _states = [];

    /// <inheritdoc/>
    public Task<ImportState?> FindAsync(Guid tenantId, string contentHash, CancellationToken cancellationToken)
    {
        lock (_states) return Task.FromResult(_states.GetValueOrDefault((tenantId, contentHash)));
    }

    /// <inheritdoc/>
    public Task<ImportState> BeginAsync(Guid tenantId, string contentHash, string file, TimeSpan shift, CancellationToken cancellationToken)
    {
        lock (_states)
        {
            var key = (tenantId, contentHash);
            if (!_states.TryGetValue(key, out var state)) _states[key] = state = new ImportState(shift, 0, false);
            return Task.FromResult(state);
        }
    }

    /// <inheritdoc/>
    public Task ChunkDoneAsync(Guid tenantId, string contentHash, int chunk, CancellationToken cancellationToken)
    {
        lock (_states) _states[(tenantId, contentHash)] = _states[(tenantId, contentHash)] with { ChunksDone = chunk + 1 };
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CompleteAsync(Guid tenantId, string contentHash, long events, long rows, CancellationToken cancellationToken)
    {
        lock (_states) _states[(tenantId, contentHash)] = _states[(tenantId, contentHash)] with { Complete = true };
        return Task.CompletedTask;
    }
}
