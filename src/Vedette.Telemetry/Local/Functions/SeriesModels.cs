using System.Text.Json.Nodes;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Regression, periods, decomposition, anomalies and forecasts of series.</summary>
internal static class SeriesModels
{
    private const double MinPeriodScore = 0.1;

    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["series_fit_line"] = c => c.Reals(0) is { Length: > 0 } y ? Line(y) : null;
        table["series_fit_line_dynamic"] = c => c.Reals(0) is { Length: > 0 } y ? Bag(Line(y), "rsquare", "slope", "variance", "rvariance", "interception", "line_fit") : null;
        table["series_fit_2lines"] = c => c.Reals(0) is { Length: > 0 } y ? TwoLines(y) : null;
        table["series_fit_2lines_dynamic"] = c => c.Reals(0) is { Length: > 0 } y ? TwoLinesBag(TwoLines(y)) : null;
        table["series_fit_poly"] = Polynomial;
        table["series_seasonal"] = c =>
        {
            if (c.Reals(0) is not { Length: > 0 } y)
                return null;
            var period = c.Has(1) ? (int)(c.Long(1) ?? -1) : -1;
            period = period < 0 ? DetectPeriod(y) : period;
            return LocalJson.Array(PhaseMedians(y, period));
        };
        table["series_periods_detect"] = PeriodsDetect;
        table["series_periods_validate"] = PeriodsValidate;
        table["series_decompose"] = c => Decompose(c, testPoints: 3) is { } d ? new JsonArray(LocalJson.Array(d.Baseline), LocalJson.Array(d.Seasonal), LocalJson.Array(d.Trend), LocalJson.Array(d.Residual)) : null;
        table["series_decompose_forecast"] = c => DecomposeWith(c, (int)(c.Long(1) ?? 0), 2, 3, "linefit") is { } d
            ? new JsonArray(LocalJson.Array(d.Baseline), LocalJson.Array(d.Seasonal), LocalJson.Array(d.Trend), LocalJson.Array(d.Residual)) : null;
        table["series_decompose_anomalies"] = Anomalies;
        table["series_fft"] = c => Fourier(c, inverse: false);
        table["series_ifft"] = c => Fourier(c, inverse: true);
    }

    private static JsonObject Bag(JsonArray values, params string[] names)
    {
        var bag = new JsonObject();
        for (var i = 0; i < names.Length; i++)
            bag[names[i]] = values[i]?.DeepClone();
        return bag;
    }

    private static JsonObject TwoLinesBag(JsonArray values)
    {
        string[] side = ["rsquare", "slope", "interception", "variance", "rvariance"];
        var bag = Bag(values, "rsquare", "split_idx", "variance", "rvariance", "line_fit");
        bag["right"] = Bag([.. values.Skip(5).Take(5).Select(v => v?.DeepClone())], side);
        bag["left"] = Bag([.. values.Skip(10).Select(v => v?.DeepClone())], side);
        return bag;
    }

    private static (double Slope, double Intercept) Fit(double[] y, int from, int to)
    {
        double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
        for (var i = from; i < to; i++)
        {
            if (!double.IsFinite(y[i]))
                continue;
            double x = i - from;
            n++;
            sx += x;
            sy += y[i];
            sxx += x * x;
            sxy += x * y[i];
        }

        var d = (n * sxx) - (sx * sx);
        var slope = d == 0 ? 0 : ((n * sxy) - (sx * sy)) / d;
        return (slope, n == 0 ? 0 : (sy - (slope * sx)) / n);
    }

    private static (double R2, double Variance, double Residual) Quality(double[] y, double[] fit, int from, int to)
    {
        var at = Enumerable.Range(from, to - from).Where(i => double.IsFinite(y[i])).ToList();
        if (at.Count < 2)
            return (0, 0, 0);
        var mean = at.Average(i => y[i]);
        var variance = at.Sum(i => (y[i] - mean) * (y[i] - mean)) / (at.Count - 1);
        var residual = at.Sum(i => (y[i] - fit[i]) * (y[i] - fit[i])) / (at.Count - 1);
        return (variance == 0 ? 1 : 1 - (residual / variance), variance, residual);
    }

    private static double[] LineOf(double[] y, int from, int to, double[] target, out (double Slope, double Intercept) line)
    {
        line = Fit(y, from, to);
        for (var i = from; i < to; i++)
            target[i] = line.Intercept + (line.Slope * (i - from));
        return target;
    }

    private static JsonArray Line(double[] y)
    {
        var fit = LineOf(y, 0, y.Length, new double[y.Length], out var line);
        var (r2, variance, residual) = Quality(y, fit, 0, y.Length);
        // Positions count from 1.
        return new JsonArray(r2, line.Slope, variance, residual, line.Intercept - line.Slope, LocalJson.Array(fit));
    }

    private static JsonArray TwoLines(double[] y)
    {
        var best = (Error: double.PositiveInfinity, Split: 1);
        for (var split = 1; split < y.Length; split++)
        {
            LocalWork.Check();
            var trial = LineOf(y, 0, split, new double[y.Length], out _);
            LineOf(y, split, y.Length, trial, out _);
            var error = y.Zip(trial, (a, b) => double.IsFinite(a) ? (a - b) * (a - b) : 0).Sum();
            if (error < best.Error - 1e-12)
                best = (error, split);
        }

        var fit = LineOf(y, 0, best.Split, new double[y.Length], out var left);
        LineOf(y, best.Split, y.Length, fit, out var right);
        var (r2, variance, residual) = Quality(y, fit, 0, y.Length);
        var (rightR2, rightVariance, rightResidual) = Quality(y, fit, best.Split, y.Length);
        var (leftR2, leftVariance, leftResidual) = Quality(y, fit, 0, best.Split);
        return new JsonArray(
            r2, (long)best.Split, variance, residual, LocalJson.Array(fit), rightR2, right.Slope, right.Intercept - right.Slope, rightVariance, rightResidual,
            leftR2, left.Slope, left.Intercept - left.Slope, leftVariance, leftResidual);
    }

    private static JsonNode? Polynomial(LocalCall c)
    {
        if (c.Reals(0) is not { Length: > 0 } y)
            return null;
        var x = c.Has(1) && c.Reals(1) is { } given && given.Length == y.Length ? given : [.. Enumerable.Range(0, y.Length).Select(i => i + 1d)];
        var degree = (int)Math.Clamp(c.Has(2) ? c.Long(2) ?? 1 : 1, 1, 20);
        var (shift, scale) = (x.Min(), Math.Max(x.Max() - x.Min(), 1e-300));
        var size = degree + 1;
        var matrix = new double[size, size + 1];
        for (var k = 0; k < y.Length; k++)
        {
            var u = (x[k] - shift) / scale;
            for (var i = 0; i < size; i++)
            {
                for (var j = 0; j < size; j++)
                    matrix[i, j] += Math.Pow(u, i + j);
                matrix[i, size] += y[k] * Math.Pow(u, i);
            }
        }

        var solution = Solve(matrix, size);
        var fit = x.Select(v => Enumerable.Range(0, size).Sum(i => solution[i] * Math.Pow((v - shift) / scale, i))).ToArray();
        // Back to powers of x itself.
        var coefficients = new double[size];
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j <= i; j++)
                coefficients[j] += solution[i] / Math.Pow(scale, i) * Binomial(i, j) * Math.Pow(-shift, i - j);
        }

        var (r2, variance, residual) = Quality(y, fit, 0, y.Length);
        // The highest power first.
        return new JsonArray(r2, LocalJson.Array(coefficients.Reverse()), variance, residual, LocalJson.Array(fit));
    }

    private static double Binomial(int n, int k) => k == 0 || k == n ? 1 : Binomial(n - 1, k - 1) + Binomial(n - 1, k);

    private static double[] Solve(double[,] m, int size)
    {
        for (var i = 0; i < size; i++)
        {
            var pivot = Enumerable.Range(i, size - i).MaxBy(r => Math.Abs(m[r, i]));
            for (var j = 0; j <= size; j++)
                (m[i, j], m[pivot, j]) = (m[pivot, j], m[i, j]);
            if (m[i, i] == 0)
                continue;
            for (var r = 0; r < size; r++)
            {
                if (r == i)
                    continue;
                var factor = m[r, i] / m[i, i];
                for (var j = i; j <= size; j++)
                    m[r, j] -= factor * m[i, j];
            }
        }

        return [.. Enumerable.Range(0, size).Select(i => m[i, i] == 0 ? 0 : m[i, size] / m[i, i])];
    }

    /// <summary>How much of the series' variance is explained by its own values one period before.</summary>
    private static double Autocorrelation(double[] y, int lag)
    {
        if (lag <= 0 || lag >= y.Length)
            return 0;
        var mean = y.Average();
        double num = 0, den = 0;
        for (var i = 0; i < y.Length; i++)
        {
            den += (y[i] - mean) * (y[i] - mean);
            if (i + lag < y.Length)
                num += (y[i] - mean) * (y[i + lag] - mean);
        }

        return den == 0 ? 0 : num / den * y.Length / (y.Length - lag);
    }

    private static double[] Clean(double[] y)
    {
        var mean = y.Where(double.IsFinite).DefaultIfEmpty(0).Average();
        return [.. y.Select(v => double.IsFinite(v) ? v : mean)];
    }

    /// <summary>The shortest period that is looked for.</summary>
    private const int MinPeriod = 4;

    /// <summary>Periods of at least four points and less than half the series, best first. A multiple of a better period is none of its own.</summary>
    private static List<(int Period, double Score)> Periods(double[] raw, int min, int max)
    {
        var flat = Flat(raw);
        var found = new List<(int Period, double Score)>();
        for (var lag = Math.Max(MinPeriod, min); lag <= max && 2 * lag < flat.Length; lag++)
        {
            if (PeriodScore(raw, flat, lag) is > 0 and var score)
                found.Add((lag, score));
        }

        // A period close to a better one lies on the slope of the same hill.
        return [.. found.OrderByDescending(f => f.Score).Where(f => !found.Exists(o => (o.Period < f.Period && f.Period % o.Period == 0 && o.Score >= 0.9 * f.Score)
            || (o.Score > f.Score && Math.Abs(o.Period - f.Period) <= 0.25 * o.Period)))];
    }

    /// <summary>A series without its trend.</summary>
    private static double[] Flat(double[] raw)
    {
        var y = Clean(raw);
        return [.. y.Zip(LineOf(y, 0, y.Length, new double[y.Length], out _), (a, b) => a - b)];
    }

    /// <summary>
    /// How much a series is like itself a period later; 0 when, without the trend, a period beside is better. The score lies between the two common
    /// estimates of autocorrelation, as in the documented examples.
    /// </summary>
    private static double PeriodScore(double[] raw, double[] flat, int lag)
    {
        LocalWork.Check();
        var here = Autocorrelation(flat, lag);
        return here >= Autocorrelation(flat, lag - 1) && here > Autocorrelation(flat, lag + 1) && here > MinPeriodScore
            ? Math.Clamp(Autocorrelation(Clean(raw), lag) * Math.Sqrt(1 - ((double)lag / raw.Length)), 0, 1) : 0;
    }

    /// <summary>The shortest period that explains nearly as much as the best one, which may be a multiple of it.</summary>
    private static int DetectPeriod(double[] y) =>
        Periods(y, MinPeriod, y.Length) is { Count: > 0 } periods ? periods.Where(p => p.Score >= 0.9 * periods[0].Score).Min(p => p.Period) : 0;

    private static JsonNode? PeriodsDetect(LocalCall c)
    {
        if (c.Reals(0) is not { } y)
            return null;
        var count = (int)Math.Clamp(c.Long(3) ?? 1, 1, 1000);
        var found = Periods(y, (int)(c.Real(1) ?? MinPeriod), (int)Math.Min(c.Real(2) ?? y.Length, y.Length)).Take(count).ToList();
        found.AddRange(Enumerable.Repeat((0, 0d), count - found.Count));
        return new JsonArray(LocalJson.Array(found.Select(f => (double)f.Period)), LocalJson.Array(found.Select(f => f.Score)));
    }

    private static JsonNode? PeriodsValidate(LocalCall c)
    {
        if (c.Reals(0) is not { } y)
            return null;
        var periods = Enumerable.Range(1, c.Count - 1).Select(i => c.Real(i) ?? 0).ToList();
        return new JsonArray(LocalJson.Array(periods), LocalJson.Array(periods.Select(p => p >= MinPeriod && 2 * p <= y.Length ? PeriodScore(y, Flat(y), (int)Math.Round(p)) : 0)));
    }

    /// <summary>The middle value of each phase of the period.</summary>
    private static double[] PhaseMedians(double[] y, int period)
    {
        if (period < 2)
            return new double[y.Length];
        period = Math.Min(period, Math.Max(2, y.Length));
        var medians = Enumerable.Range(0, period).Select(p =>
        {
            var sorted = y.Where((v, i) => i % period == p && double.IsFinite(v)).Order().ToArray();
            return sorted.Length == 0 ? 0 : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        }).ToArray();
        return [.. Enumerable.Range(0, y.Length).Select(i => medians[i % period])];
    }

    private static (double[] Baseline, double[] Seasonal, double[] Trend, double[] Residual)? Decompose(LocalCall c, int testPoints) =>
        DecomposeWith(c, c.Has(testPoints) ? (int)(c.Long(testPoints) ?? 0) : 0, 1, 2);

    private static (double[] Baseline, double[] Seasonal, double[] Trend, double[] Residual)? DecomposeWith(LocalCall c, int testPoints, int period, int trend, string unasked = "avg") =>
        c.Reals(0) is { Length: > 0 } y
            ? Model(y, testPoints, c.Has(period) ? (int)(c.Long(period) ?? -1) : -1, c.Has(trend) ? c.Text(trend) : unasked)
            : null;

    private static (double[] Baseline, double[] Seasonal, double[] Trend, double[] Residual) Model(double[] y, int testPoints, int period, string trend)
    {
        var training = y[..Math.Max(1, y.Length - Math.Max(0, testPoints))];
        var clean = Clean(training);
        // The seasonal part is taken out first: the middle value of each phase; the line, if one is asked for, runs through what is left.
        var size = period < 0 ? DetectPeriod(clean) : Math.Min(period, clean.Length);
        var pattern = PhaseMedians(clean, size);
        var seasonal = Enumerable.Range(0, y.Length).Select(i => size < 2 ? 0 : pattern[i % size]).ToArray();
        var rest = clean.Select((v, i) => v - seasonal[i]).ToArray();
        var line = trend switch { "linefit" => Fit(rest, 0, rest.Length), "none" => (Slope: 0d, Intercept: 0d), _ => (Slope: 0d, Intercept: rest.Average()) };
        var trendLine = Enumerable.Range(0, y.Length).Select(i => line.Intercept + (line.Slope * i)).ToArray();
        var baseline = trendLine.Zip(seasonal, (a, b) => a + b).ToArray();
        return (baseline, seasonal, trendLine, [.. y.Zip(baseline, (a, b) => a - b)]);
    }

    private static JsonNode? Anomalies(LocalCall c)
    {
        // (series, threshold, period, trend, test points, method)
        if (c.Reals(0) is not { Length: > 0 } y)
            return null;
        var threshold = c.Has(1) ? c.Real(1) ?? 1.5 : 1.5;
        var test = c.Has(4) ? (int)Math.Clamp(c.Long(4) ?? 0, 0, y.Length) : 0;
        var model = Model(y, test, c.Has(2) ? (int)(c.Long(2) ?? -1) : -1, c.Has(3) ? c.Text(3) : "avg");
        var (low, high) = c.Has(5) && c.Text(5) == "tukey" ? (25, 75) : (10, 90);
        var residual = model.Residual;
        var scores = SeriesFunctions.Scores(residual, y.Length - test, low, high, low == 10);
        var flags = scores.Select(s => s > threshold ? 1 : s < -threshold ? -1 : 0);
        return new JsonArray(new JsonArray([.. flags.Select(f => (JsonNode?)(long)f)]), LocalJson.Array(scores), LocalJson.Array(model.Baseline));
    }

    private static JsonNode? Fourier(LocalCall c, bool inverse)
    {
        if (c.Reals(0) is not { } real)
            return null;
        var imaginary = c.Has(1) && c.Reals(1) is { } given && given.Length == real.Length ? given : new double[real.Length];
        var n = real.Length;
        var (re, im) = (new double[n], new double[n]);
        for (var k = 0; k < n; k++)
        {
            LocalWork.Check();
            for (var t = 0; t < n; t++)
            {
                var angle = (inverse ? 2 : -2) * Math.PI * ((long)k * t % n) / n;
                re[k] += (real[t] * Math.Cos(angle)) - (imaginary[t] * Math.Sin(angle));
                im[k] += (real[t] * Math.Sin(angle)) + (imaginary[t] * Math.Cos(angle));
            }

            if (inverse)
            {
                re[k] /= n;
                im[k] /= n;
            }
        }

        return new JsonArray(LocalJson.Array(re), LocalJson.Array(im));
    }
}
