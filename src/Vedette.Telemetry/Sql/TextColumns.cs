using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>
/// Which dynamic columns are only ever asked for their text (<c>tostring(x)</c>, <c>x has "…"</c>, <c>x == "…"</c>), so that they need not be kept as
/// JSON. Whatever is not known to be harmless counts as another use.
/// </summary>
internal sealed class TextColumns
{
    private readonly HashSet<int> _others = [];
    private readonly HashSet<int> _plans = [];

    public TextColumns(BoundRelation root)
    {
        Add(root.Columns);
        Visit(root);
    }

    /// <summary>Whether nothing but its text is asked of a column.</summary>
    public bool Contains(int id) => !_others.Contains(id);

    private void Add(IEnumerable<KqlColumn?> columns)
    {
        foreach (var column in columns)
        {
            if (column is not null)
                _others.Add(column.Id);
        }
    }

    private void Visit(BoundRelation relation)
    {
        if (relation is SharedScan shared)
        {
            if (!_plans.Add(shared.Shared.Id))
                return;
            Add(shared.Shared.Plan.Columns);
            Visit(shared.Shared.Plan);
            return;
        }

        var passes = relation is FilterRelation or ProjectRelation or ExtendRelation or SortRelation or TakeRelation or SampleRelation or SummarizeRelation
            or JoinRelation or MvExpandRelation or SerializeRelation or RenderRelation or ConsumeRelation;
        var (scalars, relations) = BoundTree.Parts(relation);
        if (relation is ProjectRelation or ExtendRelation)
        {
            // A column that keeps its id is used by what stands above.
            var values = relation is ProjectRelation project ? project.Values : ((ExtendRelation)relation).Values;
            scalars = values.Where(v => v.Value is not BoundColumnRef reference || reference.Column.Id != v.Column.Id).Select(v => v.Value);
        }

        foreach (var scalar in scalars)
            Visit(scalar, asText: false);
        foreach (var input in relations)
        {
            if (!passes)
                Add(input.Columns);
            Visit(input);
        }
    }

    private void Visit(BoundScalar scalar, bool asText)
    {
        switch (scalar)
        {
            case BoundColumnRef reference:
                if (!asText)
                    _others.Add(reference.Column.Id);
                return;
            case BoundScalarSubquery subquery:
                Add(subquery.Query.Columns);
                Visit(subquery.Query);
                return;
            case BoundIn { Subquery: { } query }:
                Add(query.Columns);
                Visit(query);
                break;
        }

        var text = scalar switch
        {
            BoundCall { Function.Name: "tostring" } or BoundConvert { Type: KqlType.String } => true,
            BoundBinary { Operator: KqlOperator.Equal or KqlOperator.NotEqual } equal => equal.Left.Type == KqlType.String || equal.Right.Type == KqlType.String,

            // From =~ on, all operators are on strings.
            BoundBinary binary => binary.Operator >= KqlOperator.EqualIgnoreCase,
            BoundIn { Items: { } items } => items.All(static i => i.Type == KqlType.String),
            _ => false,
        };
        foreach (var child in BoundTree.Children(scalar))
            Visit(child, text);
    }
}
