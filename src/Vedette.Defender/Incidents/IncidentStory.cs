using Vedette.Defender.State;

namespace Vedette.Defender.Incidents;

/// <summary>What is told of an incident in words, and its severity; null keeps what is there, an empty text clears it.</summary>
public sealed record IncidentStory
{
    private const int LongestName = 1_000;
    private const int LongestText = 30_000;

    /// <summary>New name; a name that a person gave stays.</summary>
    public string? Name { get; init; }

    /// <summary>What happened.</summary>
    public string? Description { get; init; }

    /// <summary>What happened, in short.</summary>
    public string? Summary { get; init; }

    /// <summary>Why it was resolved.</summary>
    public string? ResolvingComment { get; init; }

    /// <summary>New severity.</summary>
    public AlertSeverity? Severity { get; init; }

    internal DomainError? Problem()
    {
        if (Name is { } name && (string.IsNullOrWhiteSpace(name) || name.Length > LongestName)) return new DomainError(Refusal.InvalidInput, "displayName");
        foreach (var (key, text) in new[] { ("description", Description), ("summary", Summary), ("resolvingComment", ResolvingComment) })
            if (text?.Length > LongestText) return new DomainError(Refusal.InvalidInput, key);
        return null;
    }

    internal void Apply(Incident incident)
    {
        incident.Name = Name ?? incident.Name;
        incident.Severity = Severity ?? incident.Severity;
        incident.Description = Change(incident.Description, Description);
        incident.Summary = Change(incident.Summary, Summary);
        incident.ResolvingComment = Change(incident.ResolvingComment, ResolvingComment);
    }

    private static string? Change(string? before, string? after) => after is null ? before : after.Length > 0 ? after : null;
}
