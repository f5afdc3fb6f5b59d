namespace Vedette.Defender.Detections;

/// <summary>Something wrong in a rule file. The rule is left out; all other rules still load.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="Column">Column in the line, from 1.</param>
/// <param name="Message">What is wrong and what is expected.</param>
public sealed record RuleProblem(string File, int Line, int Column, string Message)
{
    /// <summary>The form compilers use: file(line,column): message.</summary>
    public override string ToString() => $"{File}({Line},{Column}): {Message}";
}

/// <summary>The outcome of reading rule files.</summary>
/// <param name="Rules">Rules that are sound, by title.</param>
/// <param name="Problems">What is wrong in the others.</param>
public sealed record RuleSet(IReadOnlyList<DetectionRule> Rules, IReadOnlyList<RuleProblem> Problems);
