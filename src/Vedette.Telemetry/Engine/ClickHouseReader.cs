using System.Runtime.CompilerServices;

namespace Vedette.Telemetry.Engine;

/// <summary>Name and type of a column of an answer.</summary>
public readonly record struct ClickHouseField(string Name, ClickHouseType Type);

/// <summary>Some rows of an answer, by column.</summary>
/// <param name="Fields">Names and types.</param>
/// <param name="Columns">The values.</param>
/// <param name="RowCount">Rows in this block; at least 1.</param>
public sealed record ClickHouseBlock(IReadOnlyList<ClickHouseField> Fields, IReadOnlyList<ClickHouseColumn> Columns, int RowCount);

/// <summary>
/// An answer on its way. Read blocks until null; dispose it to give its connection back, at any time. Not for concurrent use.
/// </summary>
public abstract class ClickHouseReader : IAsyncDisposable
{
    /// <summary>What the query has cost so far; complete after the last block.</summary>
    public abstract ClickHouseStatistics Statistics { get; }

    /// <summary>The next rows, or null at the end. An answer without rows has no block, so its columns are not told.</summary>
    /// <exception cref="ClickHouseException">The query failed half way.</exception>
    public abstract ValueTask<ClickHouseBlock?> ReadAsync();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>All blocks that are left.</summary>
    public async IAsyncEnumerable<ClickHouseBlock> BlocksAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await ReadAsync() is { } block)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return block;
        }
    }
}

/// <summary>Short forms for small answers.</summary>
public static class ClickHouseExtensions
{
    /// <summary>All rows of an answer. For small answers: everything is held in memory.</summary>
    public static async Task<List<object?[]>> RowsAsync(
        this IClickHouse engine, ClickHouseStatement statement, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(engine);
        await using var reader = await engine.QueryAsync(statement, cancellationToken);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync() is { } block)
        {
            for (var row = 0; row < block.RowCount; row++)
            {
                var values = new object?[block.Columns.Count];
                for (var column = 0; column < values.Length; column++) values[column] = block.Columns[column][row];
                rows.Add(values);
            }
        }

        return rows;
    }

    /// <summary>The first value of the first row; null without rows.</summary>
    public static async Task<object?> ScalarAsync(
        this IClickHouse engine, string sql, CancellationToken cancellationToken = default, params ClickHouseParameter[] parameters)
    {
        var rows = await engine.RowsAsync(new ClickHouseStatement(sql) { Parameters = parameters }, cancellationToken);
        return rows.Count == 0 ? null : rows[0][0];
    }

    /// <summary>Runs a statement without parameters.</summary>
    public static Task<ClickHouseStatistics> ExecuteAsync(this IClickHouse engine, string sql, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return engine.ExecuteAsync(new ClickHouseStatement(sql), cancellationToken);
    }
}
