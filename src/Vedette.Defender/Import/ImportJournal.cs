using Dapper;
using Npgsql;
using Vedette.Telemetry.Import;

namespace Vedette.Defender.Import;

/// <summary>The import journal in the state database.</summary>
internal sealed class ImportJournal(NpgsqlDataSource database, TimeProvider clock) : IImportJournal
{
    public async Task<ImportState?> FindAsync(Guid tenantId, string contentHash, CancellationToken cancellationToken) =>
        (await QueryAsync(
            "SELECT shift, chunks_done, complete FROM defender.import_journal WHERE tenant_id = @tenantId AND content_hash = @contentHash",
            new { tenantId, contentHash },
            cancellationToken)).FirstOrDefault();

    public async Task<ImportState> BeginAsync(Guid tenantId, string contentHash, string file, TimeSpan shift, CancellationToken cancellationToken)
    {
        // The no-op update makes the statement answer with the row whether it is new or known.
        var found = await QueryAsync(
            """
            INSERT INTO defender.import_journal (tenant_id, content_hash, file, shift, chunks_done, complete, events, rows, began_at, updated_at)
            VALUES (@tenantId, @contentHash, @file, @shift, 0, false, 0, 0, @now, @now)
            ON CONFLICT (tenant_id, content_hash) DO UPDATE SET updated_at = excluded.updated_at
            RETURNING shift, chunks_done, complete
            """,
            new { tenantId, contentHash, file, shift = shift.Ticks, now = clock.GetUtcNow().UtcDateTime },
            cancellationToken);
        return found.Single();
    }

    public Task ChunkDoneAsync(Guid tenantId, string contentHash, int chunk, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            UPDATE defender.import_journal SET chunks_done = greatest(chunks_done, @chunk + 1), updated_at = @now
            WHERE tenant_id = @tenantId AND content_hash = @contentHash
            """,
            new { tenantId, contentHash, chunk, now = clock.GetUtcNow().UtcDateTime },
            cancellationToken);

    public Task CompleteAsync(Guid tenantId, string contentHash, long events, long rows, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            UPDATE defender.import_journal SET complete = true, events = @events, rows = @rows, updated_at = @now
            WHERE tenant_id = @tenantId AND content_hash = @contentHash
            """,
            new { tenantId, contentHash, events, rows, now = clock.GetUtcNow().UtcDateTime },
            cancellationToken);

    private async Task<IEnumerable<ImportState>> QueryAsync(string query, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(long Shift, int ChunksDone, bool Complete)>(new CommandDefinition(query, parameters, cancellationToken: cancellationToken));
        return rows.Select(r => new ImportState(new TimeSpan(r.Shift), r.ChunksDone, r.Complete));
    }

    private async Task ExecuteAsync(string statement, object parameters, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(statement, parameters, cancellationToken: cancellationToken));
    }
}
