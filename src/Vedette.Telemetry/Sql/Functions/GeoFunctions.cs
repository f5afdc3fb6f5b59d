using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>H3 cells, which the engine knows.</summary>
internal static class GeoFunctions
{
    public static void Add(IDictionary<string, SqlFunction> table)
    {
        table["geo_info_from_ip_address"] = c => SqlConstant.Dynamic("{}");
        table["geo_point_to_h3cell"] = c =>
        {
            var level = c.Has(2) ? $"ifNull({c.L(2)}, -1)" : "toInt64(6)";
            return c.Text($"if(ifNull({c.R(0)} BETWEEN -180 AND 180 AND {c.R(1)} BETWEEN -90 AND 90 AND {level} BETWEEN 0 AND 15, false), "
                + $"h3ToString(geoToH3(ifNull(greatest(least({c.R(1)}, 90), -90), 0), ifNull(greatest(least({c.R(0)}, 180), -180), 0), toUInt8(greatest(least({level}, 15), 0)))), '')");
        };
        table["geo_h3cell_level"] = c => c.Value(Valid(c.S(0), h => $"toInt64(h3GetResolution({h}))", "NULL"), KqlType.Long, true);
        table["geo_h3cell_parent"] = c => c.Text(Valid(c.S(0), h =>
        {
            var level = c.Has(1) ? c.L(1) : $"toInt64(h3GetResolution({h})) - 1";
            return $"if({level} BETWEEN 0 AND toInt64(h3GetResolution({h})), h3ToString(h3ToParent({h}, toUInt8(greatest(least({level}, toInt64(h3GetResolution({h}))), 0)))), '')";
        }, "''"));
        table["geo_h3cell_children"] = c => c.Json(Valid(c.S(0), h =>
        {
            var level = c.Has(1) ? c.L(1) : $"toInt64(h3GetResolution({h})) + 1";
            return $"if({level} BETWEEN toInt64(h3GetResolution({h})) AND least(15, toInt64(h3GetResolution({h})) + 5), {Cells($"h3ToChildren({h}, toUInt8(greatest(least({level}, least(15, toInt64(h3GetResolution({h})) + 5)), h3GetResolution({h}))))")}, '')";
        }, "''"));
        table["geo_h3cell_neighbors"] = c => c.Json(Valid(c.S(0), h => Ring(h, "1", "1"), "''"));
        table["geo_h3cell_rings"] = c => c.Json(Valid(c.S(0), h => SqlLambda.Let($"greatest(least(ifNull({c.L(1)}, 0), 142), 0)", most =>
            $"if(ifNull({c.L(1)} BETWEEN 0 AND 142, false), concat('[', arrayStringConcat(arrayMap(k -> {Ring(h, "k", most)}, range(0, toUInt16({most} + 1))), ','), ']'), '')"), "''"));
        table["geo_polygon_to_h3cells"] = c =>
        {
            // The engine takes the polygons of a shape; a ring of fewer points or a level out of range gives null.
            var level = c.Has(1) ? $"ifNull({c.L(1)}, -1)" : "toInt64(6)";
            return c.Json(SqlLambda.Let(c.S(0), p => SqlLambda.Let(
                $"if(JSONExtractString({p}, 'type') = 'Polygon', [JSONExtract({p}, 'coordinates', 'Array(Array(Tuple(Float64, Float64)))')], "
                    + $"JSONExtract({p}, 'coordinates', 'Array(Array(Array(Tuple(Float64, Float64))))'))",
                parts => $"if(notEmpty({parts}) AND NOT arrayExists(part -> empty(part) OR arrayExists(ring -> length(ring) < 4 OR ring[1] != ring[-1], part), {parts}) AND {level} BETWEEN 0 AND 15, "
                    + $"{Cells($"arrayDistinct(arrayFlatten(arrayMap(part -> h3PolygonToCells(part::Polygon, toUInt8(greatest(least({level}, 15), 0))), {parts})))")}, '')")));
        };
        table["geo_h3cell_to_central_point"] = c => c.Json(Valid(c.S(0), h => $"concat('{{\"type\":\"Point\",\"coordinates\":', {Pair($"h3ToGeo({h})")}, '}}')", "''"));
        table["geo_h3cell_to_polygon"] = c => c.Json(Valid(c.S(0), h => SqlLambda.Let($"h3ToGeoBoundary({h})", b =>
            $"concat('{{\"type\":\"Polygon\",\"coordinates\":[[', arrayStringConcat(arrayMap(p -> {Pair("p")}, arrayPushBack({b}, {b}[1])), ','), ']]}}')"), "''"));
    }

    /// <summary>Something of a cell, or a default when the text names none.</summary>
    private static string Valid(string text, Func<string, string> write, string absent)
    {
        var cell = SqlLambda.Name();
        return SqlLambda.Let(text, t =>
            $"if(match({t}, '^[0-9a-fA-F]{{15,16}}$') AND h3IsValid(stringToH3(if(match({t}, '^[0-9a-fA-F]{{15,16}}$'), {t}, '8001fffffffffff'))), "
            + $"arrayMap({cell} -> {write(cell)}, [stringToH3(if(match({t}, '^[0-9a-fA-F]{{15,16}}$') AND h3IsValid(stringToH3(if(match({t}, '^[0-9a-fA-F]{{15,16}}$'), {t}, '8001fffffffffff'))), {t}, '8001fffffffffff'))])[1], {absent})");
    }

    /// <summary>
    /// The cells at a distance. The engine goes around a cell ring by ring, but not where one of the twelve pentagons lies within the last ring.
    /// </summary>
    private static string Ring(string cell, string distance, string most) => SqlLambda.Let($"arrayExists(x -> h3IsPentagon(x), h3kRing({cell}, toUInt16({most})))", near => Cells(
        $"if({near}, arrayFilter(x -> {distance} = 0 OR NOT has(h3kRing({cell}, toUInt16(greatest(toInt64({distance}) - 1, 0))), x), h3kRing({cell}, toUInt16({distance}))), "
        + $"arrayRotateLeft(h3HexRing(if({near}, stringToH3('8f2a1072b59e2cb'), {cell}), toUInt16({distance})), 1))"));

    private static string Cells(string array) => $"concat('[', arrayStringConcat(arrayMap(x -> concat('\"', h3ToString(x), '\"'), {array}), ','), ']')";

    // The engine gives latitude before longitude.
    private static string Pair(string point) => $"concat('[', toString({point}.2), ',', toString({point}.1), ']')";
}
