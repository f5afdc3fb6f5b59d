using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>User functions (inlined), patterns, functions of the host, invoke.</summary>
internal sealed partial class Binder
{
    private void BindFunctionDeclaration(string name, FunctionExpr function)
    {
        var variable = new FunctionVariable(name, function, _scope, _access);
        _scope.Set(name, variable);
        var seenScalar = false;
        var seenDefault = false;
        foreach (var parameter in function.Parameters)
        {
            if (parameter.Columns is not null && seenScalar)
                Error("KS226", "Tabular parameters must be declared first.", parameter.Name.Span);
            seenScalar |= parameter.Columns is null;
            if (seenDefault && parameter.Default is null)
                Error("KS203", "Parameters without a default value must be declared before those with one.", parameter.Name.Span);
            seenDefault |= parameter.Default is not null;
            if (parameter is { Columns: null, Type: not (KqlType.Dynamic or KqlType.Unknown), Default: LiteralExpr { Value: not null } literal }
                && literal.Type != parameter.Type && !(literal.Type.IsNumeric() && parameter.Type.IsNumeric()))
            {
                Error("KS141", $"The expression must have the type {parameter.Type.Name()}.", literal.Span);
            }
        }

        if (function.IsView && function.Parameters.Count == 0)
        {
            _scope.Set(name, new TableVariable(name, () => Named(RequireTable(BindFunctionCall(variable, new CallExpr(new NameExpr(name, function.Span), [], function.Span), null), function.Span), name), isView: true));
        }

        if (!MentionsMore(name))
        {
            // Never called: bound once for its errors, with unknown arguments.
            BindUncalled(variable);
        }
    }

    private static TableValue Named(TableValue table, string? name) => new(table.Node, table.Late, name);

    private bool MentionsMore(string name)
    {
        MentionsAtMostOnce(name);
        return _mentions!.GetValueOrDefault(name) > 1;
    }

    private void BindUncalled(FunctionVariable function)
    {
        var saved = _scope;
        _scope = new Scope(function.Scope);
        foreach (var parameter in function.Declaration.Parameters)
        {
            _scope.Set(parameter.Name.Name, parameter.Columns is null
                ? new ScalarVariable(new BoundLiteral(parameter.Type, parameter.Type == KqlType.String ? "" : null, parameter.Name.Span))
                : new TableVariable(parameter.Name.Name, () => ParameterTable(parameter)));
        }

        BindBody(function.Declaration.Body);
        _scope = saved;
    }

    private TableValue ParameterTable(FunctionParameter parameter)
    {
        var columns = parameter.Columns!.Select(c => NewColumn(c.Name.Name, c.Type)).ToArray();
        var late = parameter.AnyTable || columns.Length == 0 ? new LateColumns((n, _) => NewColumn(n, KqlType.Unknown)) : null;
        return new TableValue(new DataTableRelation(columns, []), late);
    }

    /// <summary>Inlines a call of a user function. Gives a <see cref="TableValue"/>, a <see cref="BoundScalar"/>, or null when the body is neither.</summary>
    private object? BindFunctionCall(FunctionVariable function, CallExpr call, TableValue? piped)
    {
        if (function.IsActive)
        {
            Error("KS202", Of($"The function '{function.Name}' calls itself, which is not supported."), call.Span);
            return null;
        }

        if (!Enter(call.Span))
            return null;
        var inner = new Scope(function.Scope);
        var ok = BindParameters(function, call, piped, inner);
        var saved = (_scope, _row, _aggregates, _operator, _access);
        (_scope, _row, _aggregates, _access) = (inner, null, null, function.Access);
        function.IsActive = true;
        _inlining++;
        object? result = ok ? BindBody(function.Declaration.Body) : null;
        _inlining--;
        function.IsActive = false;
        (_scope, _row, _aggregates, _operator, _access) = saved;
        Leave();
        return result ?? (IsTabularBody(function) ? OpenNoTable() : Unknown(call.Span));
    }

    /// <summary>What a body gave, where a table is needed; a scalar is reported.</summary>
    private TableValue RequireTable(object? result, TextSpan span)
    {
        if (result is TableValue table)
            return table;
        if (result is BoundScalar { Type: not KqlType.Unknown })
            Error("KS111", Of("Tabular value expected."), span);
        else if (!_diagnostics.HasErrors)
            Error("KS006", "Missing expression: the function has no result.", span);
        return OpenNoTable();
    }

    private bool BindParameters(FunctionVariable function, CallExpr call, TableValue? piped, Scope inner)
    {
        var parameters = function.Declaration.Parameters;
        var given = new Expr?[parameters.Count];
        var position = piped is null ? 0 : 1;
        foreach (var argument in call.Arguments)
        {
            if (argument is NamedExpr { IsTuple: false } named)
            {
                var at = IndexOf(parameters, named.Names[0].Name);
                if (at < 0)
                {
                    Error("KS142", Of($"The name '{named.Names[0].Name}' does not refer to any known parameter."), named.Names[0].Span, Hints.Nearest(named.Names[0].Name, parameters.Select(p => p.Name.Name)));
                    return false;
                }

                given[at] = named.Value;
            }
            else if (Array.FindIndex(given, Math.Min(position, given.Length), static g => g is null) is >= 0 and var free)
            {
                given[free] = argument;
                position = free + 1;
            }
            else
            {
                WrongArgumentCount(function, call);
                return false;
            }
        }

        for (var i = 0; i < given.Length; i++)
        {
            var parameter = parameters[i];
            if (i == 0 && piped is not null)
            {
                if (!DeclareArgumentTable(parameter, piped, inner, _pipedSpan))
                    return false;
                continue;
            }

            if (given[i] is null && parameter.Default is null)
            {
                WrongArgumentCount(function, call);
                return false;
            }

            if (parameter.Columns is not null)
            {
                var before = _nodes;
                var table = BindTable(given[i]!);
                if (!DeclareArgumentTable(parameter, table, inner, given[i]!.Span, _nodes - before))
                    return false;
                continue;
            }

            var argument = given[i] ?? parameter.Default!;
            inner.Set(parameter.Name.Name, Measured(() => Coerce(BindScalar(argument), parameter.Type)));
        }

        return true;
    }

    private static int IndexOf(IReadOnlyList<FunctionParameter> parameters, string name)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].Name.Name == name)
                return i;
        }

        return -1;
    }

    private void WrongArgumentCount(FunctionVariable function, CallExpr call)
    {
        var max = function.Declaration.Parameters.Count;
        var min = function.Declaration.Parameters.Count(p => p.Default is null);
        var expected = min == max ? (max == 1 ? "1 argument" : $"{max} arguments") : $"between {min} and {max} arguments";
        Error("KS119", Of($"The function '{function.Name}' expects {expected}."), call.Function.Span);
    }

    /// <summary>Declares a table given to a function; false (and reported) when it is not what the parameter asks for, so that the body need not be bound.</summary>
    private bool DeclareArgumentTable(FunctionParameter parameter, TableValue table, Scope inner, TextSpan span, int size = 1)
    {
        if (parameter.Columns is null)
        {
            Error("KS112", Of("A scalar value is expected."), span);
            return false;
        }

        // A declared schema asks for columns; further ones pass through.
        var fits = true;
        foreach (var wanted in parameter.Columns)
        {
            var column = table.Find(wanted.Name.Name);
            if (column is not null && (column.Type == wanted.Type || column.Type == KqlType.Unknown || table.Late is not null))
                continue;
            var type = column is null ? "" : $" of type {wanted.Type.Name()}";
            Error("KS249", Of($"The tabular value does not have the required column '{wanted.Name.Name}'{type}."), span);
            fits = false;
        }

        if (!fits)
            return false;

        var saved = _scope;
        _scope = inner;
        DeclareTable(parameter.Name.Name, table, SharedPlanKind.Let, size: size);
        _scope = saved;
        return true;
    }

    /// <summary>Binds the statements of a body; the last expression is the result.</summary>
    private object? BindBody(IReadOnlyList<Statement> body)
    {
        var saved = _scope;
        _scope = new Scope(_scope);
        object? result = null;
        foreach (var statement in body)
        {
            if (statement is ExpressionStatement { Value: not MissingExpr } e)
                result = IsTabular(e.Value) ? BindTable(e.Value) : BindScalar(e.Value);
            else
                BindStatement(statement, isResult: false);
        }

        _scope = saved;
        return result;
    }

    private TableValue BindPatternCall(PatternVariable pattern, CallExpr call, string? path)
    {
        var arguments = call.Arguments.Select(a => ConstantText(BindScalar(a))).ToList();
        foreach (var candidate in pattern.Declaration.Cases)
        {
            var matches = candidate.Arguments.Count == arguments.Count
                && candidate.Arguments.Zip(arguments).All(p => p.First is LiteralExpr l && Convert.ToString(l.Value, System.Globalization.CultureInfo.InvariantCulture) == p.Second);
            if (!matches || path != (candidate.Path as LiteralExpr)?.Value as string)
                continue;
            var saved = (_scope, _row, _access);
            (_scope, _row, _access) = (new Scope(pattern.Scope), null, pattern.Access);
            for (var i = 0; i < pattern.Declaration.Parameters.Count && i < arguments.Count; i++)
                _scope.Set(pattern.Declaration.Parameters[i].Name.Name, new ScalarVariable(BindScalar(call.Arguments[i])));
            if (path is not null && pattern.Declaration.Path is { } named)
                _scope.Set(named.Name.Name, new ScalarVariable(new BoundLiteral(KqlType.String, path, call.Span)));
            var result = BindBody(candidate.Body);
            (_scope, _row, _access) = saved;
            return RequireTable(result, call.Span);
        }

        var reference = $"{call.Name}({string.Join(",", arguments.Select(a => $"'{a}'"))})" + (path is null ? "" : $".['{path}']");
        Error("KS219", $"One or more pattern references were not declared. Detected pattern references: [\"{reference}\"]", call.Span);
        return OpenNoTable();
    }

    private TableValue BindInvoke(CallOperator op, TableValue input)
    {
        var call = op.Call switch
        {
            CallExpr c => c,
            NameExpr n => new CallExpr(n, [], n.Span),
            MemberExpr { Selector: CallExpr c } => c,
            _ => null,
        };
        if (call is null)
        {
            if (op.Call is not MissingExpr)
                Error("KS128", Of("A function call is expected."), op.Call.Span);
            return input;
        }

        switch (FindVariable(call.Name))
        {
            case FunctionVariable function when function.Declaration.Parameters.Count > 0 && function.Declaration.Parameters[0].Columns is not null:
                return RequireTable(BindFunctionCall(function, call, input), call.Span);
            case FunctionVariable:
                Error("KS111", Of($"The function '{call.Name}' does not take a table as its first argument."), call.Span);
                return OpenNoTable();
        }

        if (FindHostFunction(call.Name) is { } host)
            return BindHostFunction(host, call, input);
        UnknownFunction(call);
        return OpenNoTable();
    }

    private TableValue BindHostFunction(KqlTableFunction function, CallExpr call, TableValue? input)
    {
        var arguments = new BoundScalar?[function.Parameters.Count];
        var position = 0;
        IReadOnlyList<Expr> given = call.Arguments;
        if (function.TakesTable && input is null)
        {
            // Called as F(T, …): the first argument is the table.
            if (given.Count == 0 || !IsTabular(given[0]))
            {
                Error("KS111", Of($"The function '{function.Name}' is used with invoke: T | invoke {function.Name}()."), call.Span);
                return OpenNoTable();
            }

            input = BindTable(given[0]);
            given = [.. given.Skip(1)];
        }

        _row = new Row(input);
        foreach (var argument in given)
        {
            var at = position;
            if (argument is NamedExpr named)
                at = function.Parameters.ToList().FindIndex(p => p.Name.Equals(named.Names[0].Name, StringComparison.OrdinalIgnoreCase));
            else
                position++;
            if (at < 0 || at >= arguments.Length)
            {
                Error("KS120", Of($"The function '{function.Name}' expects at most {function.Parameters.Count} arguments."), call.Function.Span);
                break;
            }

            arguments[at] = BindHostArgument(function.Parameters[at], argument is NamedExpr n ? n.Value : argument);
        }

        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] is null && function.Parameters[i].Required)
                Error("KS119", Of($"The function '{function.Name}' expects the argument '{function.Parameters[i].Name}'."), call.Function.Span);
        }

        var builder = new ColumnBuilder();
        if (function.Shape == KqlTableFunctionShape.Extends && input is not null)
        {
            foreach (var column in input.Columns)
                builder.Add(column);
        }

        foreach (var column in function.Columns)
            builder.Add(NewColumn(column.Name, column.Type), replace: true);
        var late = function.Shape == KqlTableFunctionShape.Extends ? input?.Late : null;
        return new TableValue(new TableFunctionRelation(function, input?.Node, arguments, builder.Columns), late);
    }

    private BoundScalar BindHostArgument(KqlTableFunctionParameter parameter, Expr argument)
    {
        var value = BindScalar(argument);
        if (parameter.Type == KqlType.Unknown || value.Type == parameter.Type || value.Type == KqlType.Unknown)
            return value;
        if (value is BoundColumnRef && parameter.AcceptsColumn)
            return value;
        if (KqlTypes.IsPromotable(value.Type, parameter.Type) || (value.Type.IsInteger() && parameter.Type.IsInteger()) || value.Type == KqlType.Dynamic)
            return Coerce(value, parameter.Type);
        return Report("KS107", Of($"A value of type {parameter.Type.Name()} expected."), argument.Span);
    }
}
