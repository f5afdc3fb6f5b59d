using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

internal sealed partial class RelationWriter
{
    /// <summary>Queries in the expressions of a body, over the rows of its group: <c>as P | extend toscalar(P | summarize sum(x))</c>.</summary>
    private sealed partial class GroupedBody
    {
        /// <summary>Puts what queries over the group give beside its rows, and has the expressions take it from there.</summary>
        private Select WithQueries(Select rows, IReadOnlyList<BoundScalar> scalars)
        {
            foreach (var query in scalars.SelectMany(OfGroup))
            {
                if (!writer._scalars.IsHoisted(query, rows))
                    rows = query is BoundIn set ? WithSet(rows, set) : WithValue(rows, (BoundScalarSubquery)query);
            }

            return around is null ? rows : around.WithQueries(rows, scalars);
        }

        /// <summary>The queries of an expression that look at the rows of the group, inner ones first.</summary>
        private IEnumerable<BoundScalar> OfGroup(BoundScalar scalar)
        {
            if (scalar is BoundScalarSubquery subquery)
                return IsOfGroup(subquery.Query) ? [scalar] : [];
            var parts = BoundTree.Children(scalar).SelectMany(OfGroup);
            return scalar is BoundIn { Subquery: { } query } && IsOfGroup(query) ? parts.Append(scalar) : parts;
        }

        private static IEnumerable<BoundRelation> Queries(BoundScalar scalar) => scalar switch
        {
            BoundScalarSubquery subquery => [subquery.Query],
            BoundIn { Subquery: { } query } => BoundTree.Children(scalar).SelectMany(Queries).Append(query),
            _ => BoundTree.Children(scalar).SelectMany(Queries),
        };

        private Select WithValue(Select rows, BoundScalarSubquery node)
        {
            var first = Take(Write(node.Query), new BoundLiteral(KqlType.Long, 1L, node.Span));
            var joined = Beside(rows, first, node.Query.Columns[0].Id, out var value);
            writer._scalars.Hoist(node, writer.Hide(joined, SqlConvert.To(joined.Resolve(value), node.Type)));
            return joined;
        }

        private Select WithSet(Select rows, BoundIn node)
        {
            var values = Open(Write(node.Subquery!).Unordered());
            var element = writer.Hide(values, new SqlValue(SqlConvert.ToJson(values.Resolve(node.Subquery!.Columns[0].Id)), KqlType.String, false));
            var sets = values.Wrap();
            foreach (var id in group)
                sets.Define(id, sets.Resolve(id));
            var set = writer.NewHidden();
            sets.DefineAlways(set, new SqlValue($"concat('[', arrayStringConcat(groupUniqArray({sets.Resolve(element).Text}), ','), ']')", KqlType.Dynamic, false));
            sets.GroupBy = [.. group.Select(id => sets.Resolve(id)).Where(v => !v.IsConstant).Select(v => v.Text).DefaultIfEmpty("tuple()")];
            var joined = Within(() => writer.Prepare(Beside(rows, sets, set, out set), [node.Value]));
            var alternatives = new BoundColumnRef(new KqlColumn(set, "", KqlType.Dynamic), node.Span);
            var found = new BoundIn(node.Operator, node.Negated, node.Value, [alternatives], null, node.Span);
            writer._scalars.Hoist(node, writer.Hide(joined, writer._scalars.Write(found, joined)));
            return joined;
        }

        /// <summary>Rows with a value that their group has in other rows, at most one for each group.</summary>
        private Select Beside(Select rows, Select others, int column, out int value)
        {
            var (order, isNumbered) = (rows.Order, rows.IsNumbered);
            value = writer.NewHidden();
            var ids = group.ToDictionary(id => id, _ => writer.NewHidden());
            var map = ids.ToDictionary(p => p.Value, p => p.Key);
            map[value] = column;
            var side = new Select(new SharedSource(null, others, map));
            var conditions = group.Select(id => new JoinCondition(Reference(rows, id), Reference(side, ids[id]))).ToList();
            var joined = writer.Join(new JoinRelation(JoinKind.LeftOuter, context, context, conditions, false, []), rows, side);
            joined.Order = order;
            joined.IsNumbered = isNumbered;
            return joined;
        }
    }
}
