using System.Text.RegularExpressions;
using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Operators that choose and order columns by name or pattern: project-away, -keep, -rename, -reorder, -by-names.</summary>
internal sealed partial class Binder
{
    private TableValue Choose(TableValue input, IReadOnlyList<KqlColumn> columns, TextSpan span, bool keepsLate)
    {
        var plan = new ProjectRelation(input.Node, [.. columns.Select(c => new NamedScalar(c, new BoundColumnRef(c, span)))]);
        return keepsLate ? input.With(plan) : new TableValue(plan);
    }

    /// <summary>The columns that the items name, by name or wildcard, in the order of the items; unknown names are reported.</summary>
    private List<KqlColumn> MatchColumns(IReadOnlyList<Expr> items, TableValue input)
    {
        var result = new List<KqlColumn>();
        foreach (var item in items)
            result.AddRange(MatchColumn(item, input));
        return result;
    }

    private IEnumerable<KqlColumn> MatchColumn(Expr item, TableValue input)
    {
        switch (item)
        {
            case WildcardExpr wildcard:
                var matches = input.Columns.Where(c => Wildcards.Matches(wildcard.Pattern, c.Name)).ToList();
                // The official binder refuses a pattern without a match; the service runs such queries (project-away *1 behind a join).
                if (matches.Count == 0 && input.Late is null)
                    _diagnostics.Warning("KS142", Of($"No column matches '{wildcard.Pattern}'."), wildcard.Span);
                return matches;
            case StarExpr:
                return input.Columns;
            case NameExpr { Name: var pattern, IsBracketed: true } when pattern.Contains('*', StringComparison.Ordinal) && input.Find(pattern) is null:
                return input.Columns.Where(c => Wildcards.Matches(pattern, c.Name));
            case MissingExpr:
                return [];
            case OrderedExpr ordered:
                return MatchColumn(ordered.Value, input);
        }

        var value = BindScalar(item);
        if (value is BoundColumnRef reference)
            return [reference.Column];
        if (value.Type != KqlType.Unknown)
            Error("KS109", Of("Column name expected."), item.Span);
        return [];
    }

    private TableValue BindProjectAway(ListOperator op, TableValue input)
    {
        var gone = MatchColumns(op.Items, input).Select(c => c.Id).ToHashSet();
        return Choose(input, [.. input.Columns.Where(c => !gone.Contains(c.Id))], op.Span, keepsLate: true);
    }

    private TableValue BindProjectKeep(ListOperator op, TableValue input)
    {
        var kept = MatchColumns(op.Items, input).Select(c => c.Id).ToHashSet();
        return Choose(input, [.. input.Columns.Where(c => kept.Contains(c.Id))], op.Span, keepsLate: false);
    }

    private TableValue BindProjectRename(ListOperator op, TableValue input)
    {
        var builder = new ColumnBuilder(input.Columns.Count);
        foreach (var column in input.Columns)
            builder.Add(column);
        foreach (var item in op.Items)
        {
            if (item is not NamedExpr { IsTuple: false } named)
            {
                if (item is not MissingExpr)
                    Error("KS110", Of("Column rename assignment expected."), item.Span);
                continue;
            }

            var renamed = BindScalar(named.Value);
            if (renamed is not BoundColumnRef reference)
            {
                if (renamed.Type != KqlType.Unknown)
                    Error("KS109", Of("Column name expected."), named.Value.Span);
                continue;
            }

            var name = named.Names[0];
            if (builder.IsDeclared(name.Name) || (builder.Contains(name.Name) && name.Name != reference.Column.Name))
                Error("KS171", Of($"A column with the name '{name.Name}' is already declared."), name.Span);
            else
                builder.Rename(reference.Column.Name, name.Name);
        }

        return Choose(input, builder.Columns, op.Span, keepsLate: true);
    }

    private TableValue BindProjectReorder(ListOperator op, TableValue input)
    {
        var result = new List<KqlColumn>();
        var taken = new HashSet<int>();
        // Only a name written twice is wrong; a pattern may match again what stands already.
        var named = new HashSet<int>();
        foreach (var item in op.Items)
        {
            var matched = MatchColumn(item, input);
            if (item is OrderedExpr { Value: WildcardExpr or StarExpr or NameExpr } ordered)
            {
                IComparer<string> comparer = ordered.IsGranny ? NaturalComparer.Instance : StringComparer.Ordinal;
                matched = ordered.Descending == true ? matched.OrderByDescending(c => c.Name, comparer) : matched.OrderBy(c => c.Name, comparer);
            }

            foreach (var column in matched)
            {
                if (taken.Add(column.Id))
                    result.Add(column);
                else if (item is NameExpr or OrderedExpr { Value: NameExpr } && named.Contains(column.Id))
                    Error("KS171", Of($"A column with the name '{column.Name}' is already declared."), item.Span);
                if (item is NameExpr or OrderedExpr { Value: NameExpr })
                    named.Add(column.Id);
            }
        }

        result.AddRange(input.Columns.Where(c => !taken.Contains(c.Id)));
        return Choose(input, result, op.Span, keepsLate: true);
    }

    /// <summary><c>project-by-names</c>: columns by name, wildcard or a constant array of names; names that do not exist are left out.</summary>
    private TableValue BindProjectByNames(ListOperator op, TableValue input)
    {
        var result = new List<KqlColumn>();
        var taken = new HashSet<int>();
        foreach (var item in op.Items)
        {
            foreach (var pattern in ConstantNames(item))
            {
                foreach (var column in input.Columns)
                {
                    if (Wildcards.Matches(pattern, column.Name) && taken.Add(column.Id))
                        result.Add(column);
                }
            }
        }

        return Choose(input, result, op.Span, keepsLate: false);
    }

    private List<string> ConstantNames(Expr item)
    {
        if (item is WildcardExpr wildcard)
            return [wildcard.Pattern];
        if (item is StarExpr)
            return ["*"];
        if (item is NameExpr { Name: var name } && _scope.Find(name) is not ScalarVariable)
            return [name];
        if (BindScalar(item) is not BoundLiteral { Value: string text } literal)
        {
            Error("KS129", Of("The expression must be a constant."), item.Span);
            return [];
        }

        if (literal.Type == KqlType.String)
            return [text];
        try
        {
            using var json = System.Text.Json.JsonDocument.Parse(text);
            return json.RootElement.ValueKind == System.Text.Json.JsonValueKind.Array
                ? [.. json.RootElement.EnumerateArray().Where(e => e.ValueKind == System.Text.Json.JsonValueKind.String).Select(e => e.GetString()!)]
                : [];
        }
        catch (System.Text.Json.JsonException)
        {
            return [];
        }
    }
}

/// <summary>Names with stars.</summary>
internal static partial class Wildcards
{
    /// <summary>Whether a name matches a pattern in which a star stands for any run of characters. Case-sensitive; linear for few stars.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0, n = 0, star = -1, mark = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = n;
            }
            else if (p < pattern.Length && pattern[p] == name[n])
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++mark;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }
}

/// <summary>Compares names with the numbers inside them as numbers: a2 before a10.</summary>
internal sealed partial class NaturalComparer : IComparer<string>
{
    public static NaturalComparer Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var a = Parts().Matches(x ?? "");
        var b = Parts().Matches(y ?? "");
        for (var i = 0; i < Math.Min(a.Count, b.Count); i++)
        {
            var order = long.TryParse(a[i].ValueSpan, out var m) && long.TryParse(b[i].ValueSpan, out var n)
                ? m.CompareTo(n)
                : string.CompareOrdinal(a[i].Value, b[i].Value);
            if (order != 0)
                return order;
        }

        return a.Count.CompareTo(b.Count);
    }

    [GeneratedRegex("[0-9]+|[^0-9]+")]
    private static partial Regex Parts();
}
