namespace Vedette.Defender.Sigma;

/// <summary>One document of a Sigma file.</summary>
internal abstract record SigmaDocument
{
    /// <summary>The file, as messages name it.</summary>
    public required string File { get; init; }

    /// <summary>Line where the document begins, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>Identity; made from the file's name and the title when the document has none.</summary>
    public required Guid Id { get; init; }

    /// <summary>Title.</summary>
    public required string Title { get; init; }

    /// <summary>Name by which correlations may refer to it; null when it has none.</summary>
    public string? Name { get; init; }

    /// <summary>What it detects; may be empty.</summary>
    public string Description { get; init; } = "";

    /// <summary>stable, test, experimental, deprecated, unsupported; null when not told.</summary>
    public string? Status { get; init; }

    /// <summary>informational, low, medium, high, critical; null when not told.</summary>
    public string? Level { get; init; }

    /// <summary>Author; null when not told.</summary>
    public string? Author { get; init; }

    /// <summary>License; null when not told.</summary>
    public string? License { get; init; }

    /// <summary>Where to read more.</summary>
    public IReadOnlyList<string> References { get; init; } = [];

    /// <summary>Known harmless causes.</summary>
    public IReadOnlyList<string> FalsePositives { get; init; } = [];

    /// <summary>Tags such as attack.t1059.001.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>Which log a rule is about.</summary>
internal sealed record SigmaLogSource(string? Product, string? Category, string? Service)
{
    public override string ToString() => string.Join('/', new[] { Product, Category, Service }.OfType<string>());
}

/// <summary>A rule about single events, or about counts of them where its condition has an aggregation.</summary>
internal sealed record SigmaRule : SigmaDocument
{
    public required SigmaLogSource LogSource { get; init; }

    /// <summary>Searches by name, in order.</summary>
    public required IReadOnlyList<KeyValuePair<string, SigmaSearch>> Searches { get; init; }

    /// <summary>Conditions: any of them.</summary>
    public required IReadOnlyList<SigmaCondition> Conditions { get; init; }

    /// <summary>Filters of other documents that were added.</summary>
    public IReadOnlyList<SigmaFilter> Filters { get; init; } = [];

    /// <summary>Aggregation behind the condition, in the old form; null for none.</summary>
    public SigmaAggregation? Aggregation { get; init; }
}

/// <summary>A filter for rules of others: what it matches is left out of them.</summary>
internal sealed record SigmaFilter : SigmaDocument
{
    public required SigmaLogSource LogSource { get; init; }

    /// <summary>Ids or names of the rules; empty for all rules of the log source.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    public required IReadOnlyList<KeyValuePair<string, SigmaSearch>> Searches { get; init; }

    public required IReadOnlyList<SigmaCondition> Conditions { get; init; }
}

/// <summary>What a correlation looks for.</summary>
internal enum SigmaCorrelationKind
{
    EventCount,
    ValueCount,
    ValueSum,
    ValueAverage,
    ValueMinimum,
    ValueMaximum,
    Temporal,
    TemporalOrdered,
}

/// <summary>A limit: an operator of KQL and a number.</summary>
internal readonly record struct SigmaLimit(string Operator, string Number);

/// <summary>What an aggregation or correlation counts, over what, and when it matches.</summary>
/// <param name="Kind">What is counted.</param>
/// <param name="GroupBy">Fields whose values keep events apart.</param>
/// <param name="Field">Field whose values are counted or added; null where there is none.</param>
/// <param name="Span">Time within which it must happen.</param>
/// <param name="Limits">When it matches: all of them.</param>
/// <param name="Line">Line of the file, from 1.</param>
internal sealed record SigmaAggregation(
    SigmaCorrelationKind Kind, IReadOnlyList<string> GroupBy, string? Field, TimeSpan Span, IReadOnlyList<SigmaLimit> Limits, int Line)
{
    /// <summary>Names of the searches whose events must be near, in the old form; empty otherwise.</summary>
    public IReadOnlyList<string> Near { get; init; } = [];
}

/// <summary>A rule about the events of other rules.</summary>
internal sealed record SigmaCorrelation : SigmaDocument
{
    public required SigmaAggregation Aggregation { get; init; }

    /// <summary>Ids or names of the rules, in order.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>By alias, then by rule: the rule's field.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Aliases { get; init; }

    /// <summary>Whether the rules it names become rules of their own too.</summary>
    public bool Generate { get; init; }
}
