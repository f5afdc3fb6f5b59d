using System.Text.Json;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using Vedette.Defender.Vulnerabilities.Versions;

namespace Vedette.Defender.Vulnerabilities.Assessment;

/// <summary>
/// Finds the vulnerabilities of the versions that a tenant has: each version once, however many devices have it, and again only when the
/// knowledge has changed since.
/// </summary>
internal static class KnowledgeMatcher
{
    private const int VersionsAtOnce = 2000;

    private const string Store =
        """
        WITH found AS (
            SELECT * FROM jsonb_to_recordset(@items) AS x(version bigint, cve text, fixed text, fix_id text, fix_name text, fix_url text, risk double precision, print text)),
        stored AS (
            INSERT INTO defender.version_vulnerabilities AS v (version_id, vulnerability_id, tenant_id, fixed_version, fix_id, fix_name, fix_url, risk, fingerprint, found_at)
            SELECT version, cve, @tenant, fixed, fix_id, fix_name, fix_url, risk, print, @now FROM found ORDER BY version, cve
            ON CONFLICT (version_id, vulnerability_id) DO UPDATE SET
                fixed_version = excluded.fixed_version, fix_id = excluded.fix_id, fix_name = excluded.fix_name, fix_url = excluded.fix_url, risk = excluded.risk,
                fingerprint = excluded.fingerprint, removed_at = NULL,
                found_at = CASE WHEN v.removed_at IS NULL THEN v.found_at ELSE @now END,
                updated_at = CASE WHEN v.removed_at IS NULL AND v.fingerprint <> excluded.fingerprint THEN @now ELSE v.updated_at END
            WHERE v.removed_at IS NOT NULL OR v.fingerprint <> excluded.fingerprint OR v.risk <> excluded.risk)
        UPDATE defender.version_vulnerabilities v SET removed_at = @now
        WHERE v.version_id = ANY(@versions) AND v.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM found f WHERE f.version = v.version_id AND f.cve = v.vulnerability_id)
        """;

    private const string Close =
        """
        UPDATE defender.software_versions s SET matched_revision = @revision, weaknesses = coalesce(t.weaknesses, 0), risk = coalesce(t.risk, 0)
        FROM unnest(@versions) AS given(id) LEFT JOIN (
            SELECT version_id, count(*)::int AS weaknesses, sum(risk) AS risk FROM defender.version_vulnerabilities
            WHERE version_id = ANY(@versions) AND removed_at IS NULL GROUP BY version_id) AS t ON t.version_id = given.id
        WHERE s.id = given.id
        """;

    /// <summary>Matches what was not matched against the given revision of the knowledge.</summary>
    /// <returns>How many versions were matched.</returns>
    public static async Task<int> RunAsync(NpgsqlConnection connection, Guid tenantId, long revision, DateTime now, CancellationToken cancellationToken)
    {
        var matched = 0;
        while (true)
        {
            var versions = (await connection.QueryAsync<VersionRow>(new CommandDefinition(
                """
                SELECT id AS "Id", version AS "Version", scheme AS "Scheme", package AS "Package" FROM defender.software_versions
                WHERE tenant_id = @tenantId AND matched_revision < @revision ORDER BY id LIMIT @VersionsAtOnce
                """,
                new { tenantId, revision, VersionsAtOnce },
                cancellationToken: cancellationToken))).AsList();
            if (versions.Count == 0) return matched;
            await MatchAsync(connection, tenantId, versions, revision, now, cancellationToken);
            matched += versions.Count;
        }
    }

    private static async Task MatchAsync(NpgsqlConnection connection, Guid tenantId, List<VersionRow> versions, long revision, DateTime now, CancellationToken cancellationToken)
    {
        var packages = versions.Where(v => v.Scheme.Length > 0).Select(v => (v.Scheme, v.Package)).Distinct().ToList();
        var ranges = (await connection.QueryAsync<RangeRow>(new CommandDefinition(
            """
            SELECT a.scheme AS "Scheme", a.package AS "Package", a.vulnerability_id AS "Cve", a.introduced AS "Introduced", a.fixed AS "Fixed",
                a.last_affected AS "LastAffected", a.versions AS "Versions", a.fix_id AS "FixId", a.fix_name AS "FixName", a.fix_url AS "FixUrl",
                k.cvss AS "Cvss", k.severity AS "Severity", k.epss AS "Epss", k.public_exploit AS "IsPublic", k.exploit_verified AS "IsVerified", k.exploit_in_kit AS "IsInKit"
            FROM unnest(@schemes, @names) AS wanted(scheme, package)
            JOIN defender.kb_affected a ON a.scheme = wanted.scheme AND a.package = wanted.package
            JOIN defender.kb_vulnerabilities k ON k.id = a.vulnerability_id
            """,
            new { schemes = packages.Select(p => p.Scheme).ToArray(), names = packages.Select(p => p.Package).ToArray() },
            commandTimeout: 300,
            cancellationToken: cancellationToken))).ToLookup(r => (r.Scheme, r.Package));
        var found = new Dictionary<(long, string), RangeRow>();
        foreach (var version in versions)
        {
            var compare = VersionOrder.Of(version.Scheme);
            foreach (var range in ranges[(version.Scheme, version.Package)])
            {
                if (!IsAffected(version.Version, range, compare)) continue;
                // Of several ranges with the same vulnerability, the one that tells the way out counts.
                if (!found.TryGetValue((version.Id, range.Cve), out var known) || (known.Fixed is null && range.Fixed is not null)) found[(version.Id, range.Cve)] = range;
            }
        }

        var items = JsonSerializer.SerializeToUtf8Bytes(
            found.Select(f =>
            {
                var r = f.Value;
                var exploit = RiskFormula.Exploitability(r.IsPublic, r.IsVerified, r.IsInKit);
                return new
                {
                    version = f.Key.Item1, cve = f.Key.Item2, @fixed = r.Fixed, fix_id = r.FixId, fix_name = r.FixName, fix_url = r.FixUrl,
                    risk = RiskFormula.RiskOf(r.Cvss, exploit, r.Epss),
                    print = FormattableString.Invariant($"{r.Severity}|{r.Cvss}|{exploit}|{r.Fixed}|{r.FixId}"),
                };
            }),
            TvmJson.Options);
        var ids = versions.Select(v => v.Id).ToArray();
        await using (var store = new NpgsqlCommand(Store, connection) { CommandTimeout = 300 })
        {
            store.Parameters.Add(new NpgsqlParameter("items", NpgsqlDbType.Jsonb) { Value = items });
            store.Parameters.AddWithValue("tenant", tenantId);
            store.Parameters.AddWithValue("now", now);
            store.Parameters.AddWithValue("versions", ids);
            await store.ExecuteNonQueryAsync(cancellationToken);
        }

        await connection.ExecuteAsync(new CommandDefinition(Close, new { revision, versions = ids }, commandTimeout: 300, cancellationToken: cancellationToken));
    }

    /// <summary>Whether a version lies in a range. Without known rules of comparison only versions named one by one match.</summary>
    internal static bool IsAffected(string version, RangeRow range, Comparison<string>? compare)
    {
        if (range.Versions.Length > 0)
            return compare is null ? range.Versions.Contains(version, StringComparer.Ordinal) : range.Versions.Any(v => compare(v, version) == 0);
        if (compare is null || version.Length == 0) return false;
        if (range.Introduced is { } from && compare(version, from) < 0) return false;
        if (range.Fixed is { } until) return compare(version, until) < 0;
        return range.LastAffected is not { } last || compare(version, last) <= 0;
    }

    internal sealed class VersionRow
    {
        public long Id { get; init; }

        public string Version { get; init; } = "";

        public string Scheme { get; init; } = "";

        public string Package { get; init; } = "";
    }

    internal sealed class RangeRow
    {
        public string Scheme { get; init; } = "";

        public string Package { get; init; } = "";

        public string Cve { get; init; } = "";

        public string? Introduced { get; init; }

        public string? Fixed { get; init; }

        public string? LastAffected { get; init; }

        public string[] Versions { get; init; } = [];

        public string? FixId { get; init; }

        public string? FixName { get; init; }

        public string? FixUrl { get; init; }

        public double? Cvss { get; init; }

        public string? Severity { get; init; }

        public double? Epss { get; init; }

        public bool IsPublic { get; init; }

        public bool IsVerified { get; init; }

        public bool IsInKit { get; init; }
    }
}
