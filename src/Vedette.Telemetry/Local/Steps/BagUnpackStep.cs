using System.Text.Json.Nodes;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>bag_unpack: the properties of a bag become columns.</summary>
internal sealed class BagUnpackStep(PluginCall call) : ILocalStep
{
    private const int MaxColumns = 5000;

    public string Name => "bag_unpack";

    public bool FindsColumns => true;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var source = call.Arguments[0].Column;
        if (call.Arguments[0].Type is not (KqlType.Dynamic or KqlType.Unknown))
            throw new Hunting.HuntingException(Hunting.HuntingFailure.Semantic, "evaluate bag_unpack(): the following error(s) occurred while evaluating the output schema: evaluate bag_unpack(): argument #1 expected to be a reference to a dynamic column");
        var prefix = call.Argument("column_prefix", 1)?.Text ?? "";
        var conflict = call.Argument("columnsConflict", 2)?.Text ?? "error";
        var ignored = call.Argument("ignoredProperties", 3) is { } given && LocalJson.Parse((string)given.Constant!) is JsonArray list ? list.Select(LocalJson.Text).ToHashSet(StringComparer.Ordinal) : [];
        var kept = Enumerable.Range(0, call.Width).Where(i => i != source).ToList();
        var taken = kept.ToDictionary(i => input.Columns[i].Name, i => i, StringComparer.Ordinal);
        var names = new List<string>();
        var types = new Dictionary<string, KqlType?>(StringComparer.Ordinal);
        var bags = new List<JsonObject?>(input.Rows.Count);
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var bag = LocalJson.Parse((string)row[source]!) as JsonObject;
            bags.Add(bag);
            foreach (var (name, value) in bag ?? [])
            {
                if (ignored.Contains(name))
                    continue;
                if (!types.TryGetValue(name, out var known))
                {
                    if (names.Count == MaxColumns)
                        continue;
                    names.Add(name);
                }

                types[name] = BagTypes.Common(known, BagTypes.Of(value));
            }
        }

        var columns = kept.Select(i => input.Columns[i]).ToList();
        var places = new List<(string Name, int Position, KqlType Type, bool Fills)>();
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            var shown = prefix + name;
            var type = types[name] ?? KqlType.String;
            if (call.Outputs.FirstOrDefault(o => o.Name == shown) is { } declared)
                type = declared.Type;
            if (taken.TryGetValue(shown, out var clash))
            {
                if (conflict == "keep_source")
                    continue;
                if (conflict == "replace_source")
                {
                    var position = kept.IndexOf(clash);
                    columns[position] = new LocalColumn(shown, type);
                    places.Add((name, position, type, true));
                    continue;
                }

                throw new Hunting.HuntingException(Hunting.HuntingFailure.Semantic, $"evaluate bag_unpack(): the following error(s) occurred while evaluating the output schema: column '{shown}' already exists.");
            }

            places.Add((name, columns.Count, type, true));
            columns.Add(new LocalColumn(shown, type));
        }

        var rows = new List<object?[]>(input.Rows.Count);
        var budget = new RowBudget(Name);
        for (var r = 0; r < input.Rows.Count; r++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var values = new object?[columns.Count];
            for (var i = 0; i < kept.Count; i++)
                values[i] = input.Rows[r][kept[i]];
            foreach (var (name, position, type, _) in places)
                values[position] = bags[r] is { } bag && bag.TryGetPropertyValue(name, out var value) ? LocalValues.To(LocalJson.Write(value) is "null" ? "" : LocalJson.Write(value), KqlType.Dynamic, type) : LocalValues.To(null, KqlType.Dynamic, type);
            budget.Add(values);
            rows.Add(values);
        }

        return new LocalTable(columns, rows);
    }
}
