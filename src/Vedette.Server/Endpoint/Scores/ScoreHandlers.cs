using Npgsql;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Defender.Vulnerabilities.Posture;
using Vedette.Server.Endpoint.Software;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.Scores;

/// <summary>Reads the scores. Their formulas are explained in docs/vulnerability-management.md. Their time is the time of the call.</summary>
internal sealed class ScoreHandlers(VulnerabilityAssessment assessment, NpgsqlDataSource database, TimeProvider clock) : IEndpointHandlers
{
    // Devices count by their value; those in no group stand under a name of their own.
    private const string Score = "sum(t.exposure * w.weight) / sum(w.weight)";

    private const string Devices =
        """
         FROM defender.tvm_machines t
        JOIN defender.machines m ON m.tenant_id = t.tenant_id AND m.id = t.machine_id
        CROSS JOIN LATERAL (SELECT CASE m.device_value WHEN 'High' THEN 2.0::double precision WHEN 'Low' THEN 0.5 ELSE 1.0 END AS weight) AS w
        WHERE t.tenant_id = $1 AND ($2::int[] IS NULL OR m.rbac_group_id = ANY($2))
        """;

    private const string Exposure = $"SELECT '', 0, {Score}{Devices}";

    private const string ByGroup = $"SELECT coalesce(m.rbac_group_name, 'UnassignedGroup'), m.rbac_group_id, {Score}{Devices} GROUP BY 1, 2 ORDER BY 2";

    private const string Configuration =
        """
        SELECT '', 0, coalesce(sum(x.score), 0) FROM (
            SELECT r.impact * avg(CASE WHEN a.is_compliant THEN 1.0 ELSE 0.0 END) AS score
            FROM defender.configuration_assessments a
            JOIN defender.tvm_machines t ON t.tenant_id = a.tenant_id AND t.machine_id = a.machine_id
            JOIN defender.machines m ON m.tenant_id = a.tenant_id AND m.id = a.machine_id
            JOIN unnest($3::text[], $4::double precision[]) AS r(id, impact) ON r.id = a.configuration_id
            WHERE a.tenant_id = $1 AND a.is_applicable AND ($2::int[] IS NULL OR m.rbac_group_id = ANY($2))
            GROUP BY a.configuration_id, r.impact) AS x
        """;

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => new Dictionary<string, ApiHandler>
    {
        ["GET /api/exposureScore"] = call => SingleAsync(call, Exposure),
        ["GET /api/configurationScore"] = call => SingleAsync(call, Configuration),
        ["GET /api/exposureScore/ByMachineGroups"] = GroupsAsync,
    }.Select(pair => new KeyValuePair<string, ApiHandler>(pair.Key, assessment.BeforeReading(pair.Value)));

    private async ValueTask<ApiResult> SingleAsync(ApiCall call, string sql)
    {
        var rows = await RowsAsync(call, sql);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
            json.WriteString("time"u8, clock.GetUtcNow().UtcDateTime);
            json.WriteNumber("score"u8, rows.Count == 0 ? 0 : rows[0].Score);
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async ValueTask<ApiResult> GroupsAsync(ApiCall call)
    {
        var rows = await RowsAsync(call, ByGroup);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
            json.WriteStartArray("value"u8);
            foreach (var (name, id, score) in rows)
            {
                json.WriteStartObject();
                json.WriteString("time"u8, clock.GetUtcNow().UtcDateTime);
                json.WriteNumber("score"u8, score);
                json.WriteString("rbacGroupName"u8, name);
                json.WriteString("rbacGroupId"u8, id.ToString(System.Globalization.CultureInfo.InvariantCulture));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async Task<List<(string Name, int Id, double Score)>> RowsAsync(ApiCall call, string sql)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = call.Caller.TenantId });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)call.Caller.DeviceGroups?.ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Integer });
        if (sql.Contains("$3", StringComparison.Ordinal))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = ConfigurationCatalogue.All.Select(c => c.Id).ToArray() });
            command.Parameters.Add(new NpgsqlParameter { Value = ConfigurationCatalogue.All.Select(c => c.Impact).ToArray() });
        }

        await using var reader = await command.ExecuteReaderAsync(call.Aborted);
        var rows = new List<(string, int, double)>();
        while (await reader.ReadAsync(call.Aborted)) rows.Add((reader.GetString(0), reader.GetInt32(1), reader.IsDBNull(2) ? 0 : reader.GetDouble(2)));
        return rows;
    }
}
