using System.Globalization;
using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>union, search, find and macro-expand, all of which become unions.</summary>
internal sealed partial class Binder
{
    private TableValue BindUnion(UnionOperator op, TableValue? input)
    {
        var source = op.Parameter("withsource", "with_source")?.Word;
        var inner = op.Parameter("kind")?.Word?.Equals("inner", StringComparison.OrdinalIgnoreCase) == true;
        if (op.Parameter("isfuzzy", "best_effort") is { Word: { Length: > 0 } and not ("true" or "false") and var flag } given)
            Error("KS223", Of("Boolean literal expected."), given.Value.Span, Hints.Nearest(flag, ["true", "false"]));
        var fuzzy = _bestEffort || op.Parameter("isfuzzy", "best_effort", "__isFuzzy")?.Word == "true";
        var inputs = new List<TableValue>();
        if (input is not null)
            inputs.Add(IsLabelled(input) ? input : Named(input, null));
        foreach (var table in op.Tables)
        {
            var first = inputs.Count;
            AddUnionInput(table, fuzzy, inputs);

            // A variable's rows have no source of their own unless it is a view or was named by as.
            if (inputs.Count == first + 1 && table is NameExpr name && FindVariable(name.Name) is TableVariable { IsView: false } && !IsLabelled(inputs[first]))
                inputs[first] = Named(inputs[first], null);
        }

        _operator = op.Name;
        if (inputs.Count == 0 && fuzzy && op.Tables.Count > 0 && MissingName(op.Tables[0]) is { } missing)
            UnknownTable(missing, op.Tables[0].Span);
        return Unite(inputs, source, inner);
    }

    private static bool IsLabelled(TableValue table) => table.Node is SharedScan { Shared: { Kind: SharedPlanKind.As or SharedPlanKind.Materialize, Name: not null } };

    private TableValue BindUnionOf(IReadOnlyList<Expr> tables, TextSpan span)
    {
        var inputs = new List<TableValue>();
        foreach (var table in tables)
            AddUnionInput(table, false, inputs);
        if (inputs.Count == 0)
            Error("KS204", Of($"Failed to resolve table or column expression named '{_text.AsSpan(span.Start, span.Length)}'"), span);
        return Unite(inputs, null, false);
    }

    private void AddUnionInput(Expr table, bool fuzzy, List<TableValue> inputs)
    {
        while (table is ParenExpr { Inner: NameExpr or WildcardExpr or StarExpr or ParenExpr } p)
            table = p.Inner;
        var pattern = table switch
        {
            WildcardExpr w => w.Pattern,
            StarExpr => "*",
            MemberExpr { Selector: WildcardExpr w } m when IsDatabase(m.Target) => w.Pattern,
            MemberExpr { Selector: StarExpr } m when IsDatabase(m.Target) => "*",
            NameExpr { IsBracketed: true, Name: var n } when n.Contains('*', StringComparison.Ordinal) => n,
            _ => null,
        };
        if (pattern is not null)
        {
            var before = inputs.Count;
            foreach (var candidate in VisibleTables())
            {
                if (Wildcards.Matches(pattern, candidate.Name))
                    inputs.Add(new TableValue(Scan(candidate), null, candidate.Name));
            }

            foreach (var view in VisibleViews())
            {
                if (Wildcards.Matches(pattern, view.Name))
                    inputs.Add(view.Reference());
            }

            if (inputs.Count == before && !fuzzy)
                Error("KS204", Of($"Failed to resolve table or column expression named '{pattern}'"), table.Span);
            return;
        }

        if (fuzzy && MissingName(table) is { } missing)
        {
            _diagnostics.Warning("KS205", $"The fuzzy name '{missing}' does not refer to any known or currently accessible table.", table.Span);
            return;
        }

        inputs.Add(BindTable(table));
    }

    /// <summary>The name of a table that does not exist; null when the expression is anything else.</summary>
    private string? MissingName(Expr table) => table switch
    {
        NameExpr name when !IsTabular(name) && FindVariable(name.Name) is null => name.Name,
        CallExpr { Name: "table", Arguments: [LiteralExpr { Value: string name }] } when FindTable(name) is null && FindVariable(name) is null => name,
        CallExpr call when !IsTabular(call) && FindVariable(call.Name) is null => call.Name,
        MemberExpr m when IsDatabase(m.Target) => MissingName(m.Selector),
        ParenExpr p => MissingName(p.Inner),
        QueryExpr { Source: { } source } => MissingName(source),
        _ => null,
    };

    /// <summary>Unites tables by column name: one column for each name and type, a type suffix where one name has several types.</summary>
    private TableValue Unite(List<TableValue> inputs, string? sourceName, bool inner, List<string>? names = null)
    {
        if (inputs.Count == 1 && sourceName is null)
            return inputs[0];
        var types = new Dictionary<string, List<KqlType>>();
        var order = new List<(string Name, KqlType Type)>();
        foreach (var input in inputs)
        {
            foreach (var column in input.Columns)
            {
                if (!types.TryGetValue(column.Name, out var known))
                    types.Add(column.Name, known = []);
                if (!known.Contains(column.Type))
                {
                    known.Add(column.Type);
                    order.Add((column.Name, column.Type));
                }
            }
        }

        if (names is not null)
            order = [.. order.OrderBy(o => names.IndexOf(o.Name))];
        if (inner)
            order.RemoveAll(o => !inputs.TrueForAll(i => i.Columns.Any(c => c.Name == o.Name && c.Type == o.Type)));
        var builder = new ColumnBuilder(order.Count + 1);
        var sourceColumn = sourceName is null ? null : builder.Add(NewColumn(sourceName, KqlType.String));
        var outputs = new List<(string Name, KqlType Type, KqlColumn Column)>(order.Count);
        foreach (var (name, type) in GroupByName(order))
        {
            var known = types[name].Where(t => t != KqlType.Unknown).ToList();
            var shown = known.Count > 1 && !inner ? Suffixed(name + "_" + type.Name()) : name;
            if (builder.Add(NewColumn(shown, type)) is { } added)
                outputs.Add((name, type, added));
        }

        // A name with a type's suffix gives way to a column that is called so by itself.
        string Suffixed(string name)
        {
            var free = name;
            for (var n = 1; types.TryGetValue(free, out var own) && own.Count == 1; n++)
                free = name + n.ToString(CultureInfo.InvariantCulture);
            return free;
        }

        var result = new List<UnionInput>(inputs.Count);
        for (var i = 0; i < inputs.Count; i++)
        {
            var input = inputs[i];
            var byName = new Dictionary<string, KqlColumn>(input.Columns.Count);
            foreach (var column in input.Columns)
                byName.TryAdd(column.Name, column);
            var map = new KqlColumn?[outputs.Count];
            for (var c = 0; c < map.Length; c++)
                map[c] = byName.TryGetValue(outputs[c].Name, out var column) && column.Type == outputs[c].Type ? column : null;
            var label = input.Name ?? string.Create(CultureInfo.InvariantCulture, $"union_arg{i}");
            result.Add(new UnionInput(input.Node, label, map));
        }

        var late = inputs.FirstOrDefault(i => i.Late is not null)?.Late;
        return new TableValue(new UnionRelation(result, sourceColumn, builder.Columns), late);
    }

    /// <summary>Brings columns of one name together at the place of the first.</summary>
    private static IEnumerable<(string Name, KqlType Type)> GroupByName(List<(string Name, KqlType Type)> order) =>
        order.GroupBy(o => o.Name).SelectMany(g => g);

    private TableValue BindSearch(UnionOperator op, TableValue? input)
    {
        var inputs = new List<TableValue>();
        if (input is not null)
        {
            inputs.Add(input);
        }
        else if (op.Tables.Count == 0)
        {
            inputs.AddRange(VisibleTables().Select(t => new TableValue(Scan(t), null, t.Name)));
            inputs.AddRange(VisibleViews().Select(v => v.Reference()));
        }
        else
        {
            foreach (var table in op.Tables)
                AddUnionInput(table, false, inputs);
        }

        _operator = op.Name;
        var caseSensitive = op.Parameter("kind")?.Word?.Equals("case_sensitive", StringComparison.OrdinalIgnoreCase) == true;
        LeaveOut(inputs, op.Predicate!);
        var saved = _row;
        _exactCase = caseSensitive;
        for (var i = 0; i < inputs.Count; i++)
        {
            // A column that only some of the tables have is missing, not unknown, in the others.
            _row = new Row(inputs[i]);
            var predicate = BindSearchPredicate(op.Predicate!, caseSensitive, inputs);
            inputs[i] = new TableValue(new FilterRelation(inputs[i].Node, predicate), inputs[i].Late, inputs[i].Name);
        }

        _row = saved;
        _exactCase = false;
        return Unite(inputs, "$table", false);
    }

    /// <summary>The case-sensitive form of an operator on strings, in a search that is so.</summary>
    private KqlOperator Cased(KqlOperator op) => !_exactCase ? op : op switch
    {
        KqlOperator.EqualIgnoreCase => KqlOperator.Equal,
        KqlOperator.Contains => KqlOperator.ContainsCs,
        KqlOperator.StartsWith => KqlOperator.StartsWithCs,
        KqlOperator.EndsWith => KqlOperator.EndsWithCs,
        KqlOperator.Has => KqlOperator.HasCs,
        KqlOperator.HasPrefix => KqlOperator.HasPrefixCs,
        KqlOperator.HasSuffix => KqlOperator.HasSuffixCs,
        KqlOperator.Like => KqlOperator.LikeCs,
        _ => op,
    };

    /// <summary>A search predicate: a bare string is a term looked for in all columns; <c>column:"x"</c> in one.</summary>
    private BoundScalar BindSearchPredicate(Expr e, bool caseSensitive, List<TableValue> inputs)
    {
        if (!AddNodes(1, e.Span))
            return Unknown(e.Span);
        switch (e)
        {
            case ParenExpr p:
                return BindSearchPredicate(p.Inner, caseSensitive, inputs);
            case BinaryExpr { Operator: KqlOperator.And or KqlOperator.Or } logical:
                return new BoundBinary(
                    logical.Operator,
                    false,
                    BindSearchPredicate(logical.Left, caseSensitive, inputs),
                    BindSearchPredicate(logical.Right, caseSensitive, inputs),
                    KqlType.Bool,
                    logical.Span);
            case CallExpr { Name: "not", Arguments: [var inner] } not:
                return new BoundCall(Symbols.FunctionTable.Scalar("not"), [BindSearchPredicate(inner, caseSensitive, inputs)], KqlType.Bool, not.Span);
            case StarExpr:
                return new BoundLiteral(KqlType.Bool, true, e.Span);
            case LiteralExpr { Type: KqlType.String, Value: string term }:
                return Term(term, caseSensitive, e.Span);
            case NameExpr name when _scope.Find(name.Name) is ScalarVariable { Value: BoundLiteral { Type: KqlType.String, Value: string term } }:
                return Term(term, caseSensitive, e.Span);
            case BinaryExpr { OperatorText: ":", Left: StarExpr, Right: LiteralExpr { Value: string term } }:
                return Term(term, caseSensitive, e.Span);
            case BinaryExpr { OperatorText: ":" } colon:
                return BindColonTerm(colon, caseSensitive, inputs);
            default:
                return MissingColumn(e, inputs) ? new BoundLiteral(KqlType.Bool, false, e.Span) : BindPredicate(e);
        }
    }

    private BoundScalar BindColonTerm(BinaryExpr colon, bool caseSensitive, List<TableValue> inputs)
    {
        if (MissingColumn(colon, inputs))
            return new BoundLiteral(KqlType.Bool, false, colon.Span);
        var column = BindScalar(colon.Left);
        var value = BindScalar(colon.Right);
        if (column.Type is KqlType.String or KqlType.Dynamic && ConstantText(value) is { } term)
            return OneTerm(column, term, caseSensitive, colon.Span);
        return new BoundBinary(KqlOperator.Equal, false, column, value, KqlType.Bool, colon.Span);
    }

    /// <summary>Leaves out tables that have none of the columns a predicate reads, unless it looks for terms in any column.</summary>
    private void LeaveOut(List<TableValue> inputs, Expr predicate)
    {
        if (HasTerm(predicate))
            return;
        var names = new HashSet<string>();
        CollectNames(predicate, names);
        names.RemoveWhere(n => _scope.Find(n) is not null || !inputs.Exists(i => i.Find(n) is not null));
        if (names.Count > 0 && inputs.TrueForAll(i => i.Late is null))
            inputs.RemoveAll(i => names.All(n => i.Find(n) is null));
    }

    /// <summary>Whether a search predicate holds a part about all columns.</summary>
    private static bool HasTerm(Expr e) => e switch
    {
        ParenExpr p => HasTerm(p.Inner),
        BinaryExpr { Operator: KqlOperator.And or KqlOperator.Or } logical => HasTerm(logical.Left) || HasTerm(logical.Right),
        BinaryExpr { Left: StarExpr } => true,
        CallExpr { Name: "not", Arguments: [var inner] } => HasTerm(inner),
        InExpr { Left: StarExpr } => true,
        NameExpr or StarExpr or LiteralExpr => true,
        _ => false,
    };

    /// <summary>Whether an expression reads a column that the present table lacks while another of the searched tables has it.</summary>
    private bool MissingColumn(Expr e, List<TableValue> inputs) => e switch
    {
        NameExpr name => _row?.Input?.Find(name.Name) is null && _scope.Find(name.Name) is null && inputs.Exists(i => i.Find(name.Name) is not null),
        BinaryExpr b => MissingColumn(b.Left, inputs) || MissingColumn(b.Right, inputs),
        ParenExpr p => MissingColumn(p.Inner, inputs),
        CallExpr c => c.Arguments.Any(a => MissingColumn(a, inputs)),
        MemberExpr m => MissingColumn(m.Target, inputs),
        IndexExpr i => MissingColumn(i.Target, inputs),
        InExpr s => MissingColumn(s.Left, inputs),
        BetweenExpr b => MissingColumn(b.Value, inputs),
        UnaryExpr u => MissingColumn(u.Operand, inputs),
        _ => false,
    };

    private BoundScalar Term(string term, bool caseSensitive, TextSpan span) =>
        term.Trim('*').Length == 0
            ? new BoundLiteral(KqlType.Bool, true, span)
            : AnyColumn(_row!.Input!, span, column => OneTerm(column, term, caseSensitive, span), term.Trim('*'));

    /// <summary>A term with stars at its ends: <c>ab*</c> is a prefix, <c>*ab</c> a suffix, <c>*ab*</c> a substring, stars inside a pattern.</summary>
    private static BoundBinary OneTerm(BoundScalar column, string term, bool caseSensitive, TextSpan span)
    {
        var starts = term.StartsWith('*');
        var ends = term.EndsWith('*');
        var text = term.Trim('*');
        KqlOperator op;
        if (text.Contains('*', StringComparison.Ordinal))
        {
            op = KqlOperator.MatchesRegex;
            text = (caseSensitive ? "" : "(?i)") + string.Join(".*?", text.Split('*').Select(System.Text.RegularExpressions.Regex.Escape));
        }
        else
        {
            op = (starts, ends) switch
            {
                (true, true) => caseSensitive ? KqlOperator.ContainsCs : KqlOperator.Contains,
                (true, false) => caseSensitive ? KqlOperator.HasSuffixCs : KqlOperator.HasSuffix,
                (false, true) => caseSensitive ? KqlOperator.HasPrefixCs : KqlOperator.HasPrefix,
                _ => caseSensitive ? KqlOperator.HasCs : KqlOperator.Has,
            };
        }

        return new BoundBinary(op, false, column, new BoundLiteral(KqlType.String, text, span), KqlType.Bool, span);
    }

    private TableValue BindFind(UnionOperator op)
    {
        var inputs = new List<TableValue>();
        if (op.Tables.Count == 0)
        {
            inputs.AddRange(VisibleTables().Select(t => new TableValue(Scan(t), null, t.Name)));
            inputs.AddRange(VisibleViews().Select(v => v.Reference()));
        }

        foreach (var table in op.Tables)
            AddUnionInput(table, false, inputs);
        _operator = op.Name;
        LeaveOut(inputs, op.Predicate!);
        var saved = _row;
        var sourceName = op.Parameter("withsource", "with_source")?.Word ?? "source_";
        var used = new HashSet<string>();
        CollectNames(op.Predicate!, used);
        var common = inputs.Count == 0 ? [] : inputs[0].Columns.Where(c => inputs.TrueForAll(i => i.Columns.Any(o => o.Name == c.Name && o.Type == c.Type))).Select(c => c.Name).ToHashSet();
        for (var i = 0; i < inputs.Count; i++)
        {
            _row = new Row(inputs[i]);
            var predicate = BindSearchPredicate(op.Predicate!, false, inputs);
            BoundRelation node = new FilterRelation(inputs[i].Node, predicate);
            node = new ProjectRelation(node, FindColumns(op, inputs, i, used, common));
            inputs[i] = new TableValue(node, null, inputs[i].Name);
        }

        _row = saved;
        return Unite(inputs, sourceName, false, op.Project?.Select(FindName).ToList());
    }

    private static string FindName(Expr item) => item switch
    {
        NameExpr n => n.Name,
        NamedExpr n => n.Names[0].Name,
        CallExpr => "pack_",
        _ => "",
    };

    /// <summary>The columns one table gives to find: those asked for, else those the predicate reads or all tables share, with the rest packed.</summary>
    private List<NamedScalar> FindColumns(UnionOperator op, List<TableValue> inputs, int index, HashSet<string> used, HashSet<string> common)
    {
        var input = inputs[index];
        var result = new List<NamedScalar>();
        if (op.Project is null)
        {
            var rest = new List<BoundScalar>();
            foreach (var column in input.Columns.OrderBy(c => common.Contains(c.Name) ? 0 : 1))
            {
                if (used.Contains(column.Name) || common.Contains(column.Name))
                {
                    result.Add(new NamedScalar(column, new BoundColumnRef(column, op.Span)));
                }
                else
                {
                    rest.Add(new BoundLiteral(KqlType.String, column.Name, op.Span));
                    rest.Add(new BoundColumnRef(column, op.Span));
                }
            }

            result.Add(Packed("pack_", rest, op.Span));
            return result;
        }

        foreach (var item in op.Project)
        {
            switch (item)
            {
                case NameExpr name:
                    if (input.Find(name.Name) is { } found)
                        result.Add(new NamedScalar(found, new BoundColumnRef(found, name.Span)));
                    else if (inputs.Select(t => t.Find(name.Name)).FirstOrDefault(c => c is not null) is { } elsewhere)
                        result.Add(new NamedScalar(NewColumn(name.Name, elsewhere.Type), new BoundLiteral(elsewhere.Type, elsewhere.Type == KqlType.String ? "" : null, name.Span)));
                    else if (index == 0)
                        UnknownName(name.Name, name.Span);
                    break;
                case NamedExpr { Value: TypeOfExpr type, Names: [var typed] }:
                    BoundScalar value = input.Find(typed.Name) is { } source
                        ? Coerce(new BoundColumnRef(source, typed.Span), type.Type)
                        : new BoundLiteral(type.Type, type.Type == KqlType.String ? "" : null, typed.Span);
                    result.Add(new NamedScalar(NewColumn(typed.Name, type.Type), value));
                    break;
                case CallExpr { Name: "pack" or "pack_all" }:
                    // What is asked for by name is not packed again.
                    var all = input.Columns.Where(c => !result.Exists(r => r.Column.Name == c.Name)).SelectMany(c => new BoundScalar[] { new BoundLiteral(KqlType.String, c.Name, op.Span), new BoundColumnRef(c, op.Span) });
                    result.Add(Packed("pack_", [.. all], op.Span));
                    break;
                case NamedExpr { Names: [var named], Value: var expression }:
                    var scalar = BindScalar(expression);
                    result.Add(new NamedScalar(NewColumn(named.Name, scalar.Type), scalar));
                    break;
            }
        }

        return result;
    }

    private NamedScalar Packed(string name, List<BoundScalar> pairs, TextSpan span) => new(
        NewColumn(name, KqlType.Dynamic), new BoundCall(Symbols.FunctionTable.Scalar("bag_pack"), pairs, KqlType.Dynamic, span));

    private static void CollectNames(Expr e, HashSet<string> names)
    {
        switch (e)
        {
            case NameExpr n: names.Add(n.Name); break;
            case ParenExpr p: CollectNames(p.Inner, names); break;
            case UnaryExpr u: CollectNames(u.Operand, names); break;
            case MemberExpr m: CollectNames(m.Target, names); break;
            case IndexExpr i: CollectNames(i.Target, names); break;
            case InExpr s: CollectNames(s.Left, names); break;
            case BetweenExpr b: CollectNames(b.Value, names); break;
            case BinaryExpr b:
                CollectNames(b.Left, names);
                CollectNames(b.Right, names);
                break;
            case CallExpr c:
                foreach (var argument in c.Arguments)
                    CollectNames(argument, names);
                break;
        }
    }

    private TableValue BindMacroExpand(MacroExpandOperator op)
    {
        IReadOnlyList<Expr> entities = op.Group switch
        {
            EntityGroupExpr group => group.Entities,
            NameExpr name when _scope.Find(name.Name) is EntityGroupVariable variable => variable.Entities,
            _ => [],
        };
        if (entities.Count == 0)
            Error("KS247", Of($"The name '{_text.AsSpan(op.Group.Span.Start, op.Group.Span.Length)}' does not refer to any known entity group."), op.Group.Span);
        var inputs = new List<TableValue>();
        foreach (var entity in entities)
        {
            var saved = _scope;
            _scope = new Scope(_scope);
            if (IsDatabase(entity))
                _scope.Set(op.ScopeName.Name, DatabaseOf(entity));
            else
                DeclareTable(op.ScopeName.Name, BindTable(entity), SharedPlanKind.Let);
            if (BindBody(op.Body) is TableValue table)
                inputs.Add(table);
            _scope = saved;
        }

        return inputs.Count == 0 ? RequireTable(null, op.Span) : Unite(inputs, null, op.Parameter("kind")?.Word?.Equals("inner", StringComparison.OrdinalIgnoreCase) == true);
    }

    /// <summary>The database that <c>cluster('c').database('d')</c> names; all are the one there is.</summary>
    private DatabaseVariable DatabaseOf(Expr entity) => entity switch
    {
        MemberExpr { Selector: CallExpr { Name: "database" } database, Target: CallExpr { Name: "cluster" } cluster } => new DatabaseVariable(NameIn(database), NameIn(cluster)),
        CallExpr { Name: "database" } database => new DatabaseVariable(NameIn(database)),
        NameExpr name when _scope.Find(name.Name) is DatabaseVariable known => known,
        _ => new DatabaseVariable(_schema.Database),
    };

    private string NameIn(CallExpr call) => call.Arguments.Count > 0 ? ConstantText(BindScalar(call.Arguments[0])) ?? "" : _schema.Database;
}
