namespace Vedette.Telemetry.Local.Geo;

/// <summary>The cells of one level of the S2 grid that a line or polygon touches.</summary>
internal static class S2Covering
{
    /// <summary>Cells of a covering at most; larger ones are null, as documented.</summary>
    private const int MaxCells = 65536;

    /// <summary>Tokens in the order of the grid; null when there are too many.</summary>
    /// <param name="shape">What is covered.</param>
    /// <param name="level">The cells' level.</param>
    /// <param name="radius">How far around the shape, in metres.</param>
    public static IReadOnlyList<string>? Of(GeoShape shape, int level, double radius)
    {
        var angle = radius / Sphere.Radius;
        var inside = shape.IsPolygon ? PolygonOverlay.Oriented(shape.Parts) : [];
        var all = shape.Edges.ToList();
        // Cells with the edges that reach them; none means that the cell lies inside altogether.
        var cells = S2Cell.Faces.Select(face => (Cell: face, Edges: Reaching(face, all))).Where(Touched).ToList();
        for (var at = 0; at < level; at++)
        {
            var next = new List<(S2Cell Cell, List<(GeoVector A, GeoVector B)> Edges)>();
            foreach (var (cell, edges) in cells)
            {
                foreach (var child in cell.Children)
                {
                    var reaching = edges.Count == 0 ? edges : Reaching(child, edges);
                    if (edges.Count == 0 || Touched((child, reaching)))
                        next.Add((child, reaching));
                }

                if (next.Count > MaxCells)
                    return null;
            }

            cells = next;
        }

        return [.. cells.OrderBy(c => c.Cell.Id).Select(c => c.Cell.Token)];

        bool Touched((S2Cell Cell, List<(GeoVector A, GeoVector B)> Edges) candidate) =>
            candidate.Edges.Count > 0 || (inside.Count > 0 && PolygonOverlay.Inside(inside, candidate.Cell.Center));

        List<(GeoVector A, GeoVector B)> Reaching(S2Cell cell, List<(GeoVector A, GeoVector B)> edges)
        {
            var corners = cell.Corners.ToList();
            var (center, reach) = (cell.Center, corners.Max(c => c.Angle(cell.Center)));
            return edges.FindAll(edge => Near(edge, cell, corners, center, reach));
        }

        bool Near((GeoVector A, GeoVector B) edge, S2Cell cell, List<GeoVector> corners, GeoVector center, double reach)
        {
            if (Sphere.Closest(center, edge.A, edge.B).Angle(center) > reach + angle + 1e-12)
                return false;
            if (cell.Contains(edge.A) || cell.Contains(edge.B))
                return true;
            for (var i = 0; i < 4; i++)
            {
                var (c, d) = (corners[i], corners[(i + 1) % 4]);
                if (Sphere.Crossing(edge.A, edge.B, c, d) is not null)
                    return true;
                if (angle > 0 && (Within(c, edge) || Within(edge.A, (c, d)) || Within(edge.B, (c, d))))
                    return true;
            }

            return false;
        }

        bool Within(GeoVector point, (GeoVector A, GeoVector B) edge) => Sphere.Closest(point, edge.A, edge.B).Angle(point) <= angle;
    }
}
