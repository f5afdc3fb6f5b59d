using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Functions;
using Vedette.Telemetry.Sql.Functions;

namespace Vedette.Telemetry.Sql;

/// <summary>Writes bound scalars as SQL over the columns of a select.</summary>
internal sealed partial class ScalarWriter(SqlContext context, RelationWriter relations)
{
    private readonly Dictionary<BoundScalar, int> _hoisted = [];
    private int _depth;
    private bool _readsAll;
    private IReadOnlyDictionary<int, int>? _ids;
    private IReadOnlyDictionary<int, SqlValue>? _values;

    /// <summary>Columns of an OR from which on it is not written for indexes.</summary>
    private const int ManyColumns = 12;

    /// <summary>How deep the definitions are that the last expression stood on.</summary>
    public int Depth => _depth;

    /// <summary>Notes that a call's value is already a column.</summary>
    public void Hoist(BoundScalar scalar, int column) => _hoisted[scalar] = column;

    /// <summary>Whether a call's value is already a column of a select. The same call may stand over several readings of a relation.</summary>
    public bool IsHoisted(BoundScalar scalar, Select scope) => _hoisted.TryGetValue(scalar, out var column) && scope.TryResolve(column) is not null;

    /// <summary>Writes an expression and notes its depth.</summary>
    public SqlValue Write(BoundScalar scalar, Select scope)
    {
        _depth = 0;
        return Emit(scalar, scope);
    }

    /// <summary>Writes the conditions of a WHERE, where null and false are the same.</summary>
    public IEnumerable<string> WriteConditions(BoundScalar predicate, Select scope)
    {
        _depth = 0;
        var conditions = new List<string>();
        foreach (var part in Conjuncts(predicate))
        {
            if (JsonFilter.Property(part) is { } property && Emit(property, scope).Json is { Root: var text } && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '`')
                && $"({text} != '')" is var present && !conditions.Contains(present))
                conditions.Add(present);
            conditions.Add(Condition(part, scope));
        }

        return conditions;
    }

    /// <summary>Writes conditions on columns that are known by other ids in the select, or whose value is known.</summary>
    public IEnumerable<string> WriteConditions(BoundScalar predicate, Select scope, IReadOnlyDictionary<int, int> ids, IReadOnlyDictionary<int, SqlValue> values)
    {
        var (outerIds, outerValues) = (_ids, _values);
        (_ids, _values) = (ids, values);
        try
        {
            return WriteConditions(predicate, scope);
        }
        finally
        {
            (_ids, _values) = (outerIds, outerValues);
        }
    }

    /// <summary>The parts of a conjunction.</summary>
    public static IEnumerable<BoundScalar> Conjuncts(BoundScalar predicate) =>
        predicate is BoundBinary { Operator: KqlOperator.And } and
            ? Conjuncts(and.Left).Concat(Conjuncts(and.Right))
            : [predicate];

    private string Condition(BoundScalar scalar, Select scope) => scalar switch
    {
        BoundBinary { Operator: KqlOperator.And } and => $"({Condition(and.Left, scope)} AND {Condition(and.Right, scope)})",
        BoundBinary { Operator: KqlOperator.Or } or => Alternatives(or, scope),
        BoundBinary { Operator: KqlOperator.Equal } equal => Equality(Emit(equal.Left, scope), Emit(equal.Right, scope), bare: true).Text,
        _ => SqlConvert.ToBool(Emit(scalar, scope)).Text,
    };

    /// <summary>
    /// An OR. Terms looked for in the same column are searched in one pass. No index can answer an OR over many columns, as most have none: then the terms
    /// that an index would look up first only make the text longer, which the engine feels in a search through all columns of all tables.
    /// </summary>
    private string Alternatives(BoundBinary or, Select scope)
    {
        var parts = Disjuncts(or).ToList();
        var outer = _readsAll;
        _readsAll |= parts.Count >= ManyColumns && ColumnsOf(or) >= ManyColumns;
        var texts = new List<string>();
        foreach (var group in parts.GroupBy(static p => Term(p)?.Column))
        {
            var alike = group.ToList();
            if (group.Key is null || alike.Count == 1)
                texts.AddRange(alike.Select(p => Condition(p, scope)));
            else
                texts.Add(TermSearch.Set(SqlConvert.ToText(Emit(((BoundBinary)alike[0]).Left, scope)).Text, alike.ConvertAll(static p => Term(p)!.Value.Text), any: true));
        }

        _readsAll = outer;
        return $"({string.Join(" OR ", texts)})";
    }

    private static IEnumerable<BoundScalar> Disjuncts(BoundScalar predicate) =>
        predicate is BoundBinary { Operator: KqlOperator.Or } or ? Disjuncts(or.Left).Concat(Disjuncts(or.Right)) : [predicate];

    /// <summary>The column and the text of <c>column has "text"</c>; null for anything else.</summary>
    private static (KqlColumn Column, string Text)? Term(BoundScalar scalar) =>
        scalar is BoundBinary { Operator: KqlOperator.Has, Negated: false, Left: BoundColumnRef reference, Right: BoundLiteral { Value: string { Length: > 0 } text } } ? (reference.Column, text) : null;

    private static int ColumnsOf(BoundScalar scalar)
    {
        var columns = new HashSet<int>();
        Visit(scalar);
        return columns.Count;

        void Visit(BoundScalar part)
        {
            if (part is BoundColumnRef reference)
                columns.Add(reference.Column.Id);
            foreach (var child in BoundTree.Children(part))
                Visit(child);
        }
    }

    private SqlValue Emit(BoundScalar scalar, Select scope)
    {
        if (_hoisted.TryGetValue(scalar, out var column))
            return Column(column, scope);
        return scalar switch
        {
            BoundLiteral literal => SqlConstant.Of(literal.Value, literal.Type),
            BoundColumnRef reference => _values?.GetValueOrDefault(reference.Column.Id) ?? Column(_ids?.GetValueOrDefault(reference.Column.Id, reference.Column.Id) ?? reference.Column.Id, scope),
            BoundCall call => Placed(call, scope),
            BoundBinary binary => Binary(binary, scope),
            BoundNegate negate => Negate(Emit(negate.Operand, scope)),
            BoundBetween between => Between(between, scope),
            BoundIn set => In(set, scope),
            BoundMember member => Member(Emit(member.Value, scope), SqlText.Quote(member.Name)),
            BoundIndex index => Index(Emit(index.Value, scope), Emit(index.Index, scope)),
            BoundConvert convert => SqlConvert.To(Emit(convert.Operand, scope), convert.Type),
            BoundScalarSubquery subquery => relations.ScalarSubquery(subquery),
            _ => throw Unsupported("This expression cannot be used here"),
        };
    }

    private SqlValue Column(int id, Select scope)
    {
        _depth = Math.Max(_depth, scope.DepthOf(id));
        return scope.Resolve(id);
    }

    /// <summary>A call; what cannot be had of it is told with its place.</summary>
    private SqlValue Placed(BoundCall call, Select scope)
    {
        try
        {
            return Call(call, scope);
        }
        catch (HuntingException refused) when (refused.Place is null)
        {
            refused.Place = call.Span;
            throw;
        }
    }

    private SqlValue Call(BoundCall call, Select scope)
    {
        var name = call.Function.Name;
        switch (name)
        {
            case "iff":
                return Choose([(SqlConvert.ToBool(Emit(call.Arguments[0], scope)), Emit(call.Arguments[1], scope))], Emit(call.Arguments[2], scope), call.Type);
            case "case":
            {
                var branches = new List<(SqlValue, SqlValue)>();
                for (var i = 0; i + 1 < call.Arguments.Count; i += 2)
                    branches.Add((SqlConvert.ToBool(Emit(call.Arguments[i], scope)), Emit(call.Arguments[i + 1], scope)));
                return Choose(branches, Emit(call.Arguments[^1], scope), call.Type);
            }

            case "assert" when RelationWriter.IsOfRow(call.Arguments[1]):
                throw Unsupported("assert(): the message must be a constant");
            case "ingestion_time":
                return scope.IngestTime is { } arrival ? Column(arrival, scope) : SqlConstant.Null(KqlType.DateTime);
            case "cursor_after" or "cursor_before_or_at":
            {
                // A cursor is the ticks of a time of arrival; the empty one comes before all rows.
                var cursor = Emit(call.Arguments[0], scope);
                if (scope.IngestTime is not { } arrived)
                    throw Unsupported($"{name}() needs a table whose rows' arrival is known");
                var ticks = SqlConvert.Ticks(Column(arrived, scope)).Text;
                return new SqlValue($"({ticks} {(name == "cursor_after" ? ">" : "<=")} toInt64OrZero({SqlConvert.ToText(cursor).Text}) - {SqlConvert.UnixEpochTicks})", KqlType.Bool, false);
            }

            case "materialize" or "toscalar" when call.Arguments.Count == 1:
                return Emit(call.Arguments[0], scope);
        }

        var arguments = call.Arguments.Select(a => Emit(a, scope)).ToList();
        if (FunctionTable.Find(name) is not { } function)
        {
            if (LocalFunctionTable.Find(name) is not { } local)
                throw Unsupported($"The function {name}() is not supported");
            if (!arguments.All(a => a.IsConstant))
                throw Unsupported($"The function {name}() cannot be used in this place with values that depend on the row");
            return SqlConstant.Of(LocalFunctionTable.Compute(local, name, [.. arguments.Select(a => a.Type)], [.. arguments.Select(a => a.Constant)], call.Type), call.Type);
        }

        var value = function(new SqlCall(name, arguments, call.Type, context));
        return call.Type is KqlType.Unknown || value.Type == call.Type ? value : SqlConvert.To(value, call.Type);
    }

    private static SqlValue Choose(IReadOnlyList<(SqlValue Condition, SqlValue Value)> branches, SqlValue other, KqlType type)
    {
        var values = branches.Select(b => SqlConvert.To(b.Value, type)).ToList();
        var last = SqlConvert.To(other, type);
        if (branches.All(b => b.Condition.IsConstant))
        {
            for (var i = 0; i < branches.Count; i++)
            {
                if (branches[i].Condition.Constant is true)
                    return values[i];
            }

            return last;
        }

        var nullable = last.Nullable || values.Any(v => v.Nullable);
        var text = branches.Count == 1
            ? $"if({branches[0].Condition.Text}, {values[0].Text}, {last.Text})"
            : "multiIf(" + string.Concat(branches.Select((b, i) => $"{b.Condition.Text}, {values[i].Text}, ")) + last.Text + ")";
        return new SqlValue(text, type, nullable);
    }

    /// <summary>A property of a dynamic value or of JSON text.</summary>
    private static SqlValue Member(SqlValue value, string key)
    {
        var path = value.Type == KqlType.String ? new SqlJsonPath(value.Text, [])
            : value.Json ?? new SqlJsonPath(value.Text, []);
        return FromPath(new SqlJsonPath(path.Root, [.. path.Steps, key]));
    }

    private static SqlValue Index(SqlValue value, SqlValue index)
    {
        if (index.Type is KqlType.String)
            return Member(value, index.Text);
        if (index.Type is KqlType.Dynamic)
        {
            var path = value.Json ?? new SqlJsonPath(SqlConvert.ToDynamic(value).Text, []);
            var position = SqlConvert.ToLong(index).Text;
            return new SqlValue(
                SqlLambda.Let(index.Text, i => $"if(startsWith({i}, '\"'), {FromPath(path with { Steps = [.. path.Steps, $"JSONExtract({i}, 'String')"] }).Text}, {FromPath(path with { Steps = [.. path.Steps, $"ifNull({position}, 1000000000) + if({position} >= 0, 1, 0)"] }).Text})"),
                KqlType.Dynamic, false);
        }

        var at = index is { IsConstant: true, Constant: int or long }
            ? Convert.ToInt64(index.Constant, System.Globalization.CultureInfo.InvariantCulture) is var i and >= 0 ? SqlText.Long(i + 1) : SqlText.Long(Convert.ToInt64(index.Constant, System.Globalization.CultureInfo.InvariantCulture))
            : SqlLambda.Let(SqlConvert.ToLong(index).Text, i => $"ifNull(if({i} >= 0, {i} + 1, {i}), 1000000000)");
        if (value.Strings is { } strings)
        {
            return new SqlValue($"ifNull(toJSONString(arrayElementOrNull({strings}, {at})), '')", KqlType.Dynamic, false)
            {
                PlainText = $"arrayElement({strings}, {at})",
            };
        }

        if (value.Elements is { } elements)
            return SqlJson.FromJsonText($"arrayElement({elements}, {at})");
        var root = value.Type == KqlType.String ? new SqlJsonPath(value.Text, []) : value.Json ?? new SqlJsonPath(value.Text, []);
        return FromPath(new SqlJsonPath(root.Root, [.. root.Steps, at]));
    }

    private static SqlValue FromPath(SqlJsonPath path) =>
        SqlJson.FromJsonText($"JSONExtractRaw({path.Root}{path.Arguments})") with { Json = path };

    internal static HuntingException Unsupported(string message, TextSpan? place = null) => new(HuntingFailure.Unsupported, message + ".") { Place = place };
}
