using System.Diagnostics;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Local;

/// <summary>A column of rows in this process.</summary>
internal sealed record LocalColumn(string Name, KqlType Type);

/// <summary>
/// Rows in this process. Values are .NET values of the column's type: bool, int, long, double, decimal, string, DateTime (UTC), TimeSpan, Guid; a dynamic
/// value is JSON text; null for null (strings are never null).
/// </summary>
internal sealed record LocalTable(IReadOnlyList<LocalColumn> Columns, IReadOnlyList<object?[]> Rows);

/// <summary>Something that SQL cannot say, done over rows in this process.</summary>
internal interface ILocalStep
{
    /// <summary>What it does, for people.</summary>
    string Name { get; }

    /// <summary>Whether it gives columns that are only known once it has run.</summary>
    bool FindsColumns { get; }

    /// <summary>
    /// Runs. A step that passes rows through gets further columns behind its own inputs and gives them back behind its outputs, row for row or several
    /// times.
    /// </summary>
    LocalTable Run(LocalTable input, CancellationToken cancellationToken);

    /// <summary>Runs a step that has to wait for something.</summary>
    ValueTask<LocalTable> RunAsync(LocalTable input, CancellationToken cancellationToken) => new(Run(input, cancellationToken));
}

/// <summary>A local step at its place in a query.</summary>
internal sealed class LocalStage(
    string name, ILocalStep step, Select input, IReadOnlyList<KqlColumn> inputs, IReadOnlyList<KqlColumn> outputs, bool passesThrough, int number)
    : IAsyncDisposable
{
    /// <summary>Rows that a step takes at most.</summary>
    public const int MaxRows = 2_000_000;

    /// <summary>Bytes, by estimate, of the rows that a step holds at once.</summary>
    public const long MaxBytes = 512L * 1024 * 1024;

    private const int FoundIds = 1_000_000_000;
    private static int s_nextFound = FoundIds;
    private readonly Dictionary<int, KqlColumn> _outputs = outputs.ToDictionary(c => c.Id);
    private readonly SortedDictionary<int, KqlType> _passed = [];

    private StepRows? _kept;

    public string Name { get; } = name;

    /// <summary>Id of the column that numbers the step's rows.</summary>
    public int Number { get; } = number;

    public ILocalStep Step { get; } = step;

    public Select Input { get; } = input;

    public bool PassesThrough { get; } = passesThrough;

    /// <summary>Where the query asks for the step, when it is known.</summary>
    public TextSpan? Place { get; set; }

    /// <summary>Columns that only running revealed.</summary>
    public IReadOnlyList<KqlColumn> Found { get; private set; } = [];

    /// <summary>The step's rows as a table expression, once it has run.</summary>
    public string? Rows { get; private set; }

    public KqlColumn? OutputOf(int id) => _outputs.GetValueOrDefault(id);

    /// <summary>Notes that a column of the input is needed above.</summary>
    public void Pass(int id, KqlType type) => _passed[id] = type;

    /// <summary>The statement that gives the step its rows.</summary>
    public string Render()
    {
        var terms = inputs.Select((c, i) => Term(c.Id, c.Type, $"i{i + 1}"))
            .Concat(_passed.Select((p, i) => Term(p.Key, p.Value, $"x{i + 1}")))
            .ToList();
        return Input.Assemble(terms, ordered: true);
    }

    /// <summary>Runs the step over the rows that the statement gives. Its rows are taken away with the stage.</summary>
    public async Task RunAsync(IClickHouse engine, ClickHouseStatement statement, Action<HuntingStage>? ran, CancellationToken cancellationToken)
    {
        var columns = inputs.Select(c => new LocalColumn(c.Name, c.Type))
            .Concat(_passed.Select(p => new LocalColumn("", p.Value)))
            .ToList();
        try
        {
            Rows = Step is RowStep
                ? await StreamAsync(engine, statement, columns, ran, cancellationToken)
                : await CollectAsync(engine, statement, columns, ran, cancellationToken);
        }
        catch (HuntingException refused) when (refused.Place is null)
        {
            refused.Place = Place;
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_kept is { } kept)
            await kept.DisposeAsync();
    }

    /// <summary>A step that looks at one row at a time takes the rows as they come, and gives them on.</summary>
    private async Task<string> StreamAsync(IClickHouse engine, ClickHouseStatement statement, List<LocalColumn> columns, Action<HuntingStage>? ran, CancellationToken cancellationToken)
    {
        var count = 0;
        var elapsed = TimeSpan.Zero;
        (_kept, var convert) = Open(engine, statement, null);
        await using (var reader = await engine.QueryAsync(statement, cancellationToken))
        {
            while (await reader.ReadAsync() is { } block)
            {
                var started = Stopwatch.GetTimestamp();
                var rows = new List<object?[]>(block.RowCount);
                Read(block, columns, rows);
                var result = Step.Run(new LocalTable(columns, rows), cancellationToken);
                await _kept.AddAsync(convert(result), cancellationToken);
                count += rows.Count;
                elapsed += Stopwatch.GetElapsedTime(started);
            }

            ran?.Invoke(HuntingStage.Engine(statement, count, reader.Statistics));
        }

        ran?.Invoke(HuntingStage.Local(Step.Name, count, elapsed));
        return await _kept.FinishAsync(cancellationToken);
    }

    private async Task<string> CollectAsync(IClickHouse engine, ClickHouseStatement statement, List<LocalColumn> columns, Action<HuntingStage>? ran, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        var bytes = 0L;
        await using (var reader = await engine.QueryAsync(statement, cancellationToken))
        {
            while (await reader.ReadAsync() is { } block)
            {
                bytes += Read(block, columns, rows);
                if (rows.Count > MaxRows || bytes > MaxBytes)
                {
                    throw new HuntingException(
                        HuntingFailure.ExcessiveResources, $"{Step.Name} was given more than {MaxRows} rows or {MaxBytes / (1024 * 1024)} MB. Reduce its input, or project fewer columns.");
                }
            }

            ran?.Invoke(HuntingStage.Engine(statement, rows.Count, reader.Statistics));
        }

        var started = Stopwatch.GetTimestamp();
        var result = await Step.RunAsync(new LocalTable(columns, rows), cancellationToken);
        ran?.Invoke(HuntingStage.Local(Step.Name, result.Rows.Count, Stopwatch.GetElapsedTime(started)));
        (_kept, var convert) = Open(engine, statement, result);
        await _kept.AddAsync(convert(result), cancellationToken);
        return await _kept.FinishAsync(cancellationToken);
    }

    /// <summary>Takes a block's rows, and tells about how many bytes they hold.</summary>
    private static long Read(ClickHouseBlock block, List<LocalColumn> columns, List<object?[]> rows)
    {
        var bytes = 0L;
        for (var row = 0; row < block.RowCount; row++)
        {
            var values = new object?[columns.Count];
            for (var column = 0; column < values.Length; column++)
            {
                values[column] = LocalValues.FromEngine(block.Columns[column][row], columns[column].Type);
            }

            bytes += RowBudget.BytesOf(values);

            rows.Add(values);
        }

        return bytes;
    }

    /// <summary>Where the step's rows go, and how they become rows of its outputs. Only the rows tell which columns a step has found.</summary>
    private (StepRows Rows, Func<LocalTable, IEnumerable<IReadOnlyList<object?>>> Convert) Open(IClickHouse engine, ClickHouseStatement statement, LocalTable? result)
    {
        var names = new List<(string, KqlType)>();
        var positions = new List<int>();
        if (Step.FindsColumns && result is not null)
        {
            // By name: known outputs first, whatever else came is new.
            var found = new List<KqlColumn>();
            foreach (var output in outputs)
            {
                names.Add((Select.Name(output.Id), output.Type));
                positions.Add(IndexOf(result, output.Name));
            }

            for (var i = 0; i < result.Columns.Count; i++)
            {
                if (outputs.Any(o => o.Name == result.Columns[i].Name))
                    continue;
                var column = new KqlColumn(Interlocked.Increment(ref s_nextFound) & int.MaxValue, result.Columns[i].Name, result.Columns[i].Type);
                found.Add(column);
                _outputs[column.Id] = column;
                names.Add((Select.Name(column.Id), column.Type));
                positions.Add(i);
            }

            Found = found;
        }
        else
        {
            for (var i = 0; i < outputs.Count; i++)
            {
                names.Add((Select.Name(outputs[i].Id), outputs[i].Type));
                positions.Add(i);
            }

            foreach (var (id, type) in _passed)
            {
                positions.Add(names.Count);
                names.Add((Select.Name(id), type));
            }
        }

        var types = names.Select(n => n.Item2).ToList();
        return (new StepRows(engine, names, statement.Settings), table => table.Rows.Select(row => (IReadOnlyList<object?>)positions
            .Select((p, i) => p < 0 ? null : LocalValues.To(row[p], table.Columns[p].Type, types[i])).ToList()));
    }

    private static int IndexOf(LocalTable table, string name)
    {
        for (var i = 0; i < table.Columns.Count; i++)
        {
            if (table.Columns[i].Name == name)
                return i;
        }

        return -1;
    }

    private string Term(int id, KqlType type, string alias) =>
        $"CAST({Input.Resolve(id).Text}, {SqlText.Quote(ConstantRows.TypeOf(type))}) AS {alias}";
}
