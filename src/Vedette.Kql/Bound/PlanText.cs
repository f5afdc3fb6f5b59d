using System.Text;

namespace Vedette.Kql.Bound;

/// <summary>Writes a bound tree for people: one line for each operator, the inputs of an operator below it.</summary>
public static class PlanText
{
    private const int MaxLines = 2_000;

    /// <summary>The tree as lines of text. Very large trees are cut off with a line that says so.</summary>
    public static string Write(BoundRelation root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var writer = new Writer();
        writer.Relation(root, "", "", "");
        return writer.Text;
    }

    private sealed class Writer
    {
        private readonly StringBuilder _text = new();
        private readonly HashSet<int> _shared = [];
        private int _lines;

        public string Text => _text.ToString().TrimEnd('\n');

        public void Relation(BoundRelation relation, string lead, string below, string role)
        {
            if (_lines >= MaxLines)
            {
                if (_lines++ == MaxLines) _text.Append(lead).Append("… the rest of the plan is left out\n");
                return;
            }

            _lines++;
            _text.Append(lead).Append(role.Length > 0 ? role + ": " : "").Append(Line(relation)).Append('\n');
            var inputs = Inputs(relation).ToList();
            for (var i = 0; i < inputs.Count; i++)
            {
                var last = i == inputs.Count - 1;
                Relation(inputs[i].Input, below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "), inputs[i].Role);
            }
        }

        private IEnumerable<(string Role, BoundRelation Input)> Inputs(BoundRelation relation)
        {
            var direct = relation switch
            {
                JoinRelation join => [("left", join.Left), ("right", join.Right)],
                UnionRelation union => union.Inputs.Select(i => (i.SourceName, i.Input)),
                PartitionRelation partition => [("input", partition.Input), ("body", partition.Body)],
                MvApplyRelation apply => [("input", apply.Input), ("body", apply.Body)],
                EvaluateRelation evaluate => evaluate.Arguments.Select(a => a.Table).OfType<BoundRelation>().Select(t => ("table", t))
                    .Concat(evaluate.Input is { } input ? [("", input)] : []),
                TableFunctionRelation { Input: { } input } => [("", input)],
                GraphMatchRelation match => Graph(match.Graph),
                GraphToTableRelation table => Graph(table.Graph),
                GraphComponentsRelation components => Graph(components.Graph),
                SharedScan scan => _shared.Add(scan.Shared.Id) ? [("", scan.Shared.Plan)] : [],
                UnaryRelation unary => [("", unary.Input)],
                _ => Enumerable.Empty<(string, BoundRelation)>(),
            };
            return direct.Concat(ScalarText.Subqueries(relation));
        }

        private static IEnumerable<(string, BoundRelation)> Graph(BoundGraph graph) => graph.Nodes.Select(n => ("nodes", n.Table)).Prepend(("edges", graph.Edges));

        private static string Line(BoundRelation relation) => relation switch
        {
            TableScan scan => $"{scan.Table.Name} (table)",
            DataTableRelation table => $"datatable ({Names(table.Columns)}), {table.Rows.Count} rows",
            PrintRelation print => "print " + Values(print.Values),
            RangeRelation range => $"range {range.Column.Name} from {S(range.From)} to {S(range.To)} step {S(range.Step)}",
            ExternalDataRelation external => $"externaldata ({Names(external.Columns)}) [{string.Join(", ", external.Uris.Select(S))}]",
            ContextRelation => "(rows of the operator above)",
            SharedScan scan => $"shared plan {scan.Shared.Id}{(scan.Shared.Name is { } name ? $" '{name}'" : "")}",
            FilterRelation filter => "where " + S(filter.Predicate),
            ProjectRelation project => "project " + Values(project.Values),
            ExtendRelation extend => "extend " + Values(extend.Values),
            SortRelation sort => "sort by " + Keys(sort.Keys),
            TakeRelation take => "take " + S(take.Count),
            SampleRelation sample => "sample " + S(sample.Count),
            SerializeRelation => "serialize",
            RenderRelation render => "render " + render.Chart,
            ConsumeRelation => "consume",
            SummarizeRelation { Aggregates.Count: 0 } distinct => "distinct " + Values(distinct.Keys),
            SummarizeRelation summarize => "summarize " + Aggregates(summarize.Aggregates) + By(summarize.Keys),
            MakeSeriesRelation series => $"make-series {Aggregates(series.Series.SelectMany(s => s.Aggregate))} on {S(series.Axis)}"
                + $"{(series.From is { } from ? " from " + S(from) : "")}{(series.To is { } to ? " to " + S(to) : "")} step {S(series.Step)}{By(series.Keys)}",
            TopNestedRelation nested => "top-nested " + string.Join(", ", nested.Levels.Select(l =>
                $"{(l.Count is { } count ? S(count) + " " : "")}of {S(l.Key.Value)} by {Aggregates(l.Aggregates)}{(l.Descending ? "" : " asc")}")),
            ReduceRelation reduce => "reduce by " + S(reduce.Value),
            JoinRelation join => $"{(join.IsLookup ? "lookup" : "join")} kind={join.Kind.ToString().ToLowerInvariant()}"
                + (join.Conditions.Count > 0 ? " on " + string.Join(", ", join.Conditions.Select(c => $"{S(c.Left)} == {S(c.Right)}")) : ""),
            UnionRelation union => $"union of {union.Inputs.Count}",
            PartitionRelation partition => "partition by " + S(partition.Key),
            EvaluateRelation evaluate => $"evaluate {evaluate.Plugin.Name}({string.Join(", ", evaluate.Arguments.Select(Argument))}){(evaluate.IsOpen ? ", columns found at run time" : "")}",
            ScanRelation scan => $"scan with {scan.Steps.Count} steps" + (scan.PartitionKeys.Count > 0 ? ", partition by " + string.Join(", ", scan.PartitionKeys.Select(S)) : ""),
            MvExpandRelation expand => "mv-expand " + Items(expand.Items),
            MvApplyRelation apply => "mv-apply " + Items(apply.Items),
            ParseRelation parse => $"{(parse.KeepMatchesOnly ? "parse-where" : "parse")} {S(parse.Source)} with {string.Join(" ", parse.Pattern.Select(Part))}",
            ParseKvRelation parse => $"parse-kv {S(parse.Source)} as ({Names(parse.Keys)})",
            TableFunctionRelation function => $"{(function.Input is null ? "" : "invoke ")}{function.Function.Name}({string.Join(", ", function.Arguments.Select(a => a is null ? "default" : S(a)))})",
            GraphMatchRelation match => $"{(match.ShortestOnly ? "graph-shortest-paths" : "graph-match")} {match.Patterns.Count} patterns"
                + $"{(match.Predicate is { } predicate ? " where " + S(predicate) : "")} project {Values(match.Values)}",
            GraphToTableRelation table => "graph-to-table " + (table.Edges ? "edges" : "nodes"),
            GraphComponentsRelation components => $"graph-mark-components kind={(components.Strong ? "strong" : "weak")}",
            _ => relation.GetType().Name.Replace("Relation", "", StringComparison.Ordinal).ToLowerInvariant(),
        };

        private static string S(BoundScalar scalar) => ScalarText.Write(scalar);

        private static string Names(IEnumerable<KqlColumn> columns) => string.Join(", ", columns.Select(c => $"{c.Name}:{c.Type.Name()}"));

        private static string Values(IEnumerable<NamedScalar> values) => string.Join(", ", values.Select(v =>
            v.Value is BoundColumnRef reference && reference.Column.Name == v.Column.Name ? v.Column.Name : $"{v.Column.Name} = {S(v.Value)}"));

        private static string By(IReadOnlyList<NamedScalar> keys) => keys.Count == 0 ? "" : " by " + Values(keys);

        private static string Keys(IEnumerable<SortKey> keys) => string.Join(", ", keys.Select(k => S(k.Value) + (k.Descending ? " desc" : " asc")));

        private static string Aggregates(IEnumerable<AggregateItem> items) => string.Join(", ", items.Select(a =>
            $"{string.Join(", ", a.Outputs.Take(4).Select(o => o.Name))}{(a.Outputs.Count > 4 ? ", …" : "")} = {Aggregate(a)}"));

        private static string Aggregate(AggregateItem item) =>
            $"{item.Function.Name}({string.Join(", ", item.Arguments.Take(4).Select(S))}{(item.Arguments.Count > 4 ? ", …" : "")})";

        private static string Argument(PluginArgument argument) =>
            argument.Scalar is { } scalar ? S(scalar) : argument.Aggregate is { } aggregate ? Aggregate(aggregate) : "(table)";

        private static string Items(IEnumerable<ExpandItem> items) => string.Join(", ", items.Select(i => $"{i.Column.Name} = {S(i.Value)} to {i.Column.Type.Name()}"));

        private static string Part(ParsePart part) => part switch
        {
            ParseText text => ScalarText.Quote(text.Text),
            ParseCapture capture => $"{capture.Column.Name}:{capture.Column.Type.Name()}",
            _ => "*",
        };
    }
}
