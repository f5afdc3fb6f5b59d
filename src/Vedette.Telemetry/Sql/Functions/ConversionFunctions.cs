using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>Conversions, null tests and choices.</summary>
internal static class ConversionFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        Conversion(KqlType.String, "tostring");
        Conversion(KqlType.Int, "toint");
        Conversion(KqlType.Long, "tolong");
        Conversion(KqlType.Real, "todouble", "toreal");
        Conversion(KqlType.Decimal, "todecimal");
        Conversion(KqlType.Bool, "tobool", "toboolean");
        Conversion(KqlType.DateTime, "todatetime");
        Conversion(KqlType.TimeSpan, "totimespan", "totime");
        Conversion(KqlType.Guid, "toguid");
        foreach (var name in new[] { "parse_json", "todynamic", "parsejson", "toobject" })
            table[name] = ParseJson;
        table["not"] = c => new SqlValue($"NOT ({SqlConvert.ToBool(c[0]).Text})", KqlType.Bool, SqlConvert.ToBool(c[0]).Nullable);
        table["isnull"] = c => IsNull(c[0], negated: false);
        table["isnotnull"] = c => IsNull(c[0], negated: true);
        table["notnull"] = table["isnotnull"];
        table["isempty"] = c => IsEmpty(c[0], negated: false);
        table["isnotempty"] = c => IsEmpty(c[0], negated: true);
        table["notempty"] = table["isnotempty"];
        table["coalesce"] = Coalesce;
        table["gettype"] = GetType;
        table["assert"] = c => new SqlValue(
            $"if(throwIf(NOT ({c.B(0)}), {(c[1].IsConstant ? SqlText.Quote($"assert() has failed with message: '{c.ConstantText(1)}'") : $"concat('assert() has failed with message: \\'', {c.S(1)}, '\\'')")}) = 0, true, true)", KqlType.Bool, false);
        table["max_of"] = c => Extreme(c, "greatest");
        table["min_of"] = c => Extreme(c, "least");
        table["estimate_data_size"] = c => new SqlValue("toInt64(" + string.Join(" + ", c.Arguments.Select(DataSize)) + ")", KqlType.Long, false);
        table["current_principal"] = c => SqlConstant.String(c.Context.Principal);
        table["current_principal_details"] = c => SqlConstant.Dynamic(Local.LocalJson.Write(new System.Text.Json.Nodes.JsonObject
        {
            ["UserPrincipalName"] = c.Context.Principal,
            ["IdentityProvider"] = "https://sts.windows.net",
            ["Authority"] = c.Context.TenantId.ToString("D"),
            ["FQN"] = c.Context.Principal,
        }));
        table["current_principal_is_member_of"] = c => new SqlValue(
            $"has(arrayMap(g -> lower(g), arrayFlatten([{string.Join(", ", Enumerable.Range(0, c.Count).Select(i => c[i].Type == KqlType.Dynamic ? c.Strings(i) : $"[{c.S(i)}]"))}])), {SqlText.Quote(c.Context.Principal.ToLowerInvariant())})",
            KqlType.Bool, false);
        table["cursor_current"] = c => SqlConstant.String(c.Context.Now.Ticks.ToString(System.Globalization.CultureInfo.InvariantCulture));
        // Rows are not kept in extents: they are all of one, without tags.
        table["extent_id"] = _ => new SqlValue("toUUID('00000000-0000-0000-0000-000000000000')", KqlType.Guid, false);
        table["extent_tags"] = _ => SqlConstant.Dynamic("[]");
        table["current_database"] = c => SqlConstant.String(c.Context.Database);
        table["current_cluster_endpoint"] = c => SqlConstant.String("localhost");
        table["new_guid"] = c => c.Value($"generateUUIDv4({c.Context.Calls.Next()})", KqlType.Guid);
        table["rand"] = c => c.Has(0)
            ? c.Value($"toFloat64(ifNull(moduloOrNull(rand64({c.Context.Calls.Next()}), toUInt64(greatest({c.L(0)}, 0))), 0))", KqlType.Real)
            : c.Real($"randCanonical({c.Context.Calls.Next()})");

        void Conversion(KqlType type, params string[] names)
        {
            foreach (var name in names)
                table[name] = c => SqlConvert.To(c[0], type);
        }
    }

    /// <summary>Bytes that a value takes: a dynamic one, which has more to it, more than its text.</summary>
    private static string DataSize(SqlValue value) => value.Type switch
    {
        KqlType.Bool => "1",
        KqlType.Int => "4",
        KqlType.Long or KqlType.Real or KqlType.DateTime or KqlType.TimeSpan => "8",
        KqlType.Decimal or KqlType.Guid => "16",
        KqlType.String => $"length({value.Text})",
        _ => $"byteSize({value.Text})",
    };

    private static SqlValue ParseJson(SqlCall c)
    {
        var value = c[0];
        if (value.Type == KqlType.Dynamic)
            return value;
        if (value.Type != KqlType.String)
            return SqlConvert.ToDynamic(value);
        if (value is { IsConstant: true, Constant: string text })
        {
            try
            {
                using var document = System.Text.Json.JsonDocument.Parse(text, Local.LocalJson.Options);
                return SqlConstant.Dynamic(document.RootElement is { ValueKind: System.Text.Json.JsonValueKind.Number } number && !double.IsFinite(number.GetDouble()) ? KqlJson.Quote(text) : document.RootElement.GetRawText());
            }
            catch (System.Text.Json.JsonException)
            {
                return text.Length == 0 ? SqlConstant.Dynamic("") : SqlConstant.Dynamic(KqlJson.Quote(text));
            }
        }

        // A path into the value reads the text itself; only the whole value needs the check.
        var sql = SqlLambda.Let(value.Text, s => $"multiIf({s} = '', '', isValidJSON({s}), ifNull(nullIf(trimBoth({s}), 'null'), ''), toJSONString({s}))");
        return new SqlValue(sql, KqlType.Dynamic, false) { Json = new SqlJsonPath(value.Text, []) };
    }

    private static SqlValue IsNull(SqlValue value, bool negated)
    {
        if (value.Type == KqlType.String)
            return SqlConstant.Of(negated, KqlType.Bool);
        if (value.Type == KqlType.Dynamic)
            return new SqlValue($"{(negated ? "notEmpty" : "empty")}({value.Text})", KqlType.Bool, false);
        return value.Nullable
            ? new SqlValue($"{(negated ? "isNotNull" : "isNull")}({value.Text})", KqlType.Bool, false)
            : SqlConstant.Of(negated, KqlType.Bool);
    }

    private static SqlValue IsEmpty(SqlValue value, bool negated)
    {
        if (value.Type == KqlType.String)
            return new SqlValue(negated ? $"({value.Text} != '')" : $"({value.Text} = '')", KqlType.Bool, false);
        if (value.Type == KqlType.Dynamic)
            return new SqlValue(negated ? $"({SqlConvert.ToText(value).Text} != '')" : $"({SqlConvert.ToText(value).Text} = '')", KqlType.Bool, false);
        return IsNull(value, negated);
    }

    private static SqlValue Coalesce(SqlCall c)
    {
        var type = c.Type is KqlType.Unknown ? c[0].Type : c.Type;
        var values = c.Arguments.Select(a => SqlConvert.To(a, type)).ToList();
        if (type is KqlType.String or KqlType.Dynamic)
            return new SqlValue("coalesce(" + string.Join(", ", values.Take(values.Count - 1).Select(v => $"nullIf({v.Text}, '')")) + $", {values[^1].Text})", type, false);
        return new SqlValue("coalesce(" + string.Join(", ", values.Select(v => v.Text)) + ")", type, values.All(v => v.Nullable));
    }

    private static SqlValue GetType(SqlCall c)
    {
        var value = c[0];
        if (value.Type != KqlType.Dynamic)
            return SqlConstant.String(value.Type switch
            {
                KqlType.Bool => "bool",
                KqlType.Int => "int",
                KqlType.Long => "long",
                KqlType.Real => "real",
                KqlType.Decimal => "decimal",
                KqlType.String => "string",
                KqlType.DateTime => "datetime",
                KqlType.TimeSpan => "timespan",
                KqlType.Guid => "guid",
                _ => "dynamic",
            });
        return c.Text(SqlLambda.Let(value.Text, d =>
            $"multiIf({d} = '', 'null', startsWith({d}, '['), 'array', startsWith({d}, '{{'), 'dictionary', startsWith({d}, '\"'), 'string', "
            + $"{d} IN ('true', 'false'), 'bool', match({d}, '^-?[0-9]+$'), 'long', 'double')"));
    }

    private static SqlValue Extreme(SqlCall c, string function)
    {
        var values = c.Arguments.Select(a => SqlConvert.To(a, c.Type)).ToList();
        // Null only when every argument is null: the engine's functions give null for any.
        if (values.Any(v => v.Nullable))
        {
            var array = function == "greatest" ? "arrayReverseSort" : "arraySort";
            return new SqlValue($"arrayElementOrNull({array}(arrayFilter(e -> isNotNull(e), [{string.Join(", ", values.Select(v => v.Text))}])), 1)", c.Type, true);
        }

        return new SqlValue($"{function}({string.Join(", ", values.Select(v => v.Text))})", c.Type, false);
    }
}
