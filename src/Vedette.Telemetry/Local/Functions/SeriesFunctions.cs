using System.Text.Json.Nodes;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Element-wise arithmetic, filling and statistics of series (dynamic arrays of numbers).</summary>
internal static class SeriesFunctions
{
    public static void Add(IDictionary<string, LocalFunction> table)
    {
        Unary("series_abs", Math.Abs);
        Unary("series_acos", Math.Acos);
        Unary("series_asin", Math.Asin);
        Unary("series_atan", Math.Atan);
        Unary("series_ceiling", Math.Ceiling);
        Unary("series_cos", Math.Cos);
        Unary("series_exp", Math.Exp);
        Unary("series_floor", Math.Floor);
        Unary("series_log", Math.Log);
        Unary("series_sign", x => double.IsNaN(x) ? double.NaN : Math.Sign(x));
        Unary("series_sin", Math.Sin);
        Unary("series_tan", Math.Tan);
        Binary("series_add", (a, b) => a + b);
        Binary("series_subtract", (a, b) => a - b);
        Binary("series_multiply", (a, b) => a * b);
        Binary("series_divide", (a, b) => a / b);
        Binary("series_pow", Math.Pow);
        Comparison("series_equals", (a, b) => a == b);
        Comparison("series_not_equals", (a, b) => a != b);
        Comparison("series_greater", (a, b) => a > b);
        Comparison("series_greater_equals", (a, b) => a >= b);
        Comparison("series_less", (a, b) => a < b);
        Comparison("series_less_equals", (a, b) => a <= b);
        table["series_fill_backward"] = c => Fill(c, backward: true);
        table["series_fill_forward"] = c => Fill(c, backward: false);
        table["series_fill_const"] = FillConstant;
        table["series_fill_linear"] = FillLinear;
        table["series_sum"] = c => c.Reals(0) is { } x ? x.Where(double.IsFinite).Sum() : null;
        table["series_product"] = c => c.Reals(0) is { } x ? x.Aggregate(1d, (a, b) => a * b) : null;
        table["series_dot_product"] = c => c.Reals(0) is { } x && c.Reals(1) is { } y ? Dot(x, y) : null;
        table["series_magnitude"] = c => c.Reals(0) is { } x ? Math.Sqrt(Dot(x, x)) : null;
        table["series_cosine_similarity"] = c => c.Reals(0) is { } x && c.Reals(1) is { } y
            ? Dot(x, y) / ((c.Has(2) ? c.Real(2) ?? 0 : Math.Sqrt(Dot(x, x))) * (c.Has(3) ? c.Real(3) ?? 0 : Math.Sqrt(Dot(y, y))))
            : null;
        table["series_pearson_correlation"] = c => c.Reals(0) is { } x && c.Reals(1) is { } y && x.Length == y.Length ? Pearson(x, y) : null;
        table["series_stats"] = c => Stats(c, asBag: false);
        table["series_stats_dynamic"] = c => Stats(c, asBag: true);
        table["series_outliers"] = c => c.Reals(0) is { } x ? LocalJson.Array(Outliers(x, c.Has(2) ? c.Real(2) ?? 0 : 0, c.Has(3) ? c.Real(3) ?? 10 : 10, c.Has(4) ? c.Real(4) ?? 90 : 90)) : null;
        table["series_fir"] = Fir;
        table["series_iir"] = c => c.Reals(0) is { } x && c.Reals(1) is { } b && c.Reals(2) is { } a ? LocalJson.Array(Iir(x, b, a)) : null;
        SeriesModels.Add(table);

        void Unary(string name, Func<double, double> f) => table[name] = c => c.Reals(0) is { } x ? LocalJson.Array(x.Select(f)) : null;

        void Binary(string name, Func<double, double, double> f) => table[name] = c => Pairs(c) is { } pairs ? LocalJson.Array(pairs.Select(p => f(p.A, p.B))) : null;

        void Comparison(string name, Func<double, double, bool> f) =>
            table[name] = c => Pairs(c) is { } pairs ? new JsonArray([.. pairs.Select(p => double.IsNaN(p.A) || double.IsNaN(p.B) ? null : (JsonNode?)f(p.A, p.B))]) : null;
    }

    public static double Dot(double[] x, double[] y)
    {
        var sum = 0d;
        for (var i = 0; i < Math.Min(x.Length, y.Length); i++)
            sum += x[i] * y[i];
        return sum;
    }

    private static IEnumerable<(double A, double B)>? Pairs(LocalCall c)
    {
        var (x, y) = (c.Reals(0), c.Reals(1));
        if (x is null && y is null)
            return null;
        // A number stands for a series of the other's length; a shorter series is padded with null.
        var size = Math.Max(x?.Length ?? 0, y?.Length ?? 0);
        var (a, b) = (x is null ? c.Real(0) ?? double.NaN : 0, y is null ? c.Real(1) ?? double.NaN : 0);
        return Enumerable.Range(0, size).Select(i => (x is null ? a : i < x.Length ? x[i] : double.NaN, y is null ? b : i < y.Length ? y[i] : double.NaN));
    }

    private static bool IsMissing(LocalCall c, int index, JsonNode? value) =>
        c.Has(index) && c.Json(index) is { } placeholder ? JsonNode.DeepEquals(value, placeholder) || value is null : value is null;

    private static JsonArray? Fill(LocalCall c, bool backward)
    {
        if (c.Array(0) is not { } array)
            return null;
        var result = array.Select(n => n?.DeepClone()).ToArray();
        JsonNode? last = null;
        for (var i = 0; i < result.Length; i++)
        {
            var at = backward ? result.Length - 1 - i : i;
            if (IsMissing(c, 1, result[at]))
                result[at] = last?.DeepClone() ?? result[at];
            else
                last = result[at];
        }

        return new JsonArray(result);
    }

    private static JsonArray? FillConstant(LocalCall c) => c.Array(0) is { } array
        ? new JsonArray([.. array.Select(n => IsMissing(c, 2, n) ? c.Has(1) ? c.Json(1)?.DeepClone() : 0d : n?.DeepClone())])
        : null;

    private static JsonArray? FillLinear(LocalCall c)
    {
        if (c.Array(0) is not { } array)
            return null;
        var values = array.Select(n => IsMissing(c, 1, n) ? double.NaN : LocalJson.Real(n)).ToArray();
        var edges = !c.Has(2) || (c.Bool(2) ?? true);
        var constant = c.Has(3) ? c.Real(3) ?? 0 : 0;
        var known = Enumerable.Range(0, values.Length).Where(i => !double.IsNaN(values[i])).ToArray();
        if (known.Length == 0)
            return LocalJson.Array(values.Select(_ => constant));
        for (var i = 0; i < values.Length; i++)
        {
            if (!double.IsNaN(values[i]))
                continue;
            var before = Array.FindLast(known, k => k < i);
            var hasBefore = known[0] < i;
            var hasAfter = known[^1] > i;
            if (hasBefore && hasAfter)
            {
                var after = known.First(k => k > i);
                values[i] = values[before] + ((values[after] - values[before]) * (i - before) / (after - before));
            }
            else if (edges)
            {
                values[i] = values[hasBefore ? known[^1] : known[0]];
            }
        }

        return LocalJson.Array(values);
    }

    private static double Pearson(double[] x, double[] y)
    {
        var (mx, my) = (x.Average(), y.Average());
        double xy = 0, xx = 0, yy = 0;
        for (var i = 0; i < x.Length; i++)
        {
            xy += (x[i] - mx) * (y[i] - my);
            xx += (x[i] - mx) * (x[i] - mx);
            yy += (y[i] - my) * (y[i] - my);
        }

        return xy / Math.Sqrt(xx * yy);
    }

    private static JsonNode? Stats(LocalCall c, bool asBag)
    {
        if (c.Reals(0) is not { } all)
            return null;
        var finite = all.Select((v, i) => (Value: v, Index: i)).Where(p => double.IsFinite(p.Value)).ToList();
        var ignore = asBag || (c.Has(1) && c.Bool(1) == true);
        if (finite.Count == 0 || (!ignore && finite.Count != all.Length))
            return asBag ? null : new JsonArray(null, null, null, null, null, null, null);
        var (min, max) = (finite.MinBy(p => p.Value), finite.MaxBy(p => p.Value));
        var average = finite.Average(p => p.Value);
        var variance = finite.Count > 1 ? finite.Sum(p => (p.Value - average) * (p.Value - average)) / (finite.Count - 1) : 0;
        if (!asBag)
            return new JsonArray(min.Value, (long)min.Index, max.Value, (long)max.Index, average, Math.Sqrt(variance), variance);
        return new JsonObject
        {
            ["min"] = min.Value, ["min_idx"] = (long)min.Index, ["max"] = max.Value, ["max_idx"] = (long)max.Index, ["avg"] = average,
            ["stdev"] = Math.Sqrt(variance), ["variance"] = variance, ["sum"] = finite.Sum(p => p.Value), ["len"] = (long)all.Length,
        };
    }

    /// <summary>Tukey's fence: how far outside the fence, in fences' widths.</summary>
    public static double[] Outliers(double[] x, double ignored, double lowLevel, double highLevel)
    {
        var sorted = x.Where(v => double.IsFinite(v) && (ignored == 0 || v != ignored)).Order().ToArray();
        if (sorted.Length == 0)
            return [.. x.Select(_ => 0d)];
        var (low, high) = (Quantile(sorted, lowLevel / 100), Quantile(sorted, highLevel / 100));
        var width = high - low;
        return [.. x.Select(v => !double.IsFinite(v) || width <= 0 ? 0d : v > high ? (v - high) / width : v < low ? (v - low) / width : 0d)];
    }

    public static double Quantile(double[] sorted, double level)
    {
        var position = Math.Clamp(double.IsNaN(level) ? 0 : level, 0, 1) * (sorted.Length - 1);
        var low = (int)Math.Floor(position);
        return low + 1 < sorted.Length ? sorted[low] + ((position - low) * (sorted[low + 1] - sorted[low])) : sorted[^1];
    }

    private static JsonNode? Fir(LocalCall c)
    {
        if (c.Reals(0) is not { } x || c.Reals(1) is not { Length: > 0 } filter)
            return null;
        var normalize = c.Has(2) ? c.Bool(2) ?? false : filter.All(f => f >= 0);
        var center = c.Has(3) && c.Bool(3) == true;
        var sum = filter.Sum();
        var weights = normalize && sum != 0 ? [.. filter.Select(f => f / sum)] : filter;
        var shift = center ? (filter.Length - 1) / 2 : 0;
        var result = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            for (var k = 0; k < weights.Length; k++)
            {
                var at = i + shift - k;
                if (at >= 0 && at < x.Length)
                    result[i] += weights[k] * x[at];
            }
        }

        return LocalJson.Array(result);
    }

    private static double[] Iir(double[] x, double[] numerators, double[] denominators)
    {
        var scale = denominators.Length > 0 ? denominators[0] : 1;
        var result = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var sum = 0d;
            for (var k = 0; k < numerators.Length && k <= i; k++)
                sum += numerators[k] * x[i - k];
            for (var k = 1; k < denominators.Length && k <= i; k++)
                sum -= denominators[k] * result[i - k];
            result[i] = sum / scale;
        }

        return result;
    }
}
