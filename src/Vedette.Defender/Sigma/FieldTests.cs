using System.Globalization;
using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>Turns an item of a search into a condition over the columns that hold its field.</summary>
internal static partial class FieldTests
{
    private static readonly Dictionary<string, Func<FieldContext, IReadOnlyList<SigmaValue>, Predicate>> Kinds = new(StringComparer.Ordinal)
    {
        ["text"] = Text,
        ["expr"] = Text,
        ["word"] = Text,
        ["path"] = Path,
        ["file"] = FileName,
        ["number"] = Number,
        ["time"] = Time,
        ["flag"] = Flag,
        ["trust"] = Trust,
        ["ipv6"] = IsIpv6,
        ["is"] = Constant,
        ["values"] = Vocabulary,
        ["account"] = Account,
        ["access"] = Text,
        ["pipe"] = Pipe,
        ["hashes"] = HashTests.Write,
        ["registry"] = RegistryTests.Key,
        ["details"] = RegistryTests.Data,
    };

    /// <summary>The condition of an item; a missing one when the rows do not have the field.</summary>
    public static Predicate Write(SigmaItem item, QueryScope scope, SigmaMapping mapping)
    {
        var any = (IReadOnlyList<SigmaValue> values) => item.Field is null ? Keywords(item, scope, values) : Field(item, scope, mapping, values);
        var predicate = item.All ? Predicate.All(item.Values.Select(any)) : any([.. item.Values.SelectMany(static group => group)]);
        return item.Negated ? Predicate.Not(predicate) : predicate;
    }

    /// <summary>The expression that stands for a field where one is needed, as for comparing or counting; null when the rows do not have it.</summary>
    public static string? Expression(string name, QueryScope scope, SigmaMapping mapping)
    {
        if (!scope.Variant.Fields.TryGetValue(name, out var field)) return null;
        if (field.Lookup is { } lookup) scope.Lookups.Add(lookup);
        return new FieldContext(name, field, scope, mapping, null, 0).Value;
    }

    private static Predicate Field(SigmaItem item, QueryScope scope, SigmaMapping mapping, IReadOnlyList<SigmaValue> values)
    {
        if (scope.Variant.Fields.TryGetValue(item.Field!, out var field))
        {
            if (field.Lookup is { } lookup) scope.Lookups.Add(lookup);
            var context = new FieldContext(item.Field!, field, scope, mapping, item.TimePart, item.Line);
            return item.TimePart is not null ? Time(context, values) : Kinds[field.Kind](context, values);
        }

        // A field that no event has: what asks for its absence is met, everything else is not.
        var isAbsence = values.Any(static value => value is SigmaNull or SigmaExists { Exists: false });
        return isAbsence ? Predicate.True : Predicate.Missing(item.Field!);
    }

    private static Predicate Keywords(SigmaItem item, QueryScope scope, IReadOnlyList<SigmaValue> values)
    {
        var columns = scope.Variant.Keywords;
        if (columns.Count == 0) return Predicate.Missing("keywords");

        var expression = columns.Count == 1
            ? QueryScope.Expression(columns[0])
            : $"strcat_delim(\"\\n\", {string.Join(", ", columns.Select(QueryScope.Expression))})";
        var column = scope.Column("EventText", expression);
        return General(column, [.. values.Select(static value => value is SigmaText text ? text with { Pattern = text.Pattern.Within() } : value)], item.Line, null);
    }

    /// <summary>Tests of a text.</summary>
    internal static Predicate General(string column, IReadOnlyList<SigmaValue> values, int line, FieldContext? context)
    {
        // Where the table has lower case only, upper case must not be asked for.
        if (context is not null && context.Mapping.IsLowered(column, context.Field))
            values = [.. values.Select(static value => value switch { SigmaText text => text with { Cased = false }, SigmaRegex regex => regex with { IgnoreCase = true }, _ => value })];
        var tests = new List<Predicate> { TextTests.Any(column, values.OfType<SigmaText>()) };
        var networks = values.OfType<SigmaNetwork>().Select(static network => network.Cidr).ToList();
        foreach (var (version, ranges) in new[] { ("ipv4", networks.Where(static cidr => !cidr.Contains(':'))), ("ipv6", networks.Where(static cidr => cidr.Contains(':'))) })
        {
            var list = ranges.ToArray();
            if (list.Length == 1) tests.Add(Predicate.Test($"{version}_is_in_range({column}, {KqlText.Quote(list[0])})", mayBeNull: true));
            else if (list.Length > 1) tests.Add(Predicate.Test($"{version}_is_in_any_range({column}, {KqlText.List(list)})", mayBeNull: true));
        }

        foreach (var value in values)
        {
            switch (value)
            {
                case SigmaRegex regex: tests.Add(TextTests.Matches(column, regex, line)); break;
                case SigmaComparison comparison: tests.Add(Predicate.Test($"todouble({column}) {comparison.Operator} {comparison.Number}", mayBeNull: true)); break;
                case SigmaNull or SigmaExists { Exists: false }: tests.Add(Predicate.Test($"isempty({column})")); break;
                case SigmaExists: tests.Add(Predicate.Test($"isnotempty({column})")); break;
                case SigmaFieldReference reference: tests.Add(Reference(column, reference, context)); break;
            }
        }

        return Predicate.Any(tests);
    }

    private static Predicate Reference(string column, SigmaFieldReference reference, FieldContext? context)
    {
        if (context is null || Expression(reference.Field, context.Scope, context.Mapping) is not { } other) return Predicate.Missing(reference.Field);

        other = context.Scope.Column(reference.Field, other);
        var op = (reference.OpenStart, reference.OpenEnd) switch
        {
            (true, true) => "contains",
            (true, false) => "endswith",
            (false, true) => "startswith",
            _ => reference.Cased ? "==" : "=~",
        };
        return Predicate.Test($"{column} {(reference.Cased && op.Length > 2 ? op + "_cs" : op)} {other}");
    }

    private static Predicate Text(FieldContext context, IReadOnlyList<SigmaValue> values) => General(context.Column, values, context.Line, context);

    // A path whose last part alone is asked for is told by the column of the name, which is short and indexed.
    private static Predicate Path(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var names = new List<SigmaValue>();
        var others = new List<SigmaValue>();
        foreach (var value in values)
        {
            if (value is SigmaText { Pattern: var pattern } text && LastPart(pattern) is { } name) names.Add(text with { Pattern = name });
            else others.Add(value);
        }

        return Predicate.Any([General(context.Expression(1), names, context.Line, context), General(context.Expression(0), others, context.Line, context)]);
    }

    // The column holds a name, or a full path when that is all the sensor knew.
    private static Predicate FileName(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var column = context.Column;
        var bare = new List<SigmaText>();
        foreach (var text in values.OfType<SigmaText>())
            if (LastPart(text.Pattern) is { } name) bare.Add(text with { Pattern = name });
        return Predicate.Any([TextTests.Any(column, bare), General(column, values, context.Line, context)]);
    }

    private static SigmaPattern? LastPart(SigmaPattern pattern)
    {
        var parts = pattern.Parts;
        if (parts.Count < 2 || parts[0].Kind != SigmaPartKind.AnyText || parts[1] is not { Kind: SigmaPartKind.Text, Text: var text } || text[0] is not ('\\' or '/')) return null;
        if (text.Length == 1 || text.AsSpan(1).IndexOfAny('\\', '/') >= 0 || parts.Skip(2).Any(static part => part.Kind != SigmaPartKind.Text)) return null;
        return SigmaPattern.Of(text[1..]);
    }

    private static Predicate Number(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var argument = context.Field.Arguments[0];
        var number = argument.StartsWith('@') ? $"tolong(parse_json(AdditionalFields).{argument[1..]})" : argument;
        var literals = new List<string>();
        var tests = new List<Predicate>();
        foreach (var value in values)
        {
            switch (value)
            {
                case SigmaText { Pattern: { IsLiteral: true } pattern } when ParseNumber(pattern.ToString()) is { } literal: literals.Add(literal.ToString(CultureInfo.InvariantCulture)); break;
                case SigmaText { Pattern.IsEmpty: true } or SigmaNull or SigmaExists { Exists: false }: tests.Add(Predicate.Test($"isnull({number})")); break;
                case SigmaExists: tests.Add(Predicate.Test($"isnotnull({number})")); break;
                case SigmaComparison comparison: tests.Add(Predicate.Test($"{number} {comparison.Operator} {comparison.Number}", mayBeNull: true)); break;
                default: tests.Add(General($"tostring({number})", [value], context.Line, context)); break;
            }
        }

        if (literals.Count == 1) tests.Insert(0, Predicate.Test($"{number} == {literals[0]}", mayBeNull: true));
        else if (literals.Count > 1) tests.Insert(0, Predicate.Test($"{number} in ({string.Join(", ", literals.Distinct())})", mayBeNull: true));
        return Predicate.Any(tests);
    }

    /// <summary>A decimal number, or one in hexadecimal behind 0x; null for anything else.</summary>
    internal static long? ParseNumber(string text) =>
        text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? hex : null
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static Predicate Time(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var argument = context.Field.Arguments[0];
        var text = context.Expression(0);
        if (context.TimePart is null)
        {
            var column = argument.StartsWith('@') ? context.Scope.Column(context.Name, text) : $"tostring({text})";
            return General(column, values, context.Line, context);
        }

        var time = context.Field.Kind == "time" && !argument.StartsWith('@') ? text : $"todatetime({text})";
        var part = context.TimePart switch
        {
            "minute" => $"datetime_part(\"minute\", {time})",
            "hour" => $"hourofday({time})",
            "day" => $"dayofmonth({time})",
            "week" => $"week_of_year({time})",
            "month" => $"monthofyear({time})",
            _ => $"getyear({time})",
        };
        return Predicate.Any(values.Select(value => value switch
        {
            SigmaComparison comparison => Predicate.Test($"{part} {comparison.Operator} {comparison.Number}", mayBeNull: true),
            SigmaText { Pattern: { IsLiteral: true } pattern } when ParseNumber(pattern.ToString()) is { } number => Predicate.Test(string.Create(CultureInfo.InvariantCulture, $"{part} == {number}"), mayBeNull: true),
            _ => throw new SigmaException(SigmaReason.Modifier, $"'{context.TimePart}' is compared with numbers", context.Line),
        }));
    }

    private static Predicate Flag(FieldContext context, IReadOnlyList<SigmaValue> values) => Truth(context, values, static text => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "1" => true,
        "false" or "no" or "0" => false,
        _ => null,
    });

    // Logs tell many reasons why a signature is not valid; the table tells that it is not trusted.
    private static Predicate Trust(FieldContext context, IReadOnlyList<SigmaValue> values) =>
        Truth(context, values, static text => text.Length == 0 || text == "-" ? null : text.ToLowerInvariant() is "valid" or "trusted");

    private static Predicate Truth(FieldContext context, IReadOnlyList<SigmaValue> values, Func<string, bool?> read)
    {
        var column = context.Expression(0);
        return Predicate.Any(values.Select(value => value switch
        {
            SigmaExists { Exists: true } => Predicate.Test($"isnotnull({column})"),
            SigmaText text when read(text.Pattern.ToString()) is { } truth => Predicate.Test($"{column} == {(truth ? "true" : "false")}", mayBeNull: true),
            _ => Predicate.Test($"isnull({column})"),
        }));
    }

    private static Predicate IsIpv6(FieldContext context, IReadOnlyList<SigmaValue> values) => Predicate.Any(values.OfType<SigmaText>().Select(text =>
    {
        var test = Predicate.Test($"{context.Expression(0)} contains \":\"");
        return text.Pattern.Matches("true") ? test : Predicate.Not(test);
    }));

    // What all rows of the kind have in common: the answer is known before any row is read.
    private static Predicate Constant(FieldContext context, IReadOnlyList<SigmaValue> values) => Predicate.Of(values.Any(value => value switch
    {
        SigmaText text => context.Field.Arguments.Any(word => text.Pattern.Matches(word)),
        SigmaExists exists => exists.Exists,
        SigmaComparison comparison => context.Field.Arguments.Any(word => ParseNumber(word) is { } number && Holds(number, comparison)),
        SigmaRegex regex => IsMatch(regex, context),
        _ => false,
    }));

    private static bool IsMatch(SigmaRegex regex, FieldContext context)
    {
        TextTests.Check(regex.Pattern, context.Line);
        return context.Field.Arguments.Any(word => Regex.IsMatch(word, regex.Pattern, RegexOptions.NonBacktracking));
    }

    private static bool Holds(long number, SigmaComparison comparison)
    {
        var limit = double.Parse(comparison.Number, CultureInfo.InvariantCulture);
        return comparison.Operator switch { ">" => number > limit, ">=" => number >= limit, "<" => number < limit, _ => number <= limit };
    }

    private static Predicate Vocabulary(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var words = context.Mapping.Vocabulary(context.Field.Arguments[1]);
        var translated = values.SelectMany(value =>
        {
            if (value is not SigmaText text) return [value];
            var found = words.Where(pair => text.Pattern.Matches(pair.Key)).Select(static pair => (SigmaValue)new SigmaText(SigmaPattern.Of(pair.Value), false)).Distinct().ToArray();
            return found.Length > 0 ? found : [value];
        });
        return General(context.Expression(0), [.. translated], context.Line, context);
    }

    // DOMAIN\name in one field; two columns here.
    private static Predicate Account(FieldContext context, IReadOnlyList<SigmaValue> values)
    {
        var (domain, name) = (context.Expression(0), context.Expression(1));
        var names = new List<SigmaText>();
        var tests = new List<Predicate>();
        var others = new List<SigmaValue>();
        foreach (var value in values)
        {
            switch (value)
            {
                case SigmaText { Pattern.Shape: (SigmaShape.Equal, { Length: > 0 } text) } equal when text.IndexOf('\\', StringComparison.Ordinal) is var slash:
                    if (slash < 0) names.Add(equal);
                    else tests.Add(Predicate.All([TextTests.Any(domain, [equal with { Pattern = SigmaPattern.Of(text[..slash]) }]), TextTests.Any(name, [equal with { Pattern = SigmaPattern.Of(text[(slash + 1)..]) }])]));
                    break;
                case SigmaText { Pattern.Shape: (SigmaShape.End, ['\\', .. { Length: > 0 } last]) } end when !last.Contains('\\', StringComparison.Ordinal):
                    names.Add(end with { Pattern = SigmaPattern.Of(last) });
                    break;
                case SigmaText { Pattern.Shape: (SigmaShape.Start, var beginning) } start when !beginning.Contains('\\', StringComparison.Ordinal):
                    // Logs without domains begin with the name.
                    tests.Add(TextTests.Any(name, [start with { Cased = false }]));
                    others.Add(value);
                    break;
                case SigmaText { Pattern.IsEmpty: true } or SigmaNull or SigmaExists:
                    tests.Add(Predicate.Test(value is SigmaExists { Exists: true } ? $"isnotempty({name})" : $"isempty({name})"));
                    break;
                default:
                    others.Add(value);
                    break;
            }
        }

        return Predicate.Any([TextTests.Any(name, names), .. tests, .. others.Count == 0 ? Array.Empty<Predicate>() : [General(context.Column, others, context.Line, context)]]);
    }

    // The table has the device's path in front of the pipe's name.
    private static Predicate Pipe(FieldContext context, IReadOnlyList<SigmaValue> values) => General(
        context.Column,
        [.. values.Select(static value => value is SigmaText { Pattern.Parts: [{ Kind: SigmaPartKind.Text }, ..] } text ? text with { Pattern = text.Pattern.Prefixed(@"\Device\NamedPipe") } : value)],
        context.Line,
        context);
}

/// <summary>A field where it is used.</summary>
internal sealed record FieldContext(string Name, SigmaField Field, QueryScope Scope, SigmaMapping Mapping, string? TimePart, int Line)
{
    /// <summary>The column that holds the field's value, computed where no single column does.</summary>
    public string Column => Scope.Column(Name, Value);

    /// <summary>The value as an expression of type string, as the log would have it.</summary>
    public string Value => Field.Kind switch
    {
        "expr" => Field.Arguments[0],
        "word" => $"tostring(split({Field.Arguments[0]}, \" \")[{Field.Arguments[1]}])",
        "account" => $"strcat({Field.Arguments[0]}, @\"\\\", {Field.Arguments[1]})",
        "access" => $"coalesce({Expression(0)}, strcat(\"0x\", tohex(tolong(parse_json(AdditionalFields).{Field.Arguments[1][1..]}))))",
        "number" or "flag" or "trust" or "time" when !Field.Arguments[0].StartsWith('@') => $"tostring({Field.Arguments[0]})",
        "registry" => RegistryTests.Full(Field),
        "details" => RegistryTests.Details(Field),
        "hashes" => HashTests.Full(Field),
        "is" => KqlText.Quote(Field.Arguments[0]),
        _ => Expression(0),
    };

    /// <summary>An argument as an expression.</summary>
    public string Expression(int argument) => QueryScope.Expression(Field.Arguments[argument]);
}
