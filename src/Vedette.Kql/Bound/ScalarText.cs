using System.Globalization;
using System.Text;

namespace Vedette.Kql.Bound;

/// <summary>Writes bound scalars for people, in KQL's own words; long ones are cut.</summary>
internal static class ScalarText
{
    private const int MaxLength = 600;
    private const int MaxLiteral = 120;

    private static readonly Dictionary<KqlOperator, string> Operators = new()
    {
        [KqlOperator.Add] = "+", [KqlOperator.Subtract] = "-", [KqlOperator.Multiply] = "*", [KqlOperator.Divide] = "/", [KqlOperator.Modulo] = "%",
        [KqlOperator.Equal] = "==", [KqlOperator.NotEqual] = "!=", [KqlOperator.Less] = "<", [KqlOperator.LessOrEqual] = "<=",
        [KqlOperator.Greater] = ">", [KqlOperator.GreaterOrEqual] = ">=", [KqlOperator.And] = "and", [KqlOperator.Or] = "or",
        [KqlOperator.EqualIgnoreCase] = "=~", [KqlOperator.Contains] = "contains", [KqlOperator.ContainsCs] = "contains_cs",
        [KqlOperator.Has] = "has", [KqlOperator.HasCs] = "has_cs", [KqlOperator.HasPrefix] = "hasprefix", [KqlOperator.HasPrefixCs] = "hasprefix_cs",
        [KqlOperator.HasSuffix] = "hassuffix", [KqlOperator.HasSuffixCs] = "hassuffix_cs", [KqlOperator.StartsWith] = "startswith",
        [KqlOperator.StartsWithCs] = "startswith_cs", [KqlOperator.EndsWith] = "endswith", [KqlOperator.EndsWithCs] = "endswith_cs",
        [KqlOperator.MatchesRegex] = "matches regex", [KqlOperator.Like] = "like", [KqlOperator.LikeCs] = "likecs",
    };

    private static readonly Dictionary<KqlSetOperator, string> Sets = new()
    {
        [KqlSetOperator.In] = "in", [KqlSetOperator.InIgnoreCase] = "in~", [KqlSetOperator.HasAny] = "has_any", [KqlSetOperator.HasAll] = "has_all",
    };

    /// <summary>The scalar as text.</summary>
    public static string Write(BoundScalar scalar)
    {
        var text = new StringBuilder();
        Append(scalar, text, false);
        return text.Length <= MaxLength ? text.ToString() : text.ToString(0, MaxLength) + " …";
    }

    /// <summary>A text in double quotes.</summary>
    public static string Quote(string text) =>
        "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal) + "\"";

    /// <summary>Queries inside an operator's scalars: <c>toscalar</c>, <c>in (query)</c>.</summary>
    public static IEnumerable<(string Role, BoundRelation Query)> Subqueries(BoundRelation relation)
    {
        var scalars = relation switch
        {
            FilterRelation filter => [filter.Predicate],
            ProjectRelation project => project.Values.Select(v => v.Value),
            ExtendRelation extend => extend.Values.Select(v => v.Value),
            PrintRelation print => print.Values.Select(v => v.Value),
            TakeRelation take => [take.Count],
            SummarizeRelation summarize => summarize.Keys.Select(k => k.Value).Concat(summarize.Aggregates.SelectMany(a => a.Arguments)),
            _ => Enumerable.Empty<BoundScalar>(),
        };
        return scalars.SelectMany(Within);
    }

    private static IEnumerable<(string, BoundRelation)> Within(BoundScalar scalar) => scalar switch
    {
        BoundScalarSubquery subquery => [("toscalar", subquery.Query)],
        BoundIn { Subquery: { } query } set => Within(set.Value).Append((Sets[set.Operator], query)),
        BoundIn { Items: { } items } set => items.Prepend(set.Value).SelectMany(Within),
        BoundCall call => call.Arguments.SelectMany(Within),
        BoundBinary binary => Within(binary.Left).Concat(Within(binary.Right)),
        BoundNegate negate => Within(negate.Operand),
        BoundBetween between => Within(between.Value).Concat(Within(between.Low)).Concat(Within(between.High)),
        BoundMember member => Within(member.Value),
        BoundIndex index => Within(index.Value).Concat(Within(index.Index)),
        BoundConvert convert => Within(convert.Operand),
        _ => [],
    };

    private static void Append(BoundScalar scalar, StringBuilder text, bool inside)
    {
        // What comes after the cut is never seen.
        if (text.Length > MaxLength) return;
        switch (scalar)
        {
            case BoundLiteral literal: text.Append(Literal(literal)); break;
            case BoundColumnRef reference: text.Append(reference.Column.Name); break;
            case BoundCall call: List(call.Function.Name + "(", call.Arguments, text); break;
            case BoundBinary binary:
                if (inside) text.Append('(');
                Append(binary.Left, text, true);
                text.Append(' ').Append(binary.Negated ? "!" : "").Append(Operators[binary.Operator].TrimStart(binary.Negated ? '=' : '\0')).Append(' ');
                Append(binary.Right, text, true);
                if (inside) text.Append(')');
                break;
            case BoundNegate negate:
                text.Append('-');
                Append(negate.Operand, text, true);
                break;
            case BoundBetween between:
                Append(between.Value, text, true);
                text.Append(between.Negated ? " !between (" : " between (");
                Append(between.Low, text, false);
                text.Append(" .. ");
                Append(between.High, text, false);
                text.Append(')');
                break;
            case BoundIn set:
                Append(set.Value, text, true);
                List($" {(set.Negated ? "!" : "")}{Sets[set.Operator]} (", set.Items ?? [], text, set.Subquery is null ? ")" : "query)");
                break;
            case BoundMember member:
                Append(member.Value, text, true);
                text.Append('[').Append(Quote(member.Name)).Append(']');
                break;
            case BoundIndex index:
                Append(index.Value, text, true);
                text.Append('[');
                Append(index.Index, text, false);
                text.Append(']');
                break;
            case BoundConvert convert: List($"to{convert.Type.Name()}(", [convert.Operand], text); break;
            case BoundScalarSubquery: text.Append("toscalar(query)"); break;
            case BoundScanState state: text.Append(state.Step).Append('.').Append(state.Column.Name); break;
            case BoundGraphElement element: text.Append(element.Variable).Append(element.Column is { } column ? "." + column.Name : ""); break;
            default: text.Append(scalar.GetType().Name); break;
        }
    }

    private static void List(string head, IReadOnlyList<BoundScalar> items, StringBuilder text, string tail = ")")
    {
        text.Append(head);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) text.Append(", ");
            Append(items[i], text, false);
        }

        text.Append(tail);
    }

    private static string Literal(BoundLiteral literal) => literal.Value switch
    {
        null => $"{literal.Type.Name()}(null)",
        string value when literal.Type == KqlType.Dynamic => $"dynamic({Short(value)})",
        string value => Quote(Short(value)),
        bool value => value ? "true" : "false",
        DateTime value => $"datetime({value.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture)})",
        TimeSpan value => $"time({value.ToString("c", CultureInfo.InvariantCulture)})",
        Guid value => $"guid({value})",
        _ => Convert.ToString(literal.Value, CultureInfo.InvariantCulture)!,
    };

    private static string Short(string value) => value.Length <= MaxLiteral ? value : value[..MaxLiteral] + "…";
}
