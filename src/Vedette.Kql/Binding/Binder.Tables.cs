using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>Tables: what is one, what a name or call means as one, and pipelines.</summary>
internal sealed partial class Binder
{
    /// <summary>Whether an expression stands for a table (or graph) rather than a scalar, judged by its form and the names in scope.</summary>
    private bool IsTabular(Expr e)
    {
        switch (e)
        {
            case QueryExpr { Source: null } or DataTableExpr or ExternalDataExpr or WildcardExpr:
                return true;
            case QueryExpr:
                return true;
            case ParenExpr p:
                return IsTabular(p.Inner);
            case NamedExpr n:
                return IsTabular(n.Value);
            case NameExpr name:
                if (_row?.Input?.Find(name.Name) is not null && _row.Input.Late is null)
                    return false;
                return FindVariable(name.Name) switch
                {
                    ScalarVariable => false,
                    TableVariable => true,
                    FunctionVariable f => f.Declaration.Parameters.All(p => p.Default is not null) && IsTabularBody(f),
                    null => FindTable(name.Name) is not null || FindHostFunction(name.Name) is not null,
                    _ => false,
                };
            case CallExpr call:
                return IsTabularCall(call);
            case MemberExpr { Target: CallExpr target, Selector: NameExpr } when FindVariable(target.Name) is PatternVariable:
                return true;
            case MemberExpr { Selector: CallExpr or NameExpr or WildcardExpr or StarExpr } m when IsDatabase(m.Target):
                return m.Selector is not CallExpr { Name: "database" };
            default:
                return false;
        }
    }

    private bool IsTabularCall(CallExpr call)
    {
        switch (call.Name)
        {
            case "materialize" or "table" or "totable" or "__table" or "materialized_view" or "external_table" or "stored_query_result":
                return true;
            case "toscalar":
                return false;
        }

        return FindVariable(call.Name) switch
        {
            FunctionVariable f => IsTabularBody(f),
            TableVariable => true,
            PatternVariable => true,
            null => FindHostFunction(call.Name) is not null || (FindTable(call.Name) is not null && call.Arguments.Count == 0),
            _ => false,
        };
    }

    private bool IsTabularBody(FunctionVariable f)
    {
        if (f.Declaration.Body.Count == 0 || f.Declaration.Body[^1] is not ExpressionStatement { Value: var result })
            return false;
        if (f.Declaration.IsView || result is QueryExpr or DataTableExpr or ExternalDataExpr)
            return true;
        if (f.IsActive)
            return false;
        // A name in the result may be a parameter or a variable of the body.
        f.IsActive = true;
        var saved = _scope;
        var savedRow = _row;
        _row = null;
        _scope = new Scope(f.Scope);
        foreach (var parameter in f.Declaration.Parameters)
        {
            _scope.Set(parameter.Name.Name, parameter.Columns is null
                ? new ScalarVariable(Unknown(parameter.Name.Span))
                : new TableVariable(parameter.Name.Name, NoTable));
        }

        foreach (var statement in f.Declaration.Body)
        {
            if (statement is not LetStatement let)
                continue;
            _scope.Set(let.Name.Name, let.Value is FunctionExpr function
                ? new FunctionVariable(let.Name.Name, function, _scope)
                : IsTabular(let.Value) ? new TableVariable(let.Name.Name, NoTable) : new ScalarVariable(Unknown(let.Span)));
        }

        var tabular = IsTabular(result);
        _scope = saved;
        _row = savedRow;
        f.IsActive = false;
        return tabular;
    }

    private bool IsDatabase(Expr e) => e switch
    {
        CallExpr { Name: "database" or "cluster" or "workspace" or "app" or "adx" or "arg" } => true,
        MemberExpr { Selector: CallExpr { Name: "database" } } m => IsDatabase(m.Target),
        NameExpr n => FindVariable(n.Name) is DatabaseVariable || (n.Name == _schema.Database && _row?.Input?.Find(n.Name) is null),
        _ => false,
    };

    /// <summary>Binds an expression that must be a table.</summary>
    private TableValue BindTable(Expr e, bool isResult = false)
    {
        if (!Enter(e.Span))
            return OpenNoTable();
        var savedRow = _row;
        _row = e is QueryExpr { Source: null } ? _row : null;
        var result = BindTableCore(e, isResult);
        _row = savedRow;
        Leave();
        return result;
    }

    private TableValue BindTableCore(Expr e, bool isResult)
    {
        switch (e)
        {
            case ParenExpr p:
                return BindTable(p.Inner, isResult);
            case QueryExpr query:
                return BindPipeline(query, null, isResult);
            case NameExpr name:
                return BindTableName(name);
            case DataTableExpr data:
                return BindDataTable(data);
            case ExternalDataExpr external:
                return BindExternalData(external);
            case CallExpr call:
                return BindTableCall(call);
            case NamedExpr named:
                return BindTable(named.Value);
            case MemberExpr { Target: CallExpr target, Selector: NameExpr path } when FindVariable(target.Name) is PatternVariable pattern:
                return BindPatternCall(pattern, target, path.Name);
            case MemberExpr m when IsDatabase(m.Target):
                return m.Selector switch
                {
                    NameExpr or CallExpr => BindDatabaseMember(m.Selector),
                    WildcardExpr or StarExpr => BindUnionOf([m.Selector], m.Span),
                    _ => NoTable(),
                };
            case WildcardExpr or StarExpr:
                return BindUnionOf([e], e.Span);
            case MissingExpr:
                return OpenNoTable();
            default:
                var scalar = BindScalar(e);
                if (scalar.Type != KqlType.Unknown)
                    Error("KS111", Of("Tabular value expected."), e.Span);
                return OpenNoTable();
        }
    }

    private TableValue BindDatabaseMember(Expr selector)
    {
        // The only database there is: names behind database('x') mean its tables.
        var saved = _scope;
        _scope = new Scope(null);
        var result = selector is NameExpr name ? BindTableName(name) : BindTableCall((CallExpr)selector);
        _scope = saved;
        return result;
    }

    private TableValue BindTableName(NameExpr name)
    {
        switch (FindVariable(name.Name))
        {
            case TableVariable variable:
                return variable.Reference();
            case FunctionVariable:
                return BindTableCall(new CallExpr(name, [], name.Span));
            case ScalarVariable scalar when scalar.Value.Type != KqlType.Unknown:
                Error("KS111", Of("Tabular value expected."), name.Span);
                return OpenNoTable();
            case ScalarVariable:
                return OpenNoTable();
        }

        if (FindTable(name.Name) is { } table)
            return new TableValue(Scan(table), null, table.Name);
        if (FindHostFunction(name.Name) is not null)
            return BindTableCall(new CallExpr(name, [], name.Span));
        if (name.Name.Length > 0)
            UnknownTable(name.Name, name.Span);
        return OpenNoTable();
    }

    private void UnknownTable(string name, TextSpan span, string code = "KS204") =>
        Error(
            code,
            Of($"Failed to resolve table or column expression named '{name}'"),
            span,
            Hints.Nearest(name, VisibleTables().Select(t => t.Name).Concat(_schema.Functions.Select(f => f.Name)).Concat(_scope.AllNames().Where(n => FindVariable(n) is not null))));

    private TableValue BindTableCall(CallExpr call)
    {
        switch (call.Name)
        {
            case "materialize" or "totable" when call.Arguments.Count >= 1 && FindVariable(call.Name) is null:
                return call.Name == "totable" ? BindTable(call.Arguments[0]) : BindMaterialize(call);
            case "table" or "__table" or "materialized_view" when call.Arguments.Count >= 1:
                if (BindScalar(call.Arguments[0]) is BoundLiteral { Value: string tableName })
                    return BindTableName(new NameExpr(tableName, call.Arguments[0].Span));
                Error("KS129", Of("The expression must be a constant."), call.Arguments[0].Span);
                return OpenNoTable();
            case "external_table" or "stored_query_result":
                var named = call.Arguments.Count > 0 && call.Arguments[0] is LiteralExpr { Value: string text } ? text : "";
                Error("KS209", Of($"The name '{named}' does not refer to any known {(call.Name == "external_table" ? "external table" : "stored query result")}."), call.Span);
                return OpenNoTable();
        }

        switch (FindVariable(call.Name))
        {
            case FunctionVariable function:
                return RequireTable(BindFunctionCall(function, call, null), call.Span);
            case TableVariable variable:
                return variable.Reference();
            case PatternVariable pattern:
                return BindPatternCall(pattern, call, null);
        }

        if (FindHostFunction(call.Name) is { } host)
            return BindHostFunction(host, call, null);
        if (FindTable(call.Name) is { } table && call.Arguments.Count == 0)
            return new TableValue(Scan(table), null, table.Name);
        if (Symbols.FunctionTable.Scalars.ContainsKey(call.Name))
            Error("KS111", Of("Tabular value expected."), call.Span);
        else
            UnknownFunction(call);
        return OpenNoTable();
    }

    private TableValue BindMaterialize(CallExpr call)
    {
        var table = BindTable(call.Arguments[0]);
        if (table.Node is SharedScan { Shared.Kind: SharedPlanKind.Materialize })
            return table;
        var shared = new SharedPlan(++_planIds, null, SharedPlanKind.Materialize, table.Node);
        return Reference(shared, table, null);
    }

    /// <summary>Binds a pipeline. <paramref name="context"/> is the input of a body that begins with an operator (mv-apply, fork …).</summary>
    private TableValue BindPipeline(QueryExpr query, TableValue? context, bool isResult = false)
    {
        var savedOperator = _operator;
        TableValue current;
        var index = 0;
        BoundGraph? graph = null;
        if (query.Source is not null)
        {
            _operator = query.Operators.Count > 0 ? query.Operators[0].Name : "";
            graph = TryBindGraphSource(query.Source);
            current = graph is not null ? NoTable() : BindTable(query.Source);
        }
        else if (context is not null)
        {
            current = context;
        }
        else
        {
            _operator = query.Operators[0].Name;
            current = BindSourceOperator(query.Operators[0]);
            index = 1;
        }

        var savedScope = _scope;
        for (; index < query.Operators.Count && !_stopped; index++)
        {
            var op = query.Operators[index];
            _operator = op.Name;
            _pipedSpan = new TextSpan(query.Span.Start, (index == 0 ? query.Source?.Span.End ?? query.Span.Start : query.Operators[index - 1].Span.End) - query.Span.Start);
            // A chart of what the branches give changes nothing.
            var last = query.Operators.Skip(index + 1).All(o => o is RenderOperator);
            if (isResult && last && op is BranchOperator { Name: "fork" or "facet" } branch)
                current = BindBranches(branch, current);
            else if (BindGraphOperator(op, ref graph, current, isResult && last) is { } table)
                current = table;
            else if (graph is null)
                current = BindOperator(op, current);
        }

        if (graph is not null && !_stopped)
            Error("KS111", Of("Tabular value expected."), query.Span);
        if (!isResult || query.Operators is not [.., GraphToTableOperator])
            _scope = savedScope;
        _operator = savedOperator;
        return current;
    }

    private TableValue BindSourceOperator(OperatorSyntax op)
    {
        switch (op)
        {
            case ListOperator { Name: "print" } print:
                return BindPrint(print);
            case RangeOperator range:
                return BindRange(range);
            case UnionOperator { Name: "union" } union:
                return BindUnion(union, null);
            case UnionOperator { Name: "search" } search:
                return BindSearch(search, null);
            case UnionOperator { Name: "find" } find:
                return BindFind(find);
            case CallOperator { Name: "evaluate" } evaluate:
                return BindEvaluate(evaluate, null);
            case MacroExpandOperator macro:
                return BindMacroExpand(macro);
            case BadOperator:
                return OpenNoTable();
            default:
                Error("KS174", "The operator cannot be the first operator in a query.", op.NameSpan);
                return OpenNoTable();
        }
    }

    private TableValue BindOperator(OperatorSyntax op, TableValue input)
    {
        if (!Enter(op.NameSpan))
            return input;
        var savedRow = _row;
        _row = new Row(input);
        var result = op switch
        {
            ListOperator list => BindListOperator(list, input),
            SummarizeOperator summarize => BindSummarize(summarize, input),
            CountedOperator counted => BindCounted(counted, input),
            JoinOperator join => BindJoin(join, input),
            UnionOperator { Name: "union" } union => BindUnion(union, input),
            UnionOperator { Name: "search" } search => BindSearch(search, input),
            ExpandOperator { Name: "mv-expand" } expand => BindMvExpand(expand, input),
            ExpandOperator apply => BindMvApply(apply, input),
            ParseOperator parse => BindParse(parse, input),
            ParseKvOperator parse => BindParseKv(parse, input),
            MakeSeriesOperator series => BindMakeSeries(series, input),
            TopNestedOperator nested => BindTopNested(nested, input),
            CallOperator { Name: "evaluate" } evaluate => BindEvaluate(evaluate, input),
            CallOperator invoke => BindInvoke(invoke, input),
            RenderOperator render => BindRender(render, input),
            BranchOperator { Name: "partition" } partition => BindPartition(partition, input),
            BranchOperator branch => BindInnerBranches(branch, input),
            ReduceOperator reduce => BindReduce(reduce, input),
            ScanOperator scan => BindScan(scan, input),
            BadOperator => new TableValue(input.Node, new LateColumns((name, _) => NewColumn(name, KqlType.Unknown))),
            _ => OperatorMustBeFirst(op, input),
        };
        _row = savedRow;
        Leave();
        return CheckDepth(result, op.NameSpan);
    }

    private TableValue OperatorMustBeFirst(OperatorSyntax op, TableValue input)
    {
        Error("KS175", "The operator must be the first operator in the query.", op.NameSpan);
        return input;
    }

    private TableValue BindListOperator(ListOperator op, TableValue input)
    {
        switch (op.Name)
        {
            case "where":
                return input.With(new FilterRelation(input.Node, BindPredicate(op.Items[0])));
            case "extend":
                return BindExtend(op, input);
            case "serialize":
                var serialized = input.With(new SerializeRelation(input.Node));
                _row = new Row(serialized);
                return op.Items.Count == 0 ? serialized : BindExtend(op, serialized);
            case "project":
                return BindProject(op, input);
            case "project-away":
                return BindProjectAway(op, input);
            case "project-keep":
                return BindProjectKeep(op, input);
            case "project-by-names":
                return BindProjectByNames(op, input);
            case "project-rename":
                return BindProjectRename(op, input);
            case "project-reorder":
                return BindProjectReorder(op, input);
            case "distinct":
                return BindDistinct(op, input);
            case "sort":
                return input.With(new SortRelation(input.Node, BindSortKeys(op.Items, noDynamic: input.Late is null)));
            case "take":
                return input.With(new TakeRelation(input.Node, BindCount(op.Items[0])));
            case "sample":
                return input.With(new SampleRelation(input.Node, BindCount(op.Items[0])));
            case "count":
                return BindCountOperator(op, input);
            case "as":
                return BindAs((NameExpr)op.Items[0], input, op.Parameter("hint.materialized")?.Word == "true");
            case "getschema":
                return BindGetSchema(input);
            case "consume":
                return input.With(new ConsumeRelation(input.Node));
            case "print":
                Error("KS175", "The operator must be the first operator in the query.", op.NameSpan);
                return input;
            default:
                return input;
        }
    }

    private TableValue BindAs(NameExpr name, TableValue input, bool materialized)
    {
        var shared = input.Node is SharedScan { Shared: { Kind: not SharedPlanKind.Let } existing }
            ? existing
            : new SharedPlan(++_planIds, name.Name, materialized ? SharedPlanKind.Materialize : SharedPlanKind.As, input.Node);
        _scope = new Scope(_scope);
        _scope.Set(name.Name, new TableVariable(name.Name, () => Reference(shared, input, name.Name)));
        return Reference(shared, input, name.Name);
    }
}
