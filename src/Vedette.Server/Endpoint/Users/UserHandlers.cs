using NpgsqlTypes;
using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Users;

/// <summary>Alerts and machines of a user. The id is the bare account name; an unknown one gives an empty list.</summary>
internal sealed class UserHandlers(EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/users/{id}/alerts", call => reader.CollectionAsync(call, AlertTable.Alerts, AboutUser(call.Route["id"]))),
        new("GET /api/users/{id}/machines", call => reader.CollectionAsync(call, MachineTable.Machines, LoggedOn(call.Route["id"]))),
    ];

    private static SqlCondition AboutUser(string name) => sql =>
    {
        var user = sql.Parameter(name.ToLowerInvariant(), NpgsqlDbType.Text);
        sql.Add($" AND (lower(a.related_user->>'userName') = {user} OR EXISTS (SELECT 1 FROM defender.alert_evidence e ")
            .Add($"WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id AND lower(e.account_name) = {user}))");
    };

    private static SqlCondition LoggedOn(string name) => sql => sql
        .Add(" AND m.id IN (SELECT u.machine_id FROM defender.logon_users u WHERE u.tenant_id = m.tenant_id")
        .Add($" AND u.account_name = {sql.Parameter(name.ToLowerInvariant(), NpgsqlDbType.Text)})");
}
