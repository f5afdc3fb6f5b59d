using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Sql;

/// <summary>Row order and the functions that depend on it.</summary>
internal sealed partial class RelationWriter
{
    /// <summary>Gives every row a number in the present order, so that later steps and the result see one and the same order.</summary>
    private Select Numbered(Select input)
    {
        if (input.IsNumbered)
            return input;
        var scope = input.Wrap();
        var id = NewHidden();
        if (input.Order.Count == 0)
        {
            scope.Define(id, new SqlValue("rowNumberInAllBlocks() + 1", KqlType.Long, false));
        }
        else
        {
            scope.Define(id, new SqlValue($"row_number() OVER (ORDER BY {scope.OrderTerms()})", KqlType.Long, false));
            scope.HasWindow = true;
        }

        scope.Order = [new SqlOrder(id, false, false)];
        scope.IsNumbered = true;
        return scope;
    }

    /// <summary>Turns window functions, and functions that only this process knows, into columns below the expressions that use them.</summary>
    private Select Prepare(Select scope, IEnumerable<BoundScalar> scalars)
    {
        foreach (var scalar in scalars)
            scope = Prepare(scope, scalar);
        return scope;
    }

    private Select Prepare(Select scope, BoundScalar scalar)
    {
        if (_scalars.IsHoisted(scalar, scope))
            return scope;
        foreach (var child in BoundTree.Children(scalar))
            scope = Prepare(scope, child);
        if (scalar is not BoundCall call)
            return scope;
        if (call.Function.IsWindow)
            return Window(scope, call);
        return LocalCall(scope, call);
    }

    /// <summary>Inside mv-apply and partition, rows are seen group by group.</summary>
    private string Group(Select scope, bool tail = false)
    {
        if (_groups.Count == 0)
            return "";
        var columns = string.Join(", ", _groups.Select(g => scope.Resolve(g).Text));
        return tail ? ", " + columns : $"PARTITION BY {columns} ";
    }

    private Select Window(Select input, BoundCall call)
    {
        var scope = Numbered(Open(input)).Wrap();
        var number = scope.Resolve(scope.Order[0].Id).Text;
        var arguments = call.Arguments.Select(a => _scalars.Write(a, scope)).ToList();
        var over = $"OVER ({Group(scope)}ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)";
        SqlValue value;
        switch (call.Function.Name)
        {
            case "row_number":
            {
                var start = arguments.Count > 0 ? $" + {SqlConvert.ToLong(arguments[0]).Text} - 1" : "";
                value = arguments.Count > 1
                    ? Segmented(ref scope, arguments[1], ref number, "row_number()", false)
                    : new SqlValue($"row_number() OVER ({Group(scope)}ORDER BY {number})", KqlType.Long, false);
                value = value with { Text = $"toInt64({value.Text}{start})" };
                break;
            }

            case "row_cumsum":
            {
                var typed = Typed(arguments[0], call.Type);
                value = arguments.Count > 1
                    ? Segmented(ref scope, arguments[1], ref number, typed, call.Type)
                    : new SqlValue($"sum({typed.Text}) {over}", call.Type, typed.Nullable);
                break;
            }

            case "row_rank_dense" or "row_rank_min":
                value = Rank(ref scope, call, arguments, ref number);
                break;
            case "prev" or "next":
                value = Neighbour(scope, call, arguments, number);
                break;
            case "row_window_session":
                value = Session(ref scope, arguments, number);
                break;
            default:
                throw ScalarWriter.Unsupported($"The function {call.Function.Name}() is not supported");
        }

        var id = NewHidden();
        scope.Define(id, value);
        scope.HasWindow = true;
        _scalars.Hoist(call, id);
        return scope.Wrap();
    }

    /// <summary>Numbers the segments that a restart condition cuts the rows into, one level below.</summary>
    private string Segments(ref Select scope, SqlValue restart, ref string number) => Segments(ref scope, restart, ref number, out _);

    private string Segments(ref Select scope, SqlValue restart, ref string number, out int segment)
    {
        segment = NewHidden();
        scope.Define(segment, new SqlValue($"sum(toUInt64(ifNull({SqlConvert.ToBool(restart).Text}, false))) OVER ({Group(scope)}ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)", KqlType.Long, false));
        scope.HasWindow = true;
        scope = scope.Wrap();
        number = scope.Resolve(scope.Order[0].Id).Text;
        return scope.Resolve(segment).Text;
    }

    private SqlValue Segmented(ref Select scope, SqlValue restart, ref string number, string function, bool nullable)
    {
        var segment = Segments(ref scope, restart, ref number);
        return new SqlValue($"{function} OVER (PARTITION BY {segment}{Group(scope, tail: true)} ORDER BY {number})", KqlType.Long, nullable);
    }

    private SqlValue Segmented(ref Select scope, SqlValue restart, ref string number, SqlValue term, KqlType type)
    {
        var id = Hide(scope, term);
        var segment = Segments(ref scope, restart, ref number);
        return new SqlValue($"sum({scope.Resolve(id).Text}) OVER (PARTITION BY {segment}{Group(scope, tail: true)} ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)", type, term.Nullable);
    }

    private SqlValue Neighbour(Select scope, BoundCall call, IReadOnlyList<SqlValue> arguments, string number)
    {
        var value = Typed(arguments[0], call.Type);
        var isText = value.Type is KqlType.String or KqlType.Dynamic;
        var text = isText ? value.Text : $"toNullable({value.Text})";
        var fallback = arguments.Count > 2 ? Typed(arguments[2], call.Type).Text : isText ? "''" : "NULL";
        var over = $"OVER ({Group(scope)}ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)";
        var offset = arguments.Count > 1 ? SqlConvert.ToLong(arguments[1]) : SqlConstant.Long(1);
        if (offset is not { IsConstant: true, Constant: var constant })
        {
            // Each row says how far it looks.
            string Far(string function, string distance) => $"{function}({text}, toInt64(greatest(ifNull({distance}, 1), 1)), {(isText ? fallback : $"toNullable({fallback})")}) {over}";
            var (back, forth) = call.Function.Name == "prev" ? ("lagInFrame", "leadInFrame") : ("leadInFrame", "lagInFrame");
            return new SqlValue(
                $"multiIf(isNull({offset.Text}), {(isText ? "''" : "NULL")}, {offset.Text} = 0, {text}, {offset.Text} > 0, {Far(back, offset.Text)}, {Far(forth, $"-({offset.Text})")})",
                call.Type,
                !isText);
        }

        // A negative offset looks the other way, and the engine's functions know no offset 0.
        var distance = Math.Clamp(Convert.ToInt64(constant ?? 1L, System.Globalization.CultureInfo.InvariantCulture), -long.MaxValue, long.MaxValue);
        if (distance == 0)
            return value;
        var chosen = call.Function.Name == "prev" == distance > 0 ? "lagInFrame" : "leadInFrame";
        var last = arguments.Count > 2 ? ", " + (isText ? fallback : $"toNullable({fallback})") : "";
        return new SqlValue($"{chosen}({text}, {SqlText.Long(Math.Abs(distance))}{last}) {over}", call.Type, !isText);
    }

    private SqlValue Rank(ref Select scope, BoundCall call, IReadOnlyList<SqlValue> arguments, ref string number)
    {
        // Rows are already sorted by the term: a new rank starts where it changes.
        var term = Hide(scope, arguments[0]);
        var restart = arguments.Count > 1 ? Hide(scope, SqlConvert.ToBool(arguments[1])) : (int?)null;
        var previous = NewHidden();
        var changed = NewHidden();
        var value = scope.Resolve(term);
        scope = scope.Wrap();
        number = scope.Resolve(scope.Order[0].Id).Text;
        scope.Define(previous, new SqlValue($"lagInFrame(toNullable({scope.Resolve(term).Text})) OVER ({Group(scope)}ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)", value.Type, true));
        scope.HasWindow = true;
        scope = scope.Wrap();
        number = scope.Resolve(scope.Order[0].Id).Text;
        scope.Define(changed, new SqlValue($"toUInt64(ifNull({scope.Resolve(term).Text} != {scope.Resolve(previous).Text}, true){(restart is { } r ? $" OR {scope.Resolve(r).Text}" : "")})", KqlType.Long, false));
        scope = scope.Wrap();
        number = scope.Resolve(scope.Order[0].Id).Text;
        var partition = Group(scope);
        int? segment = null;
        if (restart is { } again)
        {
            partition = $"PARTITION BY {Segments(ref scope, scope.Resolve(again), ref number, out var found)}{Group(scope, tail: true)} ";
            segment = found;
        }

        if (call.Function.Name == "row_rank_dense")
            return new SqlValue($"toInt64(sum({scope.Resolve(changed).Text}) OVER ({partition}ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))", KqlType.Long, false);
        var position = NewHidden();
        scope.Define(position, new SqlValue($"row_number() OVER ({partition}ORDER BY {number})", KqlType.Long, false));
        scope.HasWindow = true;
        scope = scope.Wrap();
        number = scope.Resolve(scope.Order[0].Id).Text;
        if (segment is { } same)
            scope.Resolve(same);
        return new SqlValue(
            $"toInt64(max(if({scope.Resolve(changed).Text} = 1, {scope.Resolve(position).Text}, 0)) OVER ({partition}ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))",
            KqlType.Long, false);
    }

    /// <summary>row_window_session(value, maxDistanceFromFirst, maxDistanceBetweenNeighbours [, restart]): the value that began the session.</summary>
    private SqlValue Session(ref Select scope, IReadOnlyList<SqlValue> arguments, string number)
    {
        // The start of a session depends on the start of the one before, so the rows are folded in order.
        var value = SqlConvert.Ticks(SqlConvert.ToDateTime(arguments[0])).Text;
        var restart = arguments.Count > 3 ? $"ifNull({SqlConvert.ToBool(arguments[3]).Text}, false)" : "false";
        var list = NewHidden();
        var position = NewHidden();
        var order = scope.Order;
        scope.Define(list, new SqlValue($"groupArray((toInt64(assumeNotNull({value})), toUInt8({restart}))) OVER ({Group(scope)}ORDER BY {number} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)", KqlType.Unknown, false));
        scope.Define(position, new SqlValue($"row_number() OVER ({Group(scope)}ORDER BY {number})", KqlType.Long, false));
        scope.HasWindow = true;
        scope = scope.Wrap();
        var (fromFirst, between) = (SqlConvert.ToTimeSpan(arguments[1]).Text, SqlConvert.ToTimeSpan(arguments[2]).Text);
        var fold = $"arrayFold((a, r) -> if(a.3 = 0 OR r.2 = 1 OR r.1 - a.1 > {fromFirst} OR r.1 - a.2 > {between}, (r.1, r.1, toUInt8(1)), (a.1, r.1, toUInt8(1))), "
            + $"arraySlice({scope.Resolve(list).Text}, 1, {scope.Resolve(position).Text}), (toInt64(0), toInt64(0), toUInt8(0))).1";
        scope.Order = order;
        return SqlConvert.FromTicks(new SqlValue(fold, KqlType.TimeSpan, false));
    }
}
