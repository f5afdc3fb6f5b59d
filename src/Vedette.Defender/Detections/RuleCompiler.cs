using System.Text.RegularExpressions;
using Vedette.Kql;

namespace Vedette.Defender.Detections;

/// <summary>
/// Checks a rule's query against the hunting tables, with places in the rule file, and narrows it to the columns that its alerts need: wide
/// rows are most of what a query costs.
/// </summary>
internal static partial class RuleCompiler
{
    /// <summary>The rule, ready to run; null when its query is wrong.</summary>
    public static DetectionRule? Compile(DetectionRule rule, KqlSchema schema, ICollection<RuleProblem> problems)
    {
        var compilation = KqlCompiler.Bind(rule.Query, schema);
        if (!compilation.Succeeded)
        {
            foreach (var error in compilation.Diagnostics.Where(diagnostic => diagnostic.Severity == KqlSeverity.Error))
                problems.Add(new RuleProblem(rule.File, rule.QueryLine + error.Line - 1, rule.QueryColumn + error.Column - 1, $"{error.Code}: {error.Message}"));
            return null;
        }

        var columns = compilation.Columns.Select(column => column.Name).ToHashSet(StringComparer.Ordinal);
        var before = problems.Count;
        foreach (var entity in rule.Entities.Where(entity => !entity.Columns.Values.Any(columns.Contains)))
            problems.Add(new RuleProblem(rule.File, rule.QueryLine, rule.QueryColumn, $"the result has none of the columns of the entity {entity.Kind}: {string.Join(", ", entity.Columns.Values)}"));
        foreach (var name in DetectionRule.TitleColumns(rule.Title).Where(name => !columns.Contains(name)))
            problems.Add(new RuleProblem(rule.File, rule.QueryLine, rule.QueryColumn, $"the title names the column '{name}', which the result does not have"));
        foreach (var name in rule.CustomDetails.Select(detail => detail.Column).Concat(rule.Responses.SelectMany(response => response.Columns.Values)).Distinct().Where(name => !columns.Contains(name)))
            problems.Add(new RuleProblem(rule.File, rule.QueryLine, rule.QueryColumn, $"the result lacks the column '{name}', which a custom detail or response of the rule needs"));
        return problems.Count > before ? null : rule with { NarrowQuery = Narrow(rule, columns, schema) };
    }

    private static string? Narrow(DetectionRule rule, HashSet<string> columns, KqlSchema schema)
    {
        var needed = rule.NeededColumns().Where(columns.Contains).ToArray();
        if (needed.Length == columns.Count || needed.Length == 0 || !needed.All(name => Identifier().IsMatch(name))) return null;

        // The new line ends a comment that the query may end with.
        var narrow = $"{rule.Query.TrimEnd().TrimEnd(';')}\n| project {string.Join(", ", needed)}";
        return KqlCompiler.Bind(narrow, schema) is { Succeeded: true } check && check.Columns.Count == needed.Length ? narrow : null;
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Identifier();
}
