using System.Globalization;
using Vedette.Kql;

namespace Vedette.Telemetry.Sql.Aggregates;

/// <summary>An aggregate call while it is being written.</summary>
internal sealed class AggregateCall(string name, IReadOnlyList<SqlValue> arguments, SqlValue? condition, KqlType type, bool mayBeEmpty)
{
    public string Name { get; } = name;

    public IReadOnlyList<SqlValue> Arguments { get; } = arguments;

    /// <summary>Type of the first output.</summary>
    public KqlType Type { get; } = type;

    /// <summary>Whether there can be a result for no rows.</summary>
    public bool MayBeEmpty { get; } = mayBeEmpty || condition is not null;

    public SqlValue this[int index] => Arguments[index];

    /// <summary>An engine aggregate over arguments and the condition.</summary>
    public string Apply(string function, params string[] operands) => Apply(function, null, operands);

    /// <summary>An engine aggregate with parameters over arguments and the condition.</summary>
    public string Apply(string function, string? parameters, IReadOnlyList<string> operands, string? filter = null)
    {
        var conditions = new List<string>();
        if (condition is not null)
            conditions.Add($"ifNull({condition.Text}, false)");
        if (filter is not null)
            conditions.Add(filter);
        var list = parameters is null ? "" : $"({parameters})";
        return conditions.Count == 0
            ? $"{function}{list}({string.Join(", ", operands)})"
            : $"{function}If{list}({string.Join(", ", operands.Append(string.Join(" AND ", conditions)))})";
    }

    public long? ConstantLong(int index) => index < Arguments.Count && Arguments[index] is { IsConstant: true, Constant: int or long } value
        ? Convert.ToInt64(value.Constant, CultureInfo.InvariantCulture)
        : null;
}

/// <summary>Writes an aggregate as SQL.</summary>
internal delegate SqlValue AggregateFunction(AggregateCall call);

/// <summary>The aggregates that SQL can say, by canonical name without the "if" form.</summary>
internal static class AggregateTable
{
    /// <summary>Arguments before the predicate of each "if" form.</summary>
    private static readonly Dictionary<string, (string Name, int Predicate)> Conditional = new(StringComparer.Ordinal)
    {
        ["countif"] = ("count", 0),
        ["dcountif"] = ("dcount", 1),
        ["count_distinctif"] = ("count_distinct", 1),
        ["sumif"] = ("sum", 1),
        ["avgif"] = ("avg", 1),
        ["minif"] = ("min", 1),
        ["maxif"] = ("max", 1),
        ["stdevif"] = ("stdev", 1),
        ["varianceif"] = ("variance", 1),
        ["variancepif"] = ("variancep", 1),
        ["covarianceif"] = ("covariance", 2),
        ["covariancepif"] = ("covariancep", 2),
        ["make_set_if"] = ("make_set", 1),
        ["make_list_if"] = ("make_list", 1),
        ["make_bag_if"] = ("make_bag", 1),
        ["take_anyif"] = ("take_any", 1),
        ["anyif"] = ("take_any", 1),
        ["hll_if"] = ("hll", 1),
    };

    private static readonly Dictionary<string, AggregateFunction> Functions = new(StringComparer.Ordinal)
    {
        ["count"] = c => new SqlValue($"toInt64({c.Apply("count")})", KqlType.Long, false),
        ["dcount"] = c => new SqlValue($"toInt64(ifNull({c.Apply("uniqCombined64", Precision(c), [Distinct(c[0])])}, 0))", KqlType.Long, false),
        ["count_distinct"] = c => new SqlValue($"toInt64(ifNull({c.Apply("uniqExact", Distinct(c[0]))}, 0))", KqlType.Long, false),
        ["sum"] = Sum,
        ["avg"] = Average,
        ["min"] = c => Extreme(c, "min"),
        ["max"] = c => Extreme(c, "max"),
        ["take_any"] = c => Extreme(c, "any"),
        ["stdev"] = c => Spread(c, "stddevSamp"),
        ["stdevp"] = c => Spread(c, "stddevPop"),
        ["variance"] = c => Spread(c, "varSamp"),
        ["variancep"] = c => Spread(c, "varPop"),
        ["covariance"] = c => Covariance(c, "covarSamp"),
        ["covariancep"] = c => Covariance(c, "covarPop"),
        ["make_set"] = MakeSet,
        ["make_list"] = c => MakeList(c, withNulls: false),
        ["make_list_with_nulls"] = c => MakeList(c, withNulls: true),
        ["make_bag"] = MakeBag,
        ["percentile"] = Percentile,
        ["percentilew"] = WeightedPercentile,
        ["percentiles_array"] = c => Percentiles(c, 1),
        ["percentilesw_array"] = c => Percentiles(c, 2),
        ["hll"] = c => HllSketch.Of(c.Apply("groupUniqArray", $"reinterpretAsUInt64({HllSketch.Hash(c[0])})"), HllSketch.Bits(c.ConstantLong(1))),
        ["hll_merge"] = c => HllSketch.Of($"arrayDistinct(arrayFlatten({c.Apply("groupArray", HllSketch.Hashes(c[0]))}))", $"greatest({c.Apply("max", $"JSONExtractInt({c[0].Text}, 1, 2)")}, 12)"),
        ["tdigest"] = DigestAggregate.Write,
        ["binary_all_and"] = c => new SqlValue($"toInt64({c.Apply("groupBitAnd", SqlConvert.ToLong(c[0]).Text)})", KqlType.Long, true),
        ["binary_all_or"] = c => new SqlValue($"toInt64({c.Apply("groupBitOr", SqlConvert.ToLong(c[0]).Text)})", KqlType.Long, true),
        ["binary_all_xor"] = c => new SqlValue($"toInt64({c.Apply("groupBitXor", SqlConvert.ToLong(c[0]).Text)})", KqlType.Long, true),
    };

    /// <summary>Writes an aggregate of one output; null when SQL cannot say it.</summary>
    public static SqlValue? Write(string name, IReadOnlyList<SqlValue> arguments, KqlType type, bool mayBeEmpty)
    {
        SqlValue? condition = null;
        if (Conditional.TryGetValue(name, out var form))
        {
            condition = SqlConvert.ToBool(arguments[form.Predicate]);
            arguments = [.. arguments.Where((_, i) => i != form.Predicate)];
            name = form.Name;
        }

        return Functions.TryGetValue(name, out var function) ? function(new AggregateCall(name, arguments, condition, type, mayBeEmpty)) : null;
    }

    /// <summary>Whether the result depends on the order of rows.</summary>
    public static bool DependsOnOrder(string name) => name is "make_list" or "make_list_if" or "make_list_with_nulls" or "make_set" or "make_set_if" or "make_bag" or "make_bag_if";

    /// <summary>Names of all aggregates in the table.</summary>
    public static IEnumerable<string> Names => Functions.Keys.Concat(Conditional.Keys);

    private static string Distinct(SqlValue value) => value.Type == KqlType.Dynamic ? $"nullIf({value.Text}, '')" : value.Text;

    private static SqlValue Number(AggregateCall c, int index)
    {
        var value = c[index];
        return value.Type is KqlType.Dynamic or KqlType.String or KqlType.Bool
            ? SqlConvert.To(value, c.Type is KqlType.Long ? KqlType.Long : KqlType.Real)
            : value.Type == KqlType.Int ? SqlConvert.ToLong(value) : value;
    }

    private static SqlValue Sum(AggregateCall c)
    {
        if (c[0].Type == KqlType.DateTime)
        {
            // Times are summed as what has passed since the first year.
            var ticks = SqlConvert.Ticks(c[0]);
            return SqlConvert.FromTicks(new SqlValue($"{c.Apply("sumOrNull", $"{ticks.Text} + {SqlConvert.UnixEpochTicks}")} - {SqlConvert.UnixEpochTicks}", KqlType.TimeSpan, true));
        }

        var value = Number(c, 0);
        if (value.Type == KqlType.DateTime)
            return SqlConvert.FromTicks(new SqlValue($"ifNull({c.Apply("sum", $"({SqlConvert.Ticks(value).Text} + {SqlConvert.UnixEpochTicks})")}, 0) - {SqlConvert.UnixEpochTicks}", KqlType.TimeSpan, false));
        var sum = c.Apply("sum", value.Text);
        if (value.Nullable)
            sum = $"ifNull({sum}, 0)";
        return SqlConvert.To(new SqlValue(sum, value.Type, false), c.Type);
    }

    private static SqlValue Average(AggregateCall c)
    {
        if (c[0].Type == KqlType.DateTime)
            return SqlConvert.FromTicks(new SqlValue($"toInt64({c.Apply("avgOrNull", SqlConvert.Ticks(c[0]).Text)})", KqlType.TimeSpan, true));
        if (c[0].Type == KqlType.TimeSpan)
            return new SqlValue($"toInt64({c.Apply("avgOrNull", c[0].Text)})", KqlType.TimeSpan, true);
        var value = c[0].Type == KqlType.Dynamic ? SqlConvert.ToReal(c[0]) : c[0];
        return SqlConvert.To(new SqlValue($"ifNull(toFloat64({c.Apply("avgOrNull", value.Text)}), nan)", KqlType.Real, false), c.Type);
    }

    private static SqlValue Extreme(AggregateCall c, string function)
    {
        var value = c[0];
        if (value.Type == KqlType.Dynamic && function != "any")
            value = SqlConvert.To(value, c.Type);
        if (value.Type is KqlType.String or KqlType.Dynamic)
        {
            // '' is null: it must not win. Numbers come before texts.
            if (value.Type == KqlType.Dynamic && function != "any")
            {
                var number = $"toFloat64OrNull({value.Text})";
                return new SqlValue(c.Apply(function == "min" ? "argMin" : "argMax", null, [value.Text, $"(isNull({number}), ifNull({number}, 0), {value.Text})"], $"{value.Text} != ''"), value.Type, false);
            }

            var text = function == "any"
                ? c.Apply("anyOrNull", null, [value.Text], $"{value.Text} != ''")
                : value.Type == KqlType.String && function == "min" ? c.Apply("minOrNull", null, [value.Text], $"{value.Text} != ''") : c.Apply(function + "OrNull", value.Text);
            return new SqlValue($"ifNull({text}, '')", value.Type, false);
        }

        return c.MayBeEmpty && !value.Nullable
            ? new SqlValue(c.Apply(function + "OrNull", value.Text), value.Type, true)
            : new SqlValue(c.Apply(function, value.Text), value.Type, value.Nullable);
    }

    private static SqlValue Spread(AggregateCall c, string function)
    {
        var value = SqlConvert.ToReal(c[0]);
        return new SqlValue($"ifNull(ifNotFinite({c.Apply(function, value.Text)}, 0), 0)", KqlType.Real, false);
    }

    private static SqlValue Covariance(AggregateCall c, string function) =>
        new($"ifNotFinite({c.Apply(function, SqlConvert.ToReal(c[0]).Text, SqlConvert.ToReal(c[1]).Text)}, 0)", KqlType.Real, true);

    // A size of 0 or less is none.
    private static long MostValues(AggregateCall c) => c.ConstantLong(1) is > 0 and var most ? most : 1048576;

    private static SqlValue MakeSet(AggregateCall c)
    {
        var limit = MostValues(c);
        var value = c[0];
        if (value.Type == KqlType.Dynamic)
        {
            // An array adds its elements.
            var elements = $"if(startsWith({value.Text}, '['), JSONExtractArrayRaw({value.Text}), [{value.Text}])";
            return SqlJson.FromElements($"arraySlice(arrayDistinct(arrayFlatten({c.Apply("groupArray", null, [elements], $"{value.Text} != ''")})), 1, {limit})");
        }

        var filter = value.Nullable ? $"isNotNull({value.Text})" : null;
        // The engine's order of distinct values is arbitrary: sorted, the same rows give the same answer.
        var distinct = $"arraySort(arrayMap(i -> assumeNotNull(i), {c.Apply("groupUniqArray", limit.ToString(CultureInfo.InvariantCulture), [value.Text], filter)}))";
        return value.Type == KqlType.String
            ? SqlJson.FromStrings(distinct)
            : SqlJson.FromElements($"arrayMap(e -> {SqlConvert.ToJson(new SqlValue("e", value.Type, false))}, {distinct})");
    }

    private static SqlValue MakeList(AggregateCall c, bool withNulls)
    {
        var limit = MostValues(c);
        var value = c[0];
        var filter = withNulls ? null : value.Type == KqlType.Dynamic ? $"{value.Text} != ''" : value.Nullable ? $"isNotNull({value.Text})" : null;
        if (value.Type == KqlType.Dynamic)
        {
            // An array adds its elements.
            var elements = $"multiIf(startsWith({value.Text}, '['), JSONExtractArrayRaw({value.Text}), {value.Text} = '', ['null'], [{value.Text}])";
            return SqlJson.FromElements($"arraySlice(arrayFlatten({c.Apply("groupArray", null, [elements], filter)}), 1, {limit})");
        }

        if (withNulls)
            return SqlJson.FromElements($"arrayMap(i -> assumeNotNull(i), {c.Apply("groupArray", limit.ToString(CultureInfo.InvariantCulture), [SqlConvert.ToJson(value)], filter)})");

        // Only what is kept is turned into JSON.
        var list = $"arrayMap(i -> assumeNotNull(i), {c.Apply("groupArray", limit.ToString(CultureInfo.InvariantCulture), [value.Text], filter)})";
        return value.Type == KqlType.String
            ? SqlJson.FromStrings(list)
            : SqlJson.FromElements($"arrayMap(e -> {SqlConvert.ToJson(new SqlValue("e", value.Type, false))}, {list})");
    }

    private static SqlValue MakeBag(AggregateCall c)
    {
        var limit = MostValues(c);
        var all = $"arrayFlatten({c.Apply("groupArray", SqlJson.Properties(c[0]))})";
        return SqlJson.FromProperties(SqlLambda.Let(all, a =>
            $"arraySlice(arrayFilter((p, i) -> indexOf(arrayMap(q -> q.1, {a}), p.1) = i, {a}, arrayEnumerate({a})), 1, {limit})"));
    }

    /// <summary>Bits of a count's sketch by the accuracy that is asked for: errors of about 0.6, 0.3, 0.15 and 0.1 %.</summary>
    private static string Precision(AggregateCall c) => c.ConstantLong(1) switch { 2 => "17", 3 => "19", > 3 => "20", _ => "15" };

    private static bool HasNoRanks(SqlValue value) => value.Type is KqlType.String or KqlType.Guid or KqlType.Bool;

    /// <summary>Null for the group as a whole.</summary>
    private static SqlValue NoRank(AggregateCall c, KqlType type)
    {
        var none = SqlConstant.Null(type);
        return none with { Text = $"if({c.Apply("count")} >= 0, {none.Text}, {none.Text})", IsConstant = false, Constant = null };
    }

    private static SqlValue Percentile(AggregateCall c) => Percentile(c, 1);

    private static SqlValue WeightedPercentile(AggregateCall c) => Percentile(c, 2);

    /// <summary>A percentile of values, or of values with weights.</summary>
    private static SqlValue Percentile(AggregateCall c, int first)
    {
        if (HasNoRanks(c[0]))
            return NoRank(c, c.Type);
        var text = Level(c, first) is { } level
            ? c.Apply((first == 1 ? "quantileExactLow" : "quantileExactWeighted") + "OrNull", level, Ranked(c, first))
            : AtRank(c, first, $"any({LevelOf(c[first])})");
        return c[0].Type == KqlType.DateTime
            ? SqlConvert.FromTicks(new SqlValue(text, KqlType.TimeSpan, true))
            : SqlConvert.To(new SqlValue(text, c[0].Type == KqlType.Dynamic ? KqlType.Real : c[0].Type, true), c.Type);
    }

    private static SqlValue Percentiles(AggregateCall c, int first)
    {
        var levels = new List<string>();
        var isConstant = true;
        for (var i = first; i < c.Arguments.Count; i++)
        {
            if (c[i].Type == KqlType.Dynamic && SqlJson.ConstantStrings(c[i]) is { } array)
            {
                levels.AddRange(array.Select(a => double.TryParse(a, CultureInfo.InvariantCulture, out var level)
                    ? Rank(level)
                    : throw ScalarWriter.Unsupported($"{c.Name}() needs an array of numbers")));
            }
            else
            {
                isConstant &= Level(c, i) is not null;
                levels.Add(Level(c, i) ?? LevelOf(c[i]));
            }
        }

        if (HasNoRanks(c[0]) || levels.Count == 0)
            return NoRank(c, KqlType.Dynamic);
        var element = c[0].Type == KqlType.DateTime
            ? SqlConvert.FromTicks(new SqlValue("q", KqlType.TimeSpan, true))
            : new SqlValue("q", c[0].Type == KqlType.Dynamic ? KqlType.Real : c[0].Type, true);
        var values = isConstant
            ? $"arrayMap(q -> if({c.Apply("count", Ordered(c[0]))} = 0, NULL, q), {c.Apply(first == 1 ? "quantilesExactLow" : "quantilesExactWeighted", string.Join(", ", levels), Ranked(c, first))})"
            : c[first].Type == KqlType.Dynamic
                ? $"arrayMap(p -> {AtRank(c, first, $"ifNull(p, 0) / 100 * {BelowText}")}, JSONExtract(any({c[first].Text}), 'Array(Nullable(Float64))'))"
                : $"[{string.Join(", ", levels.Select(l => AtRank(c, first, $"any({l})")))}]";
        return SqlJson.FromElements($"arrayMap(q -> {SqlConvert.ToJson(element)}, {values})");
    }

    private static IReadOnlyList<string> Ranked(AggregateCall c, int first) => first == 1
        ? [Ordered(c[0])]
        : [Ordered(c[0]), $"toUInt64(greatest(ifNull({SqlConvert.ToLong(c[1]).Text}, 0), 0))"];

    /// <summary>The value at a level that only the query's run tells, which the engine's own functions do not take; null where there are no values.</summary>
    private static string AtRank(AggregateCall c, int first, string level)
    {
        if (first == 1)
        {
            var sorted = $"arraySort({c.Apply("groupArray", Ordered(c[0]))})";
            return SqlLambda.Let(sorted, s => $"arrayElementOrNull({s}, greatest(least(toInt64(floor({level} * length({s}))) + 1, toInt64(length({s}))), 1))");
        }

        var operands = Ranked(c, first);
        var pairs = $"arraySort({c.Apply("groupArray", null, [$"({operands[0]}, {operands[1]})"], $"isNotNull({operands[0]}) AND {operands[1]} > 0")})";
        return SqlLambda.Let(pairs, s => $"arrayElementOrNull(arrayMap(e -> e.1, {s}), greatest(arrayFirstIndex(w -> w >= {level} * arraySum(e -> e.2, {s}), arrayCumSum(e -> e.2, {s})), 1))");
    }

    private static string Ordered(SqlValue value) => value.Type switch
    {
        KqlType.DateTime => SqlConvert.Ticks(value).Text,
        KqlType.Dynamic or KqlType.String => SqlConvert.ToReal(value).Text,
        _ => value.Text,
    };

    /// <summary>From which argument on an aggregate's arguments must not depend on the row; null for most.</summary>
    public static int? ConstantFrom(string name) => name switch
    {
        "percentile" or "percentiles_array" => 1,
        "percentilew" or "percentilesw_array" => 2,
        _ => null,
    };

    private static string? Level(AggregateCall c, int index) => c[index] is { IsConstant: true, Constant: int or long or double or decimal } level
        ? Rank(Convert.ToDouble(level.Constant, CultureInfo.InvariantCulture))
        : null;

    private static string LevelOf(SqlValue percentile) => $"(least(greatest(ifNull({SqlConvert.ToReal(percentile).Text}, 0), 0), 100) / 100 * {BelowText})";

    /// <summary>
    /// A percentile as the engine's level. The language takes the value of nearest rank, the first with at least this part of the rows at or below it; the engine,
    /// which counts from 0, would take the next one where the rank is whole.
    /// </summary>
    private static string Rank(double percentile) => (Math.Clamp(double.IsNaN(percentile) ? 0 : percentile, 0, 100) / 100 * Below).ToString("R", CultureInfo.InvariantCulture);

    private const double Below = 1 - 1e-12;

    private const string BelowText = "(1 - 1e-12)";
}
