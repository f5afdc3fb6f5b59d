using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Calls of built-in scalar functions and of aggregates.</summary>
internal sealed partial class Binder
{
    private static readonly HashSet<string> Conversions =
        ["tostring", "tolong", "toint", "toreal", "todecimal", "tobool", "todatetime", "totimespan", "toguid", "parse_json"];

    private AggregateCollector? _aggregates;
    private BoundScalar? _binAutoSize;
    private BoundScalar? _binAutoAt;

    private BoundScalar BindCall(CallExpr call)
    {
        if (_scope.Find(call.Name) is { } named)
        {
            switch (named)
            {
                case FunctionVariable function:
                    return BindFunctionCall(function, call, null) as BoundScalar ?? Report("KS108", Of("Scalar value expected."), call.Span);
                case PatternVariable or TableVariable:
                    return Report("KS108", Of("Scalar value expected."), call.Span);
                case ScalarVariable when call.Arguments.Count == 0:
                    return BindName(call.Function);
            }
        }

        switch (call.Name)
        {
            case "toscalar":
                return BindToScalar(call);
            case "column_ifexists" or "columnifexists" when call.Arguments.Count == 2:
                return BindColumnIfExists(call);
            case "pack_all" or "__pack_all":
                return BindPackAll(call);
            case "all" or "any" or "map" when _row is { ElementNames: { } names } row && call.Arguments.Count > 0:
                _row = new Row(row.Input) { Special = names(call), SpecialMember = row.SpecialMember, ElementNames = names };
                var element = BindBuiltIn(FunctionTable.Scalars[call.Name], call);
                _row = row;
                return element;
            case "pack_array" or "bag_pack_columns" when call.Arguments is [StarExpr]:
                return PackColumns(call.Name, call.Span);
            case "estimate_data_size" when call.Arguments is [StarExpr]:
                return new BoundCall(FunctionTable.Scalar(call.Name), [.. (_row?.Input?.Columns ?? []).Select(c => new BoundColumnRef(c, call.Span))], KqlType.Long, call.Span);
            case "column_names_of" when call.Arguments.Count == 1 && IsTabular(call.Arguments[0]):
                var columns = BindTable(call.Arguments[0]).Columns.Select(c => c.Name);
                return new BoundLiteral(KqlType.Dynamic, "[" + string.Join(',', columns.Select(n => KqlJson.Quote(n))) + "]", call.Span);
            case "materialize" or "table" or "totable":
                return Report("KS108", Of("Scalar value expected."), call.Span);
        }

        if (_aggregates is not null && FunctionTable.Aggregates.TryGetValue(call.Name, out var aggregate))
        {
            // Of a name that is both (any, all, min …) the aggregate is meant here.
            var outputs = BindAggregate(aggregate, call);
            return outputs.Count > 0 ? outputs[0].Value : Unknown(call.Span);
        }

        // Graph functions exist in graph operators only; any and all are aggregates elsewhere.
        if (FunctionTable.Scalars.TryGetValue(call.Name, out var symbol) && (!symbol.Attributes.IsGraph || _operator.StartsWith("graph-", StringComparison.Ordinal)))
        {
            var result = BindBuiltIn(symbol, call);
            // Inside an expression the sorting of one array is that array.
            return symbol.Attributes.Tuple is { Count: 0 } && result is BoundCall sorted && sorted.Arguments.Count(static a => a.Type == KqlType.Dynamic) == 1
                ? Part(result, 0, KqlType.Dynamic)
                : symbol.Name == "assert" && result is BoundCall assertion ? Asserted(assertion) : result;
        }

        if (FunctionTable.Aggregates.ContainsKey(call.Name))
        {
            BindArgumentsForErrors(call);
            return Report("KS144", Of($"The aggregate function '{call.Name}' is not allowed in this context."), call.Function.Span);
        }

        if (_schema.FindFunction(call.Name) is not null || _schema.FindTable(call.Name) is not null)
            return Report("KS108", Of("Scalar value expected."), call.Span);
        UnknownFunction(call);
        BindArgumentsForErrors(call);
        return Unknown(call.Span);
    }

    private void UnknownFunction(CallExpr call)
    {
        if (FunctionTable.Plugins.ContainsKey(call.Name))
        {
            Error("KS126", Of($"The plug-in function '{call.Name}' is not allowed in this context: it is used with evaluate."), call.Function.Span);
            return;
        }

        var candidates = FunctionTable.Scalars.Keys.Concat(_aggregates is null ? [] : FunctionTable.Aggregates.Keys)
            .Concat(_schema.Functions.Select(f => f.Name)).Concat(_scope.AllNames());
        Error("KS211", Of($"Unknown function: '{call.Name}'."), call.Function.Span, Hints.Nearest(call.Name, candidates));
    }

    private void BindArgumentsForErrors(CallExpr call)
    {
        var saved = _aggregates;
        _aggregates = null;
        foreach (var argument in call.Arguments)
        {
            if (argument is not StarExpr && !IsTabular(argument))
                BindScalar(argument);
        }

        _aggregates = saved;
    }

    private readonly Dictionary<CallExpr, BoundScalarSubquery> _drawn = new(ReferenceEqualityComparer.Instance);

    private BoundScalar BindToScalar(CallExpr call)
    {
        if (call.Arguments.Count == 0)
            return Report("KS119", Of("The function 'toscalar' expects 1 argument."), call.Span);
        var argument = call.Arguments[0];
        if (!IsTabular(argument))
        {
            var scalar = BindScalar(argument);
            if (!Differs(scalar))
                return scalar;
            // One value for the query, also when a function that holds the call is called again.
            if (_drawn.TryGetValue(call, out var drawn))
                return drawn;
            drawn = new BoundScalarSubquery(++_planIds, new PrintRelation([new NamedScalar(NewColumn("print_0", scalar.Type), scalar)]), scalar.Type, call.Span);
            if (scalar is BoundCall { Function.Name: "rand" or "new_guid" } random && random.Arguments.All(a => a is BoundLiteral))
                _drawn.Add(call, drawn);
            return drawn;
        }

        var saved = _aggregates;
        _aggregates = null;
        var table = BindTable(argument);
        _aggregates = saved;
        if (table.Columns.Count == 0)
            return Unknown(call.Span);
        return new BoundScalarSubquery(++_planIds, table.Node, table.Columns[0].Type, call.Span);
    }

    /// <summary>Whether an expression has another value each time it is computed.</summary>
    private static bool Differs(BoundScalar scalar) => scalar switch
    {
        BoundCall call => call.Function.Name is "rand" or "new_guid" || call.Arguments.Any(Differs),
        BoundBinary binary => Differs(binary.Left) || Differs(binary.Right),
        BoundConvert convert => Differs(convert.Operand),
        BoundNegate negate => Differs(negate.Operand),
        _ => false,
    };

    private BoundScalar BindColumnIfExists(CallExpr call)
    {
        var name = ConstantText(BindScalar(call.Arguments[0]));
        if (name is null)
            return Report("KS129", Of("The expression must be a constant."), call.Arguments[0].Span);
        var fallback = BindScalar(call.Arguments[1]);
        if (_row?.Input?.Columns.FirstOrDefault(c => c.Name == name) is { } column)
            return new BoundColumnRef(column, call.Span);
        return _row?.Input?.Late is { } late && fallback.Type != KqlType.Unknown ? Coerce(new BoundColumnRef(late.Find(name), call.Span), fallback.Type) : fallback;
    }

    private BoundScalar BindPackAll(CallExpr call)
    {
        var ignoreEmpty = call.Arguments.Count > 0 && BindScalar(call.Arguments[0]) is BoundLiteral { Value: true };
        var packed = PackColumns("bag_pack", call.Span);
        // The flag goes last: pack_all(true) leaves null and empty values out.
        return ignoreEmpty && packed is BoundCall c
            ? new BoundCall(FunctionTable.Scalar("pack_all"), [.. c.Arguments, new BoundLiteral(KqlType.Bool, true, call.Span)], KqlType.Dynamic, call.Span)
            : packed;
    }

    /// <summary>All columns of the row: as a bag (name, value, name, value …) or as an array of the values.</summary>
    private BoundScalar PackColumns(string function, TextSpan span)
    {
        var arguments = new List<BoundScalar>();
        var asBag = function != "pack_array";
        foreach (var column in _row?.Input?.Columns ?? [])
        {
            if (asBag)
                arguments.Add(new BoundLiteral(KqlType.String, column.Name, span));
            arguments.Add(new BoundColumnRef(column, span));
        }

        return new BoundCall(FunctionTable.Scalar(asBag ? "bag_pack" : "pack_array"), arguments, KqlType.Dynamic, span);
    }

    private BoundScalar BindBuiltIn(FunctionSymbol symbol, CallExpr call)
    {
        var arguments = new BoundScalar[call.Arguments.Count];
        for (var i = 0; i < arguments.Length; i++)
        {
            var argument = call.Arguments[i];
            arguments[i] = argument switch
            {
                TypeOfExpr typeOf => new BoundLiteral(KqlType.String, typeOf.Type.Name(), typeOf.Span),
                StarExpr => Report("KS191", Of("The * syntax is not allowed here."), argument.Span),
                _ => BindScalar(argument),
            };
        }

        var match = ResolveOverload(symbol, call, arguments);
        if (match is null)
            return Unknown(call.Span);
        if (symbol.Attributes.IsAbsent)
            return Report("KS125", Of($"The function '{symbol.Name}' is not available."), call.Function.Span);
        var type = ResultType(match, call, arguments);
        // A conversion to the type a column has anyway means the column.
        if (symbol.Attributes.Naming == ResultNaming.Argument && arguments is [BoundColumnRef same] && same.Type == type && Conversions.Contains(symbol.Canonical.Name))
            return same;
        if (symbol.Canonical.Name == "bin" && arguments.Length == 1)
            arguments = [arguments[0], new BoundLiteral(KqlType.Long, 1L, call.Span)];
        // The bins of bin_auto come from 'set' statements.
        if (symbol.Canonical.Name == "bin_auto" && _binAutoSize is { } size)
        {
            return _binAutoAt is { } at
                ? new BoundCall(FunctionTable.Scalar("bin_at"), [arguments[0], size, at], type, call.Span)
                : new BoundCall(FunctionTable.Scalar("bin"), [arguments[0], size], type, call.Span);
        }

        if (symbol.Canonical.Name is "bag_pack_columns")
            return PackGiven(arguments, call.Span);
        return new BoundCall(symbol.Canonical, arguments, type, call.Span);
    }

    /// <summary>An assertion that is known to be false already.</summary>
    private BoundScalar Asserted(BoundCall call)
    {
        if (call.Arguments.Any(HasColumns))
            return Report("KS129", Of("The expression must be a constant."), call.Span);
        return IsFalse(call.Arguments[0]) ? Report("KS199", ($"assert() has failed with message: '{ConstantText(call.Arguments[1])}'"), call.Span) : call;
    }

    private static bool IsFalse(BoundScalar scalar) => scalar switch
    {
        BoundLiteral { Value: false } => true,
        BoundBinary { Left: BoundLiteral { Value: IComparable left }, Right: BoundLiteral { Value: { } right } } binary when left.GetType() == right.GetType() => binary.Operator switch
        {
            KqlOperator.Equal => left.CompareTo(right) != 0,
            KqlOperator.NotEqual => left.CompareTo(right) == 0,
            KqlOperator.Less => left.CompareTo(right) >= 0,
            KqlOperator.LessOrEqual => left.CompareTo(right) > 0,
            KqlOperator.Greater => left.CompareTo(right) <= 0,
            KqlOperator.GreaterOrEqual => left.CompareTo(right) < 0,
            KqlOperator.And => left is false || right is false,
            _ => false,
        },
        BoundBinary { Operator: KqlOperator.And } and => IsFalse(and.Left) || IsFalse(and.Right),
        BoundBinary { Operator: KqlOperator.Or } or => IsFalse(or.Left) && IsFalse(or.Right),
        _ => false,
    };

    private static BoundCall PackGiven(BoundScalar[] columns, TextSpan span)
    {
        var arguments = columns.SelectMany(c => new[]
        {
            new BoundLiteral(KqlType.String, c is BoundColumnRef r ? r.Column.Name : "", c.Span), c,
        }).ToArray();
        return new BoundCall(FunctionTable.Scalar("bag_pack"), arguments, KqlType.Dynamic, span);
    }

    /// <summary>The overload that fits the arguments best; reports and returns null when none does.</summary>
    private FunctionSignature? ResolveOverload(FunctionSymbol symbol, CallExpr call, BoundScalar[] arguments)
    {
        FunctionSignature? best = null;
        FunctionParameterSymbol[]? bestLayout = null;
        var bestScore = int.MaxValue;
        var bestMisses = int.MaxValue;
        foreach (var signature in symbol.Signatures)
        {
            if (arguments.Length < signature.MinArguments || arguments.Length > signature.MaxArguments)
                continue;
            var layout = signature.Layout(arguments.Length);
            // A repeated parameter may leave the last argument to an optional one behind it (array_sort_asc(a, b, nulls_last)).
            if (arguments.Length > 1 && signature.Parameters[^1] is { Min: 0, Max: 1 } tail && layout[^1].Max > 1
                && Overloads.Fit(layout, arguments, arguments.Length - 1, call.Arguments[^1]) < 0)
            {
                layout[^1] = tail;
            }

            int score = 0, misses = 0;
            for (var i = 0; i < arguments.Length; i++)
            {
                var fit = Overloads.Fit(layout, arguments, i, call.Arguments[i]);
                if (fit < 0)
                    misses++;
                else
                    score += fit;
            }

            if (misses < bestMisses || (misses == bestMisses && score < bestScore))
                (best, bestLayout, bestScore, bestMisses) = (signature, layout, score, misses);
        }

        if (best is null)
        {
            ReportArgumentCount(symbol, call);
            return null;
        }

        if (best.IsBlock && !best.HasWholeBlocks(arguments.Length))
        {
            Error("KS121", Of($"The function call has an incorrect number of arguments: '{symbol.Name}' takes {(symbol.Canonical.Name == "case" ? "pairs of a predicate and a value, then a value" : "pairs of a name and a value")}."), call.Function.Span);
            return null;
        }

        if (bestMisses > 0)
        {
            ReportMisfits(symbol, best, bestLayout!, call, arguments);
            return symbol.Signatures.Count == 1 ? best : null;
        }

        if (best.Rule == ResultRule.Common && !bestLayout!.Any(p => p.Class == ParameterClass.CommonOrDynamic)
            && ScalarTypes.Common(arguments.Where((_, i) => bestLayout![i].Class >= ParameterClass.Common).Select(a => a.Type), false) is null)
        {
            Error("KS232", Of($"No common type can be determined from the arguments ({string.Join(", ", arguments.Select(a => a.Type.Name()))}) of '{symbol.Name}'."), call.Function.Span);
            return null;
        }

        CheckForms(bestLayout!, call, arguments);
        return best;
    }

    private void ReportArgumentCount(FunctionSymbol symbol, CallExpr call)
    {
        var min = symbol.Signatures.Min(s => s.MinArguments);
        var max = symbol.Signatures.Max(s => s.MaxArguments);
        var span = call.Function.Span;
        // The official binder tells the two apart by whether a parameter repeats.
        var code = symbol.Signatures.Any(s => s.IsBlock || s.Parameters.Any(p => p.Max > 1)) ? "KS120" : "KS119";
        if (min == max)
        {
            var expected = min switch { 0 => "no arguments", 1 => "1 argument", _ => $"{min} arguments" };
            Error("KS119", Of($"The function '{symbol.Name}' expects {expected}."), span);
        }
        else if (max >= short.MaxValue)
        {
            Error("KS120", Of($"The function '{symbol.Name}' expects at least {min} arguments."), span);
        }
        else
        {
            Error(code, Of($"The function '{symbol.Name}' expects between {min} and {max} arguments."), span);
        }
    }

    private void ReportMisfits(FunctionSymbol symbol, FunctionSignature signature, FunctionParameterSymbol[] layout, CallExpr call, BoundScalar[] arguments)
    {
        if (symbol.Signatures.Count > 1)
        {
            var types = string.Join(", ", arguments.Select(a => a.Type.Name()));
            Error("KS127", Of($"The function '{symbol.Name}' is not compatible with arguments ({types})"), call.Function.Span);
            return;
        }

        for (var i = 0; i < arguments.Length; i++)
        {
            if (Overloads.Fit(layout, arguments, i, call.Arguments[i]) >= 0)
                continue;
            var (code, message) = Overloads.Expectation(layout[i]);
            Error(code, Of(message), call.Arguments[i].Span);
        }
    }

    private void CheckForms(FunctionParameterSymbol[] layout, CallExpr call, BoundScalar[] arguments)
    {
        for (var i = 0; i < layout.Length; i++)
        {
            var parameter = layout[i];
            var value = arguments[i];
            if (value.Type == KqlType.Unknown)
                continue;
            switch (parameter.Form)
            {
                case ArgumentForm.Constant when HasColumns(value):
                    Error("KS129", Of("The expression must be a constant."), call.Arguments[i].Span);
                    break;
                case ArgumentForm.Literal when value is not BoundLiteral:
                    Error("KS131", Of("The expression must be a literal."), call.Arguments[i].Span);
                    break;
                case ArgumentForm.Column when value is not BoundColumnRef:
                    Error("KS109", Of("Column name expected."), call.Arguments[i].Span);
                    break;
            }

            // Units of convert_* that it does not know give null at run time.
            if (parameter.Values.Count > 0 && !call.Name.StartsWith("convert_", StringComparison.Ordinal) && ConstantText(value) is { } text && !parameter.Values.Contains(text, StringComparer.OrdinalIgnoreCase))
                Error("KS140", Of($"The expression must be one of the values: {string.Join(", ", parameter.Values)}"), call.Arguments[i].Span);
        }
    }

    /// <summary>Whether a value depends on the row. (Deep dynamic paths are rare here, so recursion stays small.)</summary>
    private static bool HasColumns(BoundScalar value) => value switch
    {
        BoundColumnRef or BoundScanState or BoundGraphElement => true,
        BoundCall c => c.Arguments.Any(HasColumns),
        BoundBinary b => HasColumns(b.Left) || HasColumns(b.Right),
        BoundNegate n => HasColumns(n.Operand),
        BoundConvert c => HasColumns(c.Operand),
        BoundMember m => HasColumns(m.Value),
        BoundIndex i => HasColumns(i.Value) || HasColumns(i.Index),
        _ => false,
    };

    private static KqlType ResultType(FunctionSignature signature, CallExpr call, BoundScalar[] arguments)
    {
        switch (signature.Rule)
        {
            case ResultRule.Declared:
                return signature.Type;
            case ResultRule.Argument when signature.Index < arguments.Length:
                return arguments[signature.Index].Type;
            case ResultRule.TypeOfArgument:
                var at = signature.Index < 0 ? arguments.Length - 1 : signature.Index;
                return call.Arguments[at] is TypeOfExpr type ? type.Type : KqlType.Dynamic;
            case ResultRule.Widest:
                return ScalarTypes.Promote(arguments.Aggregate(KqlType.Unknown, (t, a) => KqlTypes.Widest(t, a.Type)));
            case ResultRule.Common:
                var layout = signature.Layout(arguments.Length);
                var types = arguments.Where((_, i) => layout[i].Class >= ParameterClass.Common).Select(a => a.Type);
                return ScalarTypes.Common(types, layout.Any(p => p.Class == ParameterClass.CommonOrDynamic)) ?? KqlType.Dynamic;
            case ResultRule.Promoted:
                return ScalarTypes.Promote(arguments[0].Type);
            case ResultRule.Percentile:
                return ScalarTypes.Promote(arguments[0].Type);
            default:
                return KqlType.Dynamic;
        }
    }
}
