using Dapper;
using Npgsql;
using NpgsqlTypes;

namespace Vedette.Defender.Vulnerabilities.Knowledge;

/// <summary>A feed that was imported.</summary>
/// <param name="Source">Which.</param>
/// <param name="Name">Name of the file.</param>
/// <param name="Released">The feed's own date or version; null when it has none.</param>
/// <param name="ImportedAt">When, UTC.</param>
/// <param name="Records">Records in it.</param>
/// <param name="Understood">Records that were taken over.</param>
public sealed record ImportedFeed(string Source, string Name, string? Released, DateTime ImportedAt, long Records, long Understood);

/// <summary>What is known.</summary>
/// <param name="Vulnerabilities">Vulnerabilities.</param>
/// <param name="Exploited">Of these, those with a verified exploit.</param>
/// <param name="Ranges">Affected ranges of packages.</param>
/// <param name="Packages">Packages that have any.</param>
/// <param name="Feeds">Imported feeds, newest first.</param>
public sealed record KnowledgeStatus(long Vulnerabilities, long Exploited, long Ranges, long Packages, IReadOnlyList<ImportedFeed> Feeds);

/// <summary>Keeps the knowledge of vulnerabilities.</summary>
public sealed class KnowledgeStore(NpgsqlDataSource database, TvmSignal signal, TimeProvider clock)
{
    // A lesser feed fills what is empty; an equal or better one replaces. Signs of exploitation add up: one feed's silence is no denial.
    private const string Merge =
        """
        INSERT INTO defender.kb_vulnerabilities AS known
            (id, authority, description, severity, cvss, cvss_vector, published_on, updated_on, public_exploit, exploit_verified, exploit_in_kit,
             exploit_types, exploit_uris, epss, tags, added_at)
        SELECT id, @authority, description, severity, cvss, cvss_vector, published_on, updated_on, public_exploit, exploit_verified, exploit_in_kit,
            exploit_types, exploit_uris, epss, tags, @now
        FROM entries WHERE NOT withdrawn ORDER BY id
        ON CONFLICT (id) DO UPDATE SET
            authority = greatest(known.authority, excluded.authority),
            description = CASE WHEN excluded.description <> '' AND (excluded.authority >= known.authority OR known.description = '') THEN excluded.description ELSE known.description END,
            severity = CASE WHEN excluded.authority >= known.authority THEN coalesce(excluded.severity, known.severity) ELSE coalesce(known.severity, excluded.severity) END,
            cvss = CASE WHEN excluded.authority >= known.authority THEN coalesce(excluded.cvss, known.cvss) ELSE coalesce(known.cvss, excluded.cvss) END,
            cvss_vector = CASE WHEN excluded.authority >= known.authority THEN coalesce(excluded.cvss_vector, known.cvss_vector) ELSE coalesce(known.cvss_vector, excluded.cvss_vector) END,
            published_on = CASE WHEN excluded.authority >= known.authority THEN coalesce(excluded.published_on, known.published_on) ELSE coalesce(known.published_on, excluded.published_on) END,
            updated_on = greatest(known.updated_on, excluded.updated_on),
            public_exploit = known.public_exploit OR excluded.public_exploit,
            exploit_verified = known.exploit_verified OR excluded.exploit_verified,
            exploit_in_kit = known.exploit_in_kit OR excluded.exploit_in_kit,
            exploit_types = ARRAY(SELECT DISTINCT unnest(known.exploit_types || excluded.exploit_types) ORDER BY 1),
            exploit_uris = ARRAY(SELECT DISTINCT unnest(known.exploit_uris || excluded.exploit_uris) ORDER BY 1),
            epss = coalesce(excluded.epss, known.epss),
            tags = ARRAY(SELECT DISTINCT unnest(known.tags || excluded.tags) ORDER BY 1);
        DELETE FROM defender.kb_affected a USING replaced r WHERE a.vulnerability_id = r.vulnerability_id AND a.source = @source AND a.record = r.record;
        INSERT INTO defender.kb_affected (source, record, vulnerability_id, scheme, package, introduced, fixed, last_affected, versions, fix_id, fix_name, fix_url)
        SELECT @source, record, vulnerability_id, scheme, package, introduced, fixed, last_affected, versions, fix_id, fix_name, fix_url FROM ranges;
        """;

    /// <summary>Merges a batch of entries of one feed. May be repeated: the same entries give the same knowledge.</summary>
    public async Task AddAsync(KnowledgeSource source, IReadOnlyList<KnowledgeEntry> entries, CancellationToken cancellationToken)
    {
        if (entries.Count == 0) return;
        // The last word of a batch on a vulnerability counts; two at once would be a conflict with itself.
        var distinct = entries.GroupBy(e => e.Id, StringComparer.Ordinal).Select(Together).ToList();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            CREATE TEMP TABLE entries (
                id text, description text, severity text, cvss double precision, cvss_vector text, published_on timestamptz, updated_on timestamptz,
                public_exploit boolean, exploit_verified boolean, exploit_in_kit boolean, exploit_types text[], exploit_uris text[],
                epss double precision, tags text[], withdrawn boolean) ON COMMIT DROP;
            CREATE TEMP TABLE replaced (vulnerability_id text, record text) ON COMMIT DROP;
            CREATE TEMP TABLE ranges (
                vulnerability_id text, record text, scheme text, package text, introduced text, fixed text, last_affected text, versions text[],
                fix_id text, fix_name text, fix_url text) ON COMMIT DROP
            """);
        await WriteEntriesAsync(connection, distinct, cancellationToken);
        // A record that comes twice says the last thing it said.
        var records = entries.GroupBy(e => (e.Id, e.Record)).Select(g => g.Last()).ToList();
        await WriteReplacedAsync(connection, records, cancellationToken);
        await WriteRangesAsync(connection, records, cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            Merge, new { source = source.ToString(), authority = (int)source, now = clock.GetUtcNow().UtcDateTime }, transaction, 300, cancellationToken: cancellationToken));
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Notes that a feed was imported, and lets everybody match against the new knowledge.</summary>
    public async Task FinishAsync(ImportedFeed feed, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO defender.kb_feeds (source, name, released, imported_at, records, understood) VALUES (@Source, @Name, @Released, @ImportedAt, @Records, @Understood)
            ON CONFLICT (source, name) DO UPDATE SET released = excluded.released, imported_at = excluded.imported_at, records = excluded.records, understood = excluded.understood;
            INSERT INTO defender.kb_state AS s (id, revision) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET revision = s.revision + 1
            """,
            feed,
            cancellationToken: cancellationToken));
        signal.Raise(Guid.Empty);
    }

    /// <summary>What is known.</summary>
    public async Task<KnowledgeStatus> StatusAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var counts = await connection.QuerySingleAsync<(long Vulnerabilities, long Exploited, long Ranges, long Packages)>(new CommandDefinition(
            """
            SELECT (SELECT count(*) FROM defender.kb_vulnerabilities), (SELECT count(*) FROM defender.kb_vulnerabilities WHERE exploit_verified),
                (SELECT count(*) FROM defender.kb_affected), (SELECT count(*) FROM (SELECT DISTINCT scheme, package FROM defender.kb_affected) AS packages)
            """,
            cancellationToken: cancellationToken));
        var feeds = await connection.QueryAsync<ImportedFeed>(new CommandDefinition(
            """
            SELECT source AS "Source", name AS "Name", released AS "Released", imported_at AS "ImportedAt", records AS "Records", understood AS "Understood"
            FROM defender.kb_feeds ORDER BY imported_at DESC, name
            """,
            cancellationToken: cancellationToken));
        return new KnowledgeStatus(counts.Vulnerabilities, counts.Exploited, counts.Ranges, counts.Packages, feeds.AsList());
    }

    // A file may speak of one CVE in several records (OSV has one for each advisory): what one leaves open another may tell.
    private static KnowledgeEntry Together(IGrouping<string, KnowledgeEntry> entries)
    {
        var living = entries.Where(e => !e.IsWithdrawn).ToList();
        if (living.Count <= 1) return living.Count == 0 ? entries.Last() : living[0];
        return living[^1] with
        {
            PublicExploit = living.Any(e => e.PublicExploit),
            ExploitVerified = living.Any(e => e.ExploitVerified),
            Description = living.Select(e => e.Description).LastOrDefault(d => d.Length > 0) ?? "",
            Cvss = living.Select(e => e.Cvss).LastOrDefault(c => c is not null),
            CvssVector = living.Select(e => e.CvssVector).LastOrDefault(c => c is not null),
            Severity = living.Select(e => e.Severity).LastOrDefault(c => c is not null),
        };
    }

    private static async Task WriteReplacedAsync(NpgsqlConnection connection, List<KnowledgeEntry> records, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync("COPY replaced FROM STDIN (FORMAT BINARY)", cancellationToken);
        foreach (var record in records.Where(r => r.IsWithdrawn || r.Affected is not null))
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(record.Id, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(record.Record, NpgsqlDbType.Text, cancellationToken);
        }

        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task WriteEntriesAsync(NpgsqlConnection connection, List<KnowledgeEntry> entries, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync("COPY entries FROM STDIN (FORMAT BINARY)", cancellationToken);
        foreach (var e in entries)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(e.Id, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(Clean(e.Description), NpgsqlDbType.Text, cancellationToken);
            await TextAsync(copy, e.Severity ?? SeverityOf(e.Cvss), cancellationToken);
            await NullableAsync(copy, e.Cvss, NpgsqlDbType.Double, cancellationToken);
            await TextAsync(copy, e.CvssVector, cancellationToken);
            await NullableAsync(copy, e.PublishedOn, NpgsqlDbType.TimestampTz, cancellationToken);
            await NullableAsync(copy, e.UpdatedOn ?? e.PublishedOn, NpgsqlDbType.TimestampTz, cancellationToken);
            await copy.WriteAsync(e.PublicExploit || e.ExploitVerified, NpgsqlDbType.Boolean, cancellationToken);
            await copy.WriteAsync(e.ExploitVerified, NpgsqlDbType.Boolean, cancellationToken);
            await copy.WriteAsync(e.ExploitInKit, NpgsqlDbType.Boolean, cancellationToken);
            await copy.WriteAsync(e.ExploitTypes.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(e.ExploitUris.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text, cancellationToken);
            await NullableAsync(copy, e.Epss, NpgsqlDbType.Double, cancellationToken);
            await copy.WriteAsync(e.Tags.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(e.IsWithdrawn, NpgsqlDbType.Boolean, cancellationToken);
        }

        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task WriteRangesAsync(NpgsqlConnection connection, List<KnowledgeEntry> records, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync("COPY ranges FROM STDIN (FORMAT BINARY)", cancellationToken);
        foreach (var (entry, range) in records.Where(e => !e.IsWithdrawn).SelectMany(e => (e.Affected ?? []).Select(r => (e, r))))
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(entry.Id, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(entry.Record, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(range.Scheme, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(range.Package.ToLowerInvariant(), NpgsqlDbType.Text, cancellationToken);
            await TextAsync(copy, range.Introduced, cancellationToken);
            await TextAsync(copy, range.Fixed, cancellationToken);
            await TextAsync(copy, range.LastAffected, cancellationToken);
            await copy.WriteAsync(range.Versions.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text, cancellationToken);
            await TextAsync(copy, range.FixId, cancellationToken);
            await TextAsync(copy, range.FixName, cancellationToken);
            await TextAsync(copy, range.FixUrl, cancellationToken);
        }

        await copy.CompleteAsync(cancellationToken);
    }

    private static Task TextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken cancellationToken) =>
        text is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(Clean(text), NpgsqlDbType.Text, cancellationToken);

    private static Task NullableAsync<T>(NpgsqlBinaryImporter copy, T? value, NpgsqlDbType type, CancellationToken cancellationToken)
        where T : struct =>
        value is { } known ? copy.WriteAsync(known, type, cancellationToken) : copy.WriteNullAsync(cancellationToken);

    // The database holds no null characters.
    private static string Clean(string text) => text.Replace("\0", "", StringComparison.Ordinal);

    /// <summary>The word for a CVSS base score. Source: CVSS v3.1, qualitative severity rating scale; null for no score and for 0.</summary>
    internal static string? SeverityOf(double? cvss) => cvss switch
    {
        null or <= 0 => null,
        < 4 => "Low",
        < 7 => "Medium",
        < 9 => "High",
        _ => "Critical",
    };
}
