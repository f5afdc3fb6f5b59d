namespace Vedette.Telemetry.Local.Geo;

/// <summary>Distances on the spheroid of WGS-84.</summary>
internal static class Spheroid
{
    private const double Major = 6378137;
    private const double Flattening = 1 / 298.257223563;
    private const double Minor = Major * (1 - Flattening);

    /// <summary>The length of the geodesic between two points, in metres, by Vincenty's iteration. Points that are nearly antipodal, for which it does not settle, get the sphere's distance.</summary>
    public static double Distance(GeoVector a, GeoVector b)
    {
        if (a.Angle(b) < 1e-14)
            return 0;
        var l = (b.Longitude - a.Longitude) * Math.PI / 180;
        var (sinU1, cosU1) = Reduced(a.Latitude);
        var (sinU2, cosU2) = Reduced(b.Latitude);
        var lambda = l;
        for (var i = 0; i < 200; i++)
        {
            var (sinL, cosL) = Math.SinCos(lambda);
            var (p, q) = (cosU2 * sinL, (cosU1 * sinU2) - (sinU1 * cosU2 * cosL));
            var sinSigma = Math.Sqrt((p * p) + (q * q));
            var cosSigma = (sinU1 * sinU2) + (cosU1 * cosU2 * cosL);
            var sigma = Math.Atan2(sinSigma, cosSigma);
            var sinAlpha = sinSigma == 0 ? 0 : cosU1 * cosU2 * sinL / sinSigma;
            var cos2Alpha = 1 - (sinAlpha * sinAlpha);
            var cos2M = cos2Alpha == 0 ? 0 : cosSigma - (2 * sinU1 * sinU2 / cos2Alpha);
            var c = Flattening / 16 * cos2Alpha * (4 + (Flattening * (4 - (3 * cos2Alpha))));
            var next = l + ((1 - c) * Flattening * sinAlpha * (sigma + (c * sinSigma * (cos2M + (c * cosSigma * ((2 * cos2M * cos2M) - 1))))));
            if (Math.Abs(next - lambda) > 1e-12)
            {
                lambda = next;
                continue;
            }

            var u2 = cos2Alpha * ((Major * Major) - (Minor * Minor)) / (Minor * Minor);
            var big = 1 + (u2 / 16384 * (4096 + (u2 * (-768 + (u2 * (320 - (175 * u2)))))));
            var small = u2 / 1024 * (256 + (u2 * (-128 + (u2 * (74 - (47 * u2))))));
            var delta = small * sinSigma * (cos2M + (small / 4 * ((cosSigma * ((2 * cos2M * cos2M) - 1))
                - (small / 6 * cos2M * ((4 * sinSigma * sinSigma) - 3) * ((4 * cos2M * cos2M) - 3)))));
            return Minor * big * (sigma - delta);
        }

        return Sphere.Distance(a, b);
    }

    private static (double Sin, double Cos) Reduced(double latitude) => Math.SinCos(Math.Atan((1 - Flattening) * Math.Tan(latitude * Math.PI / 180)));
}
