using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Geo;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Points, lines and polygons on the earth, in GeoJSON; longitude stands before latitude.</summary>
internal static class GeoFunctions
{
    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["geo_distance_2points"] = c => Point(c, 0) is { } a && Point(c, 2) is { } b ? c.Has(4) && c.Bool(4) == true ? Spheroid.Distance(a, b) : Sphere.Distance(a, b) : null;
        table["geo_azimuth"] = c => Point(c, 0) is { } a && Point(c, 2) is { } b && Sphere.HaveArc(a, b) ? Sphere.Azimuth(a, b) : null;
        table["geo_angle"] = c => Point(c, 0) is { } a && Point(c, 2) is { } b && Point(c, 4) is { } d && Sphere.HaveArc(a, b) && Sphere.HaveArc(b, d) ? Turn(a, b, d) : null;
        table["geo_point_in_circle"] = c => Point(c, 0) is { } p && Point(c, 2) is { } center && c.Real(4) is > 0 and var radius ? Sphere.Distance(p, center) <= radius : null;
        table["geo_point_in_polygon"] = c => Point(c, 0) is { } p && GeoShape.Polygon(c.Json(2)) is { } polygon ? polygon.Contains(p) : null;
        table["geo_distance_point_to_line"] = c => Point(c, 0) is { } p && GeoShape.Line(c.Json(2)) is { } line ? Sphere.Distance(p, line.Closest(p)) : null;
        table["geo_distance_point_to_polygon"] = c => Point(c, 0) is { } p && GeoShape.Polygon(c.Json(2)) is { } polygon
            ? polygon.Contains(p) ? 0d : Sphere.Distance(p, polygon.Closest(p)) : null;
        table["geo_closest_point_on_line"] = c => Point(c, 0) is { } p && GeoShape.Line(c.Json(2)) is { } line ? GeoShape.PointJson(line.Closest(p)) : null;
        table["geo_closest_point_on_polygon"] = c => Point(c, 0) is { } p && GeoShape.Polygon(c.Json(2)) is { } polygon ? GeoShape.PointJson(polygon.Contains(p) ? p : polygon.Closest(p)) : null;
        table["geo_line_length"] = c => GeoShape.Line(c.Json(0))?.Length;
        table["geo_line_centroid"] = c => GeoShape.Line(c.Json(0)) is { } line ? GeoShape.PointJson(LineCentroid(line)) : null;
        table["geo_line_interpolate_point"] = c => GeoShape.Line(c.Json(0)) is { } line && c.Real(1) is >= 0 and <= 1 and var fraction ? GeoShape.PointJson(Along(line, fraction)) : null;
        table["geo_line_locate_point"] = c => GeoShape.Line(c.Json(0)) is { } line && Point(c, 1) is { } p ? Locate(line, p, c.Has(3) && c.Bool(3) == true ? Spheroid.Distance : Sphere.Distance) : null;
        table["geo_line_densify"] = c => GeoShape.Line(c.Json(0)) is { } line ? Densify(c, line) : null;
        table["geo_polygon_densify"] = c => GeoShape.Polygon(c.Json(0)) is { } polygon ? Densify(c, polygon) : null;
        table["geo_line_simplify"] = c => GeoShape.Line(c.Json(0)) is { } line && Tolerance(c, 1) is { } tolerance ? Simplify(line, tolerance) : null;
        table["geo_polygon_simplify"] = c => GeoShape.Polygon(c.Json(0)) is { } polygon && Tolerance(c, 1) is { } tolerance ? Simplify(polygon, tolerance) : null;
        table["geo_polygon_perimeter"] = c => GeoShape.Polygon(c.Json(0)) is { } polygon ? GeoOverlays.Whole(polygon)?.Length : null;
        table["geo_polygon_centroid"] = c => GeoShape.Polygon(c.Json(0)) is { } polygon && GeoOverlays.Whole(polygon) is { } whole ? GeoShape.PointJson(PolygonCentroid(whole)) : null;
        table["geo_intersects_2lines"] = c => GeoShape.Line(c.Json(0)) is { } a && GeoShape.Line(c.Json(1)) is { } b ? Crossings(a, b).Any() : null;
        table["geo_intersects_2polygons"] = c => GeoShape.Polygon(c.Json(0)) is { } a && GeoShape.Polygon(c.Json(1)) is { } b ? Meet(a, b) : null;
        table["geo_intersects_line_with_polygon"] = c => GeoShape.Line(c.Json(0)) is { } a && GeoShape.Polygon(c.Json(1)) is { } b ? b.Contains(a.Parts[0][0][0]) || Crossings(a, b).Any() : null;
        table["geo_intersection_2lines"] = c => GeoShape.Line(c.Json(0)) is { } a && GeoShape.Line(c.Json(1)) is { } b ? GeoLines.Common(a, b) : null;
        table["geo_intersection_line_with_polygon"] = c => GeoShape.Line(c.Json(0)) is { } a && GeoShape.Polygon(c.Json(1)) is { } b ? Clip(a, b) : null;
        table["geo_from_wkt"] = c => new WellKnownText(c.Text(0)).Read();
        table["geo_point_buffer"] = c => Point(c, 0) is { } center && c.Real(2) is > 0 and var radius ? Buffer(center, radius) : null;
        table["geo_union_lines_array"] = c => c.Array(0) is { Count: > 0 } array && array.All(p => GeoShape.Line(p) is not null) ? GeoLines.Union(array.Select(p => GeoShape.Line(p)!)) : null;
        GeoCells.Add(table);
        GeoOverlays.Add(table);
        GeoBuffers.Add(table);
    }

    private static GeoVector? Point(LocalCall c, int index) => GeoShape.Point(c.Real(index), c.Real(index + 1));

    internal static double? Tolerance(LocalCall c, int index) => !c.Has(index) ? 10 : c.Real(index) is > 0 and <= 10000 and var tolerance ? tolerance : null;

    /// <summary>The angle at b from a to d, clockwise, from 0 to 2π.</summary>
    private static double Turn(GeoVector a, GeoVector b, GeoVector d)
    {
        var angle = Sphere.Azimuth(b, d) - Sphere.Azimuth(b, a);
        return angle < 0 ? angle + (2 * Math.PI) : angle;
    }

    private static GeoVector LineCentroid(GeoShape line)
    {
        var sum = default(GeoVector);
        foreach (var (a, b) in line.DistinctEdges)
        {
            // The integral of the position along an arc points to its middle.
            var half = a.Angle(b) / 2;
            sum += (a + b).Unit() * (2 * Math.Sin(half));
        }

        return sum.Unit();
    }

    private static GeoVector PolygonCentroid(GeoShape polygon)
    {
        var sum = default(GeoVector);
        foreach (var rings in polygon.Parts)
        {
            for (var i = 0; i < rings.Count; i++)
            {
                var moment = Sphere.RingMoment(rings[i]);
                sum += moment * (Math.Sign(moment.Dot(rings[i][0])) * (i == 0 ? 1 : -1));
            }
        }

        return sum.Unit();
    }

    private static GeoVector Along(GeoShape line, double fraction)
    {
        var rest = line.Length * fraction;
        foreach (var (a, b) in line.Edges)
        {
            var length = Sphere.Distance(a, b);
            if (rest <= length)
                return Sphere.Interpolate(a, b, rest / length);
            rest -= length;
        }

        return line.Edges.Last().B;
    }

    private static double Locate(GeoShape line, GeoVector point, Func<GeoVector, GeoVector, double> distance)
    {
        double before = 0, best = double.PositiveInfinity, at = 0;
        foreach (var (a, b) in line.Edges)
        {
            var foot = Sphere.Closest(point, a, b);
            if (point.Angle(foot) < best)
                (best, at) = (point.Angle(foot), before + distance(a, foot));
            before += distance(a, b);
        }

        return at / before;
    }

    private static JsonNode? Densify(LocalCall c, GeoShape shape)
    {
        var tolerance = c.Has(1) ? c.Real(1) ?? 0 : 10;
        if (tolerance is < 0.1 or > 10000)
            return null;
        var crosses = c.Has(2) && c.Bool(2) == true;
        return Rebuild(shape.Json, path =>
        {
            var result = new JsonArray();
            for (var i = 0; i < path.Count; i++)
            {
                var (x, y) = Pair(path[i]);
                if (i > 0)
                {
                    var (px, py) = Pair(path[i - 1]);
                    // The edge goes on beyond the antimeridian, or the long way around.
                    Split(px, py, crosses && Math.Abs(x - px) > 180 ? x + (360 * Math.Sign(px - x)) : x, y, tolerance, result, 0);
                }

                result.Add(path[i]!.DeepClone());
            }

            return result;
        });

        // A planar edge is halved until it keeps to the arc.
        static void Split(double x1, double y1, double x2, double y2, double tolerance, JsonArray result, int depth)
        {
            var (mx, my) = ((x1 + x2) / 2, (y1 + y2) / 2);
            var arc = Sphere.Interpolate(GeoVector.Of(x1, y1), GeoVector.Of(x2, y2), 0.5);
            if (depth > 16 || Sphere.Distance(arc, GeoVector.Of(mx, my)) <= tolerance)
                return;
            Split(x1, y1, mx, my, tolerance, result, depth + 1);
            result.Add(new JsonArray(mx is > 180 or < -180 ? mx - (360 * Math.Sign(mx)) : mx, my));
            Split(mx, my, x2, y2, tolerance, result, depth + 1);
        }
    }

    internal static JsonNode? Simplify(GeoShape shape, double tolerance)
    {
        var invalid = false;
        var result = Rebuild(shape.Json, path =>
        {
            var points = path.Select(p => GeoVector.Of(Pair(p).X, Pair(p).Y)).ToList();
            var keep = new bool[points.Count];
            keep[0] = keep[^1] = true;
            Keep(points, 0, points.Count - 1, tolerance, keep);
            var kept = path.Where((_, i) => keep[i]).ToList();
            invalid |= shape.IsPolygon ? kept.Count < 4 : kept.Count == 2 && Sphere.Distance(points[0], points[^1]) <= tolerance;
            return new JsonArray([.. kept.Select(p => p!.DeepClone())]);
        });
        return invalid ? null : result;

        // Halves wait on a list rather than the stack, which a long line would exhaust.
        static void Keep(List<GeoVector> points, int first, int last, double tolerance, bool[] keep)
        {
            var open = new Stack<(int From, int To)>([(first, last)]);
            while (open.TryPop(out var part))
            {
                var (worst, at) = (0d, -1);
                for (var i = part.From + 1; i < part.To; i++)
                {
                    var distance = Sphere.Distance(points[i], Sphere.Closest(points[i], points[part.From], points[part.To]));
                    if (distance > worst)
                        (worst, at) = (distance, i);
                }

                if (at < 0 || worst <= tolerance)
                    continue;
                keep[at] = true;
                open.Push((part.From, at));
                open.Push((at, part.To));
            }
        }
    }

    private static (double X, double Y) Pair(JsonNode? node) => (LocalJson.Real(node![0]), LocalJson.Real(node[1]));

    /// <summary>The same shape with every path rewritten.</summary>
    private static JsonObject Rebuild(JsonObject shape, Func<JsonArray, JsonArray> write)
    {
        return new JsonObject { ["type"] = shape["type"]!.DeepClone(), ["coordinates"] = Walk((JsonArray)shape["coordinates"]!) };

        JsonArray Walk(JsonArray array) => array.Count > 0 && array[0] is JsonArray { Count: > 0 } first && first[0] is JsonValue ? write(array) : new JsonArray([.. array.Select(a => (JsonNode?)Walk((JsonArray)a!))]);
    }

    internal static IEnumerable<GeoVector> Crossings(GeoShape a, GeoShape b) =>
        from x in a.Edges from y in b.Edges let at = Sphere.Crossing(x.A, x.B, y.A, y.B) where at is not null select at.Value;

    private static bool Meet(GeoShape a, GeoShape b) => a.Contains(b.Parts[0][0][0]) || b.Contains(a.Parts[0][0][0]) || Crossings(a, b).Any();

    internal static JsonObject Points(IEnumerable<GeoVector> found)
    {
        var points = found.DistinctBy(p => (Math.Round(p.X, 12), Math.Round(p.Y, 12), Math.Round(p.Z, 12))).ToList();
        return points.Count switch
        {
            0 => new JsonObject { ["type"] = "GeometryCollection", ["geometries"] = new JsonArray() },
            1 => GeoShape.PointJson(points[0]),
            _ => new JsonObject { ["type"] = "MultiPoint", ["coordinates"] = new JsonArray([.. points.Select(p => (JsonNode?)GeoShape.Coordinates(p))]) },
        };
    }

    /// <summary>The parts of a line that lie inside a polygon.</summary>
    private static JsonObject Clip(GeoShape line, GeoShape polygon)
    {
        var pieces = new List<JsonArray>();
        foreach (var path in line.Parts.Select(p => p[0]))
        {
            JsonArray? piece = null;
            for (var i = 0; i + 1 < path.Count; i++)
            {
                var (a, b) = (path[i], path[i + 1]);
                var cuts = polygon.Edges.Select(e => Sphere.Crossing(a, b, e.A, e.B)).OfType<GeoVector>().Append(a).Append(b).OrderBy(p => a.Angle(p)).ToList();
                for (var k = 0; k + 1 < cuts.Count; k++)
                {
                    if (cuts[k].Angle(cuts[k + 1]) < 1e-14)
                        continue;
                    if (!polygon.Contains(Sphere.Interpolate(cuts[k], cuts[k + 1], 0.5)))
                    {
                        piece = null;
                        continue;
                    }

                    if (piece is null)
                        pieces.Add(piece = new JsonArray(GeoShape.Coordinates(cuts[k])));
                    piece.Add(GeoShape.Coordinates(cuts[k + 1]));
                }
            }
        }

        return pieces.Count switch
        {
            0 => new JsonObject { ["type"] = "GeometryCollection", ["geometries"] = new JsonArray() },
            1 => new JsonObject { ["type"] = "LineString", ["coordinates"] = pieces[0] },
            _ => new JsonObject { ["type"] = "MultiLineString", ["coordinates"] = new JsonArray([.. pieces]) },
        };
    }

    private static JsonObject Buffer(GeoVector center, double radius)
    {
        const int corners = 32;
        var east = new GeoVector(-center.Y, center.X, 0).Unit();
        var north = center.Cross(east);
        var angle = radius / Sphere.Radius;
        var ring = Enumerable.Range(0, corners + 1).Select(i => 2 * Math.PI * (i % corners) / corners)
            .Select(t => (center * Math.Cos(angle)) + (((east * Math.Cos(t)) + (north * Math.Sin(t))) * Math.Sin(angle)));
        return new JsonObject { ["type"] = "Polygon", ["coordinates"] = new JsonArray(new JsonArray([.. ring.Select(p => (JsonNode?)GeoShape.Coordinates(p))])) };
    }
}

/// <summary>Well-known text of shapes.</summary>
internal sealed class WellKnownText(string text)
{
    private int _at;

    /// <summary>The shape in GeoJSON; null when the text cannot be read.</summary>
    public JsonNode? Read()
    {
        try
        {
            var shape = Shape(0);
            Skip();
            return _at == text.Length ? shape : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private JsonObject Shape(int depth)
    {
        if (depth > 32)
            throw new FormatException();
        var (type, levels) = Word() switch
        {
            "POINT" => ("Point", 0),
            "LINESTRING" => ("LineString", 1),
            "POLYGON" => ("Polygon", 2),
            "MULTIPOINT" => ("MultiPoint", 1),
            "MULTILINESTRING" => ("MultiLineString", 2),
            "MULTIPOLYGON" => ("MultiPolygon", 3),
            "GEOMETRYCOLLECTION" => ("GeometryCollection", -1),
            _ => throw new FormatException(),
        };
        if (levels < 0)
            return new JsonObject { ["type"] = type, ["geometries"] = List(() => Shape(depth + 1)) };
        if (levels == 0)
        {
            Expect('(');
            var point = Position();
            Expect(')');
            return new JsonObject { ["type"] = type, ["coordinates"] = point };
        }

        return new JsonObject { ["type"] = type, ["coordinates"] = Nested(levels) };
    }

    private JsonArray Nested(int levels) => List(() =>
    {
        if (levels > 1)
            return Nested(levels - 1);
        Skip();
        if (_at < text.Length && text[_at] == '(')
        {
            Expect('(');
            var inner = Position();
            Expect(')');
            return inner;
        }

        return Position();
    });

    private JsonArray List(Func<JsonNode> item)
    {
        var result = new JsonArray();
        Expect('(');
        do
        {
            result.Add(item());
            Skip();
        }
        while (_at < text.Length && text[_at] == ',' && ++_at > 0);
        Expect(')');
        return result;
    }

    private JsonArray Position() => new(Number(), Number());

    private JsonValue Number()
    {
        Skip();
        var start = _at;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] is '-' or '+' or '.' or 'e' or 'E'))
            _at++;
        var part = text[start.._at];
        return long.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? JsonValue.Create(whole)
            : double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) ? JsonValue.Create(real)
            : throw new FormatException();
    }

    private string Word()
    {
        Skip();
        var start = _at;
        while (_at < text.Length && char.IsAsciiLetter(text[_at]))
            _at++;
        return text[start.._at].ToUpperInvariant();
    }

    private void Expect(char c)
    {
        Skip();
        if (_at >= text.Length || text[_at++] != c)
            throw new FormatException();
    }

    private void Skip()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            _at++;
    }
}
