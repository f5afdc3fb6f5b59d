using System.Text.Json.Nodes;
using Vedette.Telemetry.Local.Geo;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>The places within a distance of a line or a polygon: every edge with round ends, and what the polygon covers, put together.</summary>
internal static class GeoBuffers
{
    /// <summary>Longer edges are cut: the border of a buffer runs beside the edge, which is no geodesic.</summary>
    private const double MaxEdge = 100_000;

    /// <summary>Edges of a shape after that.</summary>
    private const int MaxEdges = 5000;

    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["geo_line_buffer"] = c => GeoShape.Line(c.Json(0)) is { } line ? Buffer(c, line) : null;
        table["geo_polygon_buffer"] = c => GeoShape.Polygon(c.Json(0)) is { } polygon ? Buffer(c, polygon) : null;
    }

    private static JsonObject? Buffer(LocalCall c, GeoShape shape)
    {
        if (c.Real(1) is not (> 0 and < 5_000_000 and var radius) || (c.Has(2) ? c.Real(2) : 10) is not (> 0 and var given))
            return null;
        var tolerance = Math.Clamp(given, 1e-6 * radius, 0.5 * radius);
        var corners = (int)Math.Clamp(Math.Ceiling(Math.PI / Math.Acos(1 - (tolerance / radius))), 8, 180);
        var edges = shape.Edges.SelectMany(e => Cut(e.A, e.B)).Take(MaxEdges + 1).ToList();
        if (edges.Count > MaxEdges)
            throw new Hunting.HuntingException(Hunting.HuntingFailure.ExcessiveResources, $"{c.Name}(): the shape has more than {MaxEdges} edges.");
        var parts = edges.Select(e => PolygonOverlay.Oriented([[Around(e.A, e.B, radius / Sphere.Radius, corners)]]));
        if (shape.IsPolygon)
            parts = parts.Concat(shape.Parts.Select(p => PolygonOverlay.Oriented([p])));
        return GeoOverlays.Write(PolygonOverlay.UnionAll(parts));
    }

    private static IEnumerable<(GeoVector A, GeoVector B)> Cut(GeoVector a, GeoVector b)
    {
        var pieces = (int)Math.Max(1, Math.Ceiling(Sphere.Distance(a, b) / MaxEdge));
        for (var i = 0; i < pieces; i++)
            yield return (Sphere.Interpolate(a, b, (double)i / pieces), Sphere.Interpolate(a, b, (double)(i + 1) / pieces));
    }

    /// <summary>An edge with half a circle around each end.</summary>
    private static List<GeoVector> Around(GeoVector a, GeoVector b, double angle, int corners)
    {
        var left = a.Cross(b).Unit();
        return [.. Arc(b, -Math.PI / 2), .. Arc(a, Math.PI / 2)];

        IEnumerable<GeoVector> Arc(GeoVector center, double from)
        {
            var ahead = left.Cross(center).Unit();
            var half = Math.Max(4, corners / 2);
            return Enumerable.Range(0, half + 1).Select(i => from + (Math.PI * i / half))
                .Select(t => (center * Math.Cos(angle)) + (((ahead * Math.Cos(t)) + (left * Math.Sin(t))) * Math.Sin(angle)));
        }
    }
}
