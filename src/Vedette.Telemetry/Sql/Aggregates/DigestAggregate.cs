using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Local.Functions;

namespace Vedette.Telemetry.Sql.Aggregates;

/// <summary>tdigest(): a digest of the values of a group, in bounded memory unless values are weighted.</summary>
internal static class DigestAggregate
{
    private static readonly string Levels = string.Join(", ", Enumerable.Range(0, Digest.MaxCentroids)
        .Select(i => ((i + 0.5) / Digest.MaxCentroids).ToString("R", CultureInfo.InvariantCulture)));

    /// <summary>Writes the aggregate.</summary>
    public static SqlValue Write(AggregateCall c)
    {
        var kind = c[0].Type switch
        {
            KqlType.DateTime => DigestKind.DateTime,
            KqlType.TimeSpan => DigestKind.TimeSpan,
            KqlType.Int or KqlType.Long => DigestKind.Long,
            _ => DigestKind.Real,
        };
        // Ticks of datetimes count from the year 1, as .NET's do.
        var value = kind switch
        {
            DigestKind.DateTime => $"({SqlConvert.Ticks(c[0]).Text} + {SqlConvert.UnixEpochTicks})",
            DigestKind.TimeSpan => c[0].Text,
            DigestKind.Long => SqlConvert.ToLong(c[0]).Text,
            _ => SqlConvert.ToReal(c[0]).Text,
        };
        var weighted = c.Arguments.Count > 1;
        var weight = weighted ? $"toUInt64(greatest(ifNull({SqlConvert.ToLong(c[1]).Text}, 0), 0))" : "toUInt64(1)";
        var present = weighted ? $"{(kind == DigestKind.Real ? "isFinite" : "isNotNull")}({value}) AND {weight} > 0" : kind == DigestKind.Real ? $"isFinite({value})" : $"isNotNull({value})";
        var all = c.Apply("groupArray", (Digest.MaxCentroids + 1).ToString(CultureInfo.InvariantCulture), [$"(assumeNotNull({value}), {weight})"], present);
        var quantiles = weighted
            ? c.Apply("quantilesExactWeighted", Levels, [$"assumeNotNull({value})", weight], present)
            : c.Apply("quantilesGK", "10000, " + Levels, [$"assumeNotNull({value})"], present);
        var total = c.Apply("sum", null, [weight], present);
        return new SqlValue(
            SqlLambda.Let($"arraySort({all})", quantiles, (rows, q) =>
                $"if(empty({rows}), '', if(length({rows}) <= {Digest.MaxCentroids}, "
                + $"{Text(kind, $"arrayMap(r -> r.1, {rows})", $"arrayMap(r -> r.2, {rows})")}, "
                + $"{Text(kind, q, $"arrayMap(x -> {total} / {Digest.MaxCentroids}, {q})")}))"),
            KqlType.Dynamic, false);
    }

    private static string Text(DigestKind kind, string values, string weights) =>
        $"concat('[[{(int)kind}],[', arrayStringConcat(arrayMap(v -> toString(v), {values}), ','), '],[', arrayStringConcat(arrayMap(w -> toString(w), {weights}), ','), ']]')";
}
