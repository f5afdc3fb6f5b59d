using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using Vedette.Defender.Indicators;
using Vedette.Foundation;

namespace Vedette.Defender.ThreatIntelligence;

/// <summary>
/// Threat indicators as Graph knows them. Those that devices act on are indicators of the Endpoint API with more told of them; the others are
/// kept for who reads them. Everybody changes and sees only their own.
/// </summary>
public sealed class ThreatIndicatorService(NpgsqlDataSource database, IndicatorService indicators, IndicatorCache cache, IIdentifierSource identifiers, TimeProvider clock)
{
    /// <summary>Indicators that one call may carry, at most. Source: the service's published limit.</summary>
    public const int MaxBatch = 100;

    private const string Kind = "tiIndicator";

    /// <summary>Adds indicators, each on its own, and gives the id or the refusal of each.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="creator">Application id or user principal name to record.</param>
    /// <param name="given">Indicators as they were sent.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<IReadOnlyList<Outcome<string>>> SubmitAsync(Caller caller, string creator, IReadOnlyList<JsonElement> given, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var read = given.Select(item => ThreatIndicatorCheck.Read(item, now)).ToArray();
        var outcomes = read.Select(item => item.Error is { } error ? (Outcome<string>)error : "").ToArray();
        var enforced = Enumerable.Range(0, read.Length).Where(at => read[at].Error is null && IsEnforced(read[at].Value)).ToArray();
        if (enforced.Length > 0)
        {
            var drafts = enforced.Select(at => ThreatIndicatorCheck.Draft(read[at].Value)).ToArray();
            var stored = await indicators.SubmitAsync(caller with { Source = "GraphApi" }, creator, drafts, cancellationToken);
            foreach (var (at, outcome) in enforced.Zip(stored))
                outcomes[at] = outcome.Error is { } error ? error : outcome.Value.Id.ToString(CultureInfo.InvariantCulture);
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        foreach (var at in Enumerable.Range(0, read.Length).Except(enforced).Where(at => read[at].Error is null))
        {
            var (id, document) = (identifiers.NewGuid(), read[at].Value);
            await connection.ExecuteAsync(new CommandDefinition(
                "INSERT INTO defender.threat_indicators VALUES (@tenant, @id, @creator, @now, @expires, @externalId, @document::jsonb)",
                new
                {
                    tenant = caller.TenantId, id, creator, now, expires = ThreatIndicatorCheck.Time(document, "expirationDateTime"), externalId = (string?)document["externalId"],
                    document = document.ToJsonString(),
                },
                cancellationToken: cancellationToken));
            outcomes[at] = id.ToString();
        }

        return outcomes;
    }

    /// <summary>Changes an indicator.</summary>
    public async Task<Outcome<string>> UpdateAsync(Caller caller, string creator, string id, JsonElement given, CancellationToken cancellationToken)
    {
        if (ThreatIndicatorCheck.Fields(given, out var change) is { } wrong) return wrong;
        if (ThreatIndicatorCheck.Time(change, "expirationDateTime") <= clock.GetUtcNow().UtcDateTime) return new DomainError(Refusal.BadRequest, "The value of 'expirationDateTime' lies in the past.");
        return long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? await UpdateEnforcedAsync(caller, creator, number, change, cancellationToken)
            : await UpdateKeptAsync(caller, creator, id, change, cancellationToken);
    }

    /// <summary>Deletes indicators and gives those that there were.</summary>
    public Task<IReadOnlySet<string>> DeleteAsync(Caller caller, string creator, IReadOnlyList<string> ids, CancellationToken cancellationToken) =>
        DeleteAsync(caller, creator, "id::text", ids, cancellationToken);

    /// <summary>Deletes indicators by their sender's own identifiers and gives those that there were.</summary>
    public Task<IReadOnlySet<string>> DeleteByExternalIdAsync(Caller caller, string creator, IReadOnlyList<string> ids, CancellationToken cancellationToken) =>
        DeleteAsync(caller, creator, "external_id", ids, cancellationToken);

    private static bool IsEnforced(JsonObject document) => ThreatIndicatorCheck.IsFor(document, ThreatIndicatorFields.Endpoint) && (bool?)document["isActive"] != false;

    private async Task<IReadOnlySet<string>> DeleteAsync(Caller caller, string creator, string key, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var gone = await connection.QueryAsync<string>(new CommandDefinition(
            $"""
            WITH kept AS (DELETE FROM defender.threat_indicators WHERE tenant_id = @tenant AND created_by = @creator AND {key} = ANY(@ids) RETURNING {key} AS key),
            enforced AS (DELETE FROM defender.indicators WHERE tenant_id = @tenant AND created_by = @creator AND {key} = ANY(@ids) RETURNING {key} AS key)
            SELECT key FROM kept UNION SELECT key FROM enforced
            """,
            new { tenant = caller.TenantId, creator, ids = ids.ToArray() },
            cancellationToken: cancellationToken));
        cache.Changed(caller.TenantId);
        return gone.ToHashSet(StringComparer.Ordinal);
    }

    private async Task<Outcome<string>> UpdateEnforcedAsync(Caller caller, string creator, long id, JsonObject change, CancellationToken cancellationToken)
    {
        if (Fixed(change, ThreatIndicatorFields.EndpointEditable.Contains) is { } name) return Unchangeable(name);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var changed = await connection.ExecuteAsync(new CommandDefinition(
            """
            UPDATE defender.indicators SET
                graph = coalesce(graph, '{}') || @change::jsonb,
                title = coalesce(@description, title), description = coalesce(@description, description),
                severity = coalesce(@severity, severity), expiration_time = coalesce(@expires, expiration_time),
                last_update_time = @now, last_updated_by = @creator
            WHERE tenant_id = @tenant AND created_by = @creator AND id = @id
            """,
            new
            {
                tenant = caller.TenantId, creator, id, now = clock.GetUtcNow().UtcDateTime, change = change.ToJsonString(), description = (string?)change["description"],
                severity = (long?)change["severity"] is { } number ? ThreatIndicatorCheck.Severity(number) : null, expires = ThreatIndicatorCheck.Time(change, "expirationDateTime"),
            },
            cancellationToken: cancellationToken));
        if (changed == 0) return new DomainError(Refusal.ResourceNotFound, Kind, id.ToString(CultureInfo.InvariantCulture));
        cache.Changed(caller.TenantId);
        return id.ToString(CultureInfo.InvariantCulture);
    }

    private async Task<Outcome<string>> UpdateKeptAsync(Caller caller, string creator, string id, JsonObject change, CancellationToken cancellationToken)
    {
        if (Fixed(change, name => ThreatIndicatorFields.Find(name)!.IsEditable) is { } name) return Unchangeable(name);
        await using var command = database.CreateCommand(
            """
            UPDATE defender.threat_indicators SET graph = graph || $1::jsonb, expires = coalesce($2, expires), external_id = coalesce($3, external_id)
            WHERE tenant_id = $4 AND created_by = $5 AND id::text = $6
            """);
        command.Parameters.AddWithValue(NpgsqlDbType.Text, change.ToJsonString());
        command.Parameters.AddWithValue(NpgsqlDbType.TimestampTz, (object?)ThreatIndicatorCheck.Time(change, "expirationDateTime") ?? DBNull.Value);
        command.Parameters.AddWithValue(NpgsqlDbType.Text, (object?)(string?)change["externalId"] ?? DBNull.Value);
        command.Parameters.AddWithValue(caller.TenantId);
        command.Parameters.AddWithValue(creator);
        command.Parameters.AddWithValue(id.ToLowerInvariant());
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0 ? id : new DomainError(Refusal.ResourceNotFound, Kind, id);
    }

    // The product stands in changes to say which rules hold; it does not change.
    private static string? Fixed(JsonObject change, Func<string, bool> isEditable) =>
        change.Select(pair => pair.Key).FirstOrDefault(name => name != "targetProduct" && !isEditable(name));

    private static DomainError Unchangeable(string name) => new(Refusal.BadRequest, $"The property '{name}' cannot be changed.");
}
