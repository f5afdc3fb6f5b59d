using System.Text.RegularExpressions;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Sigma;

/// <summary>Names for the columns that a query computes: one expression, one name, and never that of a column which the tables have.</summary>
internal sealed class QueryNames
{
    private readonly Dictionary<string, string> _expressions = new(StringComparer.Ordinal);

    /// <summary>The name of an expression.</summary>
    /// <param name="table">The table whose columns may not be hidden.</param>
    /// <param name="wish">The name that reads best.</param>
    /// <param name="expression">The expression.</param>
    public string For(string table, string wish, string expression)
    {
        var root = KqlText.IsName(wish) ? wish : "Sigma" + string.Concat(wish.Where(char.IsAsciiLetterOrDigit));
        if (HuntingSchema.Tables[table].OrdinalOf(root) >= 0) root = "Sigma" + root;
        for (var number = 1; ; number++)
        {
            var name = number == 1 ? root : root + number;
            if (!_expressions.TryGetValue(name, out var known)) _expressions.Add(name, known = expression);
            if (known == expression) return name;
        }
    }
}

/// <summary>What the translation of one rule for one kind of rows needs besides its condition.</summary>
internal sealed partial class QueryScope(SigmaVariant variant, QueryNames names)
{
    private readonly List<(string Name, string Expression)> _computed = [];

    /// <summary>The rows that are meant.</summary>
    public SigmaVariant Variant => variant;

    /// <summary>Lookups that must come before the condition, by name.</summary>
    public SortedSet<string> Lookups { get; } = new(StringComparer.Ordinal);

    /// <summary>A column or member by the mapping's way of writing it, as an expression.</summary>
    public static string Expression(string argument) => argument.StartsWith('@') ? KqlText.Additional(argument[1..]) : argument;

    /// <summary>The name of a column that holds an expression: the column itself, or one that the query computes.</summary>
    public string Column(string wish, string expression)
    {
        if (KqlText.IsName(expression)) return expression;
        var name = names.For(variant.Table, wish, expression);
        if (_computed.All(item => item.Name != name)) _computed.Add((name, expression));
        return name;
    }

    /// <summary>The columns to compute for conditions that are left after simplification.</summary>
    public IEnumerable<(string Name, string Expression)> Computed(IEnumerable<string> conditions)
    {
        var used = conditions.SelectMany(static text => Word().Matches(text)).Select(static match => match.Value).ToHashSet(StringComparer.Ordinal);
        return _computed.Where(item => used.Contains(item.Name));
    }

    [GeneratedRegex("[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Word();
}
