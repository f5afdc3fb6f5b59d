using System.Text;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>
/// Numbers for field names, compared without regard to ASCII case. Numbers that a mapping holds stay valid in every table made by
/// <see cref="Fork"/>. The table is bounded: past its capacity new names are not kept, so fields of that name cannot be asked for.
/// One table is written by one thread.
/// </summary>
internal sealed class FieldNames
{
    private const int Capacity = 8192;
    private const int MaxNameBytes = 128;
    private readonly int[] _buckets = new int[Capacity * 2];
    private readonly byte[][] _names = new byte[Capacity][];
    private int _count;

    /// <summary>A copy that further names can be added to.</summary>
    public FieldNames Fork()
    {
        var copy = new FieldNames();
        for (var id = 0; id < _count; id++) copy.Add(_names[id]);
        return copy;
    }

    /// <summary>The number of a name, which is added when it is new; -1 when the table is full or the name is unreasonably long.</summary>
    public int Add(string name) => Add(Encoding.UTF8.GetBytes(name));

    /// <inheritdoc cref="Add(string)"/>
    public int Add(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxNameBytes) return -1;
        var mask = _buckets.Length - 1;
        var slot = (int)(Hash(name) & (uint)mask);
        for (; _buckets[slot] != 0; slot = (slot + 1) & mask)
        {
            if (Ascii.EqualsIgnoreCase(_names[_buckets[slot] - 1], name)) return _buckets[slot] - 1;
        }

        if (_count == Capacity) return -1;
        _names[_count] = name.ToArray();
        _buckets[slot] = ++_count;
        return _count - 1;
    }

    private static uint Hash(ReadOnlySpan<byte> name)
    {
        var hash = 2166136261u;
        foreach (var value in name) hash = (hash ^ (uint)(value | 0x20)) * 16777619u;
        return hash ^ (hash >> 15);
    }
}
