using System.Text;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>parse and parse-where.</summary>
internal sealed partial class RelationWriter
{
    private Select Parse(ParseRelation node) => Parse(node, Write(node.Input));

    private Select Parse(ParseRelation node, Select input)
    {
        var scope = Prepare(Open(input), [node.Source]);
        if (scope.HasWindow)
            scope = scope.Wrap();
        var source = SqlConvert.ToText(_scalars.Write(node.Source, scope)).Text;
        var (pattern, captures) = Pattern(node);
        var groups = NewHidden();
        // A leading group tells a match without captures from no match.
        scope.DefineAlways(groups, new SqlValue($"extractGroups({source}, {SqlText.Quote(pattern)})", KqlType.Unknown, false));
        var outer = scope.Wrap();
        var matched = outer.Resolve(groups).Text;
        var values = captures.Select((c, i) => (Column: c.Column, Value: Captured($"{matched}[{c.Group}]", c.Column.Type))).ToList();
        var typed = values.Where(v => v.Column.Type is not (KqlType.String or KqlType.Dynamic)).ToList();
        var strict = node.Mode == ParseMode.Simple && typed.Count > 0;
        foreach (var (column, value) in values)
            outer.Define(column.Id, value);
        if (!strict && !node.KeepMatchesOnly)
            return outer;
        var complete = string.Join(" AND ", typed.Select(v => $"isNotNull({v.Value.Text})").Prepend($"notEmpty({matched})"));
        if (node.KeepMatchesOnly)
        {
            outer.Where(strict || node.Mode != ParseMode.Relaxed ? complete : $"notEmpty({matched})");
            return outer;
        }

        var gated = scope.Wrap();
        foreach (var (column, value) in values)
        {
            var absent = SqlConstant.Null(column.Type).Text;
            gated.Define(column.Id, value with { Text = $"if({complete}, {value.Text}, {absent})", Nullable = value.Nullable });
        }

        return gated;
    }

    private static SqlValue Captured(string text, KqlType type) =>
        Typed(new SqlValue(type is KqlType.String or KqlType.Dynamic ? text : $"trim(BOTH ' \\t\\r\\n' FROM {text})", KqlType.String, false), type);

    /// <summary>The pattern as one regular expression, and which group holds each capture.</summary>
    private static (string Pattern, IReadOnlyList<(KqlColumn Column, int Group)> Captures) Pattern(ParseRelation node)
    {
        var flags = node.Mode == ParseMode.Regex ? new string([.. node.Flags.Where(f => f is 'i' or 's' or 'U' or 'm').Distinct()]) : "s";
        if (!flags.Contains('s', StringComparison.Ordinal))
            flags += "-s";
        var text = new StringBuilder($"(?{flags})");
        var captures = new List<(KqlColumn, int)>();
        var parts = node.Pattern;
        if (parts.Count > 0 && parts[0] is ParseText && node.Mode != ParseMode.Regex)
            text.Append('^');
        else if (parts.Count > 0 && parts[0] is ParseCapture)
            text.Append('^');
        text.Append("()");
        var group = 1;
        for (var i = 0; i < parts.Count; i++)
        {
            var last = i == parts.Count - 1;
            switch (parts[i])
            {
                case ParseSkip:
                    text.Append(last ? ".*" : ".*?");
                    break;
                case ParseText literal when node.Mode == ParseMode.Regex:
                    text.Append("(?:").Append(literal.Text).Append(')');
                    group += Functions.RegexFunctions.Groups(literal.Text);
                    break;
                case ParseText literal:
                    text.Append(TermSearch.EscapeRegex(literal.Text));
                    break;
                case ParseCapture capture:
                    group++;
                    captures.Add((capture.Column, group));
                    text.Append(Capture(capture.Column.Type, last, node.Mode, !last && parts[i + 1] is ParseSkip));
                    break;
            }
        }

        if (parts.Count > 0 && parts[^1] is not ParseSkip && node.Mode != ParseMode.Regex)
            text.Append('$');
        else if (parts.Count > 0 && parts[^1] is ParseCapture)
            text.Append('$');
        return (text.ToString(), captures);
    }

    private static string Capture(KqlType type, bool last, ParseMode mode, bool skips) => type switch
    {
        // What is skipped must not take the number, which may be missing.
        KqlType.Long or KqlType.Int when skips && mode == ParseMode.Relaxed => @"\s*([-+]?[0-9]*)",
        KqlType.Real or KqlType.Decimal when skips && mode == ParseMode.Relaxed => @"\s*([-+]?[0-9]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)",
        KqlType.Long or KqlType.Int when mode != ParseMode.Relaxed => @"\s*([-+]?[0-9]+)",
        KqlType.Real or KqlType.Decimal when mode != ParseMode.Relaxed => @"\s*([-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)",
        _ => last || mode == ParseMode.Regex ? "(.*)" : "(.*?)",
    };
}
