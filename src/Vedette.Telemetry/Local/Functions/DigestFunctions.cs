using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>
/// Digests of distributions, as tdigest() gives them: <c>[[kind],[values],[weights]]</c> with ascending values. Up to
/// <see cref="Digest.MaxCentroids"/> values are kept as they are; of more, as many evenly spaced quantiles.
/// </summary>
internal static class DigestFunctions
{
    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["tdigest_merge"] = c => Digest.Merge(Enumerable.Range(0, c.Count).Select(c.Json).Select(Digest.Read)).Write();
        table["percentile_tdigest"] = c => Percentile(Digest.Read(c.Json(0)), c.Real(1), c.Type);
        table["percentiles_array_tdigest"] = Percentiles;
        table["rank_tdigest"] = c => Digest.Read(c.Json(0)) is { Total: > 0 } digest && Number(c, 1) is { } value ? digest.Rank(value) : null;
        table["percentrank_tdigest"] = c => Digest.Read(c.Json(0)) is { Total: > 0 } digest && Number(c, 1) is { } value ? 100 * digest.Rank(value) / (double)digest.Total : null;
    }

    private static JsonArray? Percentiles(LocalCall c)
    {
        if (Digest.Read(c.Json(0)) is not { Total: > 0 } digest)
            return null;
        // The last argument may be a type literal, which comes as its name.
        var type = c.TypeOf(c.Count - 1) == KqlType.String && KqlTypes.TryParse(c.Text(c.Count - 1), out var given) ? given : KqlType.Dynamic;
        var levels = c.Array(1) is { } array ? array.Select(LocalJson.Real) : Enumerable.Range(1, c.Count - 1).Where(i => c.TypeOf(i) != KqlType.String).Select(i => c.Real(i) ?? double.NaN);
        return [.. levels.Select(l => JsonNode.Parse(LocalValues.ToJson(Percentile(digest, l, type), type)))];
    }

    private static object? Percentile(Digest digest, double? level, KqlType type)
    {
        if (digest.Total <= 0 || level is not (>= 0 and <= 100 and var percent))
            return null;
        var value = digest.Percentile(percent);
        object typed = digest.Kind switch
        {
            DigestKind.DateTime => new DateTime((long)value, DateTimeKind.Utc),
            DigestKind.TimeSpan => new TimeSpan((long)value),
            DigestKind.Long => (long)value,
            _ => (double)value,
        };
        var own = digest.Kind switch { DigestKind.DateTime => KqlType.DateTime, DigestKind.TimeSpan => KqlType.TimeSpan, DigestKind.Long => KqlType.Long, _ => KqlType.Real };
        return LocalValues.To(typed, own, type);
    }

    private static decimal? Number(LocalCall c, int index) => c[index] switch
    {
        DateTime t => t.Ticks,
        TimeSpan t => t.Ticks,
        _ => c.Real(index) is { } real && Math.Abs(real) < 1e28 ? (decimal)real : null,
    };
}

/// <summary>What the values of a digest are.</summary>
internal enum DigestKind
{
    Long = 7,
    Real = 8,
    DateTime = 9,
    TimeSpan = 10,
}

/// <summary>A digest of a distribution.</summary>
internal sealed class Digest(DigestKind kind, IReadOnlyList<(decimal Value, decimal Weight)> centroids)
{
    /// <summary>Values that a digest keeps.</summary>
    public const int MaxCentroids = 1000;

    public DigestKind Kind { get; } = kind;

    /// <summary>How many values there were, by weight.</summary>
    public decimal Total { get; } = centroids.Sum(c => c.Weight);

    /// <summary>Reads a digest; an empty one out of anything else.</summary>
    public static Digest Read(JsonNode? node)
    {
        if (node is not JsonArray { Count: 3 } parts || parts[0] is not JsonArray { Count: 1 } kind || parts[1] is not JsonArray values || parts[2] is not JsonArray weights)
            return new Digest(DigestKind.Real, []);
        return new Digest(
            (DigestKind)(int)LocalJson.Real(kind[0]),
            [.. values.Zip(weights).Select(p => (Value: Parse(p.First), Weight: Parse(p.Second))).Where(p => p.Weight > 0).OrderBy(p => p.Value)]);
    }

    /// <summary>One digest of the values of several.</summary>
    public static Digest Merge(IEnumerable<Digest> digests)
    {
        var all = digests.Where(d => d.Total > 0).ToList();
        if (all.Count == 0)
            return new Digest(DigestKind.Real, []);
        var centroids = all.SelectMany(d => d.Centroids).GroupBy(c => c.Value).Select(g => (Value: g.Key, Weight: g.Sum(c => c.Weight))).OrderBy(c => c.Value).ToList();
        var merged = new Digest(all[0].Kind, centroids);
        if (centroids.Count <= MaxCentroids)
            return merged;
        var weight = merged.Total / MaxCentroids;
        return new Digest(merged.Kind, [.. Enumerable.Range(0, MaxCentroids).Select(i => (merged.Percentile((i + 0.5) * 100 / MaxCentroids), weight))]);
    }

    /// <summary>The value of the nearest rank, from 0 to 100.</summary>
    public decimal Percentile(double percent)
    {
        var rank = (decimal)percent / 100 * Total;
        decimal sum = 0;
        foreach (var (value, weight) in Centroids)
        {
            sum += weight;
            if (sum >= rank)
                return value;
        }

        return Centroids[^1].Value;
    }

    /// <summary>How many values are not greater.</summary>
    public double Rank(decimal value) => (double)Centroids.TakeWhile(c => c.Value <= value).Sum(c => c.Weight);

    /// <summary>The digest as a dynamic value; null when it is empty.</summary>
    public JsonNode? Write() => Centroids.Count == 0 ? null : new JsonArray(
        new JsonArray((int)Kind),
        new JsonArray([.. Centroids.Select(c => Kind == DigestKind.Real ? LocalJson.Number((double)c.Value) : JsonValue.Create((long)c.Value))]),
        new JsonArray([.. Centroids.Select(c => c.Weight == Math.Floor(c.Weight) ? JsonValue.Create((long)c.Weight) : LocalJson.Number((double)c.Weight))]));

    private IReadOnlyList<(decimal Value, decimal Weight)> Centroids { get; } = centroids;

    private static decimal Parse(JsonNode? node) =>
        decimal.TryParse(LocalJson.Text(node), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
