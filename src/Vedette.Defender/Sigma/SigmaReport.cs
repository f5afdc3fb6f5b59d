namespace Vedette.Defender.Sigma;

/// <summary>How Sigma rules are imported.</summary>
public sealed record SigmaOptions
{
    /// <summary>Statuses that are taken; those that rules may have: stable, test, experimental, deprecated, unsupported. A rule without one is taken.</summary>
    public IReadOnlyCollection<string> Statuses { get; init; } = ["stable", "test", "experimental"];

    /// <summary>The least level that is taken: informational, low, medium, high or critical.</summary>
    public string MinLevel { get; init; } = "informational";

    /// <summary>Values by the name of a placeholder, without its percent signs.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Placeholders { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Folder into which the rule files go; null to convert and report only.</summary>
    public string? Output { get; init; }
}

/// <summary>A Sigma rule that became a rule of ours.</summary>
/// <param name="Id">Identity: that of the Sigma rule.</param>
/// <param name="Title">Title.</param>
/// <param name="File">File it came from, relative to what was imported.</param>
/// <param name="LogSource">Its log source, such as <c>windows/process_creation</c>; correlation for correlations.</param>
/// <param name="Output">File it went to, relative to the output folder.</param>
/// <param name="Notes">What was left out of it.</param>
/// <param name="Rule">The rule file's text.</param>
public sealed record SigmaConverted(Guid Id, string Title, string File, string LogSource, string Output, IReadOnlyList<string> Notes, string Rule);

/// <summary>A document that did not become a rule.</summary>
/// <param name="File">File, relative to what was imported.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Title">Title; null when the document has none.</param>
/// <param name="LogSource">Its log source; null when unknown.</param>
/// <param name="Reason">Kind of obstacle.</param>
/// <param name="Message">What exactly.</param>
public sealed record SigmaRefused(string File, int Line, string? Title, string? LogSource, SigmaReason Reason, string Message)
{
    /// <summary>The form compilers use: file(line): message.</summary>
    public override string ToString() => $"{File}({Line}): {Message}";
}

/// <summary>What became of an import.</summary>
/// <param name="Files">Files read.</param>
/// <param name="Converted">Rules that came out.</param>
/// <param name="Refused">Documents that could not be turned.</param>
/// <param name="Skipped">Rules left alone because of their status or level.</param>
/// <param name="Building">Rules that only serve correlations, and filters.</param>
/// <param name="Elapsed">Time taken.</param>
public sealed record SigmaReport(
    int Files, IReadOnlyList<SigmaConverted> Converted, IReadOnlyList<SigmaRefused> Refused, int Skipped, int Building, TimeSpan Elapsed);
