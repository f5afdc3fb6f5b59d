using System.Globalization;
using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>evaluate: plug-ins, their arguments and result schemas.</summary>
internal sealed partial class Binder
{
    private readonly Dictionary<int, int> _openCalls = [];

    private TableValue BindEvaluate(CallOperator op, TableValue? input)
    {
        if (op.Call is not CallExpr call)
            return input ?? OpenNoTable();
        if (!FunctionTable.Plugins.TryGetValue(call.Name, out var plugin))
        {
            Error("KS124", Of($"Unknown plug-in: '{call.Name}'."), call.Function.Span, Hints.Nearest(call.Name, FunctionTable.Plugins.Keys));
            return OpenNoTable();
        }

        if (plugin.Attributes.IsAbsent)
        {
            Error("KS125", Of($"The plug-in function '{call.Name}' is not enabled."), call.Function.Span);
            return OpenNoTable();
        }

        if (plugin.Signatures.FirstOrDefault(s => call.Arguments.Count >= s.MinArguments && call.Arguments.Count <= s.MaxArguments) is not { } signature)
        {
            ReportPluginArgumentCount(plugin, call);
            return OpenNoTable();
        }

        var saved = _row;
        _row = new Row(input);
        var arguments = BindPluginArguments(plugin, signature, call, input, out var byParameter);
        var columns = PluginColumns(plugin, call, input, arguments, byParameter, out var isOpen);
        _row = saved;
        // The body of a function is bound once for each call, always in the same order.
        var key = new KqlPluginCall(call.Span.Start, isOpen ? _openCalls[call.Span.Start] = _openCalls.GetValueOrDefault(call.Span.Start, -1) + 1 : 0);
        if (op.Schema is { } schema)
        {
            isOpen = false;
            columns = DeclaredSchema(schema, columns);
        }
        else if (isOpen && _options.LateSchemas.TryGetValue(key, out var known))
        {
            isOpen = false;
            var builder = new ColumnBuilder();
            foreach (var column in columns)
                builder.Add(column);
            foreach (var column in known)
            {
                if (!builder.Contains(column.Name))
                    builder.Add(NewColumn(column.Name, column.Type));
            }

            columns = builder.Columns;
        }

        var late = isOpen ? new LateColumns((name, type) => NewColumn(name, _options.LateUntyped ? KqlType.Unknown : type)) : null;
        return new TableValue(new EvaluateRelation(input?.Node, plugin.Canonical, arguments, columns, isOpen, late?.Columns ?? [], call.Span, key.Occurrence), late);
    }

    /// <summary>Columns of an <c>evaluate … : (schema)</c> clause; a star brings the plug-in's known columns.</summary>
    private IReadOnlyList<KqlColumn> DeclaredSchema(TypeOfExpr schema, IReadOnlyList<KqlColumn> known)
    {
        var builder = new ColumnBuilder();
        if (schema.HasStar)
        {
            foreach (var column in known)
                builder.Add(column);
        }

        foreach (var column in schema.Columns ?? [])
        {
            // A declared column that the plug-in passes through stays the same value.
            var same = known.FirstOrDefault(k => k.Name == column.Name.Name && k.Type == column.Type);
            builder.Add(same ?? NewColumn(column.Name.Name, column.Type), replace: true);
        }

        return builder.Columns;
    }

    private List<PluginArgument> BindPluginArguments(
        FunctionSymbol plugin, FunctionSignature signature, CallExpr call, TableValue? input, out ILookup<string, PluginArgument> byParameter)
    {
        var result = new List<PluginArgument>();
        var named = new List<(string Name, PluginArgument Argument)>();
        TableValue? table = null;
        var layout = signature.Layout(call.Arguments.Count);
        for (var i = 0; i < call.Arguments.Count; i++)
        {
            var syntax = call.Arguments[i];
            var parameter = layout[i];
            var written = (syntax as NamedExpr)?.Names is [var own] ? own.Name : null;
            if (syntax is NamedExpr { Names: [var name] } assigned && signature.Parameters.FirstOrDefault(p => p.Name.Equals(name.Name, StringComparison.OrdinalIgnoreCase)) is { } meant)
            {
                parameter = meant;
                syntax = assigned.Value;
            }
            else if (parameter.Name == "Cohort" && syntax is NameExpr dimension && input?.Find(dimension.Name) is not null && _scope.Find(dimension.Name) is null)
            {
                // No cohort is given: the dimensions follow at once.
                parameter = signature.Parameters.First(p => p.Name == "Dimension");
            }
            else if (plugin.Name == "sequence_detect" && i > 3 && syntax is NameExpr or LiteralExpr)
            {
                parameter = signature.Parameters[^1];
            }
            else if (i > 0 && i == call.Arguments.Count - 1 && parameter.Max > 1 && signature.Parameters[^1] is { Min: 0, Max: 1, Types: [var tail] } last && syntax is LiteralExpr literal && literal.Type == tail)
            {
                // A repeated parameter leaves the last argument to an optional one behind it.
                parameter = last;
            }

            else if (i == call.Arguments.Count - 1 && signature.Parameters[^1] is { Class: ParameterClass.Table } rows && IsTabular(syntax))
            {
                parameter = rows;
            }

            var takesTilde = parameter.Min == 0 && plugin.Name is "autocluster" or "basket" or "diffpatterns" or "diffpatterns_text";
            var argument = BindPluginArgument(parameter, syntax, input, takesTilde, ref table) with { Parameter = written ?? parameter.Name };
            result.Add(argument);
            named.Add((parameter.Name, argument));
        }

        byParameter = named.ToLookup(n => n.Name, n => n.Argument);
        return result;
    }

    private PluginArgument BindPluginArgument(FunctionParameterSymbol parameter, Expr syntax, TableValue? input, bool takesTilde, ref TableValue? table)
    {
        if (syntax is NamedExpr named)
            syntax = named.Value;
        if (syntax is StarExpr)
        {
            Error("KS191", Of("The * syntax is not allowed here."), syntax.Span);
            return new PluginArgument(Unknown(syntax.Span), null, null);
        }

        if (parameter.Class == ParameterClass.Table || IsTabular(syntax))
        {
            var bound = BindTable(syntax);
            if (parameter.Class == ParameterClass.Table)
                table = bound;
            else
                ReportTableArgument(parameter, syntax.Span);
            return new PluginArgument(null, bound.Node, null);
        }

        switch (parameter.Form)
        {
            case ArgumentForm.Aggregate:
                return BindPluginAggregate(syntax);
            case ArgumentForm.ColumnOfTable when table is not null:
                _row = new Row(table);
                break;
            case ArgumentForm.CommonColumn when table is not null && syntax is NameExpr common && table.Find(common.Name) is null:
                UnknownName(common.Name, common.Span);
                break;
        }

        var value = syntax is TypeOfExpr type ? new BoundLiteral(KqlType.String, type.Type.Name(), type.Span) : BindScalar(syntax);
        _row = new Row(input);
        CheckPluginArgument(parameter, value, syntax, takesTilde);
        return new PluginArgument(value, null, null);
    }

    private void ReportPluginArgumentCount(FunctionSymbol plugin, CallExpr call)
    {
        var (min, max) = (plugin.Signatures[^1].MinArguments, plugin.Signatures[^1].MaxArguments);
        if (max < short.MaxValue)
            Error("KS119", Of($"The function '{plugin.Name}' expects {max switch { 0 => "no arguments", 1 => "1 argument", _ => $"{max} arguments" }}."), call.Function.Span);
        else
            Error("KS120", Of($"The function '{plugin.Name}' expects between {min} and {max} arguments."), call.Function.Span);
    }

    /// <summary>Reports an argument of another type or form than the parameter takes. Nothing is converted for a plug-in.</summary>
    private void CheckPluginArgument(FunctionParameterSymbol parameter, BoundScalar value, Expr syntax, bool takesTilde)
    {
        // A tilde stands for the default.
        if (value.Type == KqlType.Unknown || (takesTilde && value is BoundLiteral { Value: "~" }))
            return;
        var span = syntax.Span;
        var json = value is BoundLiteral { Type: KqlType.Dynamic, Value: string text } ? text : "";
        var fits = parameter.Class switch
        {
            ParameterClass.Declared => parameter.Types.Any(t => t == value.Type || (json.Length == 0 && KqlTypes.IsPromotable(value.Type, t))),
            ParameterClass.Integer => value.Type.IsInteger(),
            ParameterClass.Number => value.Type.IsNumeric(),
            ParameterClass.Summable => value.Type.IsSummable(),
            ParameterClass.Array => value.Type == KqlType.Dynamic && !json.StartsWith('{'),
            ParameterClass.Bag => value.Type == KqlType.Dynamic && !json.StartsWith('['),
            ParameterClass.NotDynamic => value.Type != KqlType.Dynamic,
            _ => true,
        };
        if (!fits)
        {
            var (code, message) = parameter.Class == ParameterClass.NotDynamic ? ("KS116", "The value of type 'dynamic' is not allowed in this context.") : Overloads.Expectation(parameter);
            Error(code, Of(message), span);
        }

        switch (parameter.Form)
        {
            case ArgumentForm.Column or ArgumentForm.ColumnOfTable or ArgumentForm.CommonColumn when value is not BoundColumnRef || syntax is ParenExpr:
                Error("KS109", Of("Column name expected."), span);
                break;
            case ArgumentForm.Constant when HasColumns(value):
                Error("KS129", Of("The expression must be a constant."), span);
                break;
            case ArgumentForm.Literal when syntax is not LiteralExpr:
                Error("KS131", Of("The expression must be a literal."), span);
                break;
        }
    }

    /// <summary>Reports a table where a value is expected.</summary>
    private void ReportTableArgument(FunctionParameterSymbol parameter, TextSpan span)
    {
        var (code, message) = parameter.Class is ParameterClass.Scalar or ParameterClass.NotDynamic ? ("KS108", "Scalar value expected.") : Overloads.Expectation(parameter);
        Error(code, Of(message), span);
        if (parameter.Form is ArgumentForm.Column or ArgumentForm.ColumnOfTable or ArgumentForm.CommonColumn)
            Error("KS109", Of("Column name expected."), span);
        else if (parameter.Form == ArgumentForm.Constant)
            Error("KS129", Of("The expression must be a constant."), span);
        else if (parameter.Form == ArgumentForm.Literal)
            Error("KS131", Of("The expression must be a literal."), span);
    }

    private PluginArgument BindPluginAggregate(Expr syntax)
    {
        var collector = new AggregateCollector();
        _aggregates = collector;
        var value = BindScalar(syntax);
        _aggregates = null;
        if (collector.Items.Count == 1 && value is BoundColumnRef)
            return new PluginArgument(null, null, collector.Finish([])[0]);
        if (value.Type != KqlType.Unknown)
            Error("KS236", Of("An aggregate function is expected."), syntax.Span);
        return new PluginArgument(value, null, null);
    }

    private IReadOnlyList<KqlColumn> PluginColumns(
        FunctionSymbol plugin, CallExpr call, TableValue? input, List<PluginArgument> arguments, ILookup<string, PluginArgument> byParameter, out bool isOpen)
    {
        isOpen = false;
        var source = input?.Columns ?? [];
        switch (plugin.Name)
        {
            case "bag_unpack":
                isOpen = true;
                return [.. source.Where(c => c.Id != ColumnOf(arguments[0])?.Id)];
            case "cosmosdb_sql_request" or "postgresql_request":
                isOpen = true;
                return [];
            case "pivot":
                isOpen = true;
                return PivotColumns(source, arguments);
            case "ipv4_lookup" or "ipv6_lookup" or "geo_polygon_lookup" or "geo_line_lookup":
                return LookupColumns(plugin, source, arguments, byParameter);
            case "dcount_intersect":
                return [.. source, .. arguments.Select((_, i) => NewColumn(string.Create(CultureInfo.InvariantCulture, $"s{i}"), KqlType.Long))];
            case "rolling_percentile":
                var value = ColumnOf(byParameter["ValueColumn"].FirstOrDefault());
                var index = ColumnOf(byParameter["IndexColumn"].FirstOrDefault());
                var bins = byParameter["BinsPerWindow"].FirstOrDefault()?.Scalar is { } b ? ConstantText(b) : "0";
                var percentile = byParameter["Percentile"].FirstOrDefault()?.Scalar is { } p ? ConstantText(p) : "0";
                var fixedColumns = new List<KqlColumn>();
                if (index is not null)
                    fixedColumns.Add(NewColumn(index.Name, index.Type));
                fixedColumns.AddRange(byParameter["Dimension"].Select(ColumnOf).OfType<KqlColumn>().Select(c => NewColumn(c.Name, c.Type)));
                fixedColumns.Add(NewColumn($"rolling_{bins}_percentile_{value?.Name ?? "value"}_{percentile}", value?.Type ?? KqlType.Real));
                return fixedColumns;
            case "sequence_detect":
                return SequenceColumns(call, byParameter);
            default:
                return TableColumns(plugin, source, byParameter);
        }
    }

    private static KqlColumn? ColumnOf(PluginArgument? argument) => argument?.Scalar is BoundColumnRef r ? r.Column : null;

    private static List<KqlColumn> PivotColumns(IReadOnlyList<KqlColumn> source, List<PluginArgument> arguments)
    {
        var given = arguments.Skip(2).Select(ColumnOf).OfType<KqlColumn>().ToList();
        if (given.Count > 0)
            return given;
        var pivot = ColumnOf(arguments.FirstOrDefault())?.Id;
        var aggregated = arguments.ElementAtOrDefault(1)?.Aggregate?.Arguments.FirstOrDefault() is BoundColumnRef r ? r.Column.Id : 0;
        return [.. source.Where(c => c.Id != pivot && c.Id != aggregated)];
    }

    private static IReadOnlyList<KqlColumn> LookupColumns(
        FunctionSymbol plugin, IReadOnlyList<KqlColumn> source, List<PluginArgument> arguments, ILookup<string, PluginArgument> byParameter)
    {
        var builder = new ColumnBuilder();
        var lookup = arguments.FirstOrDefault(a => a.Table is not null)?.Table?.Columns ?? [];
        if (plugin.Name == "ipv6_lookup")
        {
            // This one puts the lookup table's columns first, as its page prints them.
            foreach (var column in lookup.Concat(source))
                builder.Add(column);
            return builder.Columns;
        }

        foreach (var column in lookup)
            builder.Reserve(column.Name);
        foreach (var column in source)
            builder.Add(column);
        var dropped = byParameter["ExtraKey"].Select(ColumnOf).OfType<KqlColumn>().Select(c => c.Name).ToHashSet();
        if (plugin.Name.StartsWith("geo_", StringComparison.Ordinal)
            && byParameter["return_lookup_key"].FirstOrDefault()?.Scalar is not BoundLiteral { Value: true })
        {
            foreach (var key in byParameter["LookupPolygonKey"].Concat(byParameter["LookupLineKey"]).Select(ColumnOf).OfType<KqlColumn>())
                dropped.Add(key.Name);
        }

        foreach (var column in lookup)
        {
            if (!dropped.Contains(column.Name))
                builder.Add(column);
        }

        // The service puts the networks of ipv6_lookup before the rows that it looks up, unlike those of the other three.
        return plugin.Name == "ipv6_lookup" ? [.. builder.Columns.Skip(source.Count), .. builder.Columns.Take(source.Count)] : builder.Columns;
    }

    private List<KqlColumn> SequenceColumns(CallExpr call, ILookup<string, PluginArgument> byParameter)
    {
        var columns = new List<KqlColumn>();
        foreach (var dimension in byParameter["Dimension"].Select(ColumnOf).OfType<KqlColumn>())
            columns.Add(NewColumn(dimension.Name, dimension.Type));
        var timeline = ColumnOf(byParameter["TimelineColumn"].FirstOrDefault());
        foreach (var step in call.Arguments.Skip(3).OfType<NamedExpr>())
            columns.Add(NewColumn($"{step.Names[0].Name}_{timeline?.Name}", timeline?.Type ?? KqlType.DateTime));
        columns.Add(NewColumn("Duration", KqlType.TimeSpan));
        return columns;
    }

    /// <summary>Result columns as the function table writes them.</summary>
    private IReadOnlyList<KqlColumn> TableColumns(FunctionSymbol plugin, IReadOnlyList<KqlColumn> source, ILookup<string, PluginArgument> byParameter)
    {
        var builder = new ColumnBuilder();
        foreach (var item in plugin.Attributes.Columns)
        {
            var at = item.IndexOf('@', StringComparison.Ordinal);
            if (item == "*")
            {
                // Only a plug-in that returns input rows as they are keeps their identity.
                foreach (var column in source)
                    builder.Add(plugin.Attributes.Columns.Count == 1 ? column : NewColumn(column.Name, column.Type));
            }
            else if (at >= 0)
            {
                var prefix = item[..at];
                foreach (var column in byParameter[item[(at + 1)..]].Select(ColumnOf).OfType<KqlColumn>())
                    builder.Add(NewColumn(prefix.EndsWith('=') ? prefix[..^1] : prefix + column.Name, column.Type));
            }
            else
            {
                var colon = item.IndexOf(':', StringComparison.Ordinal);
                KqlTypes.TryParse(item.AsSpan(colon + 1), out var type);
                builder.Add(NewColumn(item[..colon], type));
            }
        }

        return builder.Columns;
    }
}
