using System.Text;

namespace Vedette.Defender.Sigma;

/// <summary>Writes queries of branches: one table after another, one <c>where</c> for each conjunct.</summary>
internal static class QueryWriter
{
    /// <summary>The query that finds the rows of any branch.</summary>
    public static string Write(IReadOnlyList<QueryBranch> branches)
    {
        var tables = branches.GroupBy(static branch => branch.Variant.Table, StringComparer.Ordinal).Select(group => Table([.. group])).ToArray();
        if (tables.Length == 1) return tables[0];
        return "union\n" + string.Join(",\n", tables.Select(static table => $"(\n    {table.Replace("\n", "\n    ", StringComparison.Ordinal)}\n)"));
    }

    /// <summary>The query that finds the rows of one branch.</summary>
    public static string Write(QueryBranch branch) => Table([branch]);

    private static string Table(IReadOnlyList<QueryBranch> branches)
    {
        var merged = Merge(branches);
        var actions = merged.SelectMany(static item => item.Actions).Distinct(StringComparer.Ordinal).ToArray();
        var text = new StringBuilder(branches[0].Variant.Table);
        text.Append("\n| where ").Append(Actions(actions));
        if (merged.Count == 1 && merged[0].Branch.Variant.Where is { } where) text.Append("\n| where ").Append(where);
        foreach (var lookup in branches.SelectMany(static branch => branch.Scope.Lookups).Distinct(StringComparer.Ordinal)) text.Append("\n| ").Append(SigmaMapping.Shared.Lookup(lookup));
        var conditions = branches.SelectMany(static branch => branch.Conditions);
        foreach (var (name, expression) in branches.SelectMany(branch => branch.Scope.Computed(conditions)).Distinct()) text.Append("\n| extend ").Append(name).Append(" = ").Append(expression);
        if (merged.Count == 1)
        {
            foreach (var condition in merged[0].Branch.Conditions) text.Append("\n| where ").Append(condition);
            return text.ToString();
        }

        return text.Append("\n| where ").AppendJoin("\n    or ", merged.Select(static item => Alternative(item.Branch, item.Actions))).ToString();
    }

    private static string Alternative(QueryBranch branch, IReadOnlyList<string> actions)
    {
        string[] parts = [Actions(actions), .. branch.Variant.Where is { } where ? [where] : Array.Empty<string>(), branch.Condition.Operand()];
        return $"({string.Join(" and ", parts.Where(static part => part != "true"))})";
    }

    // Kinds of rows of which the same is asked are one.
    private static List<(QueryBranch Branch, List<string> Actions)> Merge(IReadOnlyList<QueryBranch> branches)
    {
        var merged = new List<(QueryBranch Branch, List<string> Actions)>();
        foreach (var branch in branches)
        {
            var same = merged.FirstOrDefault(item => item.Branch.Variant.Where == branch.Variant.Where && item.Branch.Conditions.SequenceEqual(branch.Conditions));
            if (same.Branch is null) merged.Add((branch, [.. branch.Variant.Actions]));
            else same.Actions.AddRange(branch.Variant.Actions.Except(same.Actions));
        }

        return merged;
    }

    private static string Actions(IReadOnlyList<string> actions) =>
        actions.Count == 1 ? $"ActionType == {KqlText.Quote(actions[0])}" : $"ActionType in ({KqlText.List(actions)})";
}
