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
        "make_set" => new Collect(types[0], distinct: true),
        "make_list" => new Collect(types[0], distinct: false),
        _ => throw new HuntingException(HuntingFailure.Unsupported, $"The aggregate {name}() is not supported in this place."),
    };

    /// <summary>The result's type.</summary>
    public static KqlType TypeOf(string name, IReadOnlyList<KqlType> types) => name switch
    {
        "count" or "dcount" or "count_distinct" => KqlType.Long,
        "avg" => KqlType.Real,
        "sum" => types[0] == KqlType.Int ? KqlType.Long : types[0],
        "make_set" or "make_list" => KqlType.Dynamic,
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
