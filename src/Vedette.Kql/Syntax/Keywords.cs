namespace Vedette.Kql.Syntax;

/// <summary>Words of the language that name nothing unless they stand in brackets (<c>['by']</c>).</summary>
internal static class Keywords
{
    private static readonly HashSet<string> Connectives = new(
        [
            "and", "or", "by", "in", "of", "to", "as", "asc", "desc", "between", "granny",
            "contains", "contains_cs", "containscs", "endswith", "endswith_cs", "has", "has_all", "has_any", "has_cs", "hasprefix", "hasprefix_cs", "hassuffix",
            "hassuffix_cs", "like", "likecs", "notcontains", "notcontainscs", "notlike", "notlikecs", "startswith", "startswith_cs",
        ],
        StringComparer.Ordinal);

    private static readonly HashSet<string> Words = new(
        [
            .. Connectives,
            "boolean", "byte", "char", "date", "datetime", "decimal", "double", "dynamic", "float", "int", "int8", "int16", "int32", "int64", "long", "real",
            "string", "time", "timespan", "uint", "uint8", "uint16", "uint32", "uint64", "ulong", "uniqueid",
            "where", "project", "find", "invoke", "print", "sample", "search", "union", "sql", "materialize",
            "bagexpansion", "cycles", "datascope", "decodeblocks", "expandoutput", "flags", "force_remote", "isfuzzy", "with_itemindex", "with_match_id",
            "with_step_name", "first", "last", "others", "simple", "relaxed", "pathformat", "nooptimization", "title", "verbose",
            "anomalychart", "areachart", "barchart", "card", "columnchart", "ladderchart", "linechart", "piechart", "pivotchart", "scatterchart",
            "stackedareachart", "timechart", "timeline", "timepivot", "treemap",
        ],
        StringComparer.Ordinal);

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Words.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> ConnectiveLookup = Connectives.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Whether the word stands between operands or parts of an operator, and so never begins a statement; variables may have the names of the others.</summary>
    public static bool IsConnective(ReadOnlySpan<char> word) => ConnectiveLookup.Contains(word);

    /// <summary>Whether the word is one of them.</summary>
    public static bool Contains(ReadOnlySpan<char> word) => Lookup.Contains(word);

    /// <summary>Whether the word is one of them or means something else in other places; a misspelt operator is neither.</summary>
    public static bool IsReserved(ReadOnlySpan<char> word) =>
        Contains(word) || word is "true" or "false" or "null" or "on" or "kind" or "with" or "from" or "step" or "let" or "nulls" or "default" or "typeof" or "declare" or "datatable";

    /// <summary>What is said where an expression should stand and such a word does.</summary>
    public static string MissingExpression(ReadOnlySpan<char> word) =>
        $"Missing expression: If the keyword '{word}' is intended to be part of an expression it needs to be bracketted as ['{word}'].";
}
