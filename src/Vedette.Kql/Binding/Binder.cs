using System.Runtime.CompilerServices;
using Vedette.Kql.Bound;
using Vedette.Kql.Symbols;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>
/// Turns syntax into the bound tree: resolves names, types and result columns, inlines variables and functions, and reports what does not fit.
/// An expression that fails binds to a value of unknown type, about which nothing further is reported.
/// </summary>
internal sealed partial class Binder
{
    private readonly KqlSchema _schema;
    private readonly KqlOptions _options;
    private readonly DiagnosticBag _diagnostics;
    private readonly List<KqlResult> _results = [];
    private readonly string _text;
    private Scope _scope;
    private Row? _row;
    private string _operator = "";
    private TextSpan _pipedSpan;
    private int _columnIds;
    private int _planIds;
    private int _depth;
    private int _nodes;
    private bool _stopped;
    private int _inlining;
    private int _mainResult;
    private int _deepest;
    private int _unnamedColumns;
    private Dictionary<string, int>? _mentions;
    private bool _bestEffort;
    private bool _exactCase;
    private BoundScalar? _mostRecords;

    private Binder(string text, KqlSchema schema, KqlOptions options, DiagnosticBag diagnostics)
    {
        _text = text;
        _schema = schema;
        _options = options;
        _diagnostics = diagnostics;
        _scope = new Scope(null);
    }

    /// <summary>Binds a query's statements; one result per table the query returns.</summary>
    public static (IReadOnlyList<KqlResult> Results, int Main) Bind(
        string text, IReadOnlyList<Statement> statements, KqlSchema schema, KqlOptions options, DiagnosticBag diagnostics)
    {
        var binder = new Binder(text, schema, options, diagnostics);
        binder.DeclareParameters(statements);
        foreach (var statement in statements)
        {
            if (binder._stopped)
                break;
            binder.BindStatement(statement, isResult: true);
        }

        if (binder._results.Count == 0 && !diagnostics.HasErrors)
        {
            diagnostics.Error("KS006", statements.Count == 0 ? "Missing expression: the query is empty." : "Missing expression: the query has no tabular statement.", new TextSpan(text.Length, 0));
        }

        // Whatever has no type was reported; should a case have slipped through, the query must not run.
        if (!diagnostics.HasErrors && !options.LateUntyped && binder._results.SelectMany(r => r.Root.Columns).FirstOrDefault(c => c.Type == KqlType.Unknown) is { } untyped)
            diagnostics.Error("KS246", $"The type of the column '{untyped.Name}' cannot be determined.", new TextSpan(0, 0));
        return (binder._results, binder._mainResult);
    }

    /// <summary>The columns that scalar expressions see: those of the input, and beside a join's condition those of its right side.</summary>
    private sealed class Row(TableValue? input)
    {
        public TableValue? Input { get; } = input;

        public TableValue? Right { get; init; }

        /// <summary>Names that only this row brings: scan steps, graph variables, the element of map().</summary>
        public Dictionary<string, Func<NameExpr, BoundScalar>>? Special { get; init; }

        /// <summary>Members of special names: <c>step.column</c>, <c>node.property</c>.</summary>
        public Func<string, string, TextSpan, BoundScalar?>? SpecialMember { get; init; }

        /// <summary>The names that may be used inside a call of all(), any() or map() over an element of a graph's pattern.</summary>
        public Func<CallExpr, Dictionary<string, Func<NameExpr, BoundScalar>>>? ElementNames { get; init; }
    }

    private KqlColumn NewColumn(string name, KqlType type) => new(++_columnIds, name, type);

    /// <summary>Enters a nesting level or a new node; false when the query is too deep or too large (reported once).</summary>
    private bool Enter(TextSpan span)
    {
        if (_stopped)
            return false;
        if (!AddNodes(1, span))
            return false;
        if (_depth > _options.MaxDepth * 4 || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return StopTooDeep(span);
        _deepest = Math.Max(_deepest, ++_depth);
        return true;
    }

    /// <summary>Counts nodes of the tree, those behind references to variables included: writers of other languages may have to spell them out.</summary>
    private bool AddNodes(int count, TextSpan span)
    {
        _nodes = (int)Math.Min(int.MaxValue, (long)_nodes + count);
        return (!_stopped && _nodes <= _options.MaxNodes)
            || Stop("KS244", "Query text size exceeds maximum safe limit: variables and functions put in place make the query too large.", span);
    }

    private bool StopTooDeep(TextSpan span) => Stop("KS245", "Query syntax depth exceeds maximum safe limit. Semantic analysis not performed.", span);

    /// <summary>Binds a scalar for a variable, measuring what each reference to it will add.</summary>
    private ScalarVariable Measured(Func<BoundScalar> bind)
    {
        var (nodes, deepest) = (_nodes, _deepest);
        _deepest = _depth;
        var value = bind();
        var depth = _deepest - _depth;
        _deepest = Math.Max(_deepest, deepest);
        return value is BoundLiteral ? new ScalarVariable(value) : new ScalarVariable(value, _nodes - nodes, depth);
    }

    /// <summary>The value of a variable at a reference.</summary>
    private BoundScalar Use(ScalarVariable variable, TextSpan span)
    {
        if (!AddNodes(variable.Size, span))
            return Unknown(span);
        _deepest = Math.Max(_deepest, _depth + variable.Depth);
        if (_deepest > _options.MaxDepth * 4)
            StopTooDeep(span);
        return variable.Value;
    }

    /// <summary>Refuses a plan that nests too deeply through variables.</summary>
    private TableValue CheckDepth(TableValue table, TextSpan span)
    {
        if (table.Node.Depth > _options.MaxDepth * 2 && !_stopped)
            StopTooDeep(span);
        return table;
    }

    private void Leave() => _depth--;

    private bool Stop(string code, string message, TextSpan span)
    {
        _stopped = true;
        _diagnostics.Error(code, message, span);
        return false;
    }

    private void Error(string code, string message, TextSpan span, string? hint = null)
    {
        if (!_stopped)
            _diagnostics.Error(code, message, span, hint);
    }

    /// <summary>Prefixes a message with the operator at work, in the service's form.</summary>
    private string Of(string message) => _operator.Length == 0 ? message : $"'{_operator}' operator: {message}";

    private static BoundLiteral Unknown(TextSpan span) => new(KqlType.Unknown, null, span);

    private static TableValue NoTable() => new(new DataTableRelation([], []));

    private TableValue OpenNoTable() => new(new DataTableRelation([], []), new LateColumns((name, _) => NewColumn(name, KqlType.Unknown)));

    private void BindStatement(Statement statement, bool isResult)
    {
        switch (statement)
        {
            case LetStatement let:
                BindLet(let);
                break;
            case ExpressionStatement { Value: MissingExpr }:
                break;
            case ExpressionStatement e when isResult:
                BindResult(e.Value);
                break;
            case PatternStatement pattern:
                _scope.Set(pattern.Name.Name, new PatternVariable(pattern, _scope, _access));
                break;
            case OptionStatement { Value: not null } option when option.Name.StartsWith("alias ", StringComparison.Ordinal):
                _scope.Set(option.Name[6..], new DatabaseVariable(option.Name[6..]));
                break;
            case OptionStatement { Value: { } size, Name: "query_bin_auto_size" }:
                _binAutoSize = BindScalar(size);
                break;
            case OptionStatement { Value: { } at, Name: "query_bin_auto_at" }:
                _binAutoAt = BindScalar(at);
                break;
            case OptionStatement { Name: "best_effort" } option:
                _bestEffort = option.Value is null || BindScalar(option.Value) is BoundLiteral { Value: true };
                break;
            case OptionStatement { Value: { } most, Name: "query_take_max_records" }:
                _mostRecords = BindCount(most);
                break;
            case RestrictStatement restrict:
                Restrict(restrict);
                break;
            case OptionStatement:
            case QueryParametersStatement:
                break;
        }
    }

    private void DeclareParameters(IReadOnlyList<Statement> statements)
    {
        foreach (var statement in statements)
        {
            if (statement is not QueryParametersStatement declared)
                continue;
            foreach (var parameter in declared.Parameters)
                _scope.Set(parameter.Name.Name, new ScalarVariable(ParameterValue(parameter)));
        }

        var names = statements.OfType<QueryParametersStatement>().SelectMany(static s => s.Parameters).Select(static p => p.Name.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var given in _options.Parameters.Keys.Where(name => !names.Contains(name)))
            Error("KS132", $"A value is given for '{given}', but the query declares no such parameter.", new TextSpan(0, 0));
    }

    private BoundScalar ParameterValue(FunctionParameter parameter)
    {
        if (_options.Parameters.TryGetValue(parameter.Name.Name, out var given))
        {
            var isText = parameter.Type == KqlType.String;

            // Texts need no quotes, nor do values the marks of their type: 2026-01-01 will do for datetime(2026-01-01).
            string[] spellings = isText ? given is ['"' or '\'' or '@' or '`', ..] ? [given] : [] : [given, $"{parameter.Type.Name()}({given})"];
            foreach (var spelling in spellings)
            {
                var bag = new DiagnosticBag(1);
                var value = Parser.ParseScalar(spelling, bag, _options);
                if (bag.HasErrors || value is not (LiteralExpr or UnaryExpr { Operand: LiteralExpr }))
                    continue;

                // datetime(tomorrow) is null, which nobody means.
                var bound = BindScalar(value);
                if (spelling == given ? Fits(bound.Type, parameter.Type) : bound is not BoundLiteral { Value: null } || given.Trim() == "null")
                    return Coerce(bound, parameter.Type);
            }

            if (isText)
                return new BoundLiteral(KqlType.String, given, parameter.Name.Span);
            Error("KS131", $"The value given for the query parameter '{parameter.Name.Name}' is not a literal of type {parameter.Type.Name()}.", parameter.Name.Span);
        }

        if (parameter.Default is { } fallback)
            return Coerce(BindScalar(fallback), parameter.Type);
        return new BoundLiteral(parameter.Type, parameter.Type == KqlType.String ? "" : null, parameter.Name.Span);
    }

    private static bool Fits(KqlType given, KqlType wanted) =>
        given == wanted || (given is KqlType.Int or KqlType.Long && wanted is KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal) || (given == KqlType.Real && wanted == KqlType.Decimal);

    private void BindLet(LetStatement let)
    {
        var name = let.Name.Name;
        if (name.Length == 0)
            return;
        if (_scope.Declares(name))
            Error("KS201", $"The variable '{name}' is already declared.", let.Name.Span);
        switch (let.Value)
        {
            case FunctionExpr function:
                BindFunctionDeclaration(name, function);
                return;
            case EntityGroupExpr group:
                _scope.Set(name, new EntityGroupVariable(group.Entities));
                return;
            case MissingExpr:
                _scope.Set(name, new ScalarVariable(Unknown(let.Span)));
                return;
        }

        if (TryBindGraph(let.Value) is { } graph)
        {
            _scope.Set(name, new GraphVariable(graph));
            return;
        }

        var saved = _operator;
        _operator = "";
        if (IsTabular(let.Value))
        {
            var before = _nodes;
            var table = BindTable(let.Value);
            DeclareTable(name, table, SharedPlanKind.Let, size: _nodes - before);
        }
        else
            _scope.Set(name, Measured(() => BindScalar(let.Value)));
        _operator = saved;
    }

    /// <summary>
    /// Declares a table variable. A plan that is already shared (materialize) is referred to as such; another becomes a shared plan when it is read a second time,
    /// and stands in place when it is read once.
    /// </summary>
    private void DeclareTable(string name, TableValue value, SharedPlanKind kind, bool isView = false, int size = 1)
    {
        if (value.Node is SharedScan { Shared: var existing })
        {
            _scope.Set(name, new TableVariable(name, () => Reference(existing, value, name, size), isView));
            return;
        }

        if (value.Node is TableScan table)
        {
            // Another name for a table: each reference scans it anew.
            _scope.Set(name, new TableVariable(name, () => new TableValue(Scan(table.Table), null, name), isView));
            return;
        }

        var inlined = _inlining == 0 && kind == SharedPlanKind.Let && MentionsAtMostOnce(name);
        SharedPlan? shared = null;
        var taken = false;
        _scope.Set(name, new TableVariable(name, () =>
        {
            if (inlined && !taken && _inlining == 0)
            {
                taken = true;
                return new TableValue(value.Node, value.Late, name);
            }

            shared ??= new SharedPlan(++_planIds, name, kind, value.Node);
            return Reference(shared, value, name, size);
        }, isView));
    }

    private TableValue Reference(SharedPlan shared, TableValue original, string? name, int size = 1)
    {
        if (!AddNodes(size, default))
            return OpenNoTable();
        var columns = new KqlColumn[shared.Plan.Columns.Count];
        for (var i = 0; i < columns.Length; i++)
            columns[i] = NewColumn(shared.Plan.Columns[i].Name, shared.Plan.Columns[i].Type);
        return new TableValue(new SharedScan(shared, columns), original.Late, name);
    }

    /// <summary>Whether the name stands at most twice in the text: in its declaration and in one reference.</summary>
    private bool MentionsAtMostOnce(string name)
    {
        if (_mentions is null)
        {
            _mentions = [];
            for (var i = 0; i < _text.Length; i++)
            {
                var start = i;
                while (i < _text.Length && (char.IsLetterOrDigit(_text[i]) || _text[i] is '_' or '$'))
                    i++;
                if (i > start)
                {
                    ref var count = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
                        _mentions.GetAlternateLookup<ReadOnlySpan<char>>(), _text.AsSpan(start, i - start), out _);
                    count++;
                }
            }
        }

        return _mentions.GetValueOrDefault(name) is 1 or 2;
    }

    private void BindResult(Expr value)
    {
        if (value is NameExpr name && _row is null && _scope.Find(name.Name) is GraphVariable)
        {
            Error("KS111", "Tabular value expected.", value.Span);
            return;
        }

        var before = _results.Count;
        _mainResult = before;
        if (IsTabular(value))
        {
            var table = BindTable(value, isResult: true);
            if (_results.Count == before)
                _results.Add(new KqlResult(null, _mostRecords is null ? table.Node : new TakeRelation(table.Node, _mostRecords)));
        }
        else
        {
            // A scalar statement returns one row, as print does.
            if (value is NameExpr unresolved && ResolveVariable(unresolved.Name) is null && !FunctionTable.Scalars.ContainsKey(unresolved.Name))
            {
                // A lone name may be anything.
                UnknownTable(unresolved.Name, unresolved.Span, "KS142");
                return;
            }

            var scalar = BindScalar(value);
            _results.Add(new KqlResult(null, new PrintRelation([new NamedScalar(NewColumn("print_0", scalar.Type), scalar)])));
        }
    }

    private NamedValue? ResolveVariable(string name) => FindVariable(name);

    private TableScan Scan(KqlTable table)
    {
        var columns = new KqlColumn[table.Columns.Count];
        for (var i = 0; i < columns.Length; i++)
            columns[i] = NewColumn(table.Columns[i].Name, table.Columns[i].Type);
        return new TableScan(table, columns);
    }
}
