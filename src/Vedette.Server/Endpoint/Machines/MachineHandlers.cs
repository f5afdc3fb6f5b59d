using NpgsqlTypes;
using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Machines;

/// <summary>Reads machines, their alerts and the users that log on to them.</summary>
internal sealed class MachineHandlers(EntityReader reader, TimeProvider clock) : IEndpointHandlers
{
    private static readonly TimeSpan LookBack = TimeSpan.FromDays(30);

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/machines", call => reader.CollectionAsync(call, MachineTable.Machines)),
        new("GET /api/machines/{id}", GetAsync),
        new("GET /api/machines/{id}/logonusers", LogonUsersAsync),
        new("GET /api/machines/{id}/alerts", AlertsAsync),
        new("GET /api/machines/{id}/alerts/$count", AlertsAsync),
        new("GET /api/machines/findbytag", FindByTagAsync),
        new("GET /api/machines/findbyip(ip='{ip}',timestamp={timestamp})", call => FindByIpAsync(call, "ip", TimeSpan.FromMinutes(15))),
        new("GET /api/machines/find(timestamp={timestamp},key='{key}')", call => FindByIpAsync(call, "key", TimeSpan.FromMinutes(16))),
    ];

    /// <summary>Condition that a device id, in either case, is meant.</summary>
    public static SqlCondition WithId(string id) => Where.Equals("m.id", id.ToLowerInvariant());

    // A device id, or the computer's name: the full one first, else its first label.
    private async ValueTask<ApiResult> GetAsync(ApiCall call)
    {
        var id = call.Route["id"];
        return await reader.EntityAsync(call, MachineTable.Machines, WithId(id))
            ?? await reader.EntityAsync(call, MachineTable.Machines, NamedLike(id.ToLowerInvariant()))
            ?? (ApiResult)call.Error("MachineNotFound", id);
    }

    private static SqlCondition NamedLike(string name) => sql =>
    {
        var given = sql.Parameter(name, NpgsqlDbType.Text);
        var prefix = sql.Parameter(Escape(name) + ".%", NpgsqlDbType.Text);
        sql.Add($" AND (lower(m.computer_dns_name) = {given} OR lower(m.computer_dns_name) LIKE {prefix})")
            .Add($" ORDER BY lower(m.computer_dns_name) = {given} DESC, m.last_seen DESC, m.id");
    };

    private async ValueTask<ApiResult> LogonUsersAsync(ApiCall call) =>
        await MissingAsync(call) ?? await reader.CollectionAsync(call, MachineTable.LogonUsers, Where.Equals("u.machine_id", Id(call)));

    private async ValueTask<ApiResult> AlertsAsync(ApiCall call)
    {
        if (call.Endpoint.Path.EndsWith("/$count", StringComparison.Ordinal)) call.Route.CountOnly = true;
        return await MissingAsync(call) ?? await reader.CollectionAsync(call, AlertTable.Alerts, Where.Equals("a.machine_id", Id(call)));
    }

    private ValueTask<ApiResult> FindByTagAsync(ApiCall call)
    {
        var query = call.Http.Request.Query;
        if (query["tag"].ToString() is not { Length: > 0 } tag) return new(call.Error("MissingRequiredParameter", "tag"));
        var prefix = false;
        if (query.TryGetValue("useStartsWithFilter", out var flag) && !bool.TryParse(flag, out prefix))
            return new(call.Error("InvalidInput", "useStartsWithFilter"));
        return reader.CollectionAsync(call, MachineTable.Machines, sql =>
        {
            var value = sql.Parameter(tag, NpgsqlDbType.Text);
            sql.Add(prefix
                ? $" AND EXISTS (SELECT 1 FROM unnest(m.machine_tags) AS t(v) WHERE starts_with(t.v, {value}))"
                : $" AND m.machine_tags @> ARRAY[{value}]");
        });
    }

    // The state keeps each device's addresses with the span in which it was seen; the window is met when they overlap.
    private async ValueTask<ApiResult> FindByIpAsync(ApiCall call, string parameter, TimeSpan around)
    {
        var address = call.Route[parameter];
        if (!Observations.IsAddress(address)) return call.Error("InvalidIpAddress", address);
        if (!RequestBody.TryTime(call.Route["timestamp"], out var time)) return call.Error("InvalidInput", "timestamp");
        if (time < clock.GetUtcNow().UtcDateTime - LookBack) return call.Error("InvalidInput", "timestamp: it must be within the past 30 days");
        var latest = time > DateTime.MaxValue - around ? DateTime.MaxValue : time + around;
        SqlCondition seen = sql =>
        {
            var ip = sql.Parameter(address, NpgsqlDbType.Text);
            sql.Add($" AND (m.last_ip_address = {ip} OR m.ip_addresses @> jsonb_build_array(jsonb_build_object('ipAddress', {ip}::text)))")
                .Add($" AND m.first_seen <= {sql.Parameter(latest, NpgsqlDbType.TimestampTz)}")
                .Add($" AND m.last_seen >= {sql.Parameter(time - around, NpgsqlDbType.TimestampTz)}");
        };
        if (parameter == "key" && !await reader.ExistsAsync(call, MachineTable.Machines, seen)) return call.Error("NotFound", $"No machine with the address {address} was found");
        return await reader.CollectionAsync(call, MachineTable.Machines, seen);
    }

    private async ValueTask<ApiResult?> MissingAsync(ApiCall call) =>
        await reader.ExistsAsync(call, MachineTable.Machines, WithId(call.Route["id"])) ? null : (ApiResult)call.Error("MachineNotFound", call.Route["id"]);

    private static string Id(ApiCall call) => call.Route["id"].ToLowerInvariant();

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}
