using System.Text.Json.Nodes;
using Vedette.Telemetry.Local.Geo;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Lines put together, and what lines have in common.</summary>
internal static class GeoLines
{
    /// <summary>Points that are closer than this, in radians, are one.</summary>
    private const double Slack = 1e-11;

    /// <summary>Lines as one shape: edges that occur several times are taken once, and edges that follow each other are one line.</summary>
    public static JsonNode Union(IEnumerable<GeoShape> lines) => Write(Chains(lines.SelectMany(l => l.Edges)))!;

    /// <summary>What two lines share: points, lines where they run together, or both.</summary>
    public static JsonNode Common(GeoShape a, GeoShape b)
    {
        var shared = (from x in a.DistinctEdges from y in b.DistinctEdges let part = Overlap(x, y) where part is not null select part.Value).ToList();
        var lines = Chains(shared);
        var points = GeoFunctions.Crossings(a, b).Where(p => !shared.Exists(e => Sphere.Closest(p, e.A, e.B).Angle(p) < Slack)).ToList();
        if (lines.Count == 0)
            return GeoFunctions.Points(points);
        var line = Write(lines)!;
        return points.Count == 0 ? line : new JsonObject { ["type"] = "GeometryCollection", ["geometries"] = new JsonArray(GeoFunctions.Points(points), line) };
    }

    /// <summary>The part of two edges where they run together; null when there is none.</summary>
    private static (GeoVector A, GeoVector B)? Overlap((GeoVector A, GeoVector B) x, (GeoVector A, GeoVector B) y)
    {
        var ends = new[] { x.A, x.B }.Where(p => On(p, y)).Concat(new[] { y.A, y.B }.Where(p => On(p, x))).ToList();
        var first = ends.OrderBy(x.A.Angle).FirstOrDefault();
        var last = ends.OrderBy(x.A.Angle).LastOrDefault();
        return ends.Count >= 2 && first.Angle(last) > Slack ? (first, last) : null;

        static bool On(GeoVector p, (GeoVector A, GeoVector B) edge) => Sphere.Closest(p, edge.A, edge.B).Angle(p) < Slack;
    }

    private static List<List<GeoVector>> Chains(IEnumerable<(GeoVector A, GeoVector B)> all)
    {
        var points = new List<GeoVector>();
        var edges = new List<(int From, int To)>();
        var seen = new HashSet<(int, int)>();
        var known = new Dictionary<(long, long, long), int>();
        foreach (var (a, b) in all)
        {
            var (from, to) = (Point(a), Point(b));
            if (from != to && seen.Add((Math.Min(from, to), Math.Max(from, to))))
                edges.Add((from, to));
        }

        var (into, outOf) = (edges.ToLookup(e => e.To), edges.ToLookup(e => e.From));
        var used = new HashSet<(int, int)>();
        var chains = new List<List<GeoVector>>();
        // Lines begin where edges do not simply follow each other; what is left are loops.
        foreach (var edge in edges.Where(e => !Passes(e.From)).Concat(edges))
        {
            if (!used.Add(edge))
                continue;
            var chain = new List<GeoVector> { points[edge.From], points[edge.To] };
            for (var at = edge.To; Passes(at) && outOf[at].First() is var next && used.Add(next); at = next.To)
                chain.Add(points[next.To]);
            chains.Add(chain);
        }

        return chains;

        bool Passes(int point) => into[point].Count() == 1 && outOf[point].Count() == 1;

        int Point(GeoVector p)
        {
            var key = ((long)Math.Round(p.X * 1e12), (long)Math.Round(p.Y * 1e12), (long)Math.Round(p.Z * 1e12));
            if (!known.TryGetValue(key, out var index))
            {
                known[key] = index = points.Count;
                points.Add(p);
            }

            return index;
        }
    }

    private static JsonObject? Write(List<List<GeoVector>> lines)
    {
        var paths = lines.Select(l => (JsonNode?)new JsonArray([.. l.Select(p => (JsonNode?)GeoShape.Coordinates(p))])).ToArray();
        return paths.Length switch
        {
            0 => null,
            1 => new JsonObject { ["type"] = "LineString", ["coordinates"] = paths[0] },
            _ => new JsonObject { ["type"] = "MultiLineString", ["coordinates"] = new JsonArray(paths) },
        };
    }
}
