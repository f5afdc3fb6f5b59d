using System.Globalization;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Vedette.Defender.Notifications;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>
/// Delta queries over alerts and incidents. The first round tells everything, each later one what the snapshot from which the round before began
/// did not see, whatever committed when: nothing is missed, and nothing is told twice but what changes while a round is being read. What a
/// filter no longer lets through, and what is gone, is told as removed.
/// </summary>
internal sealed class DeltaHandlers(EntityReader reader, NpgsqlDataSource database) : IGraphSecurityHandlers
{
    /// <summary>How long a round can be followed by the next.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    private const string Latest = "latest";
    private const string PageSize = "odata.maxpagesize=";

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
        [.. SubscribedResource.All.Select(kind => KeyValuePair.Create<string, ApiHandler>($"GET /{kind.Path}/delta", call => AnswerAsync(call, kind)))];

    private async ValueTask<ApiResult> AnswerAsync(ApiCall call, SubscribedResource kind)
    {
        var table = SubscriptionDraft.Table(call.Surface, kind);
        var delta = call.Http.Request.Query["$deltatoken"].ToString();
        var (epoch, snapshot) = await PresentAsync(call.Aborted);
        var now = TimeProvider.System.GetUtcNow();
        var round = new DeltaToken(epoch, now.ToUnixTimeSeconds(), snapshot);
        if (delta.Equals(Latest, StringComparison.OrdinalIgnoreCase)) return Page(call, table, kind, round with { Gone = true, Since = snapshot }, take: 1);
        if (delta.Length > 0) round = round with { Since = Known(call, delta, epoch, now).Seen };
        else if (call.Query.SkipToken is { } skip) round = Known(call, skip, epoch, now);
        else await ForgetAsync(call.Caller.TenantId, call.Aborted);
        return Page(call, table, kind, round, Take(call));
    }

    private static DeltaToken Known(ApiCall call, string text, long epoch, DateTimeOffset now)
    {
        var token = DeltaToken.Read(text) ?? throw call.Refuse("BadPageToken");
        if (token.Epoch == epoch && now - DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(token.Made, 0, now.ToUnixTimeSeconds())) <= Lifetime) return token;

        // Where to begin again.
        call.Http.Response.Headers.Location = $"{call.ServiceRoot}/{call.RelativePath}{QueryString.Create(Options(call))}";
        throw call.Refuse("DeltaExpired");
    }

    private static int Take(ApiCall call)
    {
        var abilities = call.Endpoint.OData;
        var preferred = call.Http.Request.Headers["Prefer"].SelectMany(value => (value ?? "").Split([',', ';'], StringSplitOptions.TrimEntries))
            .FirstOrDefault(value => value.StartsWith(PageSize, StringComparison.OrdinalIgnoreCase));
        var asked = int.TryParse(preferred?[PageSize.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size > 0 ? size : (int?)null;
        return Math.Clamp(call.Query.Top ?? asked ?? abilities.Page ?? 100, 1, abilities.Top ?? 100);
    }

    private JsonResult Page(ApiCall call, EntityTable table, SubscribedResource kind, DeltaToken round, int take) => new(async (json, flow) =>
    {
        var columns = EntityReader.Columns(table, call.Query);
        json.WriteStartObject();
        EntityReader.WriteContext(json, call, columns, call.Query);
        json.WriteStartArray("value"u8);
        var left = take;
        var next = round;
        if (!next.Gone) (next, left) = await RowsAsync(call, table, columns, json, flow, next, take);
        var ends = next.Gone;
        if (next is { Gone: true, Since: not null } && left > 0) (next, ends) = await GoneAsync(call, kind, json, next, left);
        else if (next is { Gone: true, Since: not null }) ends = false;
        json.WriteEndArray();
        var (option, token) = ends ? ("$deltatoken", new DeltaToken(round.Epoch, round.Made, round.Seen)) : ("$skiptoken", next);
        json.WriteString(ends ? "@odata.deltaLink"u8 : "@odata.nextLink"u8, $"{call.ServiceRoot}/{call.RelativePath}{QueryString.Create(Options(call).Append(new(option, token.ToString())))}"
            .Replace("%24", "$", StringComparison.Ordinal));
        json.WriteEndObject();
    });

    // Writes what is there in the order of its keys; gives the place that the next page begins from and how much of this one is left.
    private async Task<(DeltaToken Next, int Left)> RowsAsync(
        ApiCall call, EntityTable table, (EntityProperty Property, int Ordinal)[] columns, Utf8JsonWriter json, AnswerFlow flow, DeltaToken round, int take)
    {
        var tie = table.Tie ?? table.Key;
        var sql = new SqlText();
        var filter = call.Query.Filter is { } node ? new FilterSql(table, sql).Translate(node) : "true";
        var changed = $"{table.TenantColumn[..table.TenantColumn.IndexOf('.', StringComparison.Ordinal)]}.changed_in";
        sql.Add($"SELECT {string.Join(", ", columns.Select(column => column.Property.Sql).Append(table.Key.Sql))}, ({filter}) IS TRUE FROM {table.Source}");
        sql.Add($" WHERE {table.TenantColumn} = {sql.Parameter(call.Caller.TenantId, NpgsqlDbType.Uuid)}");
        SubscriptionFilter.Seen(table, call.Caller.DeviceGroups)?.Invoke(sql);
        if (round.Since is { } since) sql.Add(Unseen(changed, sql.Parameter(since, NpgsqlDbType.Text)));
        else if (call.Query.Filter is not null) sql.Add($" AND ({filter})");
        if (round.After is { } after) sql.Add($" AND {tie.Sql} > {sql.Parameter(after, NpgsqlDbType.Text)}{(tie.Kind == ValueKind.Int64 ? "::bigint" : "")}");
        sql.Add($" ORDER BY {tie.Sql} LIMIT {(take + 1).ToString(CultureInfo.InvariantCulture)}");
        var all = call.Surface.Dialect.KnowsAllMembers(call.Http);
        var written = 0;
        var last = round.After;
        await using var rows = await reader.RowsAsync(sql, flow.Cancel);
        while (await rows.ReadAsync(flow.Cancel))
        {
            if (written++ == take) return (round with { After = last }, 0);
            last = rows.Reader.GetString(columns.Length);
            if (rows.Reader.GetBoolean(columns.Length + 1))
            {
                json.WriteStartObject();
                foreach (var (property, ordinal) in columns) EntityReader.WriteProperty(json, rows.Reader, property, ordinal, all);
                json.WriteEndObject();
            }
            else
            {
                Removed(json, last, "changed");
            }

            await flow.SendIfLargeAsync();
        }

        return (round with { Gone = true, After = null }, take - written);
    }

    private async Task<(DeltaToken Next, bool Ends)> GoneAsync(ApiCall call, SubscribedResource kind, Utf8JsonWriter json, DeltaToken round, int take)
    {
        // What a user did not see is not told as gone either; nobody knows any more whose it was.
        if (call.Caller.DeviceGroups is not null) return (round, true);
        var sql = new SqlText();
        sql.Add($"SELECT resource_id FROM changes.removed WHERE tenant_id = {sql.Parameter(call.Caller.TenantId, NpgsqlDbType.Uuid)} AND kind = {sql.Parameter(kind.Kind, NpgsqlDbType.Text)}");
        sql.Add(Unseen("changed_in", sql.Parameter(round.Since!, NpgsqlDbType.Text)));
        if (round.After is { } after) sql.Add($" AND resource_id > {sql.Parameter(after, NpgsqlDbType.Text)}");
        sql.Add($" ORDER BY resource_id LIMIT {(take + 1).ToString(CultureInfo.InvariantCulture)}");
        var written = 0;
        var last = round.After;
        await using var rows = await reader.RowsAsync(sql, call.Aborted);
        while (await rows.ReadAsync(call.Aborted))
        {
            if (written++ == take) return (round with { After = last }, false);
            Removed(json, last = rows.Reader.GetString(0), "deleted");
        }

        return (round, true);
    }

    private static string Unseen(string column, string snapshot) =>
        $" AND {column} >= pg_snapshot_xmin({snapshot}::pg_snapshot) AND NOT pg_visible_in_snapshot({column}, {snapshot}::pg_snapshot)";

    private static void Removed(Utf8JsonWriter json, string id, string reason)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        json.WriteStartObject("@removed"u8);
        json.WriteString("reason"u8, reason);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // The caller's own options go on with every link.
    private static IEnumerable<KeyValuePair<string, string?>> Options(ApiCall call) => call.Http.Request.Query
        .Where(pair => !pair.Key.Equals("$skiptoken", StringComparison.OrdinalIgnoreCase) && !pair.Key.Equals("$deltatoken", StringComparison.OrdinalIgnoreCase))
        .Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value.ToString()));

    private async Task<(long Epoch, string Snapshot)> PresentAsync(CancellationToken cancel)
    {
        await using var command = database.CreateCommand("SELECT last_value, pg_current_snapshot()::text FROM changes.epoch");
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        return (row.GetInt64(0), row.GetString(1));
    }

    // Nobody can still ask for it by a token that is good.
    private async Task ForgetAsync(Guid tenant, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("DELETE FROM changes.removed WHERE tenant_id = $1 AND removed_at < clock_timestamp() - interval '31 days'");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = tenant });
        await command.ExecuteNonQueryAsync(cancel);
    }
}
