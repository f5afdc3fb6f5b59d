using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Sigma;

/// <summary>Reads what is counted: the keys of a correlation, and the old form behind a pipe in a condition.</summary>
internal static partial class SigmaAggregations
{
    private static readonly TimeSpan LongestSpan = TimeSpan.FromDays(30);

    private static readonly Dictionary<string, SigmaCorrelationKind> Kinds = new(StringComparer.Ordinal)
    {
        ["event_count"] = SigmaCorrelationKind.EventCount,
        ["value_count"] = SigmaCorrelationKind.ValueCount,
        ["value_sum"] = SigmaCorrelationKind.ValueSum,
        ["value_avg"] = SigmaCorrelationKind.ValueAverage,
        ["temporal"] = SigmaCorrelationKind.Temporal,
        ["temporal_ordered"] = SigmaCorrelationKind.TemporalOrdered,
    };

    private static readonly Dictionary<string, SigmaCorrelationKind> OldKinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["count"] = SigmaCorrelationKind.ValueCount,
        ["sum"] = SigmaCorrelationKind.ValueSum,
        ["avg"] = SigmaCorrelationKind.ValueAverage,
        ["min"] = SigmaCorrelationKind.ValueMinimum,
        ["max"] = SigmaCorrelationKind.ValueMaximum,
    };

    private static readonly Dictionary<string, string> Operators = new(StringComparer.Ordinal)
    {
        ["gt"] = ">", ["gte"] = ">=", ["lt"] = "<", ["lte"] = "<=", ["eq"] = "==", ["neq"] = "!=",
    };

    /// <summary>Reads the keys of a correlation.</summary>
    public static SigmaAggregation Read(YamlMappingNode node, int rules, int line)
    {
        var type = SigmaReader.Scalar(node, "type") ?? throw new SigmaException(SigmaReason.Correlation, "the key 'type' is missing", line);
        if (!Kinds.TryGetValue(type, out var kind))
            throw new SigmaException(SigmaReason.Correlation, $"the correlation type '{type}' is not supported; supported are {string.Join(", ", Kinds.Keys)}", line);
        var span = SigmaReader.Span(SigmaReader.Scalar(node, "timespan") ?? throw new SigmaException(SigmaReason.Correlation, "the key 'timespan' is missing", line), line);
        Check(span, line);
        var limits = new List<SigmaLimit>();
        string? field = null;
        foreach (var (key, value) in SigmaReader.Child(node, "condition") as YamlMappingNode ?? [])
        {
            var name = SigmaReader.Value(key);
            if (name == "field")
            {
                if (value is not YamlScalarNode) throw new SigmaException(SigmaReason.Correlation, "a condition counts the values of one field", (int)value.Start.Line);
                field = SigmaReader.Value(value);
            }
            else if (!Operators.TryGetValue(name, out var op)) throw new SigmaException(SigmaReason.Correlation, $"'{name}' is not known in a condition", (int)key.Start.Line);
            else limits.Add(new SigmaLimit(op, Number(SigmaReader.Value(value), (int)value.Start.Line)));
        }

        var isTemporal = kind is SigmaCorrelationKind.Temporal or SigmaCorrelationKind.TemporalOrdered;
        if (limits.Count == 0 && isTemporal) limits.Add(new SigmaLimit(">=", rules.ToString(CultureInfo.InvariantCulture)));
        if (limits.Count == 0) throw new SigmaException(SigmaReason.Correlation, "the condition has no limit such as gte: 10", line);
        if (field is null && kind is not SigmaCorrelationKind.EventCount && !isTemporal) throw new SigmaException(SigmaReason.Correlation, $"{type} needs a field in its condition", line);
        return new SigmaAggregation(kind, SigmaReader.Texts(node, "group-by"), field, span, limits, line);
    }

    /// <summary>Reads the old form: <c>count(field) by other &gt; 5</c>, or <c>near search and other</c>.</summary>
    public static SigmaAggregation Parse(string text, TimeSpan? timeframe, int line)
    {
        var span = timeframe ?? LongestSpan;
        Check(span, line);
        if (Near().Match(text) is { Success: true } near)
        {
            string[] searches = [.. near.Groups[1].Captures.Select(static capture => capture.Value)];
            var needed = (searches.Length + 1).ToString(CultureInfo.InvariantCulture);
            return new SigmaAggregation(SigmaCorrelationKind.Temporal, [], null, span, [new SigmaLimit(">=", needed)], line) { Near = searches };
        }

        var match = Form().Match(text);
        if (!match.Success) throw new SigmaException(SigmaReason.Condition, $"the aggregation '{text.Trim()}' is of neither form: 'count(field) by other > 5', 'near search and other'", line);
        var field = match.Groups["field"].Value.Trim();
        var kind = OldKinds[match.Groups["what"].Value];
        if (kind == SigmaCorrelationKind.ValueCount && field.Length == 0) kind = SigmaCorrelationKind.EventCount;
        else if (field.Length == 0) throw new SigmaException(SigmaReason.Condition, $"{match.Groups["what"].Value} needs a field in brackets", line);
        var groups = match.Groups["by"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var op = match.Groups["op"].Value is "=" ? "==" : match.Groups["op"].Value;
        return new SigmaAggregation(kind, groups, field.Length == 0 ? null : field, span, [new SigmaLimit(op, match.Groups["number"].Value)], line);
    }

    private static void Check(TimeSpan span, int line)
    {
        if (span > LongestSpan) throw new SigmaException(SigmaReason.Correlation, "a rule looks back at most 30 days", line);
    }

    private static string Number(string text, int line) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
        ? number.ToString("0.################", CultureInfo.InvariantCulture)
        : throw new SigmaException(SigmaReason.Correlation, $"'{text}' is not a number", line);

    [GeneratedRegex(@"^\s*(?<what>count|sum|avg|min|max)\s*\(\s*(?<field>[^()]*)\)\s*(?:by\s+(?<by>[^<>=!]+?))?\s*(?<op>[<>]=?|==?|!=)\s*(?<number>[0-9]+)\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex Form();

    [GeneratedRegex(@"^\s*near\s+(?!not\b)(?<1>\w+)(?:\s+and\s+(?!not\b)(?<1>\w+))*\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex Near();
}
