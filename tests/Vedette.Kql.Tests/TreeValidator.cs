using Vedette.Kql.Bound;

namespace Vedette.Kql.Tests;

/// <summary>
/// Checks what the bound tree promises: names are unique in each relation, every column reference is a column of the relation's input (or context), types are
/// known, and columns come from the input or from the node itself.
/// </summary>
internal sealed class TreeValidator
{
    private readonly List<string> _problems = [];
    private readonly HashSet<SharedPlan> _seen = [];
    private readonly HashSet<int> _late = [];

    /// <summary>What is wrong with a compilation's plans; empty when all is well.</summary>
    public static IReadOnlyList<string> Problems(KqlCompilation compilation)
    {
        var validator = new TreeValidator();
        foreach (var result in compilation.Results)
            validator.Relation(result.Root, []);
        return validator._problems;
    }

    private void Relation(BoundRelation node, HashSet<int> outer)
    {
        var name = node.GetType().Name;
        var names = node.Columns.Select(c => c.Name).ToList();
        if (names.Distinct().Count() != names.Count)
            _problems.Add($"{name}: names repeat: {string.Join(", ", names.GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key))}");
        if (node is EvaluateRelation { LateColumns: var late })
            _late.UnionWith(late.Select(c => c.Id));
        foreach (var column in node.Columns)
        {
            if (column.Type == KqlType.Unknown)
                _problems.Add($"{name}: column {column.Name} has no type");
        }

        Children(node, outer);
    }

    private HashSet<int> In(BoundRelation input, HashSet<int> outer)
    {
        Relation(input, outer);
        var ids = input.Columns.Select(c => c.Id).ToHashSet();
        ids.UnionWith(outer);
        return ids;
    }

    private void Children(BoundRelation node, HashSet<int> outer)
    {
        HashSet<int> ids;
        switch (node)
        {
            case TableScan or ContextRelation or GraphToTableRelation or GraphComponentsRelation or GraphMatchRelation:
                break;
            case DataTableRelation data:
                foreach (var row in data.Rows)
                {
                    row.Count.ShouldBe(data.Columns.Count);
                    row.ToList().ForEach(c => Scalar(c, outer, node));
                }

                break;
            case PrintRelation print: print.Values.ToList().ForEach(v => Scalar(v.Value, outer, node)); break;
            case RangeRelation range: Scalars(node, outer, range.From, range.To, range.Step); break;
            case ExternalDataRelation external: Scalars(node, outer, [.. external.Uris]); break;
            case SharedScan scan:
                scan.Columns.Count.ShouldBe(scan.Shared.Plan.Columns.Count);
                if (_seen.Add(scan.Shared))
                    Relation(scan.Shared.Plan, outer);
                break;
            case TableFunctionRelation function:
                ids = function.Input is null ? outer : In(function.Input, outer);
                function.Arguments.Where(a => a is not null).ToList().ForEach(a => Scalar(a!, ids, node));
                break;
            case FilterRelation filter: Scalars(node, In(filter.Input, outer), filter.Predicate); break;
            case ProjectRelation project:
                ids = In(project.Input, outer);
                project.Values.ToList().ForEach(v => Scalar(v.Value, ids, node));
                break;
            case ExtendRelation extend:
                ids = In(extend.Input, outer);
                extend.Values.ToList().ForEach(v => Scalar(v.Value, ids, node));
                Known(node, ids, extend.Values.Select(v => v.Column));
                break;
            case SortRelation sort:
                ids = In(sort.Input, outer);
                sort.Keys.ToList().ForEach(k => Scalar(k.Value, ids, node));
                break;
            case TakeRelation take: In(take.Input, outer); Scalar(take.Count, outer, node); break;
            case SampleRelation sample: In(sample.Input, outer); Scalar(sample.Count, outer, node); break;
            case MvExpandRelation expand:
                ids = In(expand.Input, outer);
                expand.Items.ToList().ForEach(i => Scalar(i.Value, ids, node));
                Known(node, ids, [.. expand.Items.Select(i => i.Column), .. new[] { expand.ItemIndex }.OfType<KqlColumn>()]);
                break;
            case MvApplyRelation apply:
                ids = In(apply.Input, outer);
                apply.Items.ToList().ForEach(i => Scalar(i.Value, ids, node));
                Relation(apply.Body, outer);
                Known(node, ids, apply.Body.Columns);
                break;
            case ParseRelation parse:
                ids = In(parse.Input, outer);
                Scalar(parse.Source, ids, node);
                Known(node, ids, parse.Pattern.OfType<ParseCapture>().Select(c => c.Column));
                break;
            case ParseKvRelation parse:
                ids = In(parse.Input, outer);
                Scalar(parse.Source, ids, node);
                Known(node, ids, parse.Keys);
                break;
            case SummarizeRelation summarize:
                ids = In(summarize.Input, outer);
                summarize.Keys.ToList().ForEach(k => Scalar(k.Value, ids, node));
                Aggregates(summarize.Aggregates, ids, node);
                break;
            case MakeSeriesRelation series:
                ids = In(series.Input, outer);
                Scalar(series.Axis, ids, node);
                foreach (var item in series.Series)
                {
                    Aggregates(item.Aggregate, ids, node);
                    if (item.Finish is not null)
                        Scalar(item.Finish, [.. item.Aggregate.SelectMany(a => a.Outputs).Select(o => o.Id)], node);
                }

                break;
            case TopNestedRelation nested:
                ids = In(nested.Input, outer);
                foreach (var level in nested.Levels)
                {
                    Scalar(level.Key.Value, ids, node);
                    Aggregates(level.Aggregates, ids, node);
                    Scalar(level.Order.Value, [.. level.Aggregates.SelectMany(a => a.Outputs).Select(o => o.Id)], node);
                }

                break;
            case JoinRelation join:
                var left = In(join.Left, outer);
                var right = In(join.Right, outer);
                if (join.Left.Columns.Select(c => c.Id).Intersect(join.Right.Columns.Select(c => c.Id)).Any())
                    _problems.Add("JoinRelation: the sides share columns");
                foreach (var condition in join.Conditions)
                {
                    Scalar(condition.Left, left, node);
                    Scalar(condition.Right, right, node);
                }

                Known(node, [.. left, .. right], []);
                break;
            case UnionRelation union:
                foreach (var input in union.Inputs)
                {
                    ids = In(input.Input, outer);
                    input.Columns.Count.ShouldBe(union.Columns.Count - (union.SourceColumn is null ? 0 : 1));
                    foreach (var column in input.Columns.Where(c => c is not null && !ids.Contains(c.Id)))
                        _problems.Add($"UnionRelation: {column} is not in its input");
                }

                break;
            case EvaluateRelation evaluate:
                ids = evaluate.Input is null ? outer : In(evaluate.Input, outer);
                foreach (var argument in evaluate.Arguments)
                {
                    if (argument.Table is not null)
                        ids = [.. ids, .. In(argument.Table, outer)];
                }

                foreach (var argument in evaluate.Arguments.Where(a => a.Scalar is not null))
                    Scalar(argument.Scalar!, ids, node);
                break;
            case PartitionRelation partition:
                ids = In(partition.Input, outer);
                Scalar(partition.Key, ids, node);
                Relation(partition.Body, partition.Key is BoundColumnRef key ? [.. outer, key.Column.Id] : outer);
                break;
            case ScanRelation scan:
                ids = In(scan.Input, outer);
                ids.UnionWith(scan.Declared.Select(d => d.Column.Id));
                scan.Steps.ToList().ForEach(s => Scalars(node, ids, [s.Condition, .. s.Assignments.Select(a => a.Value)]));
                break;
            case ReduceRelation reduce: Scalars(node, In(reduce.Input, outer), reduce.Value); break;
            case UnaryRelation unary: In(unary.Input, outer); break;
            default: _problems.Add("unknown node " + node.GetType().Name); break;
        }
    }

    private void Known(BoundRelation node, HashSet<int> input, IEnumerable<KqlColumn> own)
    {
        var known = new HashSet<int>(input);
        known.UnionWith(own.Select(c => c.Id));
        foreach (var column in node.Columns.Where(c => !known.Contains(c.Id)))
            _problems.Add($"{node.GetType().Name}: {column} comes from nowhere");
    }

    private void Aggregates(IEnumerable<AggregateItem> items, HashSet<int> ids, BoundRelation node)
    {
        foreach (var item in items)
        {
            Scalars(node, ids, [.. item.Arguments]);
            if (item.Function.Kind != Symbols.FunctionKind.Aggregate)
                _problems.Add($"{item.Function} is no aggregate");
        }
    }

    private void Scalars(BoundRelation node, HashSet<int> ids, params ReadOnlySpan<BoundScalar> values)
    {
        foreach (var value in values)
            Scalar(value, ids, node);
    }

    private void Scalar(BoundScalar value, HashSet<int> ids, BoundRelation node)
    {
        if (value.Type == KqlType.Unknown)
            _problems.Add($"{node.GetType().Name}: a {value.GetType().Name} at {value.Span.Start} has no type");
        switch (value)
        {
            case BoundLiteral literal: Literal(literal); break;
            case BoundColumnRef reference when !ids.Contains(reference.Column.Id) && !_late.Contains(reference.Column.Id):
                _problems.Add($"{node.GetType().Name}: {reference.Column} is not in its input");
                break;
            case BoundCall call:
                if (call.Function.Canonical != call.Function)
                    _problems.Add($"{call.Function} is not canonical");
                Scalars(node, ids, [.. call.Arguments]);
                break;
            case BoundBinary binary: Scalars(node, ids, binary.Left, binary.Right); break;
            case BoundNegate negate: Scalar(negate.Operand, ids, node); break;
            case BoundBetween between: Scalars(node, ids, between.Value, between.Low, between.High); break;
            case BoundIn set:
                Scalar(set.Value, ids, node);
                if (set.Subquery is not null)
                    Relation(set.Subquery, ids);
                Scalars(node, ids, [.. set.Items ?? []]);
                break;
            case BoundMember member: Scalar(member.Value, ids, node); break;
            case BoundIndex index: Scalars(node, ids, index.Value, index.Index); break;
            case BoundConvert convert: Scalar(convert.Operand, ids, node); break;
            case BoundScalarSubquery query: Relation(query.Query, ids); break;
        }
    }

    private void Literal(BoundLiteral literal)
    {
        var fits = (literal.Type, literal.Value) switch
        {
            (KqlType.String, string) => true,
            (_, null) => literal.Type != KqlType.String,
            (KqlType.Bool, bool) or (KqlType.Int, int) or (KqlType.Long, long) or (KqlType.Real, double) or (KqlType.Decimal, decimal) => true,
            (KqlType.DateTime, DateTime t) => t.Kind == DateTimeKind.Utc,
            (KqlType.TimeSpan, TimeSpan) or (KqlType.Guid, Guid) => true,
            (KqlType.Dynamic, string json) => IsJson(json),
            _ => false,
        };
        if (!fits)
            _problems.Add($"a literal of type {literal.Type.Name()} holds {literal.Value?.GetType().Name ?? "null"}: {literal.Value}");
    }

    private static bool IsJson(string text)
    {
        try
        {
            System.Text.Json.JsonDocument.Parse(text, new() { MaxDepth = 1000 }).Dispose();
            return true;
        }
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }
}
