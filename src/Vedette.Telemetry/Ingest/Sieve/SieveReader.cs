using System.Text;
using System.Text.Json;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Ingest.Sieve;

/// <summary>Reads from a bound query what rows it needs, so that it need not be run over rows about which it has nothing to say.</summary>
internal static class SieveReader
{
    /// <summary>
    /// The tables that a query begins with, and what a row of one of them must fulfil: unless one does, the query gives no rows. Null when the query
    /// may give rows without any, or nobody can tell.
    /// </summary>
    public static IReadOnlyList<SieveSource>? Read(BoundRelation root) =>
        Sources(root)?.ConvertAll(static s => new SieveSource(s.Table, SieveCondition.And(s.Conditions)));

    /// <summary>Every table that a query reads anywhere.</summary>
    public static IReadOnlySet<string> Tables(BoundRelation root) =>
        BoundTree.All(root).OfType<TableScan>().Select(static scan => scan.Table.Name).ToHashSet(StringComparer.Ordinal);

    private static List<Source>? Sources(BoundRelation relation) => relation switch
    {
        TableScan scan => HuntingSchema.Tables.TryGetValue(scan.Table.Name, out var table) ? [Source.Of(table, scan)] : null,
        FilterRelation filter => Sources(filter.Input)?.ConvertAll(s => s.And(Condition(filter.Predicate, s))),
        ProjectRelation project => Sources(project.Input)?.ConvertAll(s => s.Passing(project.Values)),
        ExtendRelation extend => Sources(extend.Input)?.ConvertAll(s => s.Passing(extend.Values)),
        SummarizeRelation { Keys.Count: 0, Aggregates.Count: > 0 } => null,
        MakeSeriesRelation { NonEmpty: true } => null,
        SharedScan shared => Sources(shared.Shared.Plan)?.ConvertAll(s => s.Mapped(shared.Columns.Zip(shared.Shared.Plan.Columns, static (to, from) => (to.Id, (int?)from.Id)))),
        UnionRelation union => United(union),
        JoinRelation { Kind: JoinKind.RightOuter or JoinKind.FullOuter or JoinKind.RightSemi or JoinKind.RightAnti } join => Together(Sources(join.Left), Sources(join.Right)),
        JoinRelation join => Sources(join.Left),
        TableFunctionRelation { Input: { } input } => Sources(input),
        UnaryRelation unary => Sources(unary.Input),
        _ => null,
    };

    private static List<Source>? Together(List<Source>? some, List<Source>? others) => some is null || others is null ? null : [.. some, .. others];

    private static List<Source>? United(UnionRelation union)
    {
        var first = union.SourceColumn is null ? 0 : 1;
        var all = new List<Source>();
        foreach (var input in union.Inputs)
        {
            if (Sources(input.Input) is not { } sources) return null;
            all.AddRange(sources.Select(s => s.Mapped(union.Columns.Skip(first).Zip(input.Columns, static (to, from) => (to.Id, from?.Id)))));
        }

        return all;
    }

    /// <summary>What a predicate asks of a row of the source.</summary>
    private static SieveCondition Condition(BoundScalar predicate, Source source) => predicate switch
    {
        BoundLiteral { Value: false } => new OneOf([]),
        BoundBinary { Operator: KqlOperator.And } both => SieveCondition.And([Condition(both.Left, source), Condition(both.Right, source)]),
        BoundBinary { Operator: KqlOperator.Or } either => SieveCondition.Or([Condition(either.Left, source), Condition(either.Right, source)]),
        BoundCall { Function.Name: "not", Arguments: [var inner] } => Denied(inner, source),
        BoundCall { Function.Name: "isnotempty", Arguments: [var value] } when Text(value, source) is { } ordinal => new TextIsFilled(ordinal),
        BoundBinary binary => Compared(binary.Operator, binary.Negated, binary.Left, binary.Right, source),
        BoundIn { Items: { } items } set => OneOfThese(set, items, source),
        _ => SieveCondition.Any,
    };

    // The opposite of a condition is known for few of them: most hold for more rows than the query's own.
    private static SieveCondition Denied(BoundScalar predicate, Source source) => predicate switch
    {
        BoundBinary { Operator: KqlOperator.And } both => SieveCondition.Or([Denied(both.Left, source), Denied(both.Right, source)]),
        BoundBinary { Operator: KqlOperator.Or } either => SieveCondition.And([Denied(either.Left, source), Denied(either.Right, source)]),
        BoundCall { Function.Name: "not", Arguments: [var inner] } => Condition(inner, source),
        BoundBinary binary when binary.Operator is KqlOperator.EqualIgnoreCase or KqlOperator.Contains or KqlOperator.StartsWith or KqlOperator.EndsWith =>
            Compared(binary.Operator, !binary.Negated, binary.Left, binary.Right, source),
        BoundIn { Items: { } items, Operator: KqlSetOperator.InIgnoreCase, Negated: false } set when Text(set.Value, source) is { } ordinal && Strings(items) is { } values =>
            Not(ordinal, SieveTest.Equal, values),
        _ => SieveCondition.Any,
    };

    private static SieveCondition Compared(KqlOperator op, bool negated, BoundScalar left, BoundScalar right, Source source)
    {
        if (op == KqlOperator.Equal && left is BoundLiteral) (left, right) = (right, left);
        if (right is not BoundLiteral literal) return SieveCondition.Any;
        if (op == KqlOperator.Equal && !negated && Whole(left, source) is { } number && SieveText.Number(literal.Value) is { } value) return new NumberIs(number, [value]);
        if (Text(left, source) is not { } ordinal || literal.Value is not string text) return SieveCondition.Any;
        if (op == KqlOperator.MatchesRegex && !negated) return SieveCondition.And(RegexTexts.Of(text).Select(texts => new TextIs(ordinal, SieveTest.Contains, texts)));
        SieveTest? test = op switch
        {
            KqlOperator.Equal or KqlOperator.EqualIgnoreCase => SieveTest.Equal,
            KqlOperator.StartsWith or KqlOperator.StartsWithCs => SieveTest.StartsWith,
            KqlOperator.EndsWith or KqlOperator.EndsWithCs => SieveTest.EndsWith,
            KqlOperator.Contains or KqlOperator.ContainsCs or KqlOperator.Has or KqlOperator.HasCs or KqlOperator.HasPrefix or KqlOperator.HasPrefixCs
                or KqlOperator.HasSuffix or KqlOperator.HasSuffixCs => SieveTest.Contains,
            _ => null,
        };
        if (test is null) return SieveCondition.Any;
        if (!negated) return Is(ordinal, test.Value, [text]);

        // Case and terms make the positive form hold for more than the query means, so only these can be turned round.
        return op is KqlOperator.EqualIgnoreCase or KqlOperator.Contains or KqlOperator.StartsWith or KqlOperator.EndsWith ? Not(ordinal, test.Value, [text]) : SieveCondition.Any;
    }

    private static SieveCondition OneOfThese(BoundIn set, IReadOnlyList<BoundScalar> items, Source source)
    {
        if (Text(set.Value, source) is { } ordinal && Strings(items) is { } values)
        {
            return (set.Operator, set.Negated) switch
            {
                (KqlSetOperator.In or KqlSetOperator.InIgnoreCase, false) => Is(ordinal, SieveTest.Equal, values),
                (KqlSetOperator.InIgnoreCase, true) => Not(ordinal, SieveTest.Equal, values),
                (KqlSetOperator.HasAny, false) => Is(ordinal, SieveTest.Contains, values),
                (KqlSetOperator.HasAll, false) => SieveCondition.And(values.Select(v => Is(ordinal, SieveTest.Contains, [v]))),
                _ => SieveCondition.Any,
            };
        }

        return set is { Operator: KqlSetOperator.In, Negated: false } && Whole(set.Value, source) is { } number && Numbers(items) is { } numbers
            ? new NumberIs(number, numbers)
            : SieveCondition.Any;
    }

    private static SieveCondition Is(int ordinal, SieveTest test, IReadOnlyList<string> values)
    {
        if (values.All(static v => Ascii.IsValid(v)))
            return test != SieveTest.Equal && values.Contains("") ? SieveCondition.Any : new TextIs(ordinal, test, [.. values]);

        // Of other letters nobody but the engine knows which are the same: the longest part in ASCII must be there.
        var parts = values.Select(LongestPlain).ToArray();
        return parts.Contains("") ? SieveCondition.Any : new TextIs(ordinal, SieveTest.Contains, parts);
    }

    private static string LongestPlain(string text)
    {
        var (best, start) = ("", 0);
        for (var at = 0; at <= text.Length; at++)
        {
            if (at < text.Length && char.IsAscii(text[at])) continue;
            if (at - start > best.Length) best = text[start..at];
            start = at + 1;
        }

        return best;
    }

    private static SieveCondition Not(int ordinal, SieveTest test, IReadOnlyList<string> values)
    {
        var plain = values.Where(static v => Ascii.IsValid(v) && v.Length > 0).ToArray();
        return plain.Length == 0 ? SieveCondition.Any : new TextIsNot(ordinal, test, plain);
    }

    // Upper and lower case are the same to the sieve; but toupper makes two letters of some.
    private static int? Text(BoundScalar scalar, Source source) => scalar switch
    {
        BoundCall { Function.Name: "tolower" or "tostring", Arguments: [var inner] } => Text(inner, source),
        BoundColumnRef { Type: KqlType.String } reference => source.Ordinal(reference.Column, KqlType.String),
        _ => null,
    };

    private static int? Whole(BoundScalar scalar, Source source) =>
        scalar is BoundColumnRef { Type: KqlType.Int or KqlType.Long } reference ? source.Ordinal(reference.Column, reference.Type) : null;

    private static IReadOnlyList<string>? Strings(IReadOnlyList<BoundScalar> items)
    {
        var values = new List<string>();
        foreach (var item in items)
        {
            if (item is BoundLiteral { Type: KqlType.String, Value: string text }) values.Add(text);
            else if (item is BoundLiteral { Type: KqlType.Dynamic, Value: string json } && Strings(json) is { } many) values.AddRange(many);
            else return null;
        }

        return values;
    }

    private static IReadOnlyList<string>? Strings(string json)
    {
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Array) return null;
        var all = document.RootElement.EnumerateArray().ToArray();
        return Array.TrueForAll(all, static e => e.ValueKind == JsonValueKind.String) ? [.. all.Select(static e => e.GetString()!)] : null;
    }

    private static long[]? Numbers(IReadOnlyList<BoundScalar> items)
    {
        var numbers = items.Select(static i => i is BoundLiteral literal ? SieveText.Number(literal.Value) : null).ToArray();
        return Array.TrueForAll(numbers, static n => n is not null) ? [.. numbers.Select(static n => n!.Value)] : null;
    }

    /// <summary>A table on its way up through a query.</summary>
    /// <param name="Table">The table.</param>
    /// <param name="Columns">Its columns by the ids under which they are known here.</param>
    /// <param name="Conditions">What its rows had to fulfil so far.</param>
    private sealed record Source(HuntingTable Table, Dictionary<int, int> Columns, IReadOnlyList<SieveCondition> Conditions)
    {
        public static Source Of(HuntingTable table, TableScan scan)
        {
            var columns = new Dictionary<int, int>();
            foreach (var column in scan.Columns)
                if (table.OrdinalOf(column.Name) is >= 0 and var ordinal) columns[column.Id] = ordinal;
            return new Source(table, columns, []);
        }

        public Source And(SieveCondition condition) => this with { Conditions = [.. Conditions, condition] };

        public int? Ordinal(KqlColumn column, KqlType type) =>
            Columns.TryGetValue(column.Id, out var ordinal) && Table.Columns[ordinal].Type == type ? ordinal : null;

        /// <summary>Columns that pass an operator under new ids.</summary>
        public Source Passing(IReadOnlyList<NamedScalar> values) =>
            Mapped(values.Select(static v => (v.Column.Id, v.Value is BoundColumnRef reference ? reference.Column.Id : (int?)null)));

        public Source Mapped(IEnumerable<(int To, int? From)> ids)
        {
            var columns = new Dictionary<int, int>(Columns);
            foreach (var (to, from) in ids)
                if (from is { } id && Columns.TryGetValue(id, out var ordinal)) columns[to] = ordinal;
            return this with { Columns = columns };
        }
    }
}
