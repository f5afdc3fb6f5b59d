using System.Text;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Local;

/// <summary>
/// The rows of a step on their way back to the engine. While they are few they stand in the text of the statement that reads them; from then on they go, piece
/// by piece, into a table of their own, which lasts as long as the query.
/// </summary>
internal sealed class StepRows(IClickHouse engine, IReadOnlyList<(string Name, KqlType Type)> columns, IReadOnlyDictionary<string, string> settings) : IAsyncDisposable
{
    /// <summary>The column that numbers the rows.</summary>
    public const string Number = "rn";

    /// <summary>Characters of rows that stand in a statement, and in each piece.</summary>
    private const int PieceLength = 2 * 1024 * 1024;

    /// <summary>Characters of rows that a step that takes them as they come may give in all.</summary>
    private const long MaxLength = 4L * 1024 * 1024 * 1024;

    private readonly StringBuilder _piece = new();
    private string? _table;
    private long _length;
    private long _count;

    /// <summary>Adds rows with one value for each column.</summary>
    public async Task AddAsync(IEnumerable<IReadOnlyList<object?>> rows, CancellationToken cancellationToken)
    {
        foreach (var row in rows)
        {
            _piece.Append('[').Append(_count++);
            ConstantRows.AppendCells(_piece, columns, row, first: false);
            _piece.Append("]\n");
            if (_piece.Length >= PieceLength)
                await FlushAsync(cancellationToken);
        }
    }

    /// <summary>The rows as a table expression, once all have been added.</summary>
    public async Task<string> FinishAsync(CancellationToken cancellationToken)
    {
        if (_count == 0)
            return ConstantRows.Write([(Number, KqlType.Long), .. columns], []);
        if (_table is null)
            return $"format(JSONCompactEachRow, {SqlText.Quote(Structure())}, {SqlText.Quote(_piece.ToString())})";
        await FlushAsync(cancellationToken);
        return _table;
    }

    /// <summary>Takes the table away.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_table is not { } table)
            return;
        _table = null;
        try
        {
            await engine.ExecuteAsync(new ClickHouseStatement($"DROP TABLE IF EXISTS {table} SYNC"), CancellationToken.None);
        }
        catch (Exception error) when (error is ClickHouseException or ObjectDisposedException)
        {
            // The engine is going down, and the table, which is in memory, with it.
        }
    }

    private string Structure() => string.Join(", ", columns.Select(c => $"{c.Name} {ConstantRows.TypeOf(c.Type)}").Prepend($"{Number} Int64"));

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_piece.Length == 0)
            return;
        if ((_length += _piece.Length) > MaxLength)
            throw new HuntingException(HuntingFailure.ExcessiveResources, $"A step of the query gives more than {MaxLength / (1024 * 1024)} MB. Reduce its input, or project fewer columns.");
        if (_table is null)
        {
            // The name cannot be said in the hunting language: it knows its schema's tables only.
            var name = SqlText.Identifier(HuntingDatabase.StepPrefix + Guid.NewGuid().ToString("N"));
            await engine.ExecuteAsync(new ClickHouseStatement($"CREATE TABLE {name} ({Structure()}) ENGINE = Memory SETTINGS compress = 1"), cancellationToken);
            _table = name;
        }

        await engine.ExecuteAsync(new ClickHouseStatement($"INSERT INTO {_table} FORMAT JSONCompactEachRow\n{_piece}") { Settings = settings }, cancellationToken);
        _piece.Clear();
    }
}
