using Npgsql;
using Vedette.Server.Http;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Endpoint.Telemetry;

/// <summary>Runs queries over a caller's telemetry: only the tenant's rows, and of them only those of devices that a user may see.</summary>
internal sealed class TelemetryReader(IHuntingService hunting, NpgsqlDataSource database)
{
    /// <summary>Runs a query that a user wrote or that a handler made.</summary>
    /// <exception cref="HuntingException">The query is wrong, too heavy or over a limit.</exception>
    public async Task<HuntingResult> RunAsync(ApiCall call, string query, HuntingLimits? limits = null, (DateTime From, DateTime To)? window = null) =>
        await hunting.RunAsync(
            new HuntingRequest(call.Caller.TenantId, query) { Limits = limits, Window = window, VisibleDevices = await VisibleDevicesAsync(call) }, call.Aborted);

    /// <summary>The only row of a query as values by column; null when there is none.</summary>
    public async Task<IReadOnlyDictionary<string, object?>?> OneAsync(ApiCall call, string query, (DateTime From, DateTime To)? window = null)
    {
        var result = await RunAsync(call, query, null, window);
        if (result.Rows.Count == 0) return null;
        var row = result.Rows[0];
        return result.Columns.Select((column, i) => (column.Name, Value: row[i])).ToDictionary(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal);
    }

    /// <summary>A text as a KQL literal.</summary>
    public static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private async ValueTask<IReadOnlyCollection<string>?> VisibleDevicesAsync(ApiCall call)
    {
        if (call.Caller.DeviceGroups is not { } groups) return null;
        await using var command = database.CreateCommand("SELECT id FROM defender.machines WHERE tenant_id = $1 AND rbac_group_id = ANY($2)");
        command.Parameters.AddWithValue(call.Caller.TenantId);
        command.Parameters.AddWithValue(groups.ToArray());
        await using var reader = await command.ExecuteReaderAsync(call.Aborted);
        var devices = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(call.Aborted)) devices.Add(reader.GetString(0));
        return devices;
    }
}
