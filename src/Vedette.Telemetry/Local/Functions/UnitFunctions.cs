using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Conversions of units: the factor of each unit to its kind's base unit.</summary>
internal static class UnitFunctions
{
    private static readonly Dictionary<string, Dictionary<string, double>> Kinds = new(StringComparer.Ordinal)
    {
        ["convert_angle"] = Units(
            ("Degree", Math.PI / 180), ("Radian", 1), ("Arcminute", Math.PI / 180 / 60), ("Arcsecond", Math.PI / 180 / 3600), ("Centiradian", 1e-2), ("Deciradian", 1e-1),
            ("Gradian", Math.PI / 200), ("Microdegree", Math.PI / 180e6), ("Microradian", 1e-6), ("Millidegree", Math.PI / 180e3), ("Milliradian", 1e-3), ("Nanodegree", Math.PI / 180e9),
            ("Nanoradian", 1e-9), ("NatoMil", Math.PI / 3200), ("Revolution", 2 * Math.PI), ("Tilt", Math.PI / 2)),
        ["convert_energy"] = Units(
            ("Joule", 1), ("Kilojoule", 1e3), ("Megajoule", 1e6), ("Gigajoule", 1e9), ("Millijoule", 1e-3), ("Calorie", 4.184), ("Kilocalorie", 4184), ("WattHour", 3600), ("KilowattHour", 3.6e6),
            ("MegawattHour", 3.6e9), ("GigawattHour", 3.6e12), ("TerawattHour", 3.6e15), ("WattDay", 86400), ("KilowattDay", 8.64e7), ("MegawattDay", 8.64e10), ("GigawattDay", 8.64e13),
            ("TerawattDay", 8.64e16), ("BritishThermalUnit", 1055.05585262), ("KilobritishThermalUnit", 1055055.85262), ("MegabritishThermalUnit", 1055055852.62),
            ("GigabritishThermalUnit", 1055055852620), ("DecathermEc", 1055055852.62), ("DecathermImperial", 1055055852.57348), ("DecathermUs", 1054804000), ("ThermEc", 105505585.262),
            ("ThermImperial", 105505585.257348), ("ThermUs", 105480400), ("ElectronVolt", 1.602176565e-19), ("KiloelectronVolt", 1.602176565e-16), ("MegaelectronVolt", 1.602176565e-13),
            ("GigaelectronVolt", 1.602176565e-10), ("TeraelectronVolt", 1.602176565e-7), ("Erg", 1e-7), ("FootPound", 1.355817948), ("HorsepowerHour", 2.6845195377e6), ("Megacalorie", 4184000)),
        ["convert_force"] = Units(
            ("Newton", 1), ("Kilonewton", 1e3), ("Meganewton", 1e6), ("Millinewton", 1e-3), ("Micronewton", 1e-6), ("Decanewton", 10), ("Dyn", 1e-5), ("KilogramForce", 9.80665), ("KiloPond", 9.80665),
            ("KilopoundForce", 4448.2216152605), ("OunceForce", 0.278013850953781), ("Poundal", 0.138254954376), ("PoundForce", 4.4482216152605), ("ShortTonForce", 8896.443230521), ("TonneForce", 9806.65)),
        ["convert_length"] = Units(
            ("Meter", 1), ("Kilometer", 1e3), ("Hectometer", 100), ("Decimeter", 0.1), ("Centimeter", 1e-2), ("Millimeter", 1e-3), ("Micrometer", 1e-6), ("Nanometer", 1e-9), ("Angstrom", 1e-10),
            ("AstronomicalUnit", 1.495978707e11), ("Chain", 20.1168), ("DataMile", 1828.8), ("DtpPica", 0.0254 / 6), ("DtpPoint", 0.0254 / 72), ("Fathom", 1.8288), ("Foot", 0.3048), ("Hand", 0.1016),
            ("Inch", 0.0254), ("KilolightYear", 9.4607304725808e18), ("Kiloparsec", 3.08567758128e19), ("LightYear", 9.4607304725808e15), ("MegalightYear", 9.4607304725808e21),
            ("Megaparsec", 3.08567758128e22), ("Microinch", 2.54e-8), ("Mil", 2.54e-5), ("Mile", 1609.344), ("NauticalMile", 1852), ("Parsec", 3.08567758128e16), ("PrinterPica", 0.0254 / 6.02250369),
            ("PrinterPoint", 0.0254 / 72.27), ("Shackle", 27.432), ("SolarRadius", 6.95510e8), ("Twip", 0.0254 / 1440), ("UsSurveyFoot", 1200d / 3937), ("Yard", 0.9144)),
        ["convert_mass"] = Units(
            ("Kilogram", 1), ("Gram", 1e-3), ("Milligram", 1e-6), ("Microgram", 1e-9), ("Nanogram", 1e-12), ("Centigram", 1e-5), ("Decagram", 1e-2), ("Decigram", 1e-4), ("Hectogram", 0.1),
            ("Kilopound", 453.59237), ("Kilotonne", 1e6), ("LongHundredweight", 50.80234544), ("LongTon", 1016.0469088), ("Megapound", 453592.37), ("Megatonne", 1e9), ("Ounce", 0.028349523125),
            ("Pound", 0.45359237), ("EarthMass", 5.9722e24), ("Grain", 6.479891e-5), ("ShortHundredweight", 45.359237), ("ShortTon", 907.18474), ("Slug", 14.593902937), ("SolarMass", 1.98947e30),
            ("Stone", 6.35029318), ("Tonne", 1000)),
        ["convert_speed"] = Units(
            ("MeterPerSecond", 1), ("KilometerPerHour", 1 / 3.6), ("KilometerPerMinute", 1000d / 60), ("KilometerPerSecond", 1e3), ("Knot", 1852d / 3600), ("MilePerHour", 0.44704), ("MeterPerHour", 1d / 3600),
            ("MeterPerMinute", 1d / 60), ("CentimeterPerHour", 0.01 / 3600), ("CentimeterPerMinute", 0.01 / 60), ("CentimeterPerSecond", 0.01), ("DecimeterPerMinute", 0.1 / 60), ("DecimeterPerSecond", 0.1),
            ("FootPerHour", 0.3048 / 3600), ("FootPerMinute", 0.3048 / 60), ("FootPerSecond", 0.3048), ("InchPerHour", 0.0254 / 3600), ("InchPerMinute", 0.0254 / 60), ("InchPerSecond", 0.0254),
            ("MicrometerPerMinute", 1e-6 / 60), ("MicrometerPerSecond", 1e-6), ("MillimeterPerHour", 1e-3 / 3600), ("MillimeterPerMinute", 1e-3 / 60), ("MillimeterPerSecond", 1e-3),
            ("NanometerPerMinute", 1e-9 / 60), ("NanometerPerSecond", 1e-9), ("UsSurveyFootPerHour", 1200d / 3937 / 3600), ("UsSurveyFootPerMinute", 1200d / 3937 / 60), ("UsSurveyFootPerSecond", 1200d / 3937),
            ("YardPerHour", 0.9144 / 3600), ("YardPerMinute", 0.9144 / 60), ("YardPerSecond", 0.9144)),
        ["convert_volume"] = Units(
            ("CubicMeter", 1), ("CubicKilometer", 1e9), ("CubicHectometer", 1e6), ("CubicDecimeter", 1e-3), ("CubicCentimeter", 1e-6), ("CubicMillimeter", 1e-9), ("CubicMicrometer", 1e-18),
            ("CubicFoot", 0.028316846592), ("CubicInch", 1.6387064e-5), ("CubicMile", 4.168181825440579584e9), ("CubicYard", 0.764554857984), ("Liter", 1e-3), ("Milliliter", 1e-6), ("Centiliter", 1e-5),
            ("Deciliter", 1e-4), ("Hectoliter", 0.1), ("Kiloliter", 1), ("Megaliter", 1e3), ("Microliter", 1e-9), ("AcreFoot", 1 / 0.000810714), ("AuTablespoon", 2e-5), ("BoardFoot", 0.028316846592 / 12),
            ("HectocubicFoot", 2.8316846592), ("HectocubicMeter", 100), ("ImperialBeerBarrel", 0.16365924), ("ImperialGallon", 0.00454609), ("ImperialOunce", 2.84130625e-5), ("ImperialPint", 5.6826125e-4),
            ("KilocubicFoot", 28.316846592), ("KilocubicMeter", 1e3), ("KiloimperialGallon", 4.54609), ("KilousGallon", 3.785411784), ("MegacubicFoot", 28316.846592), ("MegaimperialGallon", 4546.09),
            ("MegausGallon", 3785.411784), ("MetricCup", 2.5e-4), ("MetricTeaspoon", 5e-6), ("OilBarrel", 0.158987294928), ("UkTablespoon", 1.5e-5), ("UsBeerBarrel", 0.117347765304),
            ("UsCustomaryCup", 2.365882365e-4), ("UsGallon", 0.003785411784), ("UsLegalCup", 2.4e-4), ("UsOunce", 2.95735295625e-5), ("UsPint", 4.73176473e-4), ("UsQuart", 9.46352946e-4),
            ("UsTablespoon", 1.478676478125e-5), ("UsTeaspoon", 4.92892159375e-6)),
    };

    /// <summary>Kelvin at zero of the scale, and Kelvin in one degree of it.</summary>
    private static readonly Dictionary<string, (double Zero, double Degree)> Temperatures = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Kelvin"] = (0, 1),
        ["DegreeCelsius"] = (273.15, 1),
        ["DegreeDelisle"] = (373.15, -2d / 3),
        ["DegreeFahrenheit"] = (273.15 - (32 / 1.8), 1 / 1.8),
        ["DegreeNewton"] = (273.15, 100d / 33),
        ["DegreeRankine"] = (0, 1 / 1.8),
        ["DegreeReaumur"] = (273.15, 1.25),
        ["DegreeRoemer"] = (273.15 - (7.5 * 40 / 21), 40d / 21),
        ["MillidegreeCelsius"] = (273.15, 1e-3),
        ["SolarTemperature"] = (0, 5778),
    };

    public static void Add(IDictionary<string, LocalFunction> table)
    {
        foreach (var (name, units) in Kinds)
            table[name] = c => c.Real(0) is { } value && units.TryGetValue(c.Text(1), out var from) && units.TryGetValue(c.Text(2), out var to) ? Digits(value * from / to) : null;
        table["convert_temperature"] = c => c.Real(0) is { } value && Temperatures.TryGetValue(c.Text(1), out var from) && Temperatures.TryGetValue(c.Text(2), out var to)
            ? (from.Zero + (value * from.Degree) - to.Zero) / to.Degree
            : null;
        table["beta_cdf"] = c => c.Real(0) is { } x && c.Real(1) is { } a && c.Real(2) is { } b ? x is < 0 or > 1 || a is <= 0 or > 10000 || b is <= 0 or > 10000 ? double.NaN : Beta(x, a, b) : null;
        table["beta_pdf"] = c => c.Real(0) is { } x && c.Real(1) is { } a && c.Real(2) is { } b
            ? x is <= 0 or >= 1 || a <= 0 || b <= 0 ? double.NaN : Math.Exp(((a - 1) * Math.Log(x)) + ((b - 1) * Math.Log(1 - x)) - LogBeta(a, b))
            : null;
        table["beta_inv"] = c => c.Real(0) is { } p && c.Real(1) is { } a && c.Real(2) is { } b ? a <= 0 || b <= 0 ? double.NaN : p is <= 0 or > 1 ? null : Inverse(p, a, b) : null;
        table["welch_test"] = Welch;
    }

    /// <summary>Where few digits tell the value, what lies far behind them comes of factors that binary fractions cannot hold.</summary>
    private static double Digits(double value) => value.ToString("G15", System.Globalization.CultureInfo.InvariantCulture) is { Length: <= 12 } few
        ? double.Parse(few, System.Globalization.CultureInfo.InvariantCulture)
        : value;

    private static Dictionary<string, double> Units(params (string Name, double Factor)[] units) => units.ToDictionary(u => u.Name, u => u.Factor, StringComparer.OrdinalIgnoreCase);

    private static double Inverse(double p, double a, double b)
    {
        double low = 0, high = 1;
        for (var i = 0; i < 200 && high - low > 1e-17; i++)
        {
            var middle = (low + high) / 2;
            if (Beta(middle, a, b) < p)
                low = middle;
            else
                high = middle;
        }

        return (low + high) / 2;
    }

    private static double LogBeta(double a, double b) => LogGamma(a) + LogGamma(b) - LogGamma(a + b);

    /// <summary>Lanczos' approximation.</summary>
    private static double LogGamma(double x)
    {
        double[] g =
        [
            0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
        ];
        if (x < 0.5)
            return Math.Log(Math.PI / Math.Sin(Math.PI * x)) - LogGamma(1 - x);
        x -= 1;
        var sum = g[0];
        for (var i = 1; i < g.Length; i++)
            sum += g[i] / (x + i);
        var t = x + 7.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((x + 0.5) * Math.Log(t)) - t + Math.Log(sum);
    }

    /// <summary>The regularised incomplete beta function, by its continued fraction.</summary>
    private static double Beta(double x, double a, double b)
    {
        if (x is 0 or 1)
            return x;
        if (x > (a + 1) / (a + b + 2))
            return 1 - Beta(1 - x, b, a);
        var front = Math.Exp((a * Math.Log(x)) + (b * Math.Log(1 - x)) - LogBeta(a, b)) / a;
        double f = 1, c = 1, d = 0;
        for (var i = 0; i <= 500; i++)
        {
            var m = i / 2;
            var numerator = i == 0 ? 1
                : i % 2 == 0 ? m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)))
                : -((a + m) * (a + b + m) * x) / ((a + (2 * m)) * (a + (2 * m) + 1));
            d = 1 + (numerator * d);
            d = 1 / (Math.Abs(d) < 1e-300 ? 1e-300 : d);
            c = 1 + (numerator / c);
            c = Math.Abs(c) < 1e-300 ? 1e-300 : c;
            f *= c * d;
            if (Math.Abs(1 - (c * d)) < 1e-16)
                break;
        }

        return front * (f - 1);
    }

    /// <summary>welch_test(mean1, variance1, count1, mean2, variance2, count2): the two-sided p-value.</summary>
    private static object? Welch(LocalCall c)
    {
        var v = Enumerable.Range(0, 6).Select(i => c.Real(i) ?? double.NaN).ToArray();
        var (s1, s2) = (v[1] / v[2], v[4] / v[5]);
        var t = (v[0] - v[3]) / Math.Sqrt(s1 + s2);
        var degrees = (s1 + s2) * (s1 + s2) / ((s1 * s1 / (v[2] - 1)) + (s2 * s2 / (v[5] - 1)));
        return Beta(degrees / (degrees + (t * t)), degrees / 2, 0.5);
    }
}
