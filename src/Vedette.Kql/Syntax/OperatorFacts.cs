namespace Vedette.Kql.Syntax;

/// <summary>What the parser knows about tabular operators: spellings, named parameters, whether one can begin a query.</summary>
internal static class OperatorFacts
{
    /// <summary>Every spelling of an operator with its canonical name.</summary>
    public static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["where"] = "where",
        ["filter"] = "where",
        ["extend"] = "extend",
        ["project"] = "project",
        ["project-away"] = "project-away",
        ["project-keep"] = "project-keep",
        ["project-rename"] = "project-rename",
        ["project-reorder"] = "project-reorder",
        ["project-by-names"] = "project-by-names",
        ["project-smart"] = "project-reorder",
        ["summarize"] = "summarize",
        ["sort"] = "sort",
        ["order"] = "sort",
        ["top"] = "top",
        ["top-nested"] = "top-nested",
        ["top-hitters"] = "top-hitters",
        ["take"] = "take",
        ["limit"] = "take",
        ["distinct"] = "distinct",
        ["count"] = "count",
        ["join"] = "join",
        ["lookup"] = "lookup",
        ["union"] = "union",
        ["search"] = "search",
        ["find"] = "find",
        ["mv-expand"] = "mv-expand",
        ["mvexpand"] = "mv-expand",
        ["mv-apply"] = "mv-apply",
        ["mvapply"] = "mv-apply",
        ["parse"] = "parse",
        ["parse-where"] = "parse-where",
        ["parse-kv"] = "parse-kv",
        ["make-series"] = "make-series",
        ["print"] = "print",
        ["range"] = "range",
        ["render"] = "render",
        ["evaluate"] = "evaluate",
        ["invoke"] = "invoke",
        ["as"] = "as",
        ["serialize"] = "serialize",
        ["sample"] = "sample",
        ["sample-distinct"] = "sample-distinct",
        ["getschema"] = "getschema",
        ["consume"] = "consume",
        ["partition"] = "partition",
        ["fork"] = "fork",
        ["facet"] = "facet",
        ["reduce"] = "reduce",
        ["scan"] = "scan",
        ["macro-expand"] = "macro-expand",
        ["make-graph"] = "make-graph",
        ["graph-match"] = "graph-match",
        ["graph-shortest-paths"] = "graph-shortest-paths",
        ["graph-to-table"] = "graph-to-table",
        ["graph-mark-components"] = "graph-mark-components",
        ["graph-where-nodes"] = "graph-where-nodes",
        ["graph-where-edges"] = "graph-where-edges",
        ["assert-schema"] = "assert-schema",
        ["execute-and-cache"] = "execute-and-cache",
    };

    /// <summary>Named parameters of each operator; <c>hint.…</c> ones are accepted everywhere.</summary>
    public static readonly Dictionary<string, string[]> Parameters = new(StringComparer.Ordinal)
    {
        ["join"] = ["kind"],
        ["lookup"] = ["kind"],
        ["union"] = ["kind", "withsource", "with_source", "isfuzzy", "best_effort"],
        ["macro-expand"] = ["kind", "isfuzzy", "best_effort", "force_remote"],
        ["find"] = ["withsource", "with_source", "datascope"],
        ["search"] = ["kind"],
        ["mv-expand"] = ["kind", "bagexpansion", "with_itemindex"],
        ["mv-apply"] = ["with_itemindex"],
        ["parse"] = ["kind", "flags"],
        ["parse-where"] = ["kind", "flags"],
        ["make-series"] = ["kind"],
        ["reduce"] = ["kind"],
        ["scan"] = ["kind", "with_match_id"],
        ["consume"] = ["decodeblocks"],
        ["graph-match"] = ["cycles"],
        ["graph-shortest-paths"] = ["output", "cycles"],
        ["graph-mark-components"] = ["kind", "with_component_id"],
        ["summarize"] = ["bin_legacy"],
    };

    /// <summary>The words that a named parameter takes, by operator and parameter; others take anything.</summary>
    public static readonly Dictionary<(string Operator, string Parameter), string[]> ParameterValues = new()
    {
        [("union", "kind")] = ["inner", "outer"],
        [("parse", "kind")] = ["simple", "regex", "relaxed"],
        [("parse-where", "kind")] = ["simple", "regex", "relaxed"],
        [("mv-expand", "kind")] = ["bag", "array"],
        [("mv-expand", "bagexpansion")] = ["bag", "array"],
        [("search", "kind")] = ["default", "case_insensitive", "case_sensitive"],
        [("reduce", "kind")] = ["source"],
        [("make-series", "kind")] = ["nonempty"],
    };

    /// <summary>The charts that render knows.</summary>
    public static readonly string[] Charts =
    [
        "table", "list", "barchart", "piechart", "ladderchart", "timechart", "linechart", "anomalychart", "pivotchart", "areachart", "stackedareachart",
        "scatterchart", "timepivot", "columnchart", "timeline", "3Dchart", "card", "treemap", "plotly", "graph", "sankey",
    ];

    private static readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> NameLookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether the word is an operator's spelling.</summary>
    public static bool IsOperator(ReadOnlySpan<char> word) => NameLookup.ContainsKey(word);

    /// <summary>Operators that a query may begin with.</summary>
    public static bool CanBegin(ReadOnlySpan<char> word) => word is "print" or "range" or "union" or "search" or "find" or "evaluate" or "macro";
}
