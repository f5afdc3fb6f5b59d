using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Local.Geo;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Geohashes and S2 cells.</summary>
internal static class GeoCells
{
    private const string Alphabet = "0123456789bcdefghjkmnpqrstuvwxyz";

    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["geo_point_to_geohash"] = c => Valid(c, 0) && Level(c, 2, 5, 1, 18) is { } size ? Encode(c.Real(0)!.Value, c.Real(1)!.Value, size) : null;
        table["geo_geohash_to_central_point"] = c => Decode(c.Text(0)) is { } b
            ? new JsonObject { ["type"] = "Point", ["coordinates"] = new JsonArray((b.West + b.East) / 2, (b.South + b.North) / 2) } : null;
        table["geo_geohash_to_polygon"] = c => Decode(c.Text(0)) is { } b
            ? Polygon([(b.West, b.South), (b.East, b.South), (b.East, b.North), (b.West, b.North), (b.West, b.South)]) : null;
        table["geo_geohash_neighbors"] = Neighbours;
        table["geo_point_to_s2cell"] = c => Valid(c, 0) && Level(c, 2, 11, 0, 30) is { } level ? S2Cell.Of(GeoVector.Of(c.Real(0)!.Value, c.Real(1)!.Value), level).Token : null;
        table["geo_s2cell_to_central_point"] = c => S2Cell.Parse(c.Text(0)) is { } cell ? GeoShape.PointJson(cell.Center) : null;
        table["geo_s2cell_to_polygon"] = c => S2Cell.Parse(c.Text(0)) is { } cell
            ? Polygon([.. cell.Corners.Append(cell.Corners.First()).Select(p => (p.Longitude, p.Latitude))]) : null;
        table["geo_s2cell_neighbors"] = c => S2Cell.Parse(c.Text(0)) is { } cell ? new JsonArray([.. cell.Neighbours().Select(n => (JsonNode?)n.Token)]) : null;
    }

    private static bool Valid(LocalCall c, int index) => GeoShape.Point(c.Real(index), c.Real(index + 1)) is not null;

    private static int? Level(LocalCall c, int index, int absent, int low, int high) =>
        !c.Has(index) ? absent : c.Long(index) is { } level && level >= low && level <= high ? (int)level : null;

    private static JsonObject Polygon(IReadOnlyList<(double X, double Y)> ring) =>
        new() { ["type"] = "Polygon", ["coordinates"] = new JsonArray(new JsonArray([.. ring.Select(p => (JsonNode?)new JsonArray(p.X, p.Y))])) };

    private static string Encode(double longitude, double latitude, int size)
    {
        double west = -180, east = 180, south = -90, north = 90;
        var hash = new StringBuilder();
        for (var bit = 0; bit < size * 5; bit++)
        {
            if (bit % 5 == 0)
                hash.Append('\0');
            int one;
            if (bit % 2 == 0)
            {
                var middle = (west + east) / 2;
                one = longitude >= middle ? 1 : 0;
                (west, east) = one == 1 ? (middle, east) : (west, middle);
            }
            else
            {
                var middle = (south + north) / 2;
                one = latitude >= middle ? 1 : 0;
                (south, north) = one == 1 ? (middle, north) : (south, middle);
            }

            hash[^1] = (char)((hash[^1] << 1) | one);
        }

        return string.Concat(hash.ToString().Select(v => Alphabet[v]));
    }

    private static (double West, double South, double East, double North)? Decode(string hash)
    {
        if (hash.Length is 0 or > 18)
            return null;
        double west = -180, east = 180, south = -90, north = 90;
        var bit = 0;
        foreach (var c in hash.ToLowerInvariant())
        {
            var value = Alphabet.IndexOf(c);
            if (value < 0)
                return null;
            for (var shift = 4; shift >= 0; shift--, bit++)
            {
                var one = ((value >> shift) & 1) == 1;
                if (bit % 2 == 0)
                    (west, east) = one ? ((west + east) / 2, east) : (west, (west + east) / 2);
                else
                    (south, north) = one ? ((south + north) / 2, north) : (south, (south + north) / 2);
            }
        }

        return (west, south, east, north);
    }

    private static JsonNode? Neighbours(LocalCall c)
    {
        if (Decode(c.Text(0)) is not { } box)
            return null;
        var (width, height) = (box.East - box.West, box.North - box.South);
        var (x, y) = ((box.West + box.East) / 2, (box.South + box.North) / 2);
        var result = new JsonArray();
        foreach (var (dx, dy) in Order)
        {
            var (longitude, latitude) = (x + (dx * width), y + (dy * height));
            if (latitude is > -90 and < 90)
                result.Add(Encode(longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude, latitude, c.Text(0).Length));
        }

        return result;
    }

    /// <summary>The order in which the service lists neighbours.</summary>
    private static readonly (int X, int Y)[] Order = [(-1, -1), (-1, 1), (1, -1), (0, 1), (-1, 0), (1, 1), (1, 0), (0, -1)];
}
