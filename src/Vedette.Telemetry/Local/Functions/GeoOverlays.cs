using System.Text.Json.Nodes;
using Vedette.Telemetry.Local.Geo;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Polygons put together, cut with each other, or covered with cells.</summary>
internal static class GeoOverlays
{
    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["geo_union_polygons_array"] = c => Polygons(c) is { } polygons ? Write(Union(polygons)) : null;
        table["geo_intersection_2polygons"] = c => GeoShape.Polygon(c.Json(0)) is { } a && GeoShape.Polygon(c.Json(1)) is { } b ? Intersection(a, b) : null;
        table["geo_polygon_area"] = c => GeoShape.Polygon(c.Json(0)) is not { } polygon ? null
            : polygon.Parts.Count == 1 ? polygon.Area : Math.Abs(Union([polygon]).Sum(Sphere.RingArea)) * Sphere.Radius * Sphere.Radius;
        table["geo_simplify_polygons_array"] = c => Polygons(c) is { } polygons && GeoFunctions.Tolerance(c, 1) is { } tolerance
            ? Write(Union(polygons)) is JsonObject union && GeoShape.Polygon(union) is { } whole ? GeoFunctions.Simplify(whole, tolerance) : null
            : null;
        table["geo_polygon_to_s2cells"] = c => GeoShape.Polygon(c.Json(0)) is { } polygon ? Cells(c, polygon) : null;
        table["geo_line_to_s2cells"] = c => GeoShape.Line(c.Json(0)) is { } line ? Cells(c, line) : null;
    }

    /// <summary>A shape of several polygons as what they cover together.</summary>
    public static GeoShape? Whole(GeoShape polygon) => polygon.Parts.Count == 1 ? polygon : GeoShape.Polygon(Write(Union([polygon])));

    private static JsonArray? Cells(LocalCall c, GeoShape shape)
    {
        var level = c.Has(1) ? c.Long(1) : 11;
        var radius = c.Has(2) ? c.Real(2) : 0;
        return level is >= 0 and <= 30 && radius is >= 0 and <= 100_000 && S2Covering.Of(shape, (int)level.Value, radius.Value) is { } tokens
            ? new JsonArray([.. tokens.Select(t => (JsonNode?)t)]) : null;
    }

    /// <summary>The polygons of an array; null unless all are valid.</summary>
    private static List<GeoShape>? Polygons(LocalCall c)
    {
        if (c.Array(0) is not { Count: > 0 } array)
            return null;
        var polygons = array.Select(GeoShape.Polygon).OfType<GeoShape>().ToList();
        return polygons.Count == array.Count ? polygons : null;
    }

    private static IReadOnlyList<IReadOnlyList<GeoVector>> Union(IEnumerable<GeoShape> polygons) =>
        PolygonOverlay.UnionAll(polygons.SelectMany(p => p.Parts).Select(part => PolygonOverlay.Oriented([part])));

    private static JsonObject Intersection(GeoShape a, GeoShape b)
    {
        var (left, right) = (PolygonOverlay.UnionAll(a.Parts.Select(p => PolygonOverlay.Oriented([p]))), PolygonOverlay.UnionAll(b.Parts.Select(p => PolygonOverlay.Oriented([p]))));
        var common = PolygonOverlay.Overlay(left, right, OverlayKind.Intersection);
        return Write(common) ?? GeoFunctions.Points(GeoFunctions.Crossings(a, b));
    }

    /// <summary>Rings as a polygon or several; null for none.</summary>
    internal static JsonObject? Write(IReadOnlyList<IReadOnlyList<GeoVector>> rings)
    {
        var polygons = PolygonOverlay.Polygons(rings);
        if (polygons.Count == 0)
            return null;
        var coordinates = polygons.Select(p => (JsonNode?)new JsonArray([.. p.Select(Ring)])).ToArray();
        return polygons.Count == 1
            ? new JsonObject { ["type"] = "Polygon", ["coordinates"] = coordinates[0] }
            : new JsonObject { ["type"] = "MultiPolygon", ["coordinates"] = new JsonArray(coordinates) };
    }

    private static JsonNode? Ring(IReadOnlyList<GeoVector> ring) => new JsonArray([.. ring.Append(ring[0]).Select(p => (JsonNode?)GeoShape.Coordinates(p))]);
}
