namespace Vedette.Telemetry.Local;

/// <summary>Values that identify a group of rows.</summary>
internal sealed class RowKey(object?[] values) : IEquatable<RowKey>
{
    private readonly int _hash = Hash(values);

    public object?[] Values { get; } = values;

    /// <summary>The values that a row has at these positions.</summary>
    public static RowKey Of(object?[] row, IReadOnlyList<int> positions)
    {
        var values = new object?[positions.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = row[positions[i]];
        return new RowKey(values);
    }

    public bool Equals(RowKey? other) => other is not null && _hash == other._hash && Values.AsSpan().SequenceEqual(other.Values);

    public override bool Equals(object? obj) => Equals(obj as RowKey);

    public override int GetHashCode() => _hash;

    private static int Hash(object?[] values)
    {
        var hash = default(HashCode);
        foreach (var value in values)
            hash.Add(value);
        return hash.ToHashCode();
    }
}
