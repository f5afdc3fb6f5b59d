using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local;

/// <summary>An aggregate over rows in this process.</summary>
internal abstract class LocalAggregate
{
    /// <summary>Takes a row's operands.</summary>
    public abstract void Add(object?[] operands);

    /// <summary>The value so far.</summary>
    public abstract object? Result();

    /// <summary>Starts an aggregate by its canonical name.</summary>
    public static LocalAggregate Create(string name, IReadOnlyList<KqlType> types) => name switch
    {
        "count" => new Fold(types, 0L, (a, _) => (long)a! + 1),
        "sum" => new Fold(types, types[0] == KqlType.Real ? 0d : types[0] == KqlType.TimeSpan ? TimeSpan.Zero : 0L, static (a, v) => v[0] is null ? a : (a, v[0]) switch
        {
            (TimeSpan x, TimeSpan y) => x + y,
            (long x, long y) => x + y,
            (long x, int y) => x + y,
            (double x, double y) => x + y,
            (long x, decimal y) => x + y,
            (decimal x, decimal y) => x + y,
            _ => a,
        }),
        "min" => new Fold(types, null, static (a, v) => v[0] is null || v[0] is "" ? a : a is null || Comparer<object>.Default.Compare(v[0], a) < 0 ? v[0] : a),
        "max" => new Fold(types, null, static (a, v) => v[0] is null || v[0] is "" ? a : a is null || Comparer<object>.Default.Compare(v[0], a) > 0 ? v[0] : a),
        "take_any" => new Fold(types, null, static (a, v) => a ?? v[0]),
        "avg" => new Average(),
        "dcount" or "count_distinct" => new Distinct(),
        "stdev" => new Spread(Math.Sqrt, 1),
        "stdevp" => new Spread(Math.Sqrt, 0),
        "variance" => new Spread(static v => v, 1),
        "variancep" => new Spread(static v => v, 0),
        "make_bag" => new Bag(),
        "make_set" => new Collect(types[0], distinct: true),
        "make_list" => new Collect(types[0], distinct: false),
        _ => throw new HuntingException(HuntingFailure.Unsupported, $"The aggregate {name}() is not supported in this place."),
    };

    /// <summary>The result's type.</summary>
    public static KqlType TypeOf(string name, IReadOnlyList<KqlType> types) => name switch
    {
        "count" or "dcount" or "count_distinct" => KqlType.Long,
        "avg" or "stdev" or "stdevp" or "variance" or "variancep" => KqlType.Real,
        "sum" => types[0] == KqlType.Int ? KqlType.Long : types[0],
        "make_set" or "make_list" or "make_bag" => KqlType.Dynamic,
        _ => types[0],
    };

    private sealed class Fold(IReadOnlyList<KqlType> types, object? start, Func<object?, object?[], object?> step) : LocalAggregate
    {
        private object? _value = start;

        public override void Add(object?[] operands) => _value = step(_value, operands);

        public override object? Result() => _value ?? (types is [KqlType.String or KqlType.Dynamic, ..] ? "" : null);
    }

    private sealed class Average : LocalAggregate
    {
        private double _sum;
        private long _count;

        public override void Add(object?[] operands)
        {
            if (operands[0] is null)
                return;
            _sum += Convert.ToDouble(operands[0], System.Globalization.CultureInfo.InvariantCulture);
            _count++;
        }

        public override object? Result() => _count == 0 ? null : _sum / _count;
    }

    /// <summary>Spread around the mean, in one pass.</summary>
    private sealed class Spread(Func<double, double> finish, int less) : LocalAggregate
    {
        private long _count;
        private double _mean;
        private double _squares;

        public override void Add(object?[] operands)
        {
            if (operands[0] is null or bool or string)
                return;
            var value = operands[0] is TimeSpan t ? t.Ticks : Convert.ToDouble(operands[0], System.Globalization.CultureInfo.InvariantCulture);
            _count++;
            var distance = value - _mean;
            _mean += distance / _count;
            _squares += distance * (value - _mean);
        }

        public override object? Result() => _count <= less ? 0d : finish(_squares / (_count - less));
    }

    /// <summary>One bag of all; the first value of a name stays.</summary>
    private sealed class Bag : LocalAggregate
    {
        private readonly Dictionary<string, string> _properties = new(StringComparer.Ordinal);

        public override void Add(object?[] operands)
        {
            if (LocalJson.Parse(operands[0] as string) is not System.Text.Json.Nodes.JsonObject bag)
                return;
            foreach (var (name, value) in bag)
                _properties.TryAdd(name, LocalJson.Write(value));
        }

        public override object? Result() => "{" + string.Join(",", _properties.Select(p => LocalValues.Quote(p.Key) + ":" + p.Value)) + "}";
    }

    private sealed class Distinct : LocalAggregate
    {
        private readonly HashSet<object> _seen = [];

        public override void Add(object?[] operands)
        {
            if (operands[0] is { } value)
                _seen.Add(value);
        }

        public override object? Result() => (long)_seen.Count;
    }

    private sealed class Collect(KqlType type, bool distinct) : LocalAggregate
    {
        private readonly List<string> _items = [];
        private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

        public override void Add(object?[] operands)
        {
            if (operands[0] is null)
                return;
            var json = LocalValues.ToJson(operands[0], type);
            if (!distinct || _seen.Add(json))
                _items.Add(json);
        }

        public override object? Result() => "[" + string.Join(",", _items) + "]";
    }
}
