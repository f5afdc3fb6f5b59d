using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Local;

namespace Vedette.Telemetry.Sql;

internal sealed partial class RelationWriter
{
    /// <summary>
    /// The body of mv-apply and partition, run over all groups at once: sort, take, summarize and row numbers are taken within the group, and the
    /// group's columns survive.
    /// </summary>
    private sealed partial class GroupedBody(RelationWriter writer, IReadOnlyList<int> group, KqlColumn? key, ContextRelation context, GroupedBody? around)
    {
        public Select Write(BoundRelation relation)
        {
            if (relation is not (FilterRelation or ProjectRelation or ExtendRelation or SortRelation or SummarizeRelation) && IsOfGroup(relation)
                && BoundTree.Parts(relation).Scalars.SelectMany(OfGroup).FirstOrDefault() is { } query)
                throw ScalarWriter.Unsupported("A query over the rows of a group cannot stand in this operator", query.Span);
            switch (relation)
            {
                case ContextRelation:
                    return writer.Write(relation);
                case RenderRelation render:
                    return Write(render.Input);
                case ConsumeRelation consume:
                    return Consume(Write(consume.Input));
                case FilterRelation filter:
                {
                    var scope = Within(() => writer.Prepare(Open(WithQueries(Write(filter.Input), [filter.Predicate])), [filter.Predicate]));
                    if (!scope.IsOpen)
                        scope = scope.Wrap();
                    foreach (var condition in writer._scalars.WriteConditions(filter.Predicate, scope))
                        scope.Where(condition);
                    return scope;
                }

                case ProjectRelation project:
                    return Compute(WithQueries(Write(project.Input), [.. project.Values.Select(v => v.Value)]), project.Values);
                case ExtendRelation extend:
                    return Compute(WithQueries(Write(extend.Input), [.. extend.Values.Select(v => v.Value)]), extend.Values);
                case SortRelation sort:
                {
                    var scope = Within(() => writer.Prepare(Open(WithQueries(Write(sort.Input), [.. sort.Keys.Select(k => k.Value)])), sort.Keys.Select(k => k.Value)));
                    if (scope.HasWindow)
                        scope = scope.Wrap();
                    var order = new List<SqlOrder>();
                    foreach (var sorted in sort.Keys)
                    {
                        var value = writer._scalars.Write(sorted.Value, scope);
                        if (!value.IsConstant)
                            order.Add(new SqlOrder(writer.Hide(scope, value.Type == KqlType.Dynamic ? SqlConvert.ToText(value) : value), sorted.Descending, sorted.NullsFirst));
                    }

                    scope.Order = order;
                    scope.IsNumbered = false;
                    return scope;
                }

                case TakeRelation take:
                    return Take(Write(take.Input), take.Count);
                case SampleRelation sample:
                    return Take(writer.Shuffled(Write(sample.Input)), sample.Count).Unordered();
                case ParseKvRelation parse:
                    return Within(() => writer.ParseKv(parse, Write(parse.Input)));
                case MvApplyRelation apply:
                {
                    var rows = Write(apply.Input);
                    return writer.Apply(apply, rows, [.. group.Select(g => new KqlColumn(g, "", rows.Resolve(g).Type))]);
                }

                case PartitionRelation partition:
                    return writer.Partition(partition, Write(partition.Input), group);
                case UnionRelation union:
                    return Union(union);
                case JoinRelation join when IsOfGroup(join.Left) && !IsOfGroup(join.Right) && join.Kind is JoinKind.Inner or JoinKind.InnerUnique or JoinKind.LeftOuter or JoinKind.LeftSemi or JoinKind.LeftAnti:
                    return Join(join);
                case JoinRelation join when IsOfGroup(join):
                    return JoinOfGroups(join);

                case SerializeRelation serialize:
                    return Write(serialize.Input);
                case MvExpandRelation expand:
                    return writer.Expand(Within(() => writer.Prepare(Open(Write(expand.Input)), expand.Items.Select(i => i.Value).OfType<BoundScalar>())), expand.Items, expand.ItemIndex, expand.BagAsArray, expand.RowLimit);
                case ParseRelation parse:
                    return writer.Parse(parse, Write(parse.Input));
                case SummarizeRelation summarize:
                    return Summarize(summarize);
                case ScanRelation scan:
                {
                    var rows = Write(scan.Input);
                    return writer.Sequences(scan, rows, Outer(rows), group);
                }

                case MakeSeriesRelation series:
                {
                    var rows = Write(series.Input);
                    return writer.MakeSeries(series, rows, Outer(rows));
                }

                case TopNestedRelation nested:
                    return writer.TopNested(nested, () => Write(nested.Input), group, writer._carried);
                case ReduceRelation reduce:
                {
                    var rows = Write(reduce.Input);
                    return writer.Reduce(reduce, rows, Outer(rows), group);
                }

                case EvaluateRelation { Input: { } input } evaluate when IsOfGroup(input):
                {
                    var rows = Write(input);
                    return writer.Evaluate(evaluate, () => rows, Outer(rows), group);
                }

                case GraphMatchRelation match when IsOfGroup(match):
                    return writer.GraphMatch(match, Graph());
                case GraphToTableRelation table when IsOfGroup(table):
                    return writer.GraphToTable(table, Graph());
                case GraphComponentsRelation components when IsOfGroup(components):
                    return writer.GraphComponents(components, Graph());
                case TableFunctionRelation function when IsOfGroup(function):
                    return writer.TableFunction(function, Write, OuterColumns(), group);
                case SharedScan shared when IsOfGroup(shared.Shared.Plan):
                    return Shared(shared);
                case not UnaryRelation when !IsOfGroup(relation):
                    return ForEachGroup(relation);
                default:
                    throw ScalarWriter.Unsupported($"This operator is not supported inside mv-apply or partition ({relation.GetType().Name[..^"Relation".Length]})");
            }
        }

        /// <summary>How often a body reads the rows of its group.</summary>
        public static int Reads(BoundRelation relation, ContextRelation context) => relation switch
        {
            _ when relation == context => 1,
            SharedScan shared => Reads(shared.Shared.Plan, context),
            TopNestedRelation nested => Reads(nested.Input, context) * (nested.Levels.Count + nested.Levels.Count(l => l.Others is not null)),
            // Rows from elsewhere are given to each group.
            JoinRelation join => Math.Max(1, Reads(join.Left, context)) + Math.Max(1, Reads(join.Right, context)),
            _ => BoundTree.Parts(relation) is var (scalars, relations) ? relations.Concat(scalars.SelectMany(Queries)).Sum(input => Reads(input, context)) : 0,
        };

        /// <summary>What rows carry besides the body's own columns: their group, and in mv-apply the row outside.</summary>
        private List<int> Outer(Select rows) => [.. group.Concat(writer._carried.Select(c => c.Id)).Distinct().Where(id => rows.TryResolve(id) is not null)];

        private List<KqlColumn> OuterColumns() =>
            [.. Outer(writer._contexts[context]).Select(id => new KqlColumn(id, GroupedStep.NameOf(id), writer._contexts[context].Resolve(id).Type))];

        private GraphRows Graph() => new(Write, OuterColumns(), group);

        /// <summary>Whether a relation differs from group to group: it reads the group's rows, or names its key.</summary>
        private bool IsOfGroup(BoundRelation relation)
        {
            if (relation == context || (relation is SharedScan shared && IsOfGroup(shared.Shared.Plan)))
                return true;
            var (scalars, relations) = BoundTree.Parts(relation);
            return relations.Concat(scalars.SelectMany(Queries)).Any(IsOfGroup) || (key is not null && relation is not PartitionRelation && scalars.Any(NamesKey));
        }

        private bool NamesKey(BoundScalar scalar) => scalar is BoundColumnRef reference ? reference.Column.Id == key!.Id : BoundTree.Children(scalar).Any(NamesKey);

        /// <summary>A named part of the body, written in place: its rows are those of the group.</summary>
        private Select Shared(SharedScan scan)
        {
            var plan = Write(scan.Shared.Plan);
            var map = scan.Columns.Select((column, i) => (column.Id, Plan: scan.Shared.Plan.Columns[i].Id)).ToDictionary(p => p.Id, p => p.Plan);
            foreach (var id in Outer(plan))
                map[id] = id;
            var order = plan.Order.Where(o => map.ContainsValue(o.Id)).Select(o => o with { Id = map.First(m => m.Value == o.Id).Key }).ToList();
            return new Select(new SharedSource(null, plan, map)) { Order = order.Count == plan.Order.Count ? order : [] };
        }

        /// <summary>Rows from elsewhere, for each group once more, with the key that the group has.</summary>
        private Select ForEachGroup(BoundRelation relation)
        {
            if (around?.IsOfGroup(relation) == true)
                throw ScalarWriter.Unsupported("The rows of an outer group cannot be read again within an inner one, other than by toscalar() or in");
            var rows = writer._contexts[context].Wrap();
            rows.Order = [];
            rows.IsNumbered = false;
            var columns = Outer(rows).Concat(key is null ? [] : [key.Id]).Distinct().ToList();
            rows.GroupBy = [.. columns.Select(c => rows.Resolve(c)).Where(v => !v.IsConstant).Select(v => v.Text)];
            foreach (var column in columns)
                rows.Define(column, rows.Resolve(column).WithoutArray());
            if (rows.GroupBy.Count == 0)
                rows.Limit = "1";
            return new Select(new JoinSource("CROSS JOIN", rows, Open(writer.Write(relation).Unordered()), "", false, false, writer._nextJoin++));
        }

        private Select Take(Select input, BoundScalar count)
        {
            var scope = Ranked(input, out var rank);
            scope.Where($"{scope.Resolve(rank).Text} <= {SqlConvert.ToLong(writer._scalars.Write(count, scope)).Text}");
            return scope;
        }

        private Select Join(JoinRelation join)
        {
            var left = Write(join.Left);
            if (join.Kind != JoinKind.InnerUnique || join.Conditions.Count == 0)
                return writer.Join(join, left, writer.Write(join.Right));
            // One left row for each key of each group.
            var unique = writer.Prepare(Open(left.Unordered()), join.Conditions.Select(c => c.Left)).Wrap();
            unique.LimitBy = string.Join(", ", group.Select(g => unique.Resolve(g).Text).Concat(join.Conditions.Select(c => writer._scalars.Write(c.Left, unique).Text)));
            return writer.Join(new JoinRelation(JoinKind.Inner, join.Left, join.Right, join.Conditions, join.IsLookup, join.Columns), unique.Wrap(), writer.Write(join.Right));
        }

        /// <summary>
        /// A join of any kind within each group. Rows from elsewhere are there once for each group, and the sides meet within it; the group's columns come
        /// from the side that has a row.
        /// </summary>
        private Select JoinOfGroups(JoinRelation join)
        {
            var (left, leftIds) = Side(join.Left);
            var (right, rightIds) = Side(join.Right);
            var conditions = group.Where(g => leftIds.ContainsKey(g) && rightIds.ContainsKey(g)).Select(g => new JoinCondition(Reference(left, leftIds[g]), Reference(right, rightIds[g])))
                .Concat(join.Conditions).ToList();
            var kind = join.Kind;
            if (kind == JoinKind.InnerUnique)
            {
                kind = JoinKind.Inner;
                left = writer.Prepare(Open(left.Unordered()), conditions.Select(c => c.Left)).Wrap();
                left.LimitBy = string.Join(", ", conditions.Select(c => writer._scalars.Write(c.Left, left).Text));
                left = left.Wrap();
            }

            var present = writer.NewHidden();
            if (kind == JoinKind.FullOuter)
            {
                left = Open(left.Unordered());
                left.DefineAlways(present, SqlConstant.Long(1));
            }

            var joined = writer.Join(new JoinRelation(kind, join.Left, join.Right, conditions, join.IsLookup, join.Columns), left, right);
            foreach (var (id, own) in leftIds)
            {
                var value = kind switch
                {
                    JoinKind.RightOuter or JoinKind.RightSemi or JoinKind.RightAnti => joined.Resolve(rightIds[id]),
                    JoinKind.FullOuter when rightIds.TryGetValue(id, out var other) => Either(joined, present, own, other),
                    _ => joined.Resolve(own),
                };
                joined.Define(id, value);
            }

            return joined;
        }

        /// <summary>One side's rows, with the columns of their group under names of this side.</summary>
        private (Select Rows, Dictionary<int, int> Ids) Side(BoundRelation relation)
        {
            var rows = IsOfGroup(relation) ? Write(relation) : ForEachGroup(relation);
            var ids = Outer(rows).ToDictionary(id => id, _ => writer.NewHidden());
            var map = relation.Columns.ToDictionary(c => c.Id, c => c.Id);
            foreach (var (id, own) in ids)
                map[own] = id;
            return (new Select(new SharedSource(null, rows, map)), ids);
        }

        private static BoundColumnRef Reference(Select rows, int id) => new(new KqlColumn(id, "", rows.Resolve(id).Type), default);

        private static SqlValue Either(Select joined, int present, int left, int right)
        {
            var (a, b) = (joined.Resolve(left), joined.Resolve(right));
            return new SqlValue($"if(isNull({joined.Resolve(present).Text}), {b.Text}, {a.Text})", a.Type, a.Nullable || b.Nullable);
        }

        private Select Union(UnionRelation union)
        {
            // The group's columns are columns of the union.
            var outer = OuterColumns();
            var inputs = new List<(Select, IReadOnlyList<KqlColumn?>, SqlValue?)>();
            foreach (var input in union.Inputs)
            {
                var rows = Write(input.Input);
                inputs.Add((rows, [.. outer, .. input.Columns], SqlConstant.String(input.SourceName)));
            }

            return new Select(new UnionSource(inputs, union.SourceColumn, union.SourceColumn is { } source ? [source, .. outer, .. union.Columns.Skip(1)] : [.. outer, .. union.Columns]));
        }

        private Select Compute(Select input, IReadOnlyList<NamedScalar> values) => Within(() => writer.Compute(input, values));

        /// <summary>Has window functions look at the group only.</summary>
        private Select Within(Func<Select> write)
        {
            var outer = writer._groups;
            writer._groups = group;
            try
            {
                return write();
            }
            finally
            {
                writer._groups = outer;
            }
        }

        private Select Summarize(SummarizeRelation node)
        {
            var scalars = node.Keys.Select(k => k.Value).Concat(node.Aggregates.SelectMany(a => a.Arguments)).ToList();
            var inner = writer.Prepare(Open(WithQueries(Write(node.Input), scalars)), scalars);
            if (inner.HasWindow)
                inner = inner.Wrap();
            var keys = group.Select(g => (new KqlColumn(g, "", inner.Resolve(g).Type), g)).ToList();
            foreach (var key in node.Keys)
                keys.Add((key.Column, writer.Hide(inner, Typed(writer._scalars.Write(key.Value, inner), key.Column.Type).WithoutArray())));
            var arguments = node.Aggregates.Select(a => a.Arguments.Select(x => writer.Argument(inner, x)).ToList()).ToList();
            // The columns of the row outside belong to the group.
            var carried = writer._carried.Where(c => inner.TryResolve(c.Id) is not null).ToList();
            return writer.Group(inner, keys, node.Aggregates, arguments, ordered: true, carried);
        }

        private Select Ranked(Select input, out int rank)
        {
            var scope = input.Wrap();
            rank = writer.NewHidden();
            var order = input.Order.Count == 0 ? "" : $" ORDER BY {scope.OrderTerms()}";
            scope.DefineAlways(rank, new SqlValue($"row_number() OVER (PARTITION BY {string.Join(", ", group.Select(g => scope.Resolve(g).Text))}{order})", KqlType.Long, false));
            scope.HasWindow = true;
            return scope.Wrap();
        }
    }
}
