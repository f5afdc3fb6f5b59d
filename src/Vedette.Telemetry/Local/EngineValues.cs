using System.Globalization;
using System.Runtime.CompilerServices;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Local;

/// <summary>The engine that a query's local steps may ask.</summary>
/// <param name="Engine">The engine.</param>
/// <param name="Settings">Settings of the query: limits of time and memory.</param>
/// <param name="Ran">Hears of statements that have run.</param>
internal sealed record StepEngine(IClickHouse Engine, IReadOnlyDictionary<string, string> Settings, Action<HuntingStage>? Ran);

/// <summary>An expression that the engine computes for a step, out of values that only the step knows.</summary>
internal sealed class EngineExpression(BoundScalar scalar, IReadOnlyList<BoundScalar> leaves, IReadOnlyList<KqlType> types, bool isVolatile)
{
    public BoundScalar Scalar { get; } = scalar;

    /// <summary>Its parts whose values the step gives.</summary>
    public IReadOnlyList<BoundScalar> Leaves { get; } = leaves;

    /// <summary>Their types.</summary>
    public IReadOnlyList<KqlType> Types { get; } = types;

    /// <summary>Whether it may give something else for the same values, or fail: it is asked for one by one, and never ahead.</summary>
    public bool IsVolatile { get; } = isVolatile;

    /// <summary>How many following rows are asked for along with one.</summary>
    public int Ahead { get; set; } = 16;

    /// <summary>Answers that were taken from those asked for ahead since the last question.</summary>
    public int Taken { get; set; }

    /// <summary>Whether the trace has heard of it.</summary>
    public bool IsTraced { get; set; }

    public Dictionary<RowKey, object?> Known { get; } = [];

    /// <summary>About how many bytes those hold.</summary>
    public long KnownBytes { get; set; }

    public Dictionary<RowKey, List<TaskCompletionSource<object?>>> Wanted { get; } = [];
}

/// <summary>
/// Values of expressions that this process does not compute as the engine does: a step names the values of the parts that only it knows, and the engine
/// computes the whole for many of them in one statement. So a function has one meaning everywhere.
/// </summary>
/// <param name="context">What the query is written for.</param>
/// <param name="engine">The engine, once the query runs.</param>
/// <param name="isLeaf">Whether a part's value comes from the step.</param>
/// <param name="inside">The expression that such a part holds, if it holds one.</param>
internal sealed class EngineValues(SqlContext context, Func<StepEngine?> engine, Func<BoundScalar, bool> isLeaf, Func<BoundScalar, BoundScalar?>? inside = null)
{
    /// <summary>Rows of one statement.</summary>
    private const int BatchRows = 10_000;

    /// <summary>Bytes, by estimate, of the answers that are remembered of one expression.</summary>
    private const long MaxKnownBytes = 64L * 1024 * 1024;

    private const int IllegalType = 43;
    private const int IllegalColumn = 44;

    // Far from what the binder, the writer and steps that find columns count.
    private const int FirstColumn = 1_900_000_000;

    private readonly ConditionalWeakTable<BoundScalar, object> _local = [];
    private readonly Dictionary<BoundScalar, EngineExpression> _expressions = new(ReferenceEqualityComparer.Instance);
    private long _volatile;

    /// <summary>Whether this process computes all of an expression exactly.</summary>
    public bool IsLocal(BoundScalar scalar)
    {
        if (!_local.TryGetValue(scalar, out var known))
            _local.AddOrUpdate(scalar, known = LocalSupport.IsExact(scalar, isLeaf, inside));
        return (bool)known;
    }

    /// <summary>The expression with its leaves.</summary>
    /// <param name="scalar">The expression.</param>
    /// <param name="typeOf">The type of what the step gives for a leaf.</param>
    public EngineExpression Expression(BoundScalar scalar, Func<BoundScalar, KqlType> typeOf)
    {
        if (_expressions.TryGetValue(scalar, out var known))
            return known;
        var leaves = new List<BoundScalar>();
        var isVolatile = Collect(scalar, leaves);
        var expression = new EngineExpression(scalar, leaves, [.. leaves.Select(typeOf)], isVolatile);
        _expressions.Add(scalar, expression);
        return expression;
    }

    /// <summary>The value of an expression for the values of its leaves; it comes with the next <see cref="FlushAsync"/> unless it is known.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="values">A value for each leaf.</param>
    /// <param name="ahead">The leaves' values as they would be in so many rows' time; null when that row does not exist.</param>
    public ValueTask<object?> ValueAsync(EngineExpression expression, object?[] values, Func<int, object?[]?>? ahead)
    {
        var key = Key(expression, values);
        if (expression.Known.TryGetValue(key, out var known))
        {
            expression.Taken++;
            return new(known);
        }

        var source = new TaskCompletionSource<object?>();
        if (expression.Wanted.TryGetValue(key, out var others))
            others.Add(source);
        else
            expression.Wanted.Add(key, [source]);
        if (ahead is null || expression.IsVolatile)
            return new(source.Task);
        expression.Ahead = expression.Taken * 2 >= expression.Ahead ? Math.Min(4096, expression.Ahead * 2) : Math.Max(8, expression.Ahead / 2);
        expression.Taken = 0;
        for (var i = 1; i <= expression.Ahead && ahead(i) is { } next; i++)
        {
            var nextKey = Key(expression, next);
            if (!expression.Known.ContainsKey(nextKey))
                expression.Wanted.TryAdd(nextKey, []);
        }

        return new(source.Task);
    }

    /// <summary>Runs something that asks for values, and answers it until it is done.</summary>
    public async Task RunAsync(Task work, CancellationToken cancellationToken)
    {
        while (!work.IsCompleted)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await FlushAsync(cancellationToken);
        }

        await work;
    }

    /// <summary>Answers all that has been asked.</summary>
    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        var answers = new List<(TaskCompletionSource<object?> Source, object? Value)>();
        foreach (var expression in _expressions.Values.Where(e => e.Wanted.Count > 0).ToList())
        {
            var wanted = expression.Wanted.ToList();
            expression.Wanted.Clear();
            foreach (var batch in wanted.Chunk(BatchRows))
            {
                var values = await AskAsync(expression, [.. batch.Select(w => w.Key.Values)], cancellationToken);
                for (var i = 0; i < batch.Length; i++)
                {
                    if (!expression.IsVolatile)
                        Remember(expression, batch[i].Key, values[i]);
                    foreach (var source in batch[i].Value)
                        answers.Add((source, values[i]));
                }
            }
        }

        if (answers.Count == 0)
            throw new InvalidOperationException("A step waits for values that it has not asked for.");
        foreach (var (source, value) in answers)
            source.SetResult(value);
    }

    private static void Remember(EngineExpression expression, RowKey key, object? value)
    {
        expression.KnownBytes += 64 + RowBudget.BytesOf([.. key.Values, value]);
        if (expression.KnownBytes > MaxKnownBytes)
        {
            expression.Known.Clear();
            expression.KnownBytes = 0;
        }

        expression.Known[key] = value;
    }

    private async Task<object?[]> AskAsync(EngineExpression expression, IReadOnlyList<object?[]> rows, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(expression, Together(expression, rows), rows.Count, cancellationToken);
        }
        catch (Exception refused) when (refused is HuntingException { Failure: HuntingFailure.Unsupported } or ClickHouseException { Code: IllegalType or IllegalColumn })
        {
            // A function may want a constant where the step has a value: then each row is asked for with its values as constants.
            var values = new List<object?>(rows.Count);
            foreach (var row in rows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var constant = Rewritten(expression, (i, span) => new BoundLiteral(expression.Types[i], Cell(row[i], expression.Types[i]), span));
                values.AddRange(await AskAsync(expression, new PrintRelation([Numbered(new BoundLiteral(KqlType.Long, 0L, constant.Span)), new NamedScalar(Result(expression), constant)]), 1, cancellationToken));
            }

            return [.. values];
        }
    }

    /// <summary>The expression over a table of its leaves' values.</summary>
    private static ProjectRelation Together(EngineExpression expression, IReadOnlyList<object?[]> rows)
    {
        var span = expression.Scalar.Span;
        var number = new KqlColumn(FirstColumn, "", KqlType.Long);
        var columns = expression.Types.Select((t, i) => new KqlColumn(FirstColumn + 2 + i, "", t)).ToList();
        var cells = rows.Select((row, i) => (IReadOnlyList<BoundScalar>)
        [
            new BoundLiteral(KqlType.Long, (long)i, span), .. columns.Select((c, k) => new BoundLiteral(c.Type, Cell(row[k], c.Type), span)),
        ]).ToList();
        return new ProjectRelation(
            new DataTableRelation([number, .. columns], cells),
            [Numbered(new BoundColumnRef(number, span)), new NamedScalar(Result(expression), Rewritten(expression, (i, at) => new BoundColumnRef(columns[i], at)))]);
    }

    private static BoundScalar Rewritten(EngineExpression expression, Func<int, TextSpan, BoundScalar> leaf)
    {
        var places = expression.Leaves.Select((l, i) => (l, i)).ToDictionary(p => p.l, p => p.i, (IEqualityComparer<BoundScalar>)ReferenceEqualityComparer.Instance);
        return BoundTree.Replace(expression.Scalar, s => places.TryGetValue(s, out var i) ? leaf(i, s.Span) : null);
    }

    private static NamedScalar Numbered(BoundScalar value) => new(new KqlColumn(FirstColumn, "", KqlType.Long), value);

    private static KqlColumn Result(EngineExpression expression) => new(FirstColumn + 1, "", expression.Scalar.Type);

    private static object? Cell(object? value, KqlType type) => value is "" && type == KqlType.Dynamic ? null : value;

    private async Task<object?[]> AskAsync(EngineExpression expression, BoundRelation root, int rows, CancellationToken cancellationToken)
    {
        var (executor, settings, ran) = engine() ?? throw new InvalidOperationException("The query does not run yet.");
        await using var statement = SqlCompiler.Compile(root, context);
        var query = await statement.PrepareAsync(executor, settings, null, cancellationToken);
        var values = new object?[rows];
        await using var reader = await executor.QueryAsync(query.Statement, cancellationToken);
        while (await reader.ReadAsync() is { } block)
        {
            for (var row = 0; row < block.RowCount; row++)
                values[Convert.ToInt32(block.Columns[0][row], CultureInfo.InvariantCulture)] = LocalValues.FromEngine(block.Columns[1][row], query.Columns[1].Type);
        }

        if (!expression.IsTraced)
            ran?.Invoke(HuntingStage.Engine(query.Statement, rows, reader.Statistics));
        expression.IsTraced = true;
        return values;
    }

    private RowKey Key(EngineExpression expression, object?[] values) => new(expression.IsVolatile ? [.. values, _volatile++] : values);

    /// <summary>Collects the leaves below an expression; tells whether it is volatile.</summary>
    private bool Collect(BoundScalar scalar, List<BoundScalar> leaves)
    {
        if (isLeaf(scalar))
        {
            leaves.Add(scalar);
            return false;
        }

        var isVolatile = scalar is BoundCall { Function: { IsVolatile: true, Name: not ("now" or "ago") } };
        foreach (var child in BoundTree.Children(scalar))
            isVolatile |= Collect(child, leaves);
        return isVolatile;
    }
}
