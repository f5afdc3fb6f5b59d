using System.Text;

namespace Vedette.Telemetry.Engine;

/// <summary>One column of one block of an answer.</summary>
public abstract class ClickHouseColumn(int count)
{
    /// <summary>Rows in the block.</summary>
    public int Count { get; } = count;

    /// <summary>
    /// A value as .NET sees it: bool, integers by width, float, double, decimal, string, <see cref="DateTime"/> (UTC), <see cref="Guid"/>,
    /// <c>object?[]</c> for arrays and tuples, <c>KeyValuePair&lt;object, object?&gt;[]</c> for maps; null for NULL.
    /// </summary>
    public abstract object? this[int row] { get; }

    /// <summary>Whether the value is NULL.</summary>
    public virtual bool IsNull(int row) => false;

    /// <summary>The column without its null mask.</summary>
    public virtual ClickHouseColumn Inner => this;
}

/// <summary>A column of values of one size.</summary>
public sealed class FixedColumn<T> : ClickHouseColumn
{
    private readonly T[] _values;
    private readonly Func<T, object> _box;

    internal FixedColumn(T[] values, Func<T, object> box)
        : base(values.Length)
    {
        _values = values;
        _box = box;
    }

    /// <summary>The values as stored.</summary>
    public ReadOnlySpan<T> Values => _values;

    /// <inheritdoc/>
    public override object? this[int row] => _box(_values[row]);
}

/// <summary>A column of strings, kept as UTF-8 until asked for.</summary>
public sealed class StringColumn : ClickHouseColumn
{
    private readonly byte[] _data;
    private readonly int[] _ends;
    private string? _last;
    private int _lastRow = -1;

    internal StringColumn(byte[] data, int[] ends)
        : base(ends.Length)
    {
        _data = data;
        _ends = ends;
    }

    /// <inheritdoc/>
    public override object? this[int row] => GetString(row);

    /// <summary>How many bytes the first values take together.</summary>
    public int Bytes(int count) => count == 0 ? 0 : _ends[count - 1];

    /// <summary>The bytes of a value.</summary>
    public ReadOnlySpan<byte> Utf8(int row)
    {
        var start = row == 0 ? 0 : _ends[row - 1];
        return _data.AsSpan(start, _ends[row] - start);
    }

    /// <summary>A value as text. A value equal to the one asked for before is the same string object.</summary>
    public string GetString(int row)
    {
        var bytes = Utf8(row);
        if (bytes.IsEmpty) return "";
        if (_last is not null && bytes.SequenceEqual(Utf8(_lastRow))) return _last;
        _lastRow = row;
        return _last = Encoding.UTF8.GetString(bytes);
    }
}

/// <summary>A column whose values may be NULL.</summary>
public sealed class NullableColumn : ClickHouseColumn
{
    private readonly byte[] _mask;

    internal NullableColumn(byte[] mask, ClickHouseColumn inner)
        : base(mask.Length)
    {
        _mask = mask;
        Inner = inner;
    }

    /// <inheritdoc/>
    public override ClickHouseColumn Inner { get; }

    /// <inheritdoc/>
    public override object? this[int row] => _mask[row] != 0 ? null : Inner[row];

    /// <inheritdoc/>
    public override bool IsNull(int row) => _mask[row] != 0;
}

/// <summary>A column of arrays.</summary>
public sealed class ArrayColumn : ClickHouseColumn
{
    private readonly ulong[] _ends;

    internal ArrayColumn(ulong[] ends, ClickHouseColumn elements)
        : base(ends.Length)
    {
        _ends = ends;
        Elements = elements;
    }

    /// <summary>All elements of all rows, one after the other.</summary>
    public ClickHouseColumn Elements { get; }

    /// <inheritdoc/>
    public override object? this[int row]
    {
        get
        {
            var (start, end) = Range(row);
            var items = new object?[end - start];
            for (var i = 0; i < items.Length; i++) items[i] = Elements[start + i];
            return items;
        }
    }

    /// <summary>Where the elements of a row begin and end in <see cref="Elements"/>.</summary>
    public (int Start, int End) Range(int row) => (row == 0 ? 0 : (int)_ends[row - 1], (int)_ends[row]);
}

/// <summary>A column of tuples.</summary>
public sealed class TupleColumn : ClickHouseColumn
{
    internal TupleColumn(int count, ClickHouseColumn[] members)
        : base(count) => Members = members;

    /// <summary>One column for each member.</summary>
    public IReadOnlyList<ClickHouseColumn> Members { get; }

    /// <inheritdoc/>
    public override object? this[int row]
    {
        get
        {
            var items = new object?[Members.Count];
            for (var i = 0; i < items.Length; i++) items[i] = Members[i][row];
            return items;
        }
    }
}

/// <summary>A column of maps.</summary>
public sealed class MapColumn : ClickHouseColumn
{
    private readonly ArrayColumn _entries;

    internal MapColumn(ArrayColumn entries)
        : base(entries.Count) => _entries = entries;

    /// <inheritdoc/>
    public override object? this[int row]
    {
        get
        {
            var (start, end) = _entries.Range(row);
            var entries = (TupleColumn)_entries.Elements;
            var items = new KeyValuePair<object, object?>[end - start];
            for (var i = 0; i < items.Length; i++) items[i] = new(entries.Members[0][start + i]!, entries.Members[1][start + i]);
            return items;
        }
    }
}

/// <summary>A column of values that repeat: each is kept once.</summary>
public sealed class DictionaryColumn : ClickHouseColumn
{
    private readonly int[] _indexes;
    private readonly object?[] _boxed;
    private readonly bool _nullable;

    internal DictionaryColumn(ClickHouseColumn keys, int[] indexes, bool nullable)
        : base(indexes.Length)
    {
        Keys = keys;
        _indexes = indexes;
        _nullable = nullable;
        _boxed = new object?[keys.Count];
    }

    /// <summary>The distinct values.</summary>
    public ClickHouseColumn Keys { get; }

    /// <summary>For each row, the position of its value in <see cref="Keys"/>.</summary>
    public ReadOnlySpan<int> Indexes => _indexes;

    /// <inheritdoc/>
    public override object? this[int row]
    {
        get
        {
            var index = _indexes[row];
            return IsNull(row) ? null : _boxed[index] ??= Keys[index];
        }
    }

    /// <inheritdoc/>
    /// <remarks>The first key of a nullable dictionary stands for NULL.</remarks>
    public override bool IsNull(int row) => _nullable && _indexes[row] == 0;
}

/// <summary>A column of NULLs without a type.</summary>
internal sealed class NothingColumn(int count) : ClickHouseColumn(count)
{
    public override object? this[int row] => null;

    public override bool IsNull(int row) => true;
}
