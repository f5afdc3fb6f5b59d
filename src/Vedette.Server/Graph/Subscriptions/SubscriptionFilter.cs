using Npgsql;
using NpgsqlTypes;
using Vedette.Defender.Notifications;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
using Vedette.Server.Http.OData;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>Filters of subscriptions: the same properties and words as in lists, looked at with one statement for many changes.</summary>
internal sealed class SubscriptionFilter(NpgsqlDataSource database, IEnumerable<ApiSurface> surfaces) : INotificationFilter
{
    private readonly Lazy<ApiSurface> _surface = new(() => surfaces.First(surface => surface.Name == Security.GraphSecuritySurface.Name));

    /// <inheritdoc/>
    public async Task<IReadOnlySet<string>> MatchAsync(ChangeSubscription subscription, IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        var table = SubscriptionDraft.Table(_surface.Value, subscription.Kind);
        var sql = new SqlText();
        sql.Add($"SELECT {table.Key.Sql} FROM {table.Source} WHERE {table.TenantColumn} = {sql.Parameter(subscription.TenantId, NpgsqlDbType.Uuid)}");
        sql.Add($" AND {table.Key.Sql} = ANY({sql.Parameter(ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text)})");
        if (subscription.DeviceGroups is { } groups) Seen(table, groups)?.Invoke(sql);
        if (subscription.Filter is { } filter) sql.Add(" AND ").Add(Translate(table, subscription.Kind, filter, sql));
        var found = new HashSet<string>(StringComparer.Ordinal);
        await using var command = sql.ToCommand(database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) found.Add(reader.GetString(0));
        return found;
    }

    /// <summary>What device groups let a user see of a table: alerts of the groups, or incidents that hold one; no condition without groups.</summary>
    public static SqlCondition? Seen(EntityTable table, IReadOnlyList<int>? groups) => table.DeviceGroupColumn is not { } column ? IncidentTable.Seen(groups)
        : groups is null ? null
        : sql => sql.Add($" AND {column} = ANY({sql.Parameter(groups.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer)})");

    /// <summary>SQL of a filter.</summary>
    /// <exception cref="FormatException">It cannot be read, or names what lists of the resource cannot be filtered by.</exception>
    public static string Translate(EntityTable table, SubscribedResource kind, string filter, SqlText sql) =>
        ODataParser.Condition(table, filter, SubscriptionDraft.List(kind).OData.Filter, sql);
}
