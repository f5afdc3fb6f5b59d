namespace Vedette.Telemetry.Local.Geo;

/// <summary>What two polygons have in common, or cover together.</summary>
internal enum OverlayKind
{
    Union,
    Intersection,
}

/// <summary>
/// Union and intersection of polygons on the sphere. Edges are cut where they meet, each piece is kept or dropped by the side of the other polygon it lies on,
/// and the pieces are put together to rings, whose first points follow the S2 library.
/// </summary>
internal static class PolygonOverlay
{
    /// <summary>Points that are closer than this, in radians, are one.</summary>
    private const double Slack = 1e-14;

    /// <summary>Pairs of edges that are compared at most.</summary>
    private const long MaxPairs = 50_000_000;

    /// <summary>A polygon's rings with its inside to the left: outer rings counter-clockwise, holes clockwise.</summary>
    public static IReadOnlyList<IReadOnlyList<GeoVector>> Oriented(IEnumerable<IReadOnlyList<IReadOnlyList<GeoVector>>> parts) =>
        [.. parts.SelectMany(rings => rings.Select((ring, i) => (IReadOnlyList<GeoVector>)((Sphere.RingArea(ring) >= 0) == (i == 0) ? ring : [.. ring.Reverse()])))];

    /// <summary>All polygons as one: the two smallest first, like the S2 library.</summary>
    public static IReadOnlyList<IReadOnlyList<GeoVector>> UnionAll(IEnumerable<IReadOnlyList<IReadOnlyList<GeoVector>>> polygons)
    {
        var queue = polygons.Select(p => (Size: p.Sum(r => r.Count), Rings: p)).OrderBy(p => p.Size).ToList();
        while (queue.Count > 1)
        {
            var (a, b) = (queue[0], queue[1]);
            queue.RemoveRange(0, 2);
            var size = a.Size + b.Size;
            var at = queue.FindIndex(p => p.Size > size);
            queue.Insert(at < 0 ? queue.Count : at, (size, Overlay(a.Rings, b.Rings, OverlayKind.Union)));
        }

        return queue.Count == 0 ? [] : queue[0].Rings;
    }

    /// <summary>Overlays two polygons, given by their oriented rings.</summary>
    /// <exception cref="Hunting.HuntingException">They have too many edges.</exception>
    public static IReadOnlyList<IReadOnlyList<GeoVector>> Overlay(IReadOnlyList<IReadOnlyList<GeoVector>> a, IReadOnlyList<IReadOnlyList<GeoVector>> b, OverlayKind kind)
    {
        var (left, right) = (EdgesOf(a), EdgesOf(b));
        if ((long)left.Count * right.Count > MaxPairs)
            throw new Hunting.HuntingException(Hunting.HuntingFailure.ExcessiveResources, "The polygons have too many edges.");
        var points = new PointSet();
        var (cutA, cutB) = (Cuts(left), Cuts(right));
        for (var i = 0; i < left.Count; i++)
        {
            for (var j = 0; j < right.Count; j++)
                Cut(left[i], right[j], cutA[i], cutB[j]);
        }

        var piecesA = Pieces(left, cutA, points, 0);
        var piecesB = Pieces(right, cutB, points, left.Count);
        var (edgesA, edgesB) = (piecesA.Select(p => (p.From, p.To)).ToHashSet(), piecesB.Select(p => (p.From, p.To)).ToHashSet());
        var kept = new List<Piece>();
        foreach (var piece in piecesA)
        {
            // A common border is kept once; where the insides lie on both sides of it, it is none of the result's.
            if (edgesB.Contains((piece.From, piece.To)) || (!edgesB.Contains((piece.To, piece.From)) && Inside(b, Middle(piece)) == (kind == OverlayKind.Intersection)))
                kept.Add(piece);
        }

        foreach (var piece in piecesB)
        {
            if (!edgesA.Contains((piece.From, piece.To)) && !edgesA.Contains((piece.To, piece.From)) && Inside(a, Middle(piece)) == (kind == OverlayKind.Intersection))
                kept.Add(piece);
        }

        return Rings(kept, points);

        GeoVector Middle(Piece piece) => (points[piece.From] + points[piece.To]).Unit();
    }

    /// <summary>Rings as polygons: each outer ring with its holes.</summary>
    public static IReadOnlyList<IReadOnlyList<IReadOnlyList<GeoVector>>> Polygons(IReadOnlyList<IReadOnlyList<GeoVector>> rings)
    {
        var outer = rings.Where(r => Sphere.RingArea(r) > 0).Select(r => new List<IReadOnlyList<GeoVector>> { r }).ToList();
        foreach (var hole in rings.Where(r => Sphere.RingArea(r) <= 0))
            outer.Where(o => Inside([o[0]], (hole[0] + hole[1]).Unit())).MinBy(o => Sphere.RingArea(o[0]))?.Add(hole);
        return outer;
    }

    /// <summary>Whether a point lies inside rings with their inside to the left.</summary>
    public static bool Inside(IReadOnlyList<IReadOnlyList<GeoVector>> rings, GeoVector point)
    {
        var turns = 0;
        foreach (var ring in rings)
        {
            var turn = 0d;
            for (var i = 0; i < ring.Count; i++)
            {
                var (u, v) = (point.Cross(ring[i]), point.Cross(ring[(i + 1) % ring.Count]));
                turn += Math.Atan2(point.Dot(u.Cross(v)), u.Dot(v));
            }

            // Seen from the far side of the sphere, a ring turns the other way.
            if (ring.Aggregate(0d, (sum, p) => sum + p.Dot(point)) > -0.5 * ring.Count)
                turns += (int)Math.Round(turn / (2 * Math.PI));
        }

        return turns > 0;
    }

    private readonly record struct Piece(int From, int To, int Edge);

    private static List<(GeoVector A, GeoVector B)> EdgesOf(IReadOnlyList<IReadOnlyList<GeoVector>> rings) =>
        [.. rings.SelectMany(ring => ring.Select((p, i) => (p, ring[(i + 1) % ring.Count])))];

    private static List<List<GeoVector>> Cuts(List<(GeoVector A, GeoVector B)> edges) => [.. edges.Select(_ => new List<GeoVector>())];

    private static void Cut((GeoVector A, GeoVector B) x, (GeoVector A, GeoVector B) y, List<GeoVector> onX, List<GeoVector> onY)
    {
        var touching = false;
        Touch(y.A, x, onX);
        Touch(y.B, x, onX);
        Touch(x.A, y, onY);
        Touch(x.B, y, onY);
        if (touching || Cross(x.A, x.B, y.A, y.B) is not { } crossing)
            return;
        onX.Add(crossing);
        onY.Add(crossing);

        void Touch(GeoVector point, (GeoVector A, GeoVector B) edge, List<GeoVector> cuts)
        {
            if (Sphere.Closest(point, edge.A, edge.B).Angle(point) > Slack)
                return;
            touching = true;
            cuts.Add(point);
        }
    }

    /// <summary>Where two arcs cross in their insides; null when they do not.</summary>
    private static GeoVector? Cross(GeoVector a, GeoVector b, GeoVector c, GeoVector d)
    {
        var (n, m) = (a.Cross(b), c.Cross(d));
        var (sc, sd, sa, sb) = (n.Dot(c), n.Dot(d), m.Dot(a), m.Dot(b));
        if (sc * sd >= 0 || sa * sb >= 0)
            return null;
        var point = n.Cross(m).Unit();
        if (point.Dot(a + b) < 0)
            point = -point;
        return point.Dot(c + d) > 0 ? point : null;
    }

    private static List<Piece> Pieces(List<(GeoVector A, GeoVector B)> edges, List<List<GeoVector>> cuts, PointSet points, int firstEdge)
    {
        var pieces = new List<Piece>();
        for (var i = 0; i < edges.Count; i++)
        {
            var start = edges[i].A;
            var last = points.Of(start);
            foreach (var next in cuts[i].OrderBy(p => start.Angle(p)).Append(edges[i].B))
            {
                var to = points.Of(next);
                if (to != last)
                    pieces.Add(new Piece(last, to, firstEdge + i));
                last = to;
            }
        }

        return pieces;
    }

    /// <summary>Follows the pieces, at every point to the left, so that rings which touch stay apart.</summary>
    private static List<IReadOnlyList<GeoVector>> Rings(List<Piece> pieces, PointSet points)
    {
        // Like the S2 library, which begins with the first point along its curve.
        var order = pieces.OrderBy(p => S2Cell.Of(points[p.From], 30).Id).ThenBy(p => S2Cell.Of(points[p.To], 30).Id).ToList();
        var from = order.Select((piece, i) => (piece, i)).ToLookup(p => p.piece.From, p => p.i);
        var used = new bool[order.Count];
        var rings = new List<IReadOnlyList<GeoVector>>();
        for (var start = 0; start < order.Count; start++)
        {
            if (used[start])
                continue;
            var (ring, at) = (new List<Piece>(), start);
            while (at >= 0 && !used[at])
            {
                used[at] = true;
                ring.Add(order[at]);
                // A ring that comes back to one of its points ends there.
                var loop = ring.FindIndex(p => p.From == order[at].To);
                if (loop > 0)
                {
                    AddRing(ring[loop..]);
                    ring.RemoveRange(loop, ring.Count - loop);
                }
                else if (loop == 0)
                {
                    break;
                }

                at = Next(ring.Count > 0 ? ring[^1] : order[at]);
            }

            AddRing(ring);
        }

        return rings;

        int Next(Piece piece)
        {
            var (here, back) = (points[piece.To], points[piece.From]);
            var (best, bestTurn) = (-1, double.NegativeInfinity);
            foreach (var next in from[piece.To].Where(i => !used[i]))
            {
                // The angle from the way back to the way on, clockwise: the largest is the leftmost turn.
                var turn = Sphere.Azimuth(here, points[order[next].To]) - Sphere.Azimuth(here, back);
                turn = turn <= 0 ? turn + (2 * Math.PI) : turn;
                if (turn > bestTurn)
                    (best, bestTurn) = (next, turn);
            }

            return best;
        }

        void AddRing(List<Piece> ring)
        {
            if (ring.Count < 3 || ring[^1].To != ring[0].From)
                return;
            // The edge that was given last comes last.
            var (position, gap) = (0, false);
            for (var i = 1; i < ring.Count; i++)
            {
                var difference = ring[i].Edge - ring[position].Edge;
                if (difference < 0)
                    gap = true;
                else if (difference > 0 || !gap)
                    (position, gap) = (i, false);
            }

            rings.Add([.. Enumerable.Range(1, ring.Count).Select(i => points[ring[(position + i) % ring.Count].From])]);
        }
    }

    /// <summary>Points, those that are as good as equal being one.</summary>
    private sealed class PointSet
    {
        private const double Grid = 1e12;
        private readonly List<GeoVector> _points = [];
        private readonly Dictionary<(long, long, long), int> _cells = [];

        public GeoVector this[int index] => _points[index];

        public int Of(GeoVector point)
        {
            var (x, y, z) = ((long)Math.Floor(point.X * Grid), (long)Math.Floor(point.Y * Grid), (long)Math.Floor(point.Z * Grid));
            for (var dx = -1; dx <= 1; dx++)
            {
                for (var dy = -1; dy <= 1; dy++)
                {
                    for (var dz = -1; dz <= 1; dz++)
                    {
                        if (_cells.TryGetValue((x + dx, y + dy, z + dz), out var known) && _points[known].Angle(point) <= Slack * 10)
                            return known;
                    }
                }
            }

            _points.Add(point);
            _cells.TryAdd((x, y, z), _points.Count - 1);
            return _points.Count - 1;
        }
    }
}
