using System.Collections;
using Vedette.Kql;
using Vedette.Telemetry.Engine;

namespace Vedette.Telemetry.Hunting;

/// <summary>
/// The rows of an answer, kept as the engine's columns and made into .NET values row by row when they are asked for: an answer of 100,000
/// wide rows stays as small as its text.
/// </summary>
internal sealed class HuntingRows : IReadOnlyList<object?[]>
{
    private readonly List<ClickHouseBlock> _blocks = [];
    private readonly List<int> _ends = [];
    private readonly KqlType[] _types;
    private readonly long _nameBytes;
    private long _bytesBefore;

    public HuntingRows(IReadOnlyList<HuntingResultColumn> columns)
    {
        _types = columns.Select(static c => c.Type).ToArray();

        // "name":value, in the answer's JSON
        _nameBytes = columns.Sum(static c => c.Name.Length + 4L) + 2;
    }

    /// <summary>About how many bytes the rows take as JSON.</summary>
    public long Bytes { get; private set; }

    /// <inheritdoc/>
    public int Count => _ends.Count == 0 ? 0 : _ends[^1];

    /// <inheritdoc/>
    public object?[] this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            var found = _ends.BinarySearch(index + 1);
            var block = found < 0 ? ~found : found;
            return Row(_blocks[block], index - (block == 0 ? 0 : _ends[block - 1]));
        }
    }

    /// <summary>Adds the first rows of a block.</summary>
    public void Add(ClickHouseBlock block, int count)
    {
        _blocks.Add(block);
        _ends.Add(Count + count);
        _bytesBefore = Bytes;
        Bytes += _nameBytes * count;
        foreach (var column in block.Columns)
            Bytes += column is StringColumn text ? text.Bytes(count) + 2L * count : 12L * count;
    }

    /// <summary>Takes rows of the last block away until what is left is about as small as asked for.</summary>
    public void CutToFit(long bytes)
    {
        var last = _blocks.Count - 1;
        var before = last == 0 ? 0 : _ends[last - 1];
        var count = _ends[last] - before;
        var own = Bytes - _bytesBefore;
        var fitting = (int)Math.Clamp(count * (double)Math.Max(0, bytes - _bytesBefore) / Math.Max(1, own), 0, count);
        _ends[last] = before + fitting;
        Bytes = Math.Min(Bytes, bytes);
    }

    /// <inheritdoc/>
    public IEnumerator<object?[]> GetEnumerator()
    {
        for (var block = 0; block < _blocks.Count; block++)
        {
            var count = _ends[block] - (block == 0 ? 0 : _ends[block - 1]);
            for (var row = 0; row < count; row++) yield return Row(_blocks[block], row);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private object?[] Row(ClickHouseBlock block, int row)
    {
        var values = new object?[_types.Length];
        for (var i = 0; i < values.Length; i++) values[i] = Value(block.Columns[i], row, _types[i]);
        return values;
    }

    internal static object? Value(ClickHouseColumn column, int row, KqlType type)
    {
        if (column.IsNull(row)) return type == KqlType.String ? "" : null;
        var value = column[row];
        return type switch
        {
            KqlType.Dynamic => value is "" ? null : value,
            KqlType.TimeSpan => value is long ticks ? new TimeSpan(ticks) : value,
            KqlType.Bool => value is byte flag ? flag != 0 : value,
            _ => value,
        };
    }
}
