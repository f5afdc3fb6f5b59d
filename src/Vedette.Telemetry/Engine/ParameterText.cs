using System.Collections;
using System.Globalization;
using System.Text;

namespace Vedette.Telemetry.Engine;

/// <summary>
/// Writes parameter values the way ClickHouse reads them: as one field of escaped, tab-separated text, where <c>\N</c> is null; an array as
/// its literal, whose strings are quoted and escaped once.
/// </summary>
internal static class ParameterText
{
    public static string Format(object? value)
    {
        if (value is null) return "\\N";
        if (value is string text) return Escape(text);
        if (value is IEnumerable sequence) return Sequence(sequence);
        return Scalar(value);
    }

    private static string Sequence(IEnumerable sequence)
    {
        var text = new StringBuilder("[");
        foreach (var item in sequence)
        {
            if (text.Length > 1) text.Append(',');
            text.Append(item switch
            {
                null => "NULL",
                string s => Quote(s),
                DateTime or Guid => Quote(Scalar(item)),
                IEnumerable nested => Sequence(nested),
                _ => Scalar(item),
            });
        }

        return text.Append(']').ToString();
    }

    private static string Scalar(object value) => value switch
    {
        bool b => b ? "true" : "false",
        DateTime t => t.ToString("yyyy-MM-dd HH:mm:ss.fffffff", CultureInfo.InvariantCulture),
        TimeSpan t => t.Ticks.ToString(CultureInfo.InvariantCulture),
        Guid g => g.ToString("D"),
        double d => Real(d),
        float f => Real(f),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"A {value.GetType().Name} cannot be a parameter.", nameof(value)),
    };

    private static string Real(double value) => double.IsNaN(value) ? "nan"
        : double.IsPositiveInfinity(value) ? "inf"
        : double.IsNegativeInfinity(value) ? "-inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Quote(string text) =>
        "'" + Escape(text).Replace("'", "\\'", StringComparison.Ordinal) + "'";

    private static string Escape(string text)
    {
        if (text.AsSpan().IndexOfAny("\\\t\n\r\b\f\0") < 0) return text;
        var result = new StringBuilder(text.Length + 8);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\\' => result.Append("\\\\"),
                '\t' => result.Append("\\t"),
                '\n' => result.Append("\\n"),
                '\r' => result.Append("\\r"),
                '\b' => result.Append("\\b"),
                '\f' => result.Append("\\f"),
                '\0' => result.Append("\\0"),
                _ => result.Append(c),
            };
        }

        return result.ToString();
    }
}
