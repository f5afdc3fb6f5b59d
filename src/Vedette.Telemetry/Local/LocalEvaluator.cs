using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Functions;

namespace Vedette.Telemetry.Local;

/// <summary>Evaluates scalar expressions over rows in this process, for operators that look at rows one after another.</summary>
/// <param name="column">The value of a column of the present row.</param>
/// <param name="state">The value of a column in the stored state of a scan step.</param>
/// <param name="now">What now() gives.</param>
internal sealed class LocalEvaluator(Func<KqlColumn, object?> column, Func<BoundScanState, object?> state, DateTime now)
{
    private static readonly TimeSpan RegexTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Values of expressions that only the operator knows; asked before anything else.</summary>
    public Func<BoundScalar, LocalEvaluator, (bool Known, object? Value)>? Special { get; init; }

    /// <summary>Where expressions are computed that this process does not compute exactly; null when there is no such place.</summary>
    public EngineValues? Engine { get; init; }

    /// <summary>The type of what <see cref="Special"/> or a column gives, when it is not that of the expression.</summary>
    public Func<BoundScalar, KqlType> TypeOf { get; init; } = static s => s.Type;

    /// <summary>The operator's own functions of which a part has to be asked for; null for anything else.</summary>
    public Func<BoundScalar, ValueTask<object?>?>? SpecialAsync { get; init; }

    /// <summary>A part's value as it would be so many rows later, while the operator's state stays as it is; null when there is no such row.</summary>
    public Func<IReadOnlyList<BoundScalar>, object?[], int, object?[]?>? Ahead { get; init; }

    /// <summary>The value of an expression, of its type, wherever it is computed. Needs <see cref="EngineValues.RunAsync"/> around it.</summary>
    public ValueTask<object?> EvaluateAsync(BoundScalar scalar) => Engine is null || Engine.IsLocal(scalar) ? new(Plain(Evaluate(scalar))) : AskAsync(scalar, Engine);

    private static object? Plain(object? value) => value is System.Text.Json.Nodes.JsonNode node ? LocalJson.Write(node) : value;

    private async ValueTask<object?> AskAsync(BoundScalar scalar, EngineValues engine)
    {
        switch (scalar)
        {
            // What need not be computed may fail, and costs a question. What this process knows comes first.
            case BoundBinary { Operator: KqlOperator.And or KqlOperator.Or, Left.Type: KqlType.Bool, Right.Type: KqlType.Bool } both:
            {
                var (first, second) = engine.IsLocal(both.Left) || !engine.IsLocal(both.Right) ? (both.Left, both.Right) : (both.Right, both.Left);
                var decides = both.Operator == KqlOperator.Or;
                var one = await EvaluateAsync(first);
                if (one is bool known && known == decides)
                    return decides;
                var other = await EvaluateAsync(second);
                return other is bool last && last == decides ? decides : one is null || other is null ? null : !decides;
            }

            case BoundCall { Function.Name: "iff", Arguments: [var condition, var yes, var no] } call when yes.Type == call.Type && no.Type == call.Type:
                return await EvaluateAsync(await EvaluateAsync(condition) is true ? yes : no);
        }

        if (SpecialAsync?.Invoke(scalar) is { } special)
            return await special;
        var expression = engine.Expression(scalar, TypeOf);
        var values = new object?[expression.Leaves.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = await EvaluateAsync(expression.Leaves[i]);
        return await engine.ValueAsync(expression, values, Ahead is null ? null : rows => Ahead(expression.Leaves, values, rows));
    }

    /// <summary>Whether a predicate is true, wherever it is computed.</summary>
    public async ValueTask<bool> IsTrueAsync(BoundScalar predicate) => await EvaluateAsync(predicate) is true;

    /// <summary>Whether a predicate is true.</summary>
    public bool IsTrue(BoundScalar predicate) => Evaluate(predicate) is true;

    /// <summary>The value of an expression, of its type.</summary>
    public object? Evaluate(BoundScalar scalar) => Special?.Invoke(scalar, this) is (true, var known) ? known : scalar switch
    {
        BoundLiteral literal => literal.Value ?? (literal.Type is KqlType.String or KqlType.Dynamic ? "" : null),
        BoundColumnRef reference => column(reference.Column),
        BoundScanState stored => state(stored),
        BoundNegate negate => Arithmetic(KqlOperator.Subtract, Zero(negate.Operand.Type), Evaluate(negate.Operand), negate.Type),
        BoundConvert convert => LocalValues.To(Evaluate(convert.Operand), convert.Operand.Type, convert.Type),
        BoundBetween between => Between(between),
        BoundBinary binary => Binary(binary),
        BoundIn { Items: { } items } set => In(set, items),
        BoundMember member => Part(LocalJson.Parse(LocalValues.ToJson(Evaluate(member.Value), KqlType.Dynamic)) is System.Text.Json.Nodes.JsonObject bag ? bag[member.Name] : null),
        BoundIndex { Index.Type: KqlType.Long or KqlType.Int } index => Part(
            LocalJson.Parse(LocalValues.ToJson(Evaluate(index.Value), KqlType.Dynamic)) is System.Text.Json.Nodes.JsonArray array
            && Convert.ToInt64(Evaluate(index.Index), CultureInfo.InvariantCulture) is var at && (at < 0 ? at + array.Count : at) is var position && position >= 0 && position < array.Count
                ? array[(int)position] : null),
        BoundCall call => Call(call),
        _ => throw new HuntingException(HuntingFailure.Unsupported, "This expression is not supported in this operator."),
    };

    private static object? Part(System.Text.Json.Nodes.JsonNode? node) => node is null ? "" : LocalJson.Write(node);

    private static object? Zero(KqlType type) => type == KqlType.TimeSpan ? TimeSpan.Zero : type == KqlType.Real ? 0d : 0L;

    private object? Between(BoundBetween node)
    {
        var value = Evaluate(node.Value);
        if (Compare(value, node.Value.Type, Evaluate(node.Low), node.Low.Type) is not { } low || Compare(value, node.Value.Type, Evaluate(node.High), node.High.Type) is not { } high)
            return null;
        return (low >= 0 && high <= 0) != node.Negated;
    }

    private object? In(BoundIn set, IReadOnlyList<BoundScalar> items)
    {
        var value = Evaluate(set.Value);
        var found = items.Any(i => set.Operator == KqlSetOperator.In
            ? Compare(value, set.Value.Type, Evaluate(i), i.Type) == 0
            : set.Operator == KqlSetOperator.InIgnoreCase
                ? string.Equals(Text(value, set.Value.Type), Text(Evaluate(i), i.Type), StringComparison.OrdinalIgnoreCase)
                : Match(KqlOperator.Has, Text(value, set.Value.Type), Text(Evaluate(i), i.Type)));
        if (set.Operator == KqlSetOperator.HasAll)
            found = items.All(i => Match(KqlOperator.Has, Text(value, set.Value.Type), Text(Evaluate(i), i.Type)));
        return found != set.Negated;
    }

    private object? Binary(BoundBinary node)
    {
        var left = Evaluate(node.Left);
        switch (node.Operator)
        {
            case KqlOperator.And:
                return left is false ? false : Evaluate(node.Right) is var r && r is false ? false : left is null || r is null ? null : true;
            case KqlOperator.Or:
                return left is true ? true : Evaluate(node.Right) is var o && o is true ? true : left is null || o is null ? null : false;
        }

        var right = Evaluate(node.Right);
        var (a, b) = (node.Left.Type, node.Right.Type);
        switch (node.Operator)
        {
            case KqlOperator.Equal or KqlOperator.NotEqual:
            {
                if (left is null || right is null)
                    return left is null && right is null ? null : node.Operator == KqlOperator.NotEqual;
                return (Compare(left, a, right, b) == 0) == (node.Operator == KqlOperator.Equal);
            }

            case KqlOperator.Less or KqlOperator.LessOrEqual or KqlOperator.Greater or KqlOperator.GreaterOrEqual:
                return Compare(left, a, right, b) is not { } order ? null : node.Operator switch
                {
                    KqlOperator.Less => order < 0,
                    KqlOperator.LessOrEqual => order <= 0,
                    KqlOperator.Greater => order > 0,
                    _ => order >= 0,
                };
            case KqlOperator.Add or KqlOperator.Subtract or KqlOperator.Multiply or KqlOperator.Divide or KqlOperator.Modulo:
                return Arithmetic(node.Operator, left, right, node.Type);
            default:
                return Match(node.Operator, Text(left, a), Text(right, b)) != node.Negated;
        }
    }

    private static string Text(object? value, KqlType type) => LocalValues.ToText(value, type);

    private static int? Compare(object? left, KqlType leftType, object? right, KqlType rightType)
    {
        if (left is null || right is null)
            return null;
        return (left, right) switch
        {
            (string x, string y) => string.CompareOrdinal(Text(x, leftType), Text(y, rightType)),
            (DateTime x, DateTime y) => x.CompareTo(y),
            (TimeSpan x, TimeSpan y) => x.CompareTo(y),
            (bool x, bool y) => x.CompareTo(y),
            (Guid x, Guid y) => x.CompareTo(y),
            (int or long, int or long) => Convert.ToInt64(left, CultureInfo.InvariantCulture).CompareTo(Convert.ToInt64(right, CultureInfo.InvariantCulture)),
            _ => LocalValues.To(left, leftType, KqlType.Real) is double x && LocalValues.To(right, rightType, KqlType.Real) is double y ? x.CompareTo(y) : null,
        };
    }

    private static object? Arithmetic(KqlOperator op, object? left, object? right, KqlType type)
    {
        switch (left, right)
        {
            case (null, _) or (_, null):
                return null;
            case (DateTime x, DateTime y):
                return x - y;
            case (DateTime x, TimeSpan y):
                return Time(x.Ticks + (Int128)(op == KqlOperator.Add ? y.Ticks : -(Int128)y.Ticks));
            case (TimeSpan x, DateTime y):
                return Time(y.Ticks + (Int128)x.Ticks);
            case (TimeSpan x, TimeSpan y):
                return op switch
                {
                    KqlOperator.Add => new TimeSpan(unchecked(x.Ticks + y.Ticks)),
                    KqlOperator.Subtract => new TimeSpan(unchecked(x.Ticks - y.Ticks)),
                    KqlOperator.Divide => y.Ticks == 0 ? null : (double)x.Ticks / y.Ticks,
                    _ => y.Ticks == 0 ? null : new TimeSpan(x.Ticks - (y.Ticks * (long)Math.Floor((double)x.Ticks / y.Ticks))),
                };
            case (TimeSpan x, _):
                return op == KqlOperator.Multiply ? x * Convert.ToDouble(right, CultureInfo.InvariantCulture) : x / Convert.ToDouble(right, CultureInfo.InvariantCulture);
            case (_, TimeSpan y):
                return y * Convert.ToDouble(left, CultureInfo.InvariantCulture);
        }

        if (left is int or long or bool && right is int or long or bool)
        {
            var value = Whole(op, Convert.ToInt64(left, CultureInfo.InvariantCulture), Convert.ToInt64(right, CultureInfo.InvariantCulture));
            return LocalValues.To(value, KqlType.Long, type is KqlType.Unknown ? KqlType.Long : type);
        }

        var (a, b) = (Convert.ToDouble(left, CultureInfo.InvariantCulture), Convert.ToDouble(right, CultureInfo.InvariantCulture));
        return op switch
        {
            KqlOperator.Add => a + b,
            KqlOperator.Subtract => a - b,
            KqlOperator.Multiply => a * b,
            KqlOperator.Divide => a / b,
            _ => a - (b * Math.Floor(a / b)),
        };
    }

    /// <summary>A time; null when it lies beyond what a datetime can hold.</summary>
    private static object? Time(Int128 ticks) => ticks >= 0 && ticks <= DateTime.MaxValue.Ticks ? new DateTime((long)ticks, DateTimeKind.Utc) : null;

    private static object? Whole(KqlOperator op, long a, long b) => op switch
    {
        KqlOperator.Add => unchecked(a + b),
        KqlOperator.Subtract => unchecked(a - b),
        KqlOperator.Multiply => unchecked(a * b),
        _ when b == 0 => null,
        KqlOperator.Divide => (long)((BigInteger)a / b),
        _ => (long)((((BigInteger)a % b) + BigInteger.Abs(b)) % BigInteger.Abs(b)),
    };

    private static bool Match(KqlOperator op, string text, string pattern) => op switch
    {
        KqlOperator.EqualIgnoreCase => text.Equals(pattern, StringComparison.OrdinalIgnoreCase),
        KqlOperator.Contains => text.Contains(pattern, StringComparison.OrdinalIgnoreCase),
        KqlOperator.ContainsCs => text.Contains(pattern, StringComparison.Ordinal),
        KqlOperator.StartsWith => text.StartsWith(pattern, StringComparison.OrdinalIgnoreCase),
        KqlOperator.StartsWithCs => text.StartsWith(pattern, StringComparison.Ordinal),
        KqlOperator.EndsWith => text.EndsWith(pattern, StringComparison.OrdinalIgnoreCase),
        KqlOperator.EndsWithCs => text.EndsWith(pattern, StringComparison.Ordinal),
        KqlOperator.MatchesRegex => Regex.IsMatch(text, pattern, RegexOptions.NonBacktracking, RegexTimeout),
        KqlOperator.Has => Term(text, pattern, RegexOptions.IgnoreCase, true, true),
        KqlOperator.HasCs => Term(text, pattern, RegexOptions.None, true, true),
        KqlOperator.HasPrefix => Term(text, pattern, RegexOptions.IgnoreCase, true, false),
        KqlOperator.HasSuffix => Term(text, pattern, RegexOptions.IgnoreCase, false, true),
        _ => throw new HuntingException(HuntingFailure.Unsupported, $"The operator {op} is not supported in this operator."),
    };

    private static bool Term(string text, string pattern, RegexOptions options, bool left, bool right)
    {
        if (pattern.Length == 0)
            return true;
        var before = left && IsTerm(pattern[0]) ? @"(?<![A-Za-z0-9\u0080-\uFFFF])" : "";
        var after = right && IsTerm(pattern[^1]) ? @"(?![A-Za-z0-9\u0080-\uFFFF])" : "";
        return Regex.IsMatch(text, before + Regex.Escape(pattern) + after, options | RegexOptions.CultureInvariant, RegexTimeout);

        static bool IsTerm(char c) => char.IsAsciiLetterOrDigit(c) || c >= 0x80;
    }

    private object? Call(BoundCall call)
    {
        var name = call.Function.Name;
        switch (name)
        {
            // The branch that is not taken may fail.
            case "iff":
                return Converted(call.Arguments[Evaluate(call.Arguments[0]) is true ? 1 : 2], call.Type);
            case "case":
                for (var i = 0; i + 1 < call.Arguments.Count; i += 2)
                {
                    if (Evaluate(call.Arguments[i]) is true)
                        return Converted(call.Arguments[i + 1], call.Type);
                }

                return Converted(call.Arguments[^1], call.Type);
            case "now" when call.Arguments.Count == 0:
                return now;
            case "now":
                return Evaluate(call.Arguments[0]) is TimeSpan ahead ? now + ahead : null;
            case "ago":
                return Evaluate(call.Arguments[0]) is TimeSpan back ? now - back : null;
        }

        if ((RowFunctions.Find(name) ?? LocalFunctionTable.Find(name)) is not { } function)
            throw new HuntingException(HuntingFailure.Unsupported, $"The function {name}() is not supported in this operator.");
        return LocalFunctionTable.Compute(function, name, [.. call.Arguments.Select(a => a.Type)], [.. call.Arguments.Select(a => Evaluate(a) switch { System.Text.Json.Nodes.JsonNode node => LocalJson.Write(node), var value => value })], call.Type);
    }

    private object? Converted(BoundScalar scalar, KqlType type) => LocalValues.To(Evaluate(scalar), scalar.Type, type);
}
