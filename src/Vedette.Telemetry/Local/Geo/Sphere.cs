namespace Vedette.Telemetry.Local.Geo;

/// <summary>A point of the unit sphere.</summary>
internal readonly record struct GeoVector(double X, double Y, double Z)
{
    public static GeoVector Of(double longitude, double latitude)
    {
        var (lambda, phi) = (longitude * Math.PI / 180, latitude * Math.PI / 180);
        return new(Math.Cos(phi) * Math.Cos(lambda), Math.Cos(phi) * Math.Sin(lambda), Math.Sin(phi));
    }

    public double Longitude => Math.Atan2(Y, X) * 180 / Math.PI;

    public double Latitude => Math.Atan2(Z, Math.Sqrt((X * X) + (Y * Y))) * 180 / Math.PI;

    public double Norm => Math.Sqrt(Dot(this));

    public double Dot(GeoVector o) => (X * o.X) + (Y * o.Y) + (Z * o.Z);

    public GeoVector Cross(GeoVector o) => new((Y * o.Z) - (Z * o.Y), (Z * o.X) - (X * o.Z), (X * o.Y) - (Y * o.X));

    public GeoVector Unit() => Norm is var n && n > 0 ? new(X / n, Y / n, Z / n) : this;

    public double Angle(GeoVector o) => Math.Atan2(Cross(o).Norm, Dot(o));

    public static GeoVector operator +(GeoVector a, GeoVector b) => new(a.X + b.X, a.Y + b.Y, a.Z + b.Z);

    public static GeoVector operator -(GeoVector a) => new(-a.X, -a.Y, -a.Z);

    public static GeoVector operator *(GeoVector a, double k) => new(a.X * k, a.Y * k, a.Z * k);
}

/// <summary>Geometry of the sphere: edges are the shorter arcs of great circles.</summary>
internal static class Sphere
{
    /// <summary>Mean radius of the earth, as the S2 library has it, in metres.</summary>
    public const double Radius = 6371010;

    public static double Distance(GeoVector a, GeoVector b) => a.Angle(b) * Radius;

    /// <summary>Whether there is one shortest arc between two points: they are neither the same nor opposite.</summary>
    public static bool HaveArc(GeoVector a, GeoVector b) => a.Angle(b) is > 1e-14 and < Math.PI - 1e-14;

    /// <summary>The place on an arc by the fraction of its length.</summary>
    public static GeoVector Interpolate(GeoVector a, GeoVector b, double fraction)
    {
        var angle = a.Angle(b);
        if (angle < 1e-15)
            return a;
        return ((a * Math.Sin((1 - fraction) * angle)) + (b * Math.Sin(fraction * angle))).Unit();
    }

    /// <summary>The place of an arc that is closest to a point.</summary>
    public static GeoVector Closest(GeoVector p, GeoVector a, GeoVector b)
    {
        LocalWork.CheckNowAndThen();
        var normal = a.Cross(b);
        if (normal.Norm < 1e-15)
            return a;
        normal = normal.Unit();
        var foot = (p + (normal * -p.Dot(normal))).Unit();
        var inside = normal.Cross(a).Dot(foot) >= 0 && b.Cross(foot) is var c && c.Dot(normal) <= 0;
        if (inside)
            return foot;
        return p.Angle(a) <= p.Angle(b) ? a : b;
    }

    /// <summary>Where two arcs cross or touch; null when they do not.</summary>
    public static GeoVector? Crossing(GeoVector a, GeoVector b, GeoVector c, GeoVector d)
    {
        LocalWork.CheckNowAndThen();
        const double slack = 1e-15;
        foreach (var shared in new[] { a, b })
        {
            if (shared.Angle(c) < slack || shared.Angle(d) < slack)
                return shared;
        }

        var (n, m) = (a.Cross(b), c.Cross(d));
        var line = n.Cross(m);
        if (line.Norm < 1e-20)
            return null;
        line = line.Unit();
        foreach (var candidate in new[] { line, -line })
        {
            if (On(candidate, a, b, n) && On(candidate, c, d, m))
                return candidate;
        }

        return null;

        static bool On(GeoVector p, GeoVector a, GeoVector b, GeoVector normal) => normal.Cross(a).Dot(p) >= -1e-16 && b.Cross(normal) is var side && (-side).Dot(p) <= 1e-16 && a.Dot(p) > -0.5 && normal.Cross(b).Dot(p) <= 1e-16;
    }

    /// <summary>Signed area of a triangle on the unit sphere; positive when counter-clockwise.</summary>
    public static double TriangleArea(GeoVector a, GeoVector b, GeoVector c) =>
        2 * Math.Atan2(a.Dot(b.Cross(c)), 1 + a.Dot(b) + b.Dot(c) + c.Dot(a));

    /// <summary>Signed area of a ring on the unit sphere.</summary>
    public static double RingArea(IReadOnlyList<GeoVector> ring)
    {
        var area = 0d;
        for (var i = 1; i + 1 < ring.Count; i++)
            area += TriangleArea(ring[0], ring[i], ring[i + 1]);
        return area;
    }

    /// <summary>Integral of the position over a ring's area.</summary>
    public static GeoVector RingMoment(IReadOnlyList<GeoVector> ring)
    {
        // By Stokes: half the sum of edge lengths times edge normals.
        var sum = default(GeoVector);
        for (var i = 0; i < ring.Count; i++)
        {
            var (a, b) = (ring[i], ring[(i + 1) % ring.Count]);
            var normal = a.Cross(b);
            if (normal.Norm > 0)
                sum += normal.Unit() * (a.Angle(b) / 2);
        }

        return sum;
    }

    /// <summary>Azimuth of one point seen from another, clockwise from north, from 0 to 2π.</summary>
    public static double Azimuth(GeoVector from, GeoVector to)
    {
        var east = new GeoVector(-from.Y, from.X, 0).Unit();
        var north = from.Cross(east);
        var angle = Math.Atan2(to.Dot(east), to.Dot(north));
        return angle < 0 ? angle + (2 * Math.PI) : angle;
    }
}
