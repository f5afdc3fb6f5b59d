using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Element-wise arithmetic, filling and statistics of series (dynamic arrays of numbers).</summary>
internal static class SeriesFunctions
{
    /// <summary>What the service multiplies the scores of a custom fence by, measured at the tenth and ninetieth percentile.</summary>
    private const double CustomFence = 2.772605605507915;

    public static void Add(IDictionary<string, LocalFunction> table)
    {
        Whole("series_abs", Math.Abs, x => x == long.MinValue ? null : Math.Abs(x));
        Unary("series_acos", Math.Acos);
        Unary("series_asin", Math.Asin);
        Unary("series_atan", Math.Atan);
        Unary("series_ceiling", Math.Ceiling);
        Unary("series_cos", Math.Cos);
        Unary("series_exp", Math.Exp);
        Unary("series_floor", Math.Floor);
        Unary("series_log", Math.Log);
        Whole("series_sign", x => double.IsNaN(x) ? double.NaN : Math.Sign(x), x => Math.Sign(x));
        Unary("series_sin", Math.Sin);
        Unary("series_tan", Math.Tan);
        Binary("series_add", (a, b) => a + b, (a, b) => a + b);
        Binary("series_subtract", (a, b) => a - b, (a, b) => a - b);
        Binary("series_multiply", (a, b) => a * b, (a, b) => a * b);
        Binary("series_divide", (a, b) => a / b, null);
        Binary("series_pow", Math.Pow, null);
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
        table["series_product"] = c => c.Reals(0) is { } x ? x.Where(v => !double.IsNaN(v)).Aggregate(1d, (a, b) => a * b) : null;
        table["series_dot_product"] = c => Numbers(c, 0, 1) is { Length: > 0 } x && Numbers(c, 1, 0) is { Length: > 0 } y ? Dot(x, y) : null;
        table["series_magnitude"] = c => c.Reals(0) is { } x ? Math.Sqrt(Dot(x, x)) : null;
        table["series_cosine_similarity"] = Cosine;
        table["series_pearson_correlation"] = c => c.Reals(0) is { Length: > 0 } x && c.Reals(1) is { } y && x.Length == y.Length && !x.Concat(y).Any(double.IsNaN)
            ? Pearson(x, y) : null;
        table["series_stats"] = c => Stats(c, asBag: false);
        table["series_stats_dynamic"] = c => Stats(c, asBag: true);
        table["series_outliers"] = Outliers;
        table["series_fir"] = Fir;
        table["series_iir"] = c => c.Reals(0) is { } x && c.Reals(1) is { } b && c.Reals(2) is { } a ? LocalJson.Array(Iir(x, b, a)) : null;
        SeriesModels.Add(table);

        void Unary(string name, Func<double, double> f) => table[name] = c => c.Array(0) is { } x ? new JsonArray([.. x.Select(n => Applied(f, n))]) : null;

        // Whole numbers stay whole.
        void Whole(string name, Func<double, double> f, Func<long, long?> whole) => table[name] = c => c.Array(0) is { } x
            ? new JsonArray([.. x.Select(n => Long(n) is { } l && whole(l) is { } r ? JsonValue.Create(r) : Applied(f, n))]) : null;

        void Binary(string name, Func<double, double, double> f, Func<long, long, long>? whole) => table[name] = c => Pairs(c) is { } pairs
            ? new JsonArray([.. pairs.Select(p => whole is not null && Long(p.A) is { } a && Long(p.B) is { } b ? JsonValue.Create(whole(a, b)) : Applied(f, p.A, p.B))]) : null;

        void Comparison(string name, Func<double, double, bool> f) =>
            table[name] = c => Pairs(c) is { } pairs
                ? new JsonArray([.. pairs.Select(p => (Number(p.A), Number(p.B)) is ({ } a, { } b) ? (JsonNode?)f(a, b) : null)]) : null;
    }

    /// <summary>An element as a number; null when it is none. A point in time is its ticks.</summary>
    private static double? Number(JsonNode? node)
    {
        if (LocalJson.Real(node) is var real && !double.IsNaN(real))
            return real;
        return Time(node)?.Ticks;
    }

    private static DateTime? Time(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length is >= 20 and <= 28 && text[4] == '-' && text[^1] == 'Z'
        && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    private static long? Long(JsonNode? node) => node is not JsonValue value || value.GetValueKind() is not (JsonValueKind.Number or JsonValueKind.String) ? null
        : Time(node) is { } time ? time.Ticks
        : value.GetValueKind() == JsonValueKind.Number && long.TryParse(LocalJson.Write(node), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null;

    // What is no number gives null; what has no finite result says so.
    private static JsonNode? Applied(Func<double, double> f, JsonNode? a) => Number(a) is { } x ? JsonValue.Create(f(x)) : null;

    private static JsonNode? Applied(Func<double, double, double> f, JsonNode? a, JsonNode? b) => (Number(a), Number(b)) is ({ } x, { } y) ? JsonValue.Create(f(x, y)) : null;

    /// <summary>A series, or a number as often as the other argument has elements.</summary>
    private static double[]? Numbers(LocalCall c, int index, int other) =>
        c.Reals(index) ?? (c.Array(other) is { } series && c.TypeOf(index) is not KqlType.String && c.Real(index) is { } number ? [.. series.Select(_ => number)] : null);

    private static object? Cosine(LocalCall c)
    {
        if (c.Reals(0) is not { Length: > 0 } x || c.Reals(1) is not { Length: > 0 } y)
            return null;
        var size = Math.Min(x.Length, y.Length);
        (x, y) = (x[..size], y[..size]);
        return Dot(x, y) / ((c.Has(2) ? c.Real(2) ?? 0 : Math.Sqrt(Dot(x, x))) * (c.Has(3) ? c.Real(3) ?? 0 : Math.Sqrt(Dot(y, y))));
    }

    public static double Dot(double[] x, double[] y)
    {
        var sum = 0d;
        for (var i = 0; i < Math.Min(x.Length, y.Length); i++)
        {
            // What is no number is passed over.
            if (!double.IsNaN(x[i]) && !double.IsNaN(y[i]))
                sum += x[i] * y[i];
        }

        return sum;
    }

    private static IEnumerable<(JsonNode? A, JsonNode? B)>? Pairs(LocalCall c)
    {
        var (x, y) = (c.Array(0), c.Array(1));
        if (x is null && y is null)
            return null;
        // A number stands for a series of the other's length; a shorter series is padded with null.
        var size = Math.Max(x?.Count ?? 0, y?.Count ?? 0);
        var (a, b) = (x is null ? c.Json(0) : null, y is null ? c.Json(1) : null);
        return Enumerable.Range(0, size).Select(i => (x is null ? a : i < x.Count ? x[i] : null, y is null ? b : i < y.Count ? y[i] : null));
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
        // A series of whole numbers stays one: what comes between is cut to whole numbers.
        var whole = array.Where(n => !IsMissing(c, 1, n)).All(n => Long(n) is not null);
        var known = Enumerable.Range(0, values.Length).Where(i => !double.IsNaN(values[i])).ToArray();
        if (known.Length == 0)
            return new JsonArray([.. values.Select(_ => c.Has(3) ? c.Json(3)?.DeepClone() : JsonValue.Create(0d))]);
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

        return whole ? new JsonArray([.. values.Select(v => double.IsNaN(v) ? null : (JsonNode?)JsonValue.Create((long)v))]) : LocalJson.Array(values);
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
        var ignore = c.Has(1) && c.Bool(1) == true;
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

    private static JsonNode? Outliers(LocalCall c)
    {
        if (c.Reals(0) is not { Length: > 0 } x)
            return null;
        var custom = !c.Has(1) || !c.Text(1).Equals("tukey", StringComparison.OrdinalIgnoreCase);
        var ignored = c.Has(2) ? c.Real(2) : null;
        var low = custom ? c.Has(3) ? Math.Clamp(c.Real(3) ?? 10, 2, 98) : 10 : 25;
        var high = custom ? c.Has(4) ? Math.Clamp(c.Real(4) ?? 90, 2, 98) : 90 : 75;
        return LocalJson.Array(Scores([.. x.Select(v => v == ignored ? double.NaN : v)], x.Length, low, high, custom));
    }

    /// <summary>
    /// Tukey's fence, learnt from the first values of a series: how far outside of it each value lies, in fences' widths, which count for less of a custom fence;
    /// what is no number scores 0.
    /// </summary>
    public static double[] Scores(double[] x, int learnt, double lowLevel, double highLevel, bool custom)
    {
        var sorted = x[..Math.Clamp(learnt, 1, Math.Max(1, x.Length))].Where(double.IsFinite).Order().ToArray();
        if (sorted.Length == 0)
            return [.. x.Select(_ => 0d)];
        var (low, high) = (Quantile(sorted, lowLevel / 100), Quantile(sorted, highLevel / 100));
        // Where the fence has no width, because most values are the same, the spread of all values stands for it.
        var width = high - low;
        if (width <= 0 && sorted.Average() is var mean)
            width = Math.Sqrt(sorted.Sum(v => (v - mean) * (v - mean)) / sorted.Length);
        if (custom)
            width /= CustomFence;
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
        if (normalize && filter.Any(f => f < 0))
            return null;
        var sum = normalize && filter.Sum() is not 0 and var total ? total : 1;
        var shift = center ? (filter.Length - 1) / 2 : 0;
        var result = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            LocalWork.Check();
            for (var k = 0; k < filter.Length; k++)
            {
                var at = i + shift - k;
                if (at >= 0 && at < x.Length)
                    result[i] += filter[k] * x[at];
            }

            result[i] /= sum;
        }

        return LocalJson.Array(result);
    }

    private static double[] Iir(double[] x, double[] numerators, double[] denominators)
    {
        var scale = denominators.Length > 0 ? denominators[0] : 1;
        var result = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            LocalWork.Check();
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
