using System.Globalization;
using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Scalar expressions other than calls.</summary>
internal sealed partial class Binder
{
    private BoundScalar BindScalar(Expr e)
    {
        if (!Enter(e.Span))
            return Unknown(e.Span);
        var result = e switch
        {
            LiteralExpr literal => new BoundLiteral(literal.Type, literal.Value, literal.Span),
            NameExpr name => BindName(name),
            ParenExpr paren => BindParenthesized(paren),
            CallExpr call => BindCall(call),
            MemberExpr member => BindMember(member),
            IndexExpr index => BindIndex(index),
            UnaryExpr unary => BindUnary(unary),
            BinaryExpr binary => BindBinary(binary),
            InExpr set => BindIn(set),
            BetweenExpr between => BindBetween(between),
            NamedExpr named => BindScalar(named.Value),
            OrderedExpr ordered => BindScalar(ordered.Value),
            MissingExpr => Unknown(e.Span),
            StarExpr => Report("KS006", "Missing expression: the star is not allowed in this context.", Before(e.Span)),
            WildcardExpr => Report("KS268", "Wildcarded names not allowed in this context.", e.Span),
            TypeOfExpr type => new BoundLiteral(KqlType.String, type.Type.Name(), e.Span),
            _ => Report("KS108", Of("Scalar value expected."), e.Span),
        };
        Leave();
        return result;
    }

    private BoundScalar Report(string code, string message, TextSpan span, string? hint = null)
    {
        Error(code, message, span, hint);
        return Unknown(span);
    }

    private BoundScalar BindParenthesized(ParenExpr paren)
    {
        if (paren.Inner is QueryExpr or DataTableExpr)
            return Report("KS108", Of("Scalar value expected."), paren.Span);
        return BindScalar(paren.Inner);
    }

    /// <summary>A predicate: must be bool (a dynamic one is not).</summary>
    private BoundScalar BindPredicate(Expr e)
    {
        var value = BindScalar(e);
        if (value.Type is not (KqlType.Bool or KqlType.Unknown))
        {
            Error("KS141", Of("The expression must have the type bool."), e.Span);
        }
        else if (e is NamedExpr { Names: [var name] } && _row?.Input?.Find(name.Name) is not null)
        {
            // where x = true: meant as a comparison.
            _diagnostics.Warning("KS200", Of("An assignment is read as the comparison '=='."), e.Span);
            var column = BindScalar(name);
            return ScalarTypes.Binary(KqlOperator.Equal, column.Type, value.Type) is { } type
                ? new BoundBinary(KqlOperator.Equal, false, column, value, type, e.Span)
                : value;
        }

        return value;
    }

    private BoundScalar BindName(NameExpr name)
    {
        if (name.Name.Length == 0)
            return Unknown(name.Span);
        if (_row?.Special is { } special && special.TryGetValue(name.Name, out var make))
            return make(name);
        // A complete table's own columns come first, then variables, then names only the run can know.
        if (_row?.Input is { } input && (input.Late is null || input.Columns.Any(c => c.Name == name.Name)) && input.Find(name.Name) is { } column)
            return UseColumn(column, name.Span);
        switch (_scope.Find(name.Name))
        {
            case ScalarVariable variable:
                return Use(variable, name.Span);
            case FunctionVariable { Declaration.Parameters: var parameters } function when parameters.All(p => p.Default is not null):
                return BindFunctionCall(function, new CallExpr(name, [], name.Span), null) as BoundScalar ?? Report("KS108", Of("Scalar value expected."), name.Span);
            case FunctionVariable:
                return Report("KS117", Of($"The function '{name.Name}' requires an argument list."), name.Span);
            case TableVariable:
                return Report("KS108", Of("Scalar value expected."), name.Span);
            case null when _schema.FindTable(name.Name) is not null:
                return Report("KS108", Of("Scalar value expected."), name.Span);
        }

        if (_row?.Input?.Late is not null && _row.Input.Find(name.Name) is { } late)
            return UseColumn(late, name.Span);
        return UnknownName(name.Name, name.Span);
    }

    private BoundScalar UseColumn(KqlColumn column, TextSpan span)
    {
        if (_aggregates is { } collector && !collector.AllowsColumn(column))
            return Report("KS236", Of($"The name '{column.Name}' is not an aggregate or scalar function."), span);
        return new BoundColumnRef(column, span);
    }

    private BoundScalar UnknownName(string name, TextSpan span)
    {
        // Written without brackets; a word of the language is no name then.
        if (span.Length == name.Length && Keywords.Contains(name))
        {
            return Report("KS006", Keywords.MissingExpression(name), Before(span));
        }

        if (span.Length == name.Length
            && ((FunctionTable.Scalars.TryGetValue(name, out var function) && !function.Attributes.IsGraph) || (_aggregates is not null && FunctionTable.Aggregates.ContainsKey(name))))
            return Report("KS117", Of($"The function '{name}' requires an argument list."), span);

        var candidates = (_row?.Input?.Columns.Select(c => c.Name) ?? []).Concat(_row?.Right?.Columns.Select(c => c.Name) ?? []).Concat(_scope.AllNames());
        return Report("KS142", Of($"Failed to resolve scalar expression named '{name}'"), span, Hints.Nearest(name, candidates));
    }

    /// <summary>The place behind what stands in front of a span.</summary>
    private TextSpan Before(TextSpan span)
    {
        var end = span.Start;
        while (end > 0 && char.IsWhiteSpace(_text[end - 1]))
            end--;
        return new TextSpan(end, 0);
    }

    private BoundScalar BindMember(MemberExpr member)
    {
        if (member.Target is NameExpr { Name: "$left" or "$right" } side)
        {
            var table = side.Name == "$left" ? _row?.Input : _row?.Right;
            if (table is null)
                return Report("KS142", Of($"Failed to resolve scalar expression named '{side.Name}'"), side.Span);
            if (member.Selector is NameExpr selected)
            {
                return table.Find(selected.Name) is { } column
                    ? new BoundColumnRef(column, member.Span)
                    : Report("KS142", Of($"Failed to resolve scalar expression named '{selected.Name}'"), selected.Span, Hints.Nearest(selected.Name, table.Columns.Select(c => c.Name)));
            }
        }

        if (member.Target is NameExpr owner && member.Selector is NameExpr property && _row?.SpecialMember?.Invoke(owner.Name, property.Name, member.Span) is { } found)
            return found;
        if (IsDatabase(member.Target))
        {
            if (member is { Target: NameExpr { Name: var databaseName }, Selector: NameExpr { Name: "$current_database" or "$current_cluster_endpoint" } fact } && _scope.Find(databaseName) is DatabaseVariable database)
            {
                return fact.Name == "$current_database" ? new BoundLiteral(KqlType.String, database.Database, member.Span)
                    : database.Cluster is { } cluster ? new BoundLiteral(KqlType.String, cluster, member.Span)
                    : BindCall(new CallExpr(new NameExpr("current_cluster_endpoint", member.Span), [], member.Span));
            }

            if (member.Selector is CallExpr inner && !IsTabular(member))
                return BindCall(inner);
            return Report("KS108", Of("Scalar value expected."), member.Span);
        }

        var target = BindScalar(member.Target);
        if (member.Selector is not NameExpr name)
            return Report("KS108", Of("Scalar value expected."), member.Span);
        return CanHaveMembers(target)
            ? new BoundMember(target, name.Name, member.Span)
            : Report("KS142", Of($"Failed to resolve scalar expression named '{name.Name}'"), name.Span);
    }

    /// <summary>Dynamic values have members, and so have string columns, which may hold JSON text.</summary>
    private static bool CanHaveMembers(BoundScalar target) =>
        target.Type is KqlType.Dynamic or KqlType.Unknown || (target.Type == KqlType.String && target is BoundColumnRef);

    private BoundScalar BindIndex(IndexExpr index)
    {
        var target = BindScalar(index.Target);
        var key = BindScalar(index.Index);
        if (!CanHaveMembers(target))
            return Report("KS147", Of("The element access operator [] is not allowed in this context."), index.Span);
        if (target.Type == KqlType.Unknown)
            return Unknown(index.Span);
        if (key is BoundLiteral { Type: KqlType.String, Value: string name })
            return new BoundMember(target, name, index.Span);
        if (key.Type is not (KqlType.Int or KqlType.Long or KqlType.String or KqlType.Dynamic or KqlType.Unknown))
            Error("KS141", Of("The expression must have one of the types: string, int, long or dynamic."), index.Index.Span);
        return new BoundIndex(target, key, index.Span);
    }

    private BoundScalar BindUnary(UnaryExpr unary)
    {
        var operand = BindScalar(unary.Operand);
        if (operand.Type == KqlType.Unknown)
            return operand;
        if (!operand.Type.IsSummable() && operand.Type != KqlType.Dynamic)
        {
            return Report(
                "KS106", Of($"The operator '{(unary.IsNegative ? "-" : "+")}' is not defined for the operand type {operand.Type.Name()}."), new TextSpan(unary.Span.Start, 1));
        }

        if (!unary.IsNegative)
            return operand;
        return operand is BoundLiteral literal && Folding.Negate(literal, unary.Span) is { } folded ? folded : new BoundNegate(operand, unary.Span);
    }

    private BoundScalar BindBinary(BinaryExpr binary)
    {
        if (binary.Left is StarExpr)
            return BindStarOperator(binary);
        if (IsTableName(binary.Left) || IsTableName(binary.Right))
            return BindTableOperand(binary);
        var left = BindScalar(binary.Left);
        var right = BindScalar(binary.Right);
        if (ScalarTypes.Binary(binary.Operator, left.Type, right.Type) is not { } type)
        {
            return Report(
                "KS106",
                Of($"The operator '{binary.OperatorText}' is not defined for the operand types {left.Type.Name()} and {right.Type.Name()}."),
                binary.OperatorSpan);
        }

        if (binary.Operator is KqlOperator.Equal or KqlOperator.NotEqual && (IsTabular(binary.Left) || IsTabular(binary.Right)))
            Error("KS108", Of("Scalar value expected."), binary.Span);
        if (left is BoundLiteral a && right is BoundLiteral b && Folding.Binary(binary.Operator, a, b, type, binary.Span) is { } folded)
            return folded;
        return new BoundBinary(Cased(binary.Operator), binary.IsNegated, left, right, type, binary.Span);
    }

    private bool IsTableName(Expr e) => e is NameExpr or DataTableExpr && IsTabular(e);

    /// <summary>A table where an operator wants a value: said once, at the operator unless it is an equality; not at all when the other side is missing.</summary>
    private BoundScalar BindTableOperand(BinaryExpr binary)
    {
        var leftIsTable = IsTableName(binary.Left);
        var other = leftIsTable ? binary.Right : binary.Left;
        var otherType = IsTableName(other) ? "table" : BindScalar(other) is { Type: not KqlType.Unknown and var type } ? type.Name() : null;
        if (otherType is null)
            return Unknown(binary.Span);
        if (binary.Operator is KqlOperator.Equal or KqlOperator.NotEqual)
            return Report("KS108", Of("Scalar value expected."), (leftIsTable ? binary.Left : binary.Right).Span);
        var (left, right) = leftIsTable ? ("table", otherType) : (otherType, "table");
        return Report("KS106", Of($"The operator '{binary.OperatorText}' is not defined for the operand types {left} and {right}."), binary.OperatorSpan);
    }

    private BoundScalar BindIn(InExpr set)
    {
        BoundScalar value;
        if (set.Left is StarExpr && _row?.Input is { } input)
        {
            // * has_any (...): any column.
            return AnyColumn(input, set.Span, column => BindInItems(set, column));
        }

        value = BindScalar(set.Left);
        if (set.Operator is not KqlSetOperator.In && value.Type is not (KqlType.String or KqlType.Dynamic or KqlType.Unknown))
        {
            return Report("KS107", Of($"The operator '{set.OperatorText}' is not defined for the operand type {value.Type.Name()}: a value of type string or dynamic expected."), set.Left.Span);
        }

        return BindInItems(set, value);
    }

    private BoundIn BindInItems(InExpr set, BoundScalar value)
    {
        if (set.Items.Count == 1 && IsTabular(set.Items[0]))
        {
            var saved = _aggregates;
            _aggregates = null;
            var table = BindTable(set.Items[0]);
            _aggregates = saved;
            return new BoundIn(set.Operator, set.IsNegated, value, null, table.Node, set.Span);
        }

        var items = new BoundScalar[set.Items.Count];
        for (var i = 0; i < items.Length; i++)
            items[i] = BindScalar(set.Items[i]);
        return new BoundIn(_exactCase && set.Operator == KqlSetOperator.InIgnoreCase ? KqlSetOperator.In : set.Operator, set.IsNegated, value, items, null, set.Span);
    }

    private BoundScalar BindBetween(BetweenExpr between)
    {
        var value = BindScalar(between.Value);
        var low = BindScalar(between.Low);
        var high = BindScalar(between.High);
        if (low.Type == KqlType.DateTime && high.Type == KqlType.TimeSpan)
        {
            var span = between.High.Span;
            high = low is BoundLiteral a && high is BoundLiteral b && Folding.Binary(KqlOperator.Add, a, b, KqlType.DateTime, span) is { } folded
                ? folded
                : new BoundBinary(KqlOperator.Add, false, low, high, KqlType.DateTime, span);
        }

        if (!CanBound(value.Type, low.Type) || !CanBound(value.Type, high.Type))
        {
            return Report(
                "KS106",
                Of($"The operator '{(between.IsNegated ? "!between" : "between")}' is not defined for the operand types {value.Type.Name()}, {low.Type.Name()} and {high.Type.Name()}."),
                between.OperatorSpan);
        }

        return new BoundBetween(value, low, high, between.IsNegated, between.Span);

        static bool CanBound(KqlType value, KqlType bound) =>
            value == bound ? value is not (KqlType.Bool or KqlType.String or KqlType.Guid)
            : value == KqlType.Unknown || bound == KqlType.Unknown || (value.IsNumeric() && bound.IsNumeric()) || value == KqlType.Dynamic || bound == KqlType.Dynamic;
    }

    /// <summary><c>* has "x"</c>: whether any column fulfils the operator. Columns that are no text take part through their text.</summary>
    private BoundScalar BindStarOperator(BinaryExpr binary)
    {
        if (_row?.Input is not { } input)
            return Report("KS116", "The star is not allowed in this context.", binary.Left.Span);
        var right = BindScalar(binary.Right);
        return AnyColumn(input, binary.Span, column => new BoundBinary(Cased(binary.Operator), binary.IsNegated, column, right, KqlType.Bool, binary.Span), SearchedText(right));
    }

    private static string? SearchedText(BoundScalar value) => value is BoundLiteral { Value: string text } ? text : null;

    /// <summary>The disjunction of a predicate over all columns, as a balanced tree.</summary>
    private BoundScalar AnyColumn(TableValue input, TextSpan span, Func<BoundScalar, BoundScalar> predicate, string? text = null)
    {
        var parts = new List<BoundScalar>();
        foreach (var column in input.Columns)
        {
            if (!CanContain(column.Type, text))
                continue;
            BoundScalar value = new BoundColumnRef(column, span);
            if (column.Type is not (KqlType.String or KqlType.Dynamic))
                value = new BoundConvert(value, KqlType.String, span);
            if (!AddNodes(2, span))
                break;
            parts.Add(predicate(value));
        }

        return parts.Count == 0 ? new BoundLiteral(KqlType.Bool, false, span) : Balance(parts, 0, parts.Count - 1, KqlOperator.Or, span);
    }

    /// <summary>Whether the text form of a type can contain the text looked for: a word without digits is in no number.</summary>
    private static bool CanContain(KqlType type, string? text) => type switch
    {
        KqlType.String or KqlType.Dynamic or KqlType.Guid => true,
        KqlType.Bool => text is null || "true".StartsWith(text, StringComparison.OrdinalIgnoreCase) || "false".StartsWith(text, StringComparison.OrdinalIgnoreCase),
        _ => text is null || text.AsSpan().IndexOfAnyInRange('0', '9') >= 0,
    };

    private static BoundScalar Balance(IReadOnlyList<BoundScalar> parts, int low, int high, KqlOperator op, TextSpan span)
    {
        if (low == high)
            return parts[low];
        var middle = low + ((high - low) / 2);
        return new BoundBinary(op, false, Balance(parts, low, middle, op, span), Balance(parts, middle + 1, high, op, span), KqlType.Bool, span);
    }

    /// <summary>Converts a value to a declared type where the language does so by itself.</summary>
    private BoundScalar Coerce(BoundScalar value, KqlType type)
    {
        if (value.Type == type || type == KqlType.Unknown || value.Type == KqlType.Unknown)
            return value;
        if (value is BoundLiteral literal && Folding.Convert(literal, type) is { } folded)
            return folded;
        return new BoundConvert(value, type, value.Span);
    }

    /// <summary>A row count: an integer without column references.</summary>
    private BoundScalar BindCount(Expr e)
    {
        var saved = _row;
        _row = new Row(null);
        var value = BindScalar(e);
        _row = saved;
        if (value.Type is not (KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Unknown))
            Error("KS134", Of("The expression value must be an integer."), e.Span);
        else if (value is BoundLiteral { Value: long and < 0 })
            Error("KS134", Of("The expression value must not be negative."), e.Span);
        return value;
    }

    private List<Bound.SortKey> BindSortKeys(IReadOnlyList<Expr> items, bool noDynamic = false)
    {
        var keys = new List<Bound.SortKey>(items.Count);
        foreach (var item in items)
        {
            var ordered = item as OrderedExpr;
            var value = BindScalar(ordered?.Value ?? item);
            if (value.Type == KqlType.Dynamic && noDynamic)
                Error("KS116", Of("The value of type 'dynamic' is not allowed in this context."), item.Span);
            var descending = ordered?.Descending ?? true;
            keys.Add(new Bound.SortKey(value, descending, ordered?.NullsFirst ?? !descending));
        }

        return keys;
    }

    /// <summary>The text of a constant expression, or null.</summary>
    private static string? ConstantText(BoundScalar value) => value switch
    {
        BoundLiteral { Value: string s } => s,
        BoundLiteral { Value: { } v } => Convert.ToString(v, CultureInfo.InvariantCulture),
        _ => null,
    };
}
