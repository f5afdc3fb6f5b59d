using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>Turns a field's text (null when the event lacks it) into a value of a hunting row; null means no value.</summary>
internal delegate object? ValueConverter(string? text, MappingScope scope);

/// <summary>
/// A value of the mapping table: <c>Field</c>, <c>Field|Other</c> (the first that is present), <c>converter(Field|Other)</c>, a constant in
/// single quotes, or <c>$</c> for the item of a row that is made for each of several. <c>a ?? b</c> takes b where a gives nothing.
/// </summary>
internal sealed class ValueExpression
{
    private readonly int[] _fields;
    private readonly ValueConverter? _converter;
    private readonly string? _constant;
    private readonly bool _isItem;
    private ValueExpression? _otherwise;

    private ValueExpression(int[] fields, ValueConverter? converter, string? constant, bool isItem)
    {
        _fields = fields;
        _converter = converter;
        _constant = constant;
        _isItem = isItem;
    }

    /// <summary>Reads an expression.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static ValueExpression Parse(string text, FieldNames names)
    {
        var choice = text.IndexOf(" ?? ", StringComparison.Ordinal);
        if (choice > 0)
        {
            var first = Parse(text[..choice], names);
            first._otherwise = Parse(text[(choice + 4)..], names);
            return first;
        }

        if (text == "$") return new ValueExpression([], null, null, isItem: true);
        ValueConverter? converter = null;
        var inner = text;
        var open = text.IndexOf('(', StringComparison.Ordinal);
        if (text.EndsWith(')') && open > 0 && text[0] != '\'')
        {
            var name = text[..open];
            converter = Converters.Find(name) ?? throw new FormatException($"The mapping names an unknown converter '{name}'.");
            inner = text[(open + 1)..^1];
        }

        if (inner.StartsWith('\'') && inner.EndsWith('\'')) return new ValueExpression([], converter, inner[1..^1], isItem: false);
        var fields = inner.Length == 0 ? [] : inner.Split('|').Select(names.Add).ToArray();
        return new ValueExpression(fields, converter, null, isItem: false);
    }

    /// <summary>The value for an event; null when it has none.</summary>
    public object? Evaluate(MappingScope scope)
    {
        var text = _isItem ? scope.Item : _constant ?? scope.Event.Text(_fields);
        return (_converter is null ? text : _converter(text, scope)) ?? _otherwise?.Evaluate(scope);
    }

    /// <summary>The value for an event as text.</summary>
    public string? EvaluateText(MappingScope scope) => Evaluate(scope) switch
    {
        null => null,
        string text => text,
        var value => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture),
    };
}

/// <summary>
/// When a row is made: <c>value</c> (is present), <c>value=a|b</c>, <c>value!=a|b</c>, or <c>value:mask</c> (a number that has any of the
/// mask's bits). Texts are compared without regard to case.
/// </summary>
internal sealed class RowCondition
{
    private readonly ValueExpression _value;
    private readonly string[] _texts = [];
    private readonly bool _negated;
    private readonly long _mask;

    public RowCondition(string text, FieldNames names)
    {
        var close = text.IndexOf(')', StringComparison.Ordinal);
        var from = Math.Max(close, 0);
        var equals = text.IndexOf('=', from);
        var colon = text.LastIndexOf(':');
        if (equals > 0)
        {
            _negated = text[equals - 1] == '!';
            _value = ValueExpression.Parse(text[..(_negated ? equals - 1 : equals)], names);
            _texts = text[(equals + 1)..].Split('|');
        }
        else if (colon > close && close > 0)
        {
            _value = ValueExpression.Parse(text[..colon], names);
            _mask = long.Parse(text[(colon + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        }
        else
        {
            _value = ValueExpression.Parse(text, names);
        }
    }

    /// <summary>Whether it holds for an event.</summary>
    public bool Holds(MappingScope scope)
    {
        var value = _value.Evaluate(scope);
        if (_mask != 0) return value is long number && (number & _mask) != 0;
        if (_texts.Length == 0) return value is not null;
        var text = value as string ?? (value is null ? "" : _value.EvaluateText(scope)!);
        foreach (var candidate in _texts)
        {
            if (string.Equals(text, candidate, StringComparison.OrdinalIgnoreCase)) return !_negated;
        }

        return _negated;
    }
}

/// <summary>What converters and row makers see of the event at hand.</summary>
internal sealed class MappingScope
{
    /// <summary>The event.</summary>
    public required LogEvent Event { get; set; }

    /// <summary>The device that it happened on.</summary>
    public required DeviceState Device { get; set; }

    /// <summary>Its time, moved.</summary>
    public DateTime Time { get; set; }

    /// <summary>How far every time is moved.</summary>
    public TimeSpan Shift { get; init; }

    /// <summary>The item of a row that is made for each of several.</summary>
    public string? Item { get; set; }

    /// <summary>Field that holds the working directory of audit events.</summary>
    public int WorkingDirectory { get; init; }

    /// <summary>Moves a time that is UTC already.</summary>
    public DateTime Moved(DateTime time) => EventClock.Move(time, Shift);
}

/// <summary>Arithmetic on times that must not leave the calendar.</summary>
internal static class EventClock
{
    /// <summary>A time moved; kept inside the calendar.</summary>
    public static DateTime Move(DateTime time, TimeSpan shift)
    {
        var ticks = time.Ticks + shift.Ticks;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks ? time : new DateTime(ticks, DateTimeKind.Utc);
    }
}
