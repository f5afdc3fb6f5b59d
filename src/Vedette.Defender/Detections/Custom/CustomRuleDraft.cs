namespace Vedette.Defender.Detections.Custom;

/// <summary>Something wrong in a rule as it was sent.</summary>
/// <param name="Property">Path of the property that it is about, such as <c>detectionAction/alertTemplate/title</c>.</param>
/// <param name="Message">What is wrong and what is expected.</param>
public sealed record RuleFault(string Property, string Message)
{
    /// <summary>True when another rule stands in the way rather than the rule itself.</summary>
    public bool IsConflict { get; init; }
}

/// <summary>A rule as somebody wants it: new, or an existing one with changes.</summary>
public sealed record CustomRuleDraft
{
    /// <summary>The id that its maker chose; null takes a number.</summary>
    public string? Id { get; init; }

    /// <summary>Its name.</summary>
    public required string DisplayName { get; init; }

    /// <summary>What the rule is for.</summary>
    public string? Description { get; init; }

    /// <summary>Whether it runs.</summary>
    public CustomRuleStatus Status { get; init; }

    /// <summary>What it looks for and what it does.</summary>
    public required CustomRuleBody Body { get; init; }
}
