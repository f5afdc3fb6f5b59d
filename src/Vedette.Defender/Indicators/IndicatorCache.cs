using System.Collections.Concurrent;
using Dapper;
using Npgsql;
using Vedette.Defender.State;
using Vedette.Foundation.Snapshots;

namespace Vedette.Defender.Indicators;

/// <summary>
/// The indicators of each tenant as sets in memory. A change made by this server counts from the next question on; one made by another server
/// after half a minute.
/// </summary>
public sealed class IndicatorCache(NpgsqlDataSource database, TimeProvider clock) : IStateCache
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<Guid, Entry> _entries = new();

    /// <inheritdoc/>
    public void Forget() => _entries.Clear();

    /// <summary>The tenant's indicators were changed and the change is committed.</summary>
    internal void Changed(Guid tenantId) => _entries.TryRemove(tenantId, out _);

    /// <summary>The tenant's indicators. Expired ones may still be among them: <see cref="IndicatorFact.AppliesTo"/> tells.</summary>
    internal ValueTask<IndicatorSets> GetAsync(Guid tenantId, CancellationToken cancellationToken)
    {
        if (!_entries.TryGetValue(tenantId, out var entry) || clock.GetElapsedTime(entry.Read) >= Fresh)
        {
            entry = new Entry(clock.GetTimestamp(), new Lazy<Task<IndicatorSets>>(() => ReadAsync(tenantId)));
            _entries[tenantId] = entry;
        }

        return entry.Sets.Value is { IsCompletedSuccessfully: true } done ? new(done.Result) : new(WaitAsync(tenantId, entry, cancellationToken));
    }

    private async Task<IndicatorSets> WaitAsync(Guid tenantId, Entry entry, CancellationToken cancellationToken)
    {
        try
        {
            return await entry.Sets.Value.WaitAsync(cancellationToken);
        }
        catch (Exception) when (entry.Sets.Value.IsFaulted)
        {
            // The next question tries again.
            _entries.TryRemove(KeyValuePair.Create(tenantId, entry));
            throw;
        }
    }

    private async Task<IndicatorSets> ReadAsync(Guid tenantId)
    {
        await using var connection = await database.OpenConnectionAsync();
        var rows = (await connection.QueryAsync<Row>(new CommandDefinition(
            """
            SELECT id, indicator_type AS type, indicator_value AS value, action, severity, title, description, recommended_actions AS advice, generate_alert AS alerts,
                historical_detection AS historical, mitre_techniques AS techniques, rbac_group_names AS groupnames, rbac_group_ids AS groupids,
                creation_time_date_time_utc AS created, expiration_time AS expires
            FROM defender.indicators WHERE tenant_id = @Tenant AND (expiration_time IS NULL OR expiration_time > @Now)
            """,
            new { Tenant = tenantId, Now = clock.GetUtcNow().UtcDateTime }))).AsList();
        return rows.Count == 0 ? IndicatorSets.Empty : new IndicatorSets([.. rows.Select(r => r.ToFact())]);
    }

    private sealed record Entry(long Read, Lazy<Task<IndicatorSets>> Sets);

    private sealed class Row
    {
        public long Id { get; init; }

        public string Type { get; init; } = "";

        public string Value { get; init; } = "";

        public string Action { get; init; } = "";

        public string Severity { get; init; } = "";

        public string Title { get; init; } = "";

        public string Description { get; init; } = "";

        public string? Advice { get; init; }

        public bool Alerts { get; init; }

        public bool Historical { get; init; }

        public string[] Techniques { get; init; } = [];

        public string[] GroupNames { get; init; } = [];

        public string[] GroupIds { get; init; } = [];

        public DateTime Created { get; init; }

        public DateTime? Expires { get; init; }

        public IndicatorFact ToFact() => new(Id, Enum.Parse<IndicatorType>(Type), Value, Enum.Parse<IndicatorAction>(Action), Created, Expires)
        {
            Title = Title, Description = Description, RecommendedActions = Advice, Severity = Enum.Parse<AlertSeverity>(Severity), GenerateAlert = Alerts,
            HistoricalDetection = Historical, Techniques = Techniques, GroupNames = GroupNames, GroupIds = GroupIds,
        };
    }
}
