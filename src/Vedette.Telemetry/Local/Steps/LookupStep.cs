using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Functions;
using Vedette.Telemetry.Local.Geo;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>Keeps the rows of a table for a later step.</summary>
internal sealed class CollectStep : ILocalStep
{
    public string Name => "lookup table";

    public bool FindsColumns => false;

    /// <summary>The rows, once the step has run.</summary>
    public LocalTable? Rows { get; private set; }

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        Rows = input;
        return new LocalTable([], []);
    }
}

/// <summary>Keeps rows that are read in several places, and would not come out the same again.</summary>
internal sealed class KeepStep : ILocalStep
{
    public string Name => "materialize";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken) => input;
}

/// <summary>ipv4_lookup, ipv6_lookup, geo_line_lookup, geo_polygon_lookup: joins rows to those of a table that a test finds.</summary>
internal sealed class LookupStep(PluginCall call, CollectStep table, IReadOnlyList<(bool FromTable, int Position)> outputs) : ILocalStep
{
    /// <summary>Comparisons of rows that one step makes at most.</summary>
    private const long MaxComparisons = 500_000_000;

    public string Name => call.Name;

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var rows = table.Rows ?? throw new InvalidOperationException("The lookup table has not been read.");
        if ((long)rows.Rows.Count * input.Rows.Count > MaxComparisons)
            throw new HuntingException(HuntingFailure.ExcessiveResources, $"{Name} has too many rows to compare. Reduce its input or its lookup table.");
        var unmatched = call.Arguments.FirstOrDefault(a => a.Parameter == "return_unmatched")?.Constant is true;
        var find = Finder(rows);
        var result = new List<object?[]>();
        var budget = new RowBudget(Name);
        foreach (var row in input.Rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var any = false;
            foreach (var match in find(row))
            {
                Keep(Join(row, match));
                any = true;
            }

            if (!any && unmatched)
                Keep(Join(row, null));
        }

        return new LocalTable([.. call.Columns.Select(c => new LocalColumn(c.Name, c.Type))], result);

        void Keep(object?[] joined)
        {
            budget.Add(joined);
            result.Add(joined);
        }
    }

    private object?[] Join(object?[] row, object?[]? match) =>
        [.. outputs.Select((o, i) => !o.FromTable ? row[o.Position] : match is null ? LocalValues.To(null, KqlType.String, call.Columns[i].Type) : match[o.Position])];

    private PluginValue Argument(string name) =>
        call.Arguments.FirstOrDefault(a => a.Parameter == name) ?? throw new HuntingException(HuntingFailure.Semantic, $"evaluate {Name}(): the argument {name} is missing.");

    private Func<object?[], IEnumerable<object?[]>> Finder(LocalTable rows)
    {
        if (call.Name is "ipv4_lookup" or "ipv6_lookup")
            return Addresses(rows);
        var polygons = call.Name == "geo_polygon_lookup";
        var (longitude, latitude) = (Argument("SourceLongitude").Column, Argument("SourceLatitude").Column);
        var key = Argument(polygons ? "LookupPolygonKey" : "LookupLineKey").Column;
        var radius = call.Arguments.FirstOrDefault(a => a.Parameter == "radius")?.Constant is { } given ? Convert.ToDouble(given, CultureInfo.InvariantCulture) : 0;
        var shapes = rows.Rows
            .Select(r => (Row: r, Shape: polygons ? GeoShape.Polygon(LocalJson.Parse((string)r[key]!)) : GeoShape.Line(LocalJson.Parse((string)r[key]!))))
            .Where(s => s.Shape is not null).ToList();
        return row => GeoShape.Point(row[longitude] as double?, row[latitude] as double?) is { } point
            ? shapes.Where(s => (polygons && s.Shape!.Contains(point)) || Sphere.Distance(point, s.Shape!.Closest(point)) <= radius).Select(s => s.Row)
            : [];
    }

    private Func<object?[], IEnumerable<object?[]>> Addresses(LocalTable rows)
    {
        var v4 = call.Name == "ipv4_lookup";
        var source = Argument(v4 ? "SourceIPv4Key" : "SourceIPv6Key").Column;
        var key = Argument(v4 ? "IPv4LookupKey" : "IPv6LookupKey").Column;
        var extra = call.Arguments.Where(a => a.Parameter == "ExtraKey" && a.Column >= 0).Select(a => rows.Columns[a.Column].Name).ToList();
        var networks = rows.Rows.Select(r => (Row: r, Network: AddressFunctions.Parse((string)r[key]!))).Where(n => n.Network is not null)
            .OrderByDescending(n => n.Network!.Value.Prefix).ToList();
        return row =>
        {
            if (AddressFunctions.Parse((string)row[source]!) is not { } address)
                return [];
            // The most specific network wins; it may stand in several rows.
            var best = networks.Where(n => AddressFunctions.Matches(address.Value, n.Network!.Value) && extra.All(e => Same(row, n.Row, e))).ToList();
            return best.Where(n => n.Network!.Value.Prefix == best[0].Network!.Value.Prefix).Select(n => n.Row);
        };

        bool Same(object?[] row, object?[] match, string name)
        {
            var (left, right) = (call.InputNames.IndexOf(name), rows.Columns.ToList().FindIndex(c => c.Name == name));
            return left >= 0 && right >= 0 && Equals(row[left], match[right]);
        }
    }
}
