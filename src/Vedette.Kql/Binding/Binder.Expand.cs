using Vedette.Kql.Bound;
using Vedette.Kql.Syntax;

namespace Vedette.Kql.Binding;

/// <summary>mv-expand, mv-apply, parse, parse-where, parse-kv.</summary>
internal sealed partial class Binder
{
    private TableValue BindMvExpand(ExpandOperator op, TableValue input)
    {
        var builder = new ColumnBuilder(input.Columns.Count + op.Items.Count);
        foreach (var column in input.Columns)
            builder.Add(column);
        var items = BindExpandItems(op, builder);
        var index = BindItemIndex(op, builder);
        var mode = op.Parameter("bagexpansion", "kind")?.Word;
        // The old spelling stops at 128 rows unless told otherwise.
        var limit = BindRowLimit(op) ?? (_text.AsSpan(op.NameSpan.Start, op.NameSpan.Length) is "mvexpand" && op.Limit is null ? 128 : null);
        return input.With(new MvExpandRelation(input.Node, items, index, mode is "array", limit, builder.Columns));
    }

    private KqlColumn? BindItemIndex(ExpandOperator op, ColumnBuilder builder)
    {
        if (op.Parameter("with_itemindex")?.Word is not { } name)
            return null;
        // The name of a column that is there already gets a number.
        return builder.Add(NewColumn(name, KqlType.Long));
    }

    private long? BindRowLimit(ExpandOperator op)
    {
        if (op.Limit is null)
            return null;
        var value = BindCount(op.Limit);
        if (value is BoundLiteral { Value: long limit })
            return limit;
        if (value.Type != KqlType.Unknown)
            Error("KS131", Of("The expression must be a literal."), op.Limit.Span);
        return null;
    }

    private List<ExpandItem> BindExpandItems(ExpandOperator op, ColumnBuilder builder)
    {
        var items = new List<ExpandItem>();
        foreach (var (syntax, to) in op.Items)
        {
            var name = syntax is NamedExpr n ? n.Names[0] : null;
            var expression = syntax is NamedExpr named ? named.Value : syntax;
            var value = BindScalar(expression);
            if (value.Type is not (KqlType.Dynamic or KqlType.String or KqlType.Unknown))
                Error("KS141", Of("The expression must have the type dynamic."), syntax.Span);
            var type = to?.Type ?? (value.Type == KqlType.Unknown ? KqlType.Unknown : KqlType.Dynamic);
            KqlColumn column;
            if (name is not null)
            {
                column = NewColumn(name.Name, type);
                if (!builder.Declare(column, replace: true, out column))
                    Error("KS171", Of($"A column with the name '{name.Name}' is already declared."), name.Span);
            }
            else if (value is BoundColumnRef reference && (expression is CallExpr || IsReference(expression)))
            {
                column = NewColumn(reference.Column.Name, type);
                if (!builder.Declare(column, replace: true, out column))
                    Error("KS171", Of($"A column with the name '{column.Name}' is already declared."), syntax.Span);
            }
            else
            {
                var suggested = ResultName(expression);
                column = NewColumn(string.IsNullOrEmpty(suggested) ? DefaultName(builder) : suggested, type);
                column = builder.Add(column, expression is CallExpr && !string.IsNullOrEmpty(suggested)) ?? column;
            }

            items.Add(new ExpandItem(value, column));
        }

        return items;
    }

    private TableValue BindMvApply(ExpandOperator op, TableValue input)
    {
        var builder = new ColumnBuilder(input.Columns.Count + op.Items.Count);
        foreach (var column in input.Columns)
            builder.Add(column);
        var items = BindExpandItems(op, builder);
        var index = BindItemIndex(op, builder);
        var limit = BindRowLimit(op);
        var context = new ContextRelation([.. builder.Columns]);
        var body = BindPipeline(op.Body!, new TableValue(context, input.Late));
        _operator = op.Name;
        // The input row's columns, but for those an item replaced or the body yields again; then the body's.
        var expanded = items.Where(i => i.Value is BoundColumnRef r && r.Column.Name == i.Column.Name).Select(i => i.Column.Name).ToHashSet();
        var bodyNames = body.Columns.ToDictionary(c => c.Name);
        var output = new ColumnBuilder(builder.Columns.Count);
        var inputIds = input.Columns.Select(c => c.Id).ToHashSet();
        foreach (var column in input.Columns)
        {
            if (bodyNames.TryGetValue(column.Name, out var own))
            {
                if (own.Id == column.Id || !expanded.Contains(column.Name))
                    output.Add(own);
            }
            else if (!expanded.Contains(column.Name))
            {
                output.Add(column);
            }
        }

        foreach (var column in body.Columns)
        {
            if (!output.Contains(column.Name))
                output.Add(column);
        }

        return new TableValue(
            new MvApplyRelation(input.Node, items, index, limit, context, body.Node, output.Columns), input.Late ?? body.Late);
    }

    private TableValue BindParse(ParseOperator op, TableValue input)
    {
        var source = BindScalar(op.Source);
        // The text form of any other value is read.
        if (source.Type is not (KqlType.String or KqlType.Dynamic or KqlType.Unknown))
            source = new BoundConvert(source, KqlType.String, op.Source.Span);
        var mode = op.Parameter("kind")?.Word switch
        {
            "regex" => ParseMode.Regex,
            "relaxed" => ParseMode.Relaxed,
            _ => ParseMode.Simple,
        };
        var builder = new ColumnBuilder(input.Columns.Count + 4);
        foreach (var column in input.Columns)
            builder.Add(column);
        var parts = new List<ParsePart>();
        for (var i = 0; i < op.Pattern.Count; i++)
        {
            var part = op.Pattern[i];
            if (part.IsStar)
            {
                if (i > 0 && op.Pattern[i - 1] is { Column: not null, Type: KqlType.String } && mode != ParseMode.Regex)
                    Error("KS103", Of("Using * after parsing a string column is ambiguous."), part.Span);
                parts.Add(new ParseSkip());
            }
            else if (part.Text is { } text)
            {
                parts.Add(new ParseText((string)text.Value!));
            }
            else
            {
                if (i > 0 && op.Pattern[i - 1].IsStar)
                    Error("KS102", Of("A string literal must follow a *"), op.Pattern[i - 1].Span);
                else if (i > 0 && op.Pattern[i - 1].Column is not null)
                    Error("KS101", Of("The column name must follow a string literal"), part.Span);
                var column = NewColumn(part.Column!.Name, part.Type);
                if (!builder.Declare(column, replace: true, out column))
                    Error("KS171", Of($"A column with the name '{part.Column.Name}' is already declared."), part.Span);
                parts.Add(new ParseCapture(column));
            }
        }

        return input.With(new ParseRelation(
            input.Node, source, mode, op.Parameter("flags")?.Word ?? "", parts, op.Name == "parse-where", builder.Columns));
    }

    private TableValue BindParseKv(ParseKvOperator op, TableValue input)
    {
        var source = BindScalar(op.Source);
        // The text form of any other value is read.
        if (source.Type is not (KqlType.String or KqlType.Dynamic or KqlType.Unknown))
            source = new BoundConvert(source, KqlType.String, op.Source.Span);
        var builder = new ColumnBuilder(input.Columns.Count + op.Keys.Count);
        foreach (var column in input.Columns)
            builder.Add(column);
        var keys = new List<KqlColumn>();
        foreach (var key in op.Keys)
        {
            if (!builder.Declare(NewColumn(key.Name.Name, key.Type), replace: true, out var column))
                Error("KS171", Of($"A column with the name '{key.Name.Name}' is already declared."), key.Name.Span);
            keys.Add(column);
        }

        string? pair = null, kv = null, regex = null;
        char? escape = null;
        var greedy = false;
        var quotes = new List<string>();
        foreach (var option in op.Options)
        {
            var text = option.Word ?? ConstantText(BindScalar(option.Value)) ?? "";
            switch (option.Name)
            {
                case "pair_delimiter": pair = text; break;
                case "kv_delimiter": kv = text; break;
                case "regex": regex = text; break;
                case "escape": escape = text.Length > 0 ? text[0] : null; break;
                case "greedy": greedy = text == "true"; break;
                case "quote": quotes.AddRange(text.Length == 2 ? [text[..1], text[1..]] : [text]); break;
                default: Error("KS179", Of($"The name '{option.Name}' is not a recognized parameter for this operator."), option.NameSpan); break;
            }
        }

        return input.With(new ParseKvRelation(input.Node, source, keys, pair, kv, quotes, escape, greedy, regex, builder.Columns));
    }
}
