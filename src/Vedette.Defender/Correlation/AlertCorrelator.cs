using System.Data.Common;
using System.Text.Json;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Vedette.Defender.Alerts;
using Vedette.Defender.State;

namespace Vedette.Defender.Correlation;

/// <summary>
/// Puts each new alert into the incident of alerts that share a device, an account, a file, a process tree or an address with it within the
/// time that <see cref="CorrelationRules"/> allows. An alert that fits several incidents makes one of them: the oldest stays, the others are
/// redirected to it, unless people have said different things of them. An alert that has become more may link its incident with others too.
/// </summary>
/// <remarks>
/// The cost does not grow with the alerts that are stored: an alert looks up its own entities in an index by entity and time, and what an
/// incident's name needs is kept with the incident.
/// </remarks>
internal sealed class AlertCorrelator : IAlertCorrelator
{
    internal const string FindStatement =
        """
        SELECT DISTINCT incident.id, incident.assigned_to AS AssignedTo, incident.classification, incident.determination, summary.alerts
        FROM unnest(@keys, @windows) AS wanted(key, span)
        JOIN defender.incident_entities AS entity ON entity.tenant_id = @tenant AND entity.key = wanted.key
            AND entity.last_event >= @first - wanted.span AND entity.first_event <= @last + wanted.span
        JOIN defender.incidents AS incident ON incident.id = entity.incident_id
        JOIN defender.incident_summaries AS summary ON summary.incident_id = incident.id
        WHERE incident.status IN ('Active', 'InProgress') AND summary.alerts < @most
        ORDER BY incident.id
        """;

    // From the least to the gravest.
    private static readonly string[] Severities = Enum.GetNames<AlertSeverity>();

    // Of many incidents that match, this many are merged at once; the rest will be when a later alert links them.
    private const int MostMerged = 20;

    public async Task CorrelateAsync(DefenderDbContext state, Alert alert, CancellationToken cancellationToken)
    {
        var rules = CorrelationRules.Current;
        var work = new Work(state.Database.GetDbConnection(), state.Database.CurrentTransaction?.GetDbTransaction(), alert, rules, cancellationToken);
        IReadOnlyList<string> keys = [.. AlertEntities.Of(alert, rules), .. await work.PeersAsync(AlertEntities.PrivateAddresses(alert))];
        if (alert.IncidentId is { } home) alert.IncidentId = await ExtendAsync(work, home, keys, rules);
        else alert.IncidentId = await PlaceAsync(work, keys, rules);
    }

    private static async Task<long> PlaceAsync(Work work, IReadOnlyList<string> keys, CorrelationRules rules)
    {
        var incidents = await work.FindAsync(keys);
        if (incidents.Count == 0)
        {
            var opened = await work.OpenAsync();
            await work.AddAsync(opened, keys, alerts: 1);
            return opened;
        }

        await MergeAsync(work, incidents[0], incidents.Skip(1), rules);
        await work.AddAsync(incidents[0].Id, keys, alerts: 1);
        return incidents[0].Id;
    }

    private static async Task<long> ExtendAsync(Work work, long home, IReadOnlyList<string> keys, CorrelationRules rules)
    {
        var incident = home;
        var incidents = await work.FindAsync(keys);

        // A closed incident, or one that is full, is not found: it keeps its alert and is linked with nothing any more.
        if (incidents.Find(found => found.Id == home) is { } own)
        {
            var target = incidents.Find(found => found.Id == home || rules.CanMerge(found, own))!;
            await MergeAsync(work, target, incidents.Where(found => found.Id != target.Id).OrderByDescending(found => found.Id == home), rules);
            if (own.Id == target.Id || target.Holds.Contains(own.Id)) incident = target.Id;
        }

        await work.AddAsync(incident, keys, alerts: 0);
        return incident;
    }

    private static async Task MergeAsync(Work work, FoundIncident into, IEnumerable<FoundIncident> others, CorrelationRules rules)
    {
        foreach (var other in others)
        {
            if (into.Holds.Count >= MostMerged) return;
            if (!rules.CanMerge(into, other)) continue;
            await work.RedirectAsync(other.Id, into.Id);
            into.Take(other);
        }
    }

    /// <summary>The statements of one alert's correlation, on the transaction that stores it.</summary>
    private sealed class Work(DbConnection connection, DbTransaction? transaction, Alert alert, CorrelationRules rules, CancellationToken cancellationToken)
    {
        /// <summary>Keys of the tenant's other devices that have one of the addresses; an address of several devices tells nothing.</summary>
        public async Task<IEnumerable<string>> PeersAsync(IReadOnlyList<string> addresses)
        {
            var peers = new SortedSet<string>(StringComparer.Ordinal);
            foreach (var address in addresses)
            {
                var owners = (await connection.QueryAsync<string>(Command(
                    "SELECT id FROM defender.machines WHERE tenant_id = @tenant AND ip_addresses @> @wanted::jsonb LIMIT 2",
                    new { tenant = alert.TenantId, wanted = JsonSerializer.Serialize(new[] { new { ipAddress = address } }) }))).AsList();
                if (owners.Count == 1 && owners[0] != alert.MachineId) peers.Add("peer:" + owners[0]);
            }

            return peers;
        }

        /// <summary>Open incidents that share an entity in time, the oldest first.</summary>
        public async Task<List<FoundIncident>> FindAsync(IReadOnlyList<string> keys)
        {
            var linking = AlertEntities.Wanted(keys, rules);
            if (linking.Count == 0) return [];
            var found = await connection.QueryAsync<FoundIncident>(Command(
                FindStatement,
                new
                {
                    keys = linking.Select(pair => pair.Key).ToArray(),
                    windows = linking.Select(pair => pair.Window).ToArray(),
                    tenant = alert.TenantId,
                    first = alert.FirstEventTime,
                    last = alert.LastEventTime,
                    most = rules.MostAlerts,
                }));
            return found.AsList();
        }

        /// <summary>Opens an incident for the alert.</summary>
        public async Task<long> OpenAsync()
        {
            var incident = await connection.ExecuteScalarAsync<long>(Command(
                """
                INSERT INTO defender.incidents (tenant_id, name, severity, status, tags, comments, created_time, last_update_time)
                VALUES (@tenant, @name, @severity, 'Active', '{}', '[]', @now, @now) RETURNING id
                """,
                new { tenant = alert.TenantId, name = alert.Title, severity = alert.Severity.ToString(), now = alert.AlertCreationTime }));
            await connection.ExecuteAsync(Command(
                """
                INSERT INTO defender.incident_summaries (incident_id, tenant_id, name, title, titles, categories, alerts, devices)
                VALUES (@incident, @tenant, @title, @title, '{}', '{}', 0, 0)
                """,
                new { incident, tenant = alert.TenantId, title = alert.Title }));
            return incident;
        }

        /// <summary>Moves everything of one incident into another and leaves a redirection.</summary>
        public Task RedirectAsync(long from, long to) => connection.ExecuteAsync(Command(
            """
            UPDATE defender.alerts SET incident_id = @to, last_update_time = greatest(last_update_time, @now) WHERE tenant_id = @tenant AND incident_id = @from;
            INSERT INTO defender.incident_entities AS known (tenant_id, key, incident_id, first_event, last_event)
                SELECT tenant_id, key, @to, first_event, last_event FROM defender.incident_entities WHERE tenant_id = @tenant AND incident_id = @from
                ON CONFLICT (tenant_id, key, incident_id) DO UPDATE SET
                    first_event = least(known.first_event, excluded.first_event), last_event = greatest(known.last_event, excluded.last_event);
            DELETE FROM defender.incident_entities WHERE tenant_id = @tenant AND incident_id = @from;
            UPDATE defender.incident_summaries AS target SET
                    alerts = target.alerts + source.alerts,
                    titles = ARRAY(SELECT DISTINCT unnest(target.titles || source.titles)),
                    categories = ARRAY(SELECT DISTINCT unnest(target.categories || source.categories)),
                    devices = (SELECT count(*) FROM defender.incident_entities AS entity
                        WHERE entity.tenant_id = @tenant AND entity.incident_id = @to AND entity.key LIKE 'device:%')
                FROM defender.incident_summaries AS source WHERE target.incident_id = @to AND source.incident_id = @from;
            UPDATE defender.incidents AS target SET
                    severity = CASE WHEN array_position(@order, source.severity) > coalesce(array_position(@order, target.severity), 0) THEN source.severity ELSE target.severity END,
                    status = CASE WHEN source.status = 'InProgress' THEN source.status ELSE target.status END,
                    assigned_to = coalesce(target.assigned_to, source.assigned_to),
                    classification = coalesce(target.classification, source.classification),
                    determination = coalesce(target.determination, source.determination),
                    tags = ARRAY(SELECT DISTINCT unnest(target.tags || source.tags)),
                    system_tags = ARRAY(SELECT DISTINCT unnest(target.system_tags || source.system_tags)),
                    comments = target.comments || source.comments
                FROM defender.incidents AS source WHERE target.id = @to AND source.id = @from;
            UPDATE defender.incidents SET status = 'Redirected', redirect_incident_id = @to, last_update_time = @now WHERE id = @from;
            UPDATE defender.incidents SET redirect_incident_id = @to, last_update_time = @now WHERE tenant_id = @tenant AND redirect_incident_id = @from;
            """,
            new { from, to, now = alert.LastUpdateTime, tenant = alert.TenantId, order = Severities }));

        /// <summary>Notes the alert's entities and brings the incident's severity, tags and name up to date.</summary>
        /// <param name="incident">The incident.</param>
        /// <param name="keys">The alert's entities.</param>
        /// <param name="alerts">1 when the alert is new to it, else 0.</param>
        public async Task AddAsync(long incident, IReadOnlyList<string> keys, int alerts)
        {
            if (keys.Count > 0)
            {
                await connection.ExecuteAsync(Command(
                    """
                    INSERT INTO defender.incident_entities AS known (tenant_id, key, incident_id, first_event, last_event)
                    SELECT @tenant, key, @incident, @first, @last FROM unnest(@keys) AS key
                    ON CONFLICT (tenant_id, key, incident_id) DO UPDATE SET
                        first_event = least(known.first_event, excluded.first_event), last_event = greatest(known.last_event, excluded.last_event)
                    """,
                    new { tenant = alert.TenantId, incident, keys = keys.ToArray(), first = alert.FirstEventTime, last = alert.LastEventTime }));
            }

            var summary = await connection.QueryFirstOrDefaultAsync<(string Name, string Title, string[] Titles, string[] Categories, int Devices)>(Command(
                """
                WITH counted AS (
                    SELECT count(*)::int AS devices FROM defender.incident_entities
                    WHERE tenant_id = @tenant AND incident_id = @incident AND key LIKE 'device:%')
                UPDATE defender.incident_summaries AS summary SET
                    alerts = alerts + @alerts,
                    titles = CASE WHEN @title = ANY(titles) OR cardinality(titles) >= 100 THEN titles ELSE titles || @title END,
                    categories = CASE WHEN @category = ANY(categories) THEN categories ELSE categories || @category END,
                    devices = counted.devices
                FROM counted WHERE incident_id = @incident
                RETURNING summary.name, summary.title, summary.titles, summary.categories, summary.devices
                """,
                new { incident, alerts, tenant = alert.TenantId, title = alert.Title, category = alert.Category }));

            // An incident that was not opened here has no summary: its name is not ours, and its severity goes with its alerts.
            var name = summary == default ? null : IncidentNaming.Name(summary.Title, summary.Titles.Length, summary.Categories, summary.Devices, rules);
            var tags = (summary.Categories ?? []).Where(rules.Tags.ContainsKey).Select(category => rules.Tags[category]).ToArray();

            // A name that a person gave stays.
            await connection.ExecuteAsync(Command(
                """
                UPDATE defender.incidents AS incident SET
                    name = CASE WHEN incident.name = @known THEN @name ELSE incident.name END,
                    severity = CASE WHEN array_position(@order, @severity) > coalesce(array_position(@order, incident.severity), 0) THEN @severity ELSE incident.severity END,
                    system_tags = ARRAY(SELECT DISTINCT unnest(incident.system_tags || @tags)),
                    last_update_time = greatest(incident.last_update_time, @now)
                WHERE id = @incident;
                UPDATE defender.incident_summaries SET name = @name WHERE incident_id = @incident;
                """,
                new
                {
                    incident,
                    known = summary.Name,
                    name,
                    tags,
                    order = Severities,
                    severity = alert.Severity.ToString(),
                    now = alert.LastUpdateTime,
                }));
        }

        private CommandDefinition Command(string text, object parameters) => new(text, parameters, transaction, cancellationToken: cancellationToken);
    }
}
