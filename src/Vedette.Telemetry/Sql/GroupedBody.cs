using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

internal sealed partial class RelationWriter
{
    /// <summary>
    /// The body of mv-apply and partition, run over all groups at once: sort, take, summarize and row numbers are taken within the group, and the
    /// group's columns survive.
    /// </summary>
    private sealed class GroupedBody(RelationWriter writer, IReadOnlyList<int> group)
    {
        public Select Write(BoundRelation relation)
        {
            switch (relation)
            {
                case ContextRelation:
                    return writer.Write(relation);
                case FilterRelation filter:
                {
                    var scope = Within(() => writer.Prepare(Open(Write(filter.Input)), [filter.Predicate]));
                    if (!scope.IsOpen)
                        scope = scope.Wrap();
                    foreach (var condition in writer._scalars.WriteConditions(filter.Predicate, scope))
                        scope.Where(condition);
                    return scope;
                }

                case ProjectRelation project:
                    return Compute(Write(project.Input), project.Values);
                case ExtendRelation extend:
                    return Compute(Write(extend.Input), extend.Values);
                case SortRelation sort:
                {
                    var scope = Open(Write(sort.Input));
                    var order = new List<SqlOrder>();
                    foreach (var key in sort.Keys)
                        order.Add(new SqlOrder(writer.Hide(scope, writer._scalars.Write(key.Value, scope)), key.Descending, key.NullsFirst));
                    scope.Order = order;
                    scope.IsNumbered = false;
                    return scope;
                }

                case TakeRelation take:
                {
                    var scope = Ranked(Write(take.Input), out var rank);
                    scope.Where($"{scope.Resolve(rank).Text} <= {SqlConvert.ToLong(writer._scalars.Write(take.Count, scope)).Text}");
                    return scope;
                }

                case SerializeRelation serialize:
                    return Write(serialize.Input);
                case MvExpandRelation expand:
                    return writer.Expand(Open(Write(expand.Input)), expand.Items, expand.ItemIndex, expand.BagAsArray, expand.RowLimit, keepEmpty: true);
                case ParseRelation parse:
                    return writer.Parse(parse, Write(parse.Input));
                case SummarizeRelation summarize:
                    return Summarize(summarize);
                case ScanRelation scan:
                    return writer.Sequences(scan, Write(scan.Input), group);
                default:
                    throw ScalarWriter.Unsupported($"This operator is not supported inside mv-apply or partition ({relation.GetType().Name[..^"Relation".Length]})");
            }
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
            var inner = writer.Prepare(Open(Write(node.Input)), node.Keys.Select(k => k.Value).Concat(node.Aggregates.SelectMany(a => a.Arguments)));
            if (inner.HasWindow)
                inner = inner.Wrap();
            var keys = group.Select(g => (new KqlColumn(g, "", inner.Resolve(g).Type), g)).ToList();
            foreach (var key in node.Keys)
                keys.Add((key.Column, writer.Hide(inner, Typed(writer._scalars.Write(key.Value, inner), key.Column.Type))));
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
