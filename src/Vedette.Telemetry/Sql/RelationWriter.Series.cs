using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>make-series and top-nested.</summary>
internal sealed partial class RelationWriter
{
    private Select MakeSeries(MakeSeriesRelation node, Select input, IReadOnlyList<int> outside)
    {
        var inner = Prepare(
            Open(input.Unordered()),
            node.Keys.Select(k => k.Value).Append(node.Axis).Concat(node.Series.SelectMany(s => s.Aggregate.SelectMany(a => a.Arguments))));
        if (inner.HasWindow)
            inner = inner.Wrap();
        var real = node.Axis.Type is KqlType.Real or KqlType.Decimal;
        var step = Position(_scalars.Write(node.Step, inner));
        var from = node.From is null ? null : Position(_scalars.Write(node.From, inner));
        var to = node.To is null ? null : Position(_scalars.Write(node.To, inner));
        var axis = Position(_scalars.Write(node.Axis, inner));
        var origin = from ?? (node.Axis.Type == KqlType.DateTime ? SqlText.Long(-SqlConvert.UnixEpochTicks) : "0");
        if (from is not null)
            inner.Where($"{axis} >= {from}");
        if (to is not null)
            inner.Where($"{axis} < {to}");
        inner.Where($"isNotNull({axis})");
        var bin = NewHidden();
        // Whole numbers are binned without going through reals, which could not hold ticks.
        inner.DefineAlways(bin, new SqlValue(
            real
                ? $"toInt64(assumeNotNull(floor(({axis} - {origin}) / {step})))"
                : SqlLambda.Let($"assumeNotNull(toInt64({axis}) - ({origin}))", d => $"intDiv({d} - positiveModulo({d}, {step}), {step})"),
            KqlType.Long,
            false));
        var keys = new List<(KqlColumn Column, int Inner)> { (new KqlColumn(NewHidden(), "", KqlType.Long), bin) };
        keys.AddRange(outside.Select(g => (new KqlColumn(g, "", inner.Resolve(g).Type), inner.Resolve(g).Array is null ? g : Hide(inner, inner.Resolve(g).WithoutArray()))));
        foreach (var key in node.Keys)
            keys.Add((key.Column, Hide(inner, Typed(_scalars.Write(key.Value, inner), key.Column.Type).WithoutArray())));
        var items = node.Series.SelectMany(s => s.Aggregate).ToList();
        var arguments = items.Select(a => a.Arguments.Select(x => Argument(inner, x)).ToList()).ToList();
        var binned = Group(inner, keys, items, arguments, ordered: false).Wrap();
        var cells = new List<int>();
        foreach (var series in node.Series)
        {
            var value = series.Finish is null
                ? binned.Resolve(series.Aggregate[0].Outputs[0].Id)
                : _scalars.Write(series.Finish, binned);
            var cell = NewHidden();
            binned.DefineAlways(cell, new SqlValue(SqlConvert.ToJson(value), KqlType.String, false));
            cells.Add(cell);
        }

        // Bins become arrays: what is missing takes the default.
        var group = binned.Wrap();
        group.Order = [];
        var position = group.Resolve(keys[0].Column.Id).Text;
        var terms = new List<string>();
        foreach (var key in outside.Concat(node.Keys.Select(k => k.Column.Id)))
        {
            var value = group.Resolve(key);
            group.Define(key, value);
            if (!value.IsConstant)
                terms.Add(value.Text);
        }

        group.GroupBy = terms.Count > 0 || node.NonEmpty ? terms : ["tuple()"];
        var (first, last) = (NewHidden(), NewHidden());
        group.DefineAlways(first, new SqlValue(from is not null ? "toInt64(0)" : $"min({position})", KqlType.Long, false));
        group.DefineAlways(last, new SqlValue(to is not null ? $"toInt64(ceil(({to} - {origin}) / {step}))" : $"max({position}) + 1", KqlType.Long, false));
        var maps = new List<int>();
        foreach (var cell in cells)
        {
            var map = NewHidden();
            group.DefineAlways(map, new SqlValue($"mapFromArrays(groupArray({position}), groupArray({group.Resolve(cell).Text}))", KqlType.Unknown, false));
            maps.Add(map);
        }

        var outer = group.Wrap();
        var range = $"range({outer.Resolve(first).Text}, least({outer.Resolve(last).Text}, {outer.Resolve(first).Text} + 1000000))";
        for (var i = 0; i < node.Series.Count; i++)
        {
            var series = node.Series[i];
            var absent = series.Default is null
                ? DefaultElement(series.Finish?.Type ?? series.Aggregate[0].Type)
                : SqlConvert.ToJson(Typed(_scalars.Write(series.Default, outer), SqlTypes.IsNumber(series.Default.Type) && series.Finish is null && SqlTypes.IsNumber(series.Aggregate[0].Type) ? series.Aggregate[0].Type : series.Default.Type));
            var map = outer.Resolve(maps[i]).Text;
            outer.Define(series.Column.Id, SqlJson.FromElements($"arrayMap(k -> if(mapContains({map}, k), {map}[k], {absent}), {range})"));
        }

        var place = new SqlValue($"({origin} + k * {step})", node.Axis.Type == KqlType.DateTime ? KqlType.TimeSpan : node.Axis.Type, false);
        outer.Define(node.AxisColumn.Id, SqlJson.FromElements($"arrayMap(k -> {SqlConvert.ToJson(node.Axis.Type == KqlType.DateTime ? SqlConvert.FromTicks(place) : place)}, {range})"));
        return outer;
    }

    private static string Position(SqlValue value) => value.Type switch
    {
        KqlType.DateTime => SqlConvert.Ticks(value).Text,
        KqlType.Dynamic or KqlType.String => SqlConvert.ToReal(value).Text,
        _ => value.Text,
    };

    private static string DefaultElement(KqlType type) => type switch
    {
        KqlType.Int or KqlType.Long => "'0'",
        KqlType.Real or KqlType.Decimal => "'0.0'",
        KqlType.TimeSpan => "'\"00:00:00\"'",
        KqlType.String => "'\"\"'",
        _ => "'null'",
    };
}
