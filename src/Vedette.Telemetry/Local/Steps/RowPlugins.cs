using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Sql.Aggregates;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>preview: the first rows. (The service gives a second table with the count of all rows; an answer of the API has one table.)</summary>
internal sealed class PreviewStep(PluginCall call) : ILocalStep
{
    public string Name => "preview";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) =>
        new([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], [.. input.Rows.Take((int)Math.Clamp(call.Long(input, "NumberOfRows", 0), 0, int.MaxValue))]);
}

/// <summary>rows_near: rows that stand close to one for which a condition is true.</summary>
internal sealed class RowsNearStep(PluginCall call) : ILocalStep
{
    public string Name => "rows_near";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var condition = call.Arguments.First(a => a.Parameter == "Condition");
        var before = Distance("NumRows", 0);
        var after = Distance("NumRowsAfter", before);
        var rows = new List<object?[]>();
        var next = 0;
        for (var i = 0; i < input.Rows.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if ((condition.Column >= 0 ? input.Rows[i][condition.Column] : condition.Constant) is not true)
                continue;
            for (var r = Math.Max(next, i - before); r <= Math.Min(i + after, input.Rows.Count - 1); r++)
            {
                rows.Add(input.Rows[(int)r][..call.Width]);
                next = (int)r + 1;
            }
        }

        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);

        long Distance(string name, long absent) => Math.Clamp(call.Long(input, name, absent), 0, LocalStage.MaxRows);
    }
}

/// <summary>rolling_percentile: a percentile of the values in the window of bins that ends with each bin.</summary>
internal sealed class RollingPercentileStep(PluginCall call) : ILocalStep
{
    public string Name => "rolling_percentile";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var (value, index) = (call.ColumnOf("ValueColumn"), call.ColumnOf("IndexColumn"));
        var percentile = call.Real(input, "Percentile", 50);
        var window = call.Long(input, "BinsPerWindow", 1);
        if (percentile is < 0 or > 100 || window < 1 || ActivityTimeline.Position(call.Value(input, "BinSize")) is not { } size || size <= 0)
            throw new HuntingException(HuntingFailure.Semantic, "evaluate rolling_percentile(): the percentile must lie between 0 and 100, the bin size and the bins of a window must be positive.");
        var dimensions = call.Arguments.Where(a => a is { Parameter: "Dimension", Column: >= 0 }).Select(a => a.Column).ToList();
        var groups = new Dictionary<RowKey, SortedDictionary<decimal, List<(decimal Position, object Value)>>>();
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ActivityTimeline.Position(row[index]) is not { } at || ActivityTimeline.Position(row[value]) is not { } position)
                continue;
            var key = RowKey.Of(row, dimensions);
            if (!groups.TryGetValue(key, out var bins))
                groups.Add(key, bins = []);
            var bin = Math.Floor(at / size);
            if (!bins.TryGetValue(bin, out var values))
                bins.Add(bin, values = []);
            values.Add((position, row[value]!));
        }

        var rows = new List<object?[]>();
        foreach (var (key, bins) in groups)
        {
            foreach (var bin in bins.Keys)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var values = Enumerable.Range(0, (int)Math.Min(window, bins.Count))
                    .SelectMany(back => bins.GetValueOrDefault(bin - back) ?? []).OrderBy(v => v.Position).ToList();
                var rank = Math.Max(1, (int)Math.Ceiling(percentile / 100 * values.Count));
                rows.Add([ActivityTimeline.Value(bin * size, input.Columns[index].Type), .. key.Values, values[rank - 1].Value]);
            }
        }

        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }
}

/// <summary>dcount_intersect: how many distinct values the first n sketches of hll() have in common.</summary>
internal sealed class DcountIntersectStep(PluginCall call) : ILocalStep
{
    public string Name => "dcount_intersect";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var sketches = call.Arguments.Select(a => a.Column).ToList();
        var rows = input.Rows.Select(row => (object?[])[.. row.Take(call.Width), .. Counts(sketches.Select((s, i) => Hashes(s >= 0 ? row[s] : call.Arguments[i].Constant)).ToList())]).ToList();
        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }

    private static HashSet<ulong> Hashes(object? sketch) => LocalJson.Parse(sketch as string) is JsonArray { Count: > 1 } parts && parts[1] is JsonArray hashes
        ? [.. hashes.Select(e => long.TryParse(LocalJson.Text(e), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var hash) ? unchecked((ulong)hash) : 0)]
        : [];

    /// <summary>The smallest hashes of the union are a sample of all values; the part of it that every sketch has is the part they have in common.</summary>
    private static IEnumerable<object?> Counts(List<HashSet<ulong>> sketches)
    {
        for (var n = 1; n <= sketches.Count; n++)
        {
            var own = sketches.Take(n).ToList();
            var sample = own.SelectMany(s => s).Distinct().Order().Take(HllSketch.Size).ToList();
            var common = sample.Count(h => own.TrueForAll(s => s.Contains(h)));
            var all = sample.Count < HllSketch.Size ? sample.Count : (sample.Count - 1) / (sample[^1] / (double)ulong.MaxValue);
            yield return sample.Count == 0 ? 0L : (long)Math.Round(all * common / sample.Count);
        }
    }
}

/// <summary>schema_merge: one schema out of several that getschema gave.</summary>
internal sealed class SchemaMergeStep(PluginCall call) : ILocalStep
{
    private const string OutOfOrder = "ERROR(columns are out of order)";
    private const string Conflict = "ERROR(columns have conflicting types)";

    public string Name => "schema_merge";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var positions = new[] { "ColumnName", "ColumnOrdinal", "DataType", "ColumnType" }
            .Select(n => input.Columns.ToList().FindIndex(c => c.Name == n)).ToArray();
        if (positions.Contains(-1))
            throw new HuntingException(HuntingFailure.Semantic, "evaluate schema_merge(): the input must have the columns of getschema: ColumnName, ColumnOrdinal, DataType, ColumnType.");
        var ordered = call.Value(input, "PreserveOrder") is not false;
        var columns = input.Rows
            .Select((row, i) => (Name: LocalValues.ToText(row[positions[0]], KqlType.String), Ordinal: Convert.ToInt64(row[positions[1]] ?? 0, CultureInfo.InvariantCulture), Data: row[positions[2]], Type: row[positions[3]], Place: i))
            .GroupBy(c => c.Name, StringComparer.Ordinal)
            .Select(g => (First: g.First(), Last: g.Max(c => c.Ordinal), Moved: g.Any(c => c.Ordinal != g.First().Ordinal), Types: g.Select(c => c.Type).Distinct().Count()))
            .OrderBy(c => ordered && c.Moved).ThenBy(c => c.Last).ThenBy(c => c.First.Place)
            .ToList();
        var rows = new List<object?[]>();
        var next = 0L;
        foreach (var column in columns)
        {
            var error = ordered && column.Moved ? OutOfOrder : column.Types > 1 ? Conflict : null;
            rows.Add(error is null
                ? [column.First.Name, next++, column.First.Data, column.First.Type]
                : [column.First.Name, -1L, $"ERROR(unknown CSL type:{error})", error]);
        }

        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], rows);
    }
}
