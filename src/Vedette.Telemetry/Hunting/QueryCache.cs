namespace Vedette.Telemetry.Hunting;

/// <summary>Keeps the values of the keys that were used last.</summary>
internal sealed class QueryCache<TValue>(int capacity)
    where TValue : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string Key, TValue Value)>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Key, TValue Value)> _order = new();

    /// <summary>The value of a key, made when it is not there. Two callers may make the same value at the same time.</summary>
    public TValue GetOrAdd(string key, Func<string, TValue> make)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out var found))
            {
                _order.Remove(found);
                _order.AddFirst(found);
                return found.Value.Value;
            }
        }

        var value = make(key);
        if (capacity <= 0) return value;
        lock (_lock)
        {
            if (_entries.TryGetValue(key, out var other)) return other.Value.Value;
            _entries[key] = _order.AddFirst((key, value));
            if (_entries.Count > capacity)
            {
                _entries.Remove(_order.Last!.Value.Key);
                _order.RemoveLast();
            }
        }

        return value;
    }
}
