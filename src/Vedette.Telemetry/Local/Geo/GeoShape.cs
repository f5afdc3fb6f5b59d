using System.Text.Json.Nodes;

namespace Vedette.Telemetry.Local.Geo;

/// <summary>A GeoJSON line or polygon, or several; valid, or not read at all.</summary>
internal sealed class GeoShape
{
    private GeoShape(IReadOnlyList<IReadOnlyList<IReadOnlyList<GeoVector>>> parts, bool isPolygon, JsonObject json)
    {
        Parts = parts;
        IsPolygon = isPolygon;
        Json = json;
    }

    /// <summary>Lines with one path each, or polygons with their rings (the outer one first, without the closing point).</summary>
    public IReadOnlyList<IReadOnlyList<IReadOnlyList<GeoVector>>> Parts { get; }

    public bool IsPolygon { get; }

    public JsonObject Json { get; }

    /// <summary>All edges.</summary>
    public IEnumerable<(GeoVector A, GeoVector B)> Edges => Parts.SelectMany(p => p).SelectMany(path =>
        Enumerable.Range(0, IsPolygon ? path.Count : path.Count - 1).Select(i => (path[i], path[(i + 1) % path.Count])));

    /// <summary>All edges, those that occur several times once.</summary>
    public IEnumerable<(GeoVector A, GeoVector B)> DistinctEdges
    {
        get
        {
            var seen = new HashSet<(GeoVector, GeoVector)>();
            return [.. Edges.Where(e => !seen.Contains((e.B, e.A)) && seen.Add(e))];
        }
    }

    /// <summary>A LineString or MultiLineString; null when it is none or not valid.</summary>
    public static GeoShape? Line(JsonNode? node) => node is JsonObject bag ? Read(bag, "LineString", "MultiLineString", isPolygon: false) : null;

    /// <summary>A Polygon or MultiPolygon; null when it is none or not valid.</summary>
    public static GeoShape? Polygon(JsonNode? node) => node is JsonObject bag ? Read(bag, "Polygon", "MultiPolygon", isPolygon: true) : null;

    public static GeoVector? Point(double? longitude, double? latitude) =>
        longitude is >= -180 and <= 180 && latitude is >= -90 and <= 90 ? GeoVector.Of(longitude.Value, latitude.Value) : null;

    /// <summary>Whether a point lies inside, borders included.</summary>
    public bool Contains(GeoVector point) => Parts.Any(rings =>
        rings.Any(ring => OnRing(ring, point)) || (Inside(rings[0], point) && !rings.Skip(1).Any(hole => Inside(hole, point))));

    /// <summary>The closest place on the edges.</summary>
    public GeoVector Closest(GeoVector point) => Edges.Select(e => Sphere.Closest(point, e.A, e.B)).MinBy(point.Angle);

    public double Area => Parts.Sum(rings => Math.Abs(Sphere.RingArea(rings[0])) - rings.Skip(1).Sum(h => Math.Abs(Sphere.RingArea(h)))) * Sphere.Radius * Sphere.Radius;

    public double Length => (IsPolygon ? Edges : DistinctEdges).Sum(e => Sphere.Distance(e.A, e.B));

    public static JsonObject PointJson(GeoVector point) => new() { ["type"] = "Point", ["coordinates"] = Coordinates(point) };

    public static JsonArray Coordinates(GeoVector point) => new(JsonValue.Create(point.Longitude), JsonValue.Create(point.Latitude));

    private static bool OnRing(IReadOnlyList<GeoVector> ring, GeoVector point)
    {
        for (var i = 0; i < ring.Count; i++)
        {
            if (Sphere.Closest(point, ring[i], ring[(i + 1) % ring.Count]).Angle(point) < 1e-14)
                return true;
        }

        return false;
    }

    private static bool Inside(IReadOnlyList<GeoVector> ring, GeoVector point)
    {
        // The angles under which the edges are seen add up to a full turn around points inside; the smaller side counts as inside.
        var turn = 0d;
        for (var i = 0; i < ring.Count; i++)
        {
            var (a, b) = (ring[i], ring[(i + 1) % ring.Count]);
            var (u, v) = (point.Cross(a), point.Cross(b));
            turn += Math.Atan2(point.Dot(u.Cross(v)), u.Dot(v));
        }

        return Math.Abs(turn) > Math.PI && ring.Average(p => p.Dot(point)) > -0.5;
    }

    private static GeoShape? Read(JsonObject bag, string single, string several, bool isPolygon)
    {
        if (bag["type"] is not JsonValue type || !type.TryGetValue<string>(out var name) || bag["coordinates"] is not JsonArray coordinates)
            return null;
        var list = name == single ? new JsonNode?[] { coordinates } : name == several ? coordinates.ToArray() : [];
        var parts = new List<IReadOnlyList<IReadOnlyList<GeoVector>>>();
        foreach (var item in list)
        {
            var paths = new List<IReadOnlyList<GeoVector>>();
            foreach (var path in isPolygon ? (item as JsonArray)?.ToArray() ?? [] : new[] { item })
            {
                if (Path(path, isPolygon) is not { } points)
                    return null;
                paths.Add(points);
            }

            if (paths.Count == 0)
                return null;
            parts.Add(paths);
        }

        return parts.Count == 0 ? null : new GeoShape(parts, isPolygon, bag);
    }

    private static List<GeoVector>? Path(JsonNode? node, bool isRing)
    {
        if (node is not JsonArray array)
            return null;
        var points = new List<GeoVector>();
        foreach (var item in array)
        {
            if (item is not JsonArray { Count: >= 2 } pair || Point(LocalJson.Real(pair[0]), LocalJson.Real(pair[1])) is not { } point)
                return null;
            // Edges are shorter than half a great circle.
            if (points.Count > 0 && points[^1].Angle(point) > Math.PI - 1e-14)
                return null;
            if (points.Count == 0 || points[^1].Angle(point) > 0)
                points.Add(point);
        }

        if (!isRing)
            return points.Count >= 2 ? points : null;
        if (array.Count < 4 || points.Count < 4 || points[0].Angle(points[^1]) > 0)
            return null;
        points.RemoveAt(points.Count - 1);
        return points.Distinct().Count() >= 3 ? points : null;
    }
}
