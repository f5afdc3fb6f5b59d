using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Http.Entities;

/// <summary>Extra conditions of a handler, written with parameters into the statement.</summary>
internal delegate void SqlCondition(SqlText sql);

/// <summary>
/// Reads entities with one statement and writes them as JSON straight from the database's row, without objects in between. A page never
/// holds more than the caller asked for or the row's cap, and every order ends with the key, so that pages do not overlap.
/// </summary>
internal sealed class EntityReader(NpgsqlDataSource database, PageCache pages, PagePositions positions)
{
    // Lists whose pages name no cap of their own end here too.
    private const int LargestPage = 10_000;

    /// <summary>What stands for members that the caller may not know.</summary>
    internal const string UnknownMember = "unknownFutureValue";

    /// <summary>Answers a collection: the page, the count when asked for, the link to the next page when one is due; or only the count.</summary>
    public async ValueTask<ApiResult> CollectionAsync(ApiCall call, EntityTable table, SqlCondition? condition = null, bool linkNextPage = true)
    {
        var query = call.Query;
        if (call.Route.CountOnly) return new NumberResult(await CountAsync(call, table, condition));
        var byToken = call.Surface.Dialect.PagesByToken;
        var cap = Math.Min(call.Endpoint.OData.Top ?? LargestPage, call.Endpoint.MaxItems ?? LargestPage);
        var take = Math.Min(query.Top ?? call.Endpoint.OData.Page ?? cap, cap);
        var order = byToken ? PageOrder.Of(table, query) : null;
        var start = byToken ? PageToken.Read(call, query, table, order) : new PageToken(query.Skip, null);
        var key = condition is null && !byToken ? PageCache.KeyOf(call, table) : null;
        var version = key is null ? default : await pages.VersionAsync(table.VersionSequence!);
        if (key is not null && pages.Find(key, version.Version) is { } kept) return new KeptResult(kept);
        long? count = query.Count ? await CountAsync(call, table, condition) : null;
        var document = query is { Select: null, Expand.Count: 0 } ? table.DocumentColumn : null;
        var columns = Columns(table, query);
        // One row past the cap tells whether a next page is due. With $top there never is one, unless pages are told by tokens.
        var probe = linkNextPage && (byToken || (query.Top is null && call.Endpoint.OData.Skip));
        List<string> sources = document is null ? [.. columns.Select(c => c.Property.Sql)] : [document];
        var firstOfPlace = sources.Count;
        if (byToken) sources.AddRange(order?.Place ?? [table.Key.Sql]);
        var keyset = probe && !byToken && query.OrderBy.Count == 0 ? table.Keyset : null;
        var firstOfKeyset = sources.Count;
        sources.AddRange(keyset ?? []);
        var behind = keyset is not null && query.Skip > 0 ? positions.Find(call, query.Skip) : null;
        var sql = Select(call, table, sources, query, condition + start.Condition(table, order) + (behind is null ? null : PagePositions.Behind(keyset!, behind, table.KeysetDescends)));
        sql.Add(" ORDER BY ").Add(Order(table, query, sql));
        sql.Add($" LIMIT {(probe ? take + 1 : take).ToString(CultureInfo.InvariantCulture)}");
        if (start.Offset > 0 && behind is null) sql.Add($" OFFSET {start.Offset.ToString(CultureInfo.InvariantCulture)}");
        var rows = await RowsAsync(sql, call.Aborted);
        return new JsonResult(WriteAsync)
        {
            Source = rows,
            Keep = key is not null && version.IsQuiet && pages.IsRepeated(key, version.Version) ? answer => pages.Keep(key, version.Version, answer) : null,
        };

        async ValueTask WriteAsync(Utf8JsonWriter json, AnswerFlow flow)
        {
            json.WriteStartObject();
            WriteContext(json, call, columns, query);
            if (count is { } total) json.WriteNumber("@odata.count"u8, total);
            json.WriteStartArray("value"u8);
            var written = 0;
            var more = false;
            string[] last = [];
            var all = call.Surface.Dialect.KnowsAllMembers(call.Http);
            object[]? lastOfKeyset = null;
            var buffer = document is null ? [] : ArrayPool<byte>.Shared.Rent(4096);
            while (await rows.ReadAsync(flow.Cancel))
            {
                if (written == take)
                {
                    more = true;
                    break;
                }

                if (document is null) WriteObject(json, rows.Reader, columns, all);
                else WriteDocument(json, rows.Reader, ref buffer);
                written++;
                if (byToken && written == take) last = [.. Enumerable.Range(firstOfPlace, sources.Count - firstOfPlace).Select(rows.Reader.GetString)];
                if (keyset is not null && written == take) lastOfKeyset = [.. Enumerable.Range(firstOfKeyset, keyset.Count).Select(rows.Reader.GetValue)];
                await flow.SendIfLargeAsync();
            }

            if (document is not null) ArrayPool<byte>.Shared.Return(buffer);
            json.WriteEndArray();
            if (more && lastOfKeyset is not null) positions.Note(call, query.Skip + written, lastOfKeyset);
            if (more && probe)
            {
                var next = byToken
                    ? ("$skiptoken", start.Next(query, written, last))
                    : ("$skip", (query.Skip + written).ToString(CultureInfo.InvariantCulture));
                json.WriteString("@odata.nextLink"u8, NextLink(call, next.Item1, next.Item2));
            }

            json.WriteEndObject();
        }
    }

    /// <summary>Answers one entity, or null when there is none that the caller may see.</summary>
    public async ValueTask<ApiResult?> EntityAsync(ApiCall call, EntityTable table, SqlCondition condition)
    {
        var abilities = call.Endpoint.OData;
        var query = abilities.Select || (abilities.Expand.Count > 0 && call.Surface.Dialect.PagesByToken) ? call.Query : null;
        var columns = Columns(table, query);
        var sql = Select(call, table, [.. columns.Select(c => c.Property.Sql)], ODataQuery.Empty, condition).Add(" LIMIT 1");
        var rows = await RowsAsync(sql, call.Aborted);
        if (!await rows.ReadAsync(call.Aborted))
        {
            await rows.DisposeAsync();
            return null;
        }

        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            WriteContext(json, call, columns, query);
            var all = call.Surface.Dialect.KnowsAllMembers(call.Http);
            foreach (var (property, ordinal) in columns) WriteProperty(json, rows.Reader, property, ordinal, all);
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        })
        {
            Source = rows,
        };
    }

    /// <summary>Entities that meet a condition and that the caller may see, as JSON objects by key: for answers that mix them with other things.</summary>
    public async ValueTask<IReadOnlyDictionary<string, JsonElement>> ObjectsAsync(ApiCall call, EntityTable table, SqlCondition condition)
    {
        var columns = Columns(table, null);
        var all = call.Surface.Dialect.KnowsAllMembers(call.Http);
        await using var rows = await RowsAsync(Select(call, table, [.. columns.Select(c => c.Property.Sql), table.Key.Sql], ODataQuery.Empty, condition), call.Aborted);
        var objects = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        while (await rows.ReadAsync(call.Aborted))
        {
            var buffer = new ArrayBufferWriter<byte>();
            await using (var json = new Utf8JsonWriter(buffer)) WriteObject(json, rows.Reader, columns, all);
            using var document = JsonDocument.Parse(buffer.WrittenMemory);
            objects[rows.Reader.GetString(columns.Length)] = document.RootElement.Clone();
        }

        return objects;
    }

    /// <summary>Whether there is an entity that meets a condition and that the caller may see.</summary>
    public async ValueTask<bool> ExistsAsync(ApiCall call, EntityTable table, SqlCondition condition)
    {
        var sql = new SqlText().Add("SELECT 1 FROM ").Add(table.Source);
        Where(sql, call, table, ODataQuery.Empty, condition);
        await using var command = sql.Add(" LIMIT 1").ToCommand(database);
        return await command.ExecuteScalarAsync(call.Aborted) is not null;
    }

    /// <summary>Keys of the entities that the caller may see, that the filter lets through and that meet a condition; keys must be GUIDs.</summary>
    public async ValueTask<IReadOnlyList<Guid>> KeysAsync(ApiCall call, EntityTable table, SqlCondition condition)
    {
        await using var command = Select(call, table, [table.Key.Sql], call.Query, condition).ToCommand(database);
        await using var rows = await command.ExecuteReaderAsync(call.Aborted);
        var keys = new List<Guid>();
        while (await rows.ReadAsync(call.Aborted)) keys.Add(rows.GetGuid(0));
        return keys;
    }

    /// <summary>All properties, as texts, of the entities that meet a condition.</summary>
    public async ValueTask<IReadOnlyList<string?[]>> TextsAsync(ApiCall call, EntityTable table, SqlCondition condition)
    {
        await using var command = Select(call, table, [.. table.Properties.Select(p => $"({p.Sql})::text")], ODataQuery.Empty, condition)
            .Add($" ORDER BY {table.DefaultOrder}").ToCommand(database);
        await using var rows = await command.ExecuteReaderAsync(call.Aborted);
        var texts = new List<string?[]>();
        while (await rows.ReadAsync(call.Aborted)) texts.Add([.. Enumerable.Range(0, rows.FieldCount).Select(i => rows.IsDBNull(i) ? null : rows.GetString(i))]);
        return texts;
    }

    /// <summary>The number of entities that the caller may see and that the filter lets through.</summary>
    public async ValueTask<long> CountAsync(ApiCall call, EntityTable table, SqlCondition? condition)
    {
        var sql = new SqlText().Add("SELECT count(*) FROM ").Add(table.Source);
        Where(sql, call, table, call.Query, condition);
        await using var command = sql.ToCommand(database);
        return (long)(await command.ExecuteScalarAsync(call.Aborted))!;
    }

    /// <summary>Runs a statement.</summary>
    internal async ValueTask<EntityRows> RowsAsync(SqlText sql, CancellationToken cancel)
    {
        var command = sql.ToCommand(database);
        try
        {
            return new EntityRows(command, await command.ExecuteReaderAsync(cancel));
        }
        catch
        {
            await command.DisposeAsync();
            throw;
        }
    }

    /// <summary>The properties that a query asks for, with the places of their values.</summary>
    internal static (EntityProperty Property, int Ordinal)[] Columns(EntityTable table, ODataQuery? query)
    {
        var ordinal = 0;
        return [.. table.Properties.Where(IsAsked).Select(p => (Collapse(p), ordinal++))];

        bool IsAsked(EntityProperty property) =>
            property.IsAnnotation ? property.Returned
            : property.OnlyExpanded ? query?.Expand.Contains(property.Name) ?? false
            : property.Returned && (query?.Select?.Contains(property.Name) ?? !property.OnlySelected);

        EntityProperty Collapse(EntityProperty property) =>
            query is not null && property.Collapsed is { } less && !query.Expand.Contains(property.Name) ? property with { Sql = less } : property;
    }

    private static SqlText Select(ApiCall call, EntityTable table, IReadOnlyList<string> columns, ODataQuery query, SqlCondition? condition)
    {
        var sql = new SqlText().Add("SELECT ").Add(columns.Count == 0 ? "1" : string.Join(", ", columns)).Add(" FROM ").Add(table.Source);
        Where(sql, call, table, query, condition);
        return sql;
    }

    private static void Where(SqlText sql, ApiCall call, EntityTable table, ODataQuery query, SqlCondition? condition)
    {
        sql.Add(table.TenantColumn.Length == 0 ? " WHERE true" : $" WHERE {table.TenantColumn} = {sql.Parameter(call.Caller.TenantId, NpgsqlDbType.Uuid)}");
        if (call.Endpoint.DeviceGroups && call.Caller.DeviceGroups is { } groups && table.DeviceGroupColumn is { } column)
            sql.Add($" AND {column} = ANY({sql.Parameter(groups.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer)})");
        condition?.Invoke(sql);
        if (query.Filter is { } filter) sql.Add(" AND ").Add(new FilterSql(table, sql).Translate(filter));
        foreach (var clause in query.Search)
            sql.Add($" AND ({string.Join(" OR ", clause.Select(part => $"strpos(lower({part.Property.Sql}), {sql.Parameter(part.Text.ToLowerInvariant(), NpgsqlDbType.Text)}) > 0"))})");
    }

    // Nulls come first in ascending order and last in descending order, as OData says. The key closes the order in the direction of the last
    // property, which lets an index serve it.
    private static string Order(EntityTable table, ODataQuery query, SqlText sql)
    {
        if (query.OrderBy.Count == 0) return table.DefaultOrder;
        var translator = new FilterSql(table, sql);
        var keys = query.OrderBy.Select(key => translator.Order(key.Expression, key.Descending));
        return $"{string.Join(", ", keys)}, {table.Key.Sql}{(query.OrderBy[^1].Descending ? " DESC" : "")}";
    }

    /// <summary>Writes what the answer is.</summary>
    internal static void WriteContext(
        Utf8JsonWriter json, ApiCall call, (EntityProperty Property, int Ordinal)[] columns, ODataQuery? query)
    {
        if (call.Endpoint.Context is not { } context) return;
        if (context == ApiEndpoint.RequestContext)
        {
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/{call.RelativePath}");
            return;
        }

        // What is expanded stands with empty parentheses behind its name, by itself too.
        var expanded = call.Surface.Dialect.PagesByToken && query is { Expand.Count: > 0 };
        if (query?.Select is not null || expanded)
        {
            const string one = "/$entity";
            var named = columns.Select(c => c.Property).Where(p => !p.IsAnnotation && (query!.Select is not null || query.Expand.Contains(p.Name)));
            var names = $"({string.Join(',', named.Select(p => expanded && query!.Expand.Contains(p.Name) ? p.Name + "()" : p.Name))})";
            context = context.EndsWith(one, StringComparison.Ordinal) ? context[..^one.Length] + names + one : context + names;
        }

        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{context}");
    }

    // The client's own options come back in the link, with only the position changed.
    private static string NextLink(ApiCall call, string option, string position)
    {
        var options = call.Http.Request.Query
            .Where(pair => !pair.Key.Equals(option, StringComparison.OrdinalIgnoreCase))
            .SelectMany(pair => pair.Value.Select(value => $"{Escape(pair.Key)}={Escape(value ?? "")}"))
            .Append($"{option}={position}");
        return $"{call.ServiceRoot}/{call.RelativePath}?{string.Join('&', options)}";

        static string Escape(string text) => Uri.EscapeDataString(text).Replace("%24", "$", StringComparison.Ordinal);
    }

    // Bytes go from the database's buffer to the answer without becoming text in between.
    private static void WriteDocument(Utf8JsonWriter json, NpgsqlDataReader reader, ref byte[] buffer)
    {
        var length = (int)reader.GetBytes(0, 0, null, 0, 0);
        if (length > buffer.Length)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = ArrayPool<byte>.Shared.Rent(length);
        }

        reader.GetBytes(0, 0, buffer, 0, length);
        json.WriteRawValue(buffer.AsSpan(0, length), skipInputValidation: true);
    }

    private static void WriteObject(Utf8JsonWriter json, NpgsqlDataReader reader, (EntityProperty Property, int Ordinal)[] columns, bool all)
    {
        json.WriteStartObject();
        foreach (var (property, ordinal) in columns) WriteProperty(json, reader, property, ordinal, all);
        json.WriteEndObject();
    }

    /// <summary>Writes a property of the row at hand.</summary>
    internal static void WriteProperty(Utf8JsonWriter json, NpgsqlDataReader reader, EntityProperty property, int ordinal, bool all)
    {
        var name = property.Encoded;
        if (reader.IsDBNull(ordinal))
        {
            if (!property.OmitNull) json.WriteNull(name);
            return;
        }

        switch (property.Kind)
        {
            case ValueKind.String:
                var text = reader.GetString(ordinal);
                json.WriteString(name, !all && property.Late.Count > 0 && property.Late.Contains(text) ? UnknownMember : text);
                break;
            case ValueKind.Int32: json.WriteNumber(name, reader.GetInt32(ordinal)); break;
            case ValueKind.Int64: json.WriteNumber(name, reader.GetInt64(ordinal)); break;
            case ValueKind.Double: json.WriteNumber(name, reader.GetDouble(ordinal)); break;
            case ValueKind.Boolean: json.WriteBoolean(name, reader.GetBoolean(ordinal)); break;
            case ValueKind.Time: json.WriteString(name, reader.GetDateTime(ordinal)); break;
            case ValueKind.Guid: json.WriteString(name, reader.GetGuid(ordinal)); break;
            case ValueKind.Strings:
                json.WriteStartArray(name);
                foreach (var item in reader.GetFieldValue<string[]>(ordinal)) json.WriteStringValue(item);
                json.WriteEndArray();
                break;
            case ValueKind.Json when property.Rewrite is { } rewrite:
                json.WritePropertyName(name);
                rewrite(json, reader.GetString(ordinal), all);
                break;
            case ValueKind.Json:
                json.WritePropertyName(name);
                json.WriteRawValue(reader.GetString(ordinal), skipInputValidation: true);
                break;
        }
    }
}

/// <summary>Rows being read, with the command that reads them.</summary>
internal sealed class EntityRows(NpgsqlCommand command, NpgsqlDataReader reader) : IAsyncDisposable
{
    /// <summary>The row at hand.</summary>
    public NpgsqlDataReader Reader { get; } = reader;

    /// <summary>Moves to the next row.</summary>
    public Task<bool> ReadAsync(CancellationToken cancel) => Reader.ReadAsync(cancel);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Reader.DisposeAsync();
        await command.DisposeAsync();
    }
}
