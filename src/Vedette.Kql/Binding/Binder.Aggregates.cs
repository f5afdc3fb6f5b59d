using System.Globalization;
using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Aggregate calls inside summarize, make-series and top-nested.</summary>
internal sealed partial class Binder
{
    /// <summary>Gathers the aggregate calls of one operator. Expressions over them refer to their outputs.</summary>
    private sealed class AggregateCollector
    {
        private readonly HashSet<int> _outputs = [];

        public List<(FunctionSymbol Function, BoundScalar[] Arguments, KqlColumn[] Outputs)> Items { get; } = [];

        /// <summary>Columns that a star in arg_max or take_any leaves out (the group keys).</summary>
        public HashSet<int> Keys { get; } = [];

        public KqlColumn Add(FunctionSymbol function, BoundScalar[] arguments, KqlColumn[] outputs)
        {
            foreach (var output in outputs)
                _outputs.Add(output.Id);
            Items.Add((function, arguments, outputs));
            return outputs[0];
        }

        public bool AllowsColumn(KqlColumn column) => _outputs.Contains(column.Id);

        /// <summary>The items with their outputs under their final names.</summary>
        public List<AggregateItem> Finish(IReadOnlyList<KqlColumn> named)
        {
            var byId = named.ToDictionary(c => c.Id);
            return [.. Items.Select(i => new AggregateItem(
                [.. i.Outputs.Select(o => byId.GetValueOrDefault(o.Id) ?? o.Renamed("$" + o.Id.ToString(CultureInfo.InvariantCulture)))],
                i.Function,
                i.Arguments,
                i.Outputs[0].Type))];
        }
    }

    /// <summary>A value with the name it suggests for its column (null: none).</summary>
    private readonly record struct NamedResult(string? Name, BoundScalar Value);

    /// <summary>
    /// Binds an aggregate call and registers it. Several results for arg_max, arg_min, take_any and percentiles; arguments see the input row and may not
    /// aggregate again.
    /// </summary>
    private List<NamedResult> BindAggregate(FunctionSymbol symbol, CallExpr call)
    {
        var collector = _aggregates!;
        _aggregates = null;
        var results = symbol.Canonical.Name switch
        {
            "arg_max" or "arg_min" => BindExtremum(symbol, call, collector),
            "take_any" when call.Arguments.Count != 1 || call.Arguments[0] is StarExpr || symbol.Name == "take_any" => BindTakeAny(symbol, call, collector),
            "percentiles" or "percentilesw" => BindPercentiles(symbol, call, collector),
            _ => BindPlainAggregate(symbol, call, collector),
        };
        _aggregates = collector;
        return results;
    }

    private List<NamedResult> BindPlainAggregate(FunctionSymbol symbol, CallExpr call, AggregateCollector collector)
    {
        if (symbol.Canonical.Name == "count" && call.Arguments.Count == 1)
        {
            // count(x) counts rows whatever x is.
            if (call.Arguments[0] is not StarExpr)
                BindScalar(call.Arguments[0]);
            var countName = FunctionResultName(call, symbol) ?? "count_";
            var count = NewColumn(countName, KqlType.Long);
            return [new NamedResult(countName, new BoundColumnRef(collector.Add(symbol.Canonical, [], [count]), call.Span))];
        }

        var arguments = BindArguments(call);
        var match = ResolveOverload(symbol, call, arguments);
        if (match is null)
            return [new NamedResult(null, Unknown(call.Span))];
        var type = ResultType(match, call, arguments);
        var name = symbol.Canonical.Name switch
        {
            "percentile" or "percentilew" => PercentileName(call.Arguments[0], arguments[^1]),
            "percentiles_array" or "percentilesw_array" => "percentiles_" + ResultName(call.Arguments[0]),
            // The engine names both operands (the public binder only the first).
            "covariance" or "covariancep" or "covarianceif" or "covariancepif" => $"{symbol.Name}_{ResultName(call.Arguments[0])}_{ResultName(call.Arguments[1])}",
            _ => FunctionResultName(call, symbol),
        };
        if (symbol.Attributes.Most > 0 && arguments.Length < match.Parameters.Count)
            arguments = [.. arguments, new BoundLiteral(KqlType.Long, (long)symbol.Attributes.Most, call.Span)];
        var output = NewColumn(name ?? "", type);
        return [new NamedResult(name, new BoundColumnRef(collector.Add(symbol.Canonical, arguments, [output]), call.Span))];
    }

    private BoundScalar[] BindArguments(CallExpr call)
    {
        var arguments = new BoundScalar[call.Arguments.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = call.Arguments[i] is StarExpr
                ? Report("KS191", Of("The * syntax is not allowed here."), call.Arguments[i].Span)
                : BindScalar(call.Arguments[i]);
        }

        return arguments;
    }

    private string PercentileName(Expr value, BoundScalar percentile) =>
        "percentile_" + ResultName(value) + "_" + (ConstantText(percentile) ?? "").Replace('.', '_');

    private List<NamedResult> BindPercentiles(FunctionSymbol symbol, CallExpr call, AggregateCollector collector)
    {
        var arguments = BindArguments(call);
        if (ResolveOverload(symbol, call, arguments) is null)
            return [new NamedResult(null, Unknown(call.Span))];
        var weighted = symbol.Canonical.Name == "percentilesw";
        var single = FunctionTable.Aggregate(weighted ? "percentilew" : "percentile");
        var results = new List<NamedResult>();
        for (var i = weighted ? 2 : 1; i < arguments.Length; i++)
        {
            var name = PercentileName(call.Arguments[0], arguments[i]);
            BoundScalar[] own = weighted ? [arguments[0], arguments[1], arguments[i]] : [arguments[0], arguments[i]];
            var output = NewColumn(name, ScalarTypes.Promote(arguments[0].Type));
            results.Add(new NamedResult(name, new BoundColumnRef(collector.Add(single, own, [output]), call.Span)));
        }

        return results;
    }

    private List<NamedResult> BindExtremum(FunctionSymbol symbol, CallExpr call, AggregateCollector collector)
    {
        if (call.Arguments.Count == 0)
        {
            ReportArgumentCount(symbol, call);
            return [new NamedResult(null, Unknown(call.Span))];
        }

        // argmax(X, Y) names its columns max_X and max_X_Y, arg_max just X and Y.
        var prefix = symbol.Attributes.Prefix;
        var word = symbol.Canonical.Name == "arg_max" ? "max" : "min";
        var by = BindScalar(call.Arguments[0]);
        if (by.Type is KqlType.Dynamic or KqlType.Guid)
            Error("KS206", Of("The argument value must be orderable: a number, timespan, datetime, string or boolean."), call.Arguments[0].Span);
        var byName = ResultName(call.Arguments[0]);
        var arguments = new List<BoundScalar> { by };
        var names = new List<string> { prefix.Length > 0 ? prefix + "_" + byName : string.IsNullOrEmpty(byName) ? word + "_" : byName };
        for (var i = 1; i < call.Arguments.Count; i++)
        {
            if (call.Arguments[i] is StarExpr)
            {
                foreach (var column in _row!.Input!.Columns)
                {
                    if (collector.Keys.Contains(column.Id) || (by is BoundColumnRef r && r.Column.Id == column.Id))
                        continue;
                    arguments.Add(new BoundColumnRef(column, call.Arguments[i].Span));
                    names.Add(prefix.Length > 0 ? names[0] + "_" + column.Name : column.Name);
                }

                continue;
            }

            arguments.Add(BindScalar(call.Arguments[i]));
            var name = ResultName(call.Arguments[i]);
            names.Add(string.IsNullOrEmpty(name)
                ? string.Create(CultureInfo.InvariantCulture, $"{word}_{byName}_arg{i}")
                : prefix.Length > 0 ? names[0] + "_" + name : name);
        }

        return AddMany(symbol, call, collector, arguments, names);
    }

    private List<NamedResult> BindTakeAny(FunctionSymbol symbol, CallExpr call, AggregateCollector collector)
    {
        var prefix = symbol.Attributes.Prefix.Length > 0 ? symbol.Attributes.Prefix + "_" : "";
        var arguments = new List<BoundScalar>();
        var names = new List<string>();
        for (var i = 0; i < call.Arguments.Count; i++)
        {
            var argument = call.Arguments[i];
            if (argument is StarExpr)
            {
                foreach (var column in _row!.Input!.Columns)
                {
                    if (collector.Keys.Contains(column.Id))
                        continue;
                    arguments.Add(new BoundColumnRef(column, argument.Span));
                    names.Add(prefix + column.Name);
                }

                continue;
            }

            arguments.Add(BindScalar(argument));
            var name = ResultName(argument);
            names.Add(string.IsNullOrEmpty(name) ? string.Create(CultureInfo.InvariantCulture, $"any_arg{i}") : prefix + name);
        }

        if (arguments.Count == 0)
        {
            // A star over nothing but keys stands for no column.
            if (call.Arguments.Count > 0)
                return [];
            ReportArgumentCount(symbol, call);
            return [new NamedResult(null, Unknown(call.Span))];
        }

        return AddMany(symbol, call, collector, arguments, names);
    }

    private List<NamedResult> AddMany(FunctionSymbol symbol, CallExpr call, AggregateCollector collector, List<BoundScalar> arguments, List<string> names)
    {
        var outputs = new KqlColumn[arguments.Count];
        var results = new List<NamedResult>(arguments.Count);
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = NewColumn(names[i], arguments[i].Type);
        collector.Add(symbol.Canonical, [.. arguments], outputs);
        for (var i = 0; i < outputs.Length; i++)
            results.Add(new NamedResult(names[i], new BoundColumnRef(outputs[i], call.Span)));
        return results;
    }
}
