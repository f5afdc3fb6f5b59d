using System.Globalization;

namespace Vedette.Kql.Syntax;

/// <summary>Reads and writes the text forms of literals.</summary>
public static class LiteralText
{
    private static readonly string[] DateFormats =
    [
        "yyyy", "yyyy-MM", "yyyyMMdd", "yyyyMMddHHmmss", "yyyy-MM-dd HH", "yyyy-MM-ddTHH", "yyyy-MM-dd HH:mm", "yyyy-MM-ddTHH:mm",
    ];

    /// <summary>Words for units of timespans with their ticks of 100 ns; 0 stands for a nanosecond.</summary>
    public static IReadOnlyDictionary<string, long> TimeUnits => Lexer.TimeUnits;

    /// <summary>Reads the content of <c>type(content)</c>; <c>null</c> gives a null value. False when malformed.</summary>
    internal static bool TryParse(KqlType type, ReadOnlySpan<char> s, out object? value, DateTime? today = null)
    {
        value = null;
        if (s is "null" || (s.IsEmpty && type != KqlType.String))
            return true;
        switch (type)
        {
            case KqlType.Bool:
                return TryBool(s, out value);
            case KqlType.Int:
                if (!TryLong(s, out var i) || i is < int.MinValue or > int.MaxValue)
                    return false;
                value = (int)i;
                return true;
            case KqlType.Long:
                if (!TryLong(s, out var l))
                    return false;
                value = l;
                return true;
            case KqlType.Real:
                if (!TryReal(s, out var d))
                    return false;
                value = d;
                return true;
            case KqlType.Decimal:
                if (!decimal.TryParse(s, NumberStyles.Float, CultureInfo.InvariantCulture, out var m))
                    return false;
                value = m;
                return true;
            case KqlType.DateTime:
                if (!TryDateTime(Unquote(s), out var t, today))
                    return false;
                value = t;
                return true;
            case KqlType.TimeSpan:
                if (!TryTimeSpan(Unquote(s), out var ts))
                    return false;
                value = ts;
                return true;
            case KqlType.Guid:
                if (!System.Guid.TryParse(Unquote(s), out var g))
                    return false;
                value = g;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Reads a datetime the way the language does: ISO 8601 in whole or in part, with or without zone (none means UTC), and a few common forms.</summary>
    /// <param name="s">The text.</param>
    /// <param name="value">UTC.</param>
    /// <param name="today">The day that a time alone belongs to; null for the present one.</param>
    public static bool TryDateTime(ReadOnlySpan<char> s, out DateTime value, DateTime? today = null)
    {
        if (!Read(s, out value))
            return false;
        if (value.Date == DateTime.MinValue && s.IndexOfAny('-', '/') < 0 && s.Contains(':'))
            value = (today ?? DateTime.UtcNow).Date + value.TimeOfDay;
        return true;
    }

    private static bool Read(ReadOnlySpan<char> s, out DateTime value)
    {
        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal | DateTimeStyles.AllowWhiteSpaces | DateTimeStyles.NoCurrentDateDefault;
        s = s.Trim();
        foreach (var format in DateFormats)
        {
            if (DateTime.TryParseExact(s, format, CultureInfo.InvariantCulture, styles, out value))
                return true;
        }

        // More than seven fractional digits carry no information for 100 ns ticks.
        var dot = s.LastIndexOf('.');
        if (dot > 0)
        {
            var end = dot + 1;
            while (end < s.Length && char.IsAsciiDigit(s[end]))
                end++;
            if (end - dot - 1 > 7)
                return DateTime.TryParse(string.Concat(s[..(dot + 8)], s[end..]), CultureInfo.InvariantCulture, styles, out value);
        }

        if (DateTime.TryParse(s, CultureInfo.InvariantCulture, styles, out value))
            return true;
        // 2014-11-08T15:05:25 GMT: a zone's name is only read behind a blank between day and time.
        return s.Length > 11 && s[10] == 'T' && DateTime.TryParse(string.Concat(s[..10], " ", s[11..]), CultureInfo.InvariantCulture, styles, out value);
    }

    /// <summary>Reads a timespan: <c>1.5h</c>, <c>[-][d.]hh:mm[:ss[.fffffff]]</c>, or a plain number of days.</summary>
    public static bool TryTimeSpan(ReadOnlySpan<char> s, out TimeSpan value)
    {
        value = default;
        s = s.Trim();
        var negative = s.Length > 0 && s[0] == '-';
        if (negative || (s.Length > 0 && s[0] == '+'))
            s = s[1..].TrimStart();
        if (s.IsEmpty)
            return false;
        if (s.Contains(':'))
        {
            if (!TryClock(s, out var ticks))
                return false;
            value = new TimeSpan(negative ? -ticks : ticks);
            return true;
        }

        var digits = 0;
        while (digits < s.Length && (char.IsAsciiDigit(s[digits]) || s[digits] == '.'))
            digits++;
        if (!decimal.TryParse(s[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return false;
        var unit = s[digits..].Trim();
        long unitTicks;
        if (unit.IsEmpty)
            unitTicks = TimeSpan.TicksPerDay;
        else if (!Lexer.TryGetUnit(unit, out unitTicks))
            return false;
        decimal total;
        try
        {
            total = unitTicks == 0 ? decimal.Truncate(number / 100) : number * unitTicks;
        }
        catch (OverflowException)
        {
            return false;
        }

        if (total > long.MaxValue)
            return false;
        value = new TimeSpan((long)(negative ? -total : total));
        return true;
    }

    /// <summary>The language's own form of a datetime: <c>2026-01-02T03:04:05.6789012Z</c>.</summary>
    public static string Format(DateTime value) => value.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);

    /// <summary>The language's own form of a timespan: <c>[-][d.]hh:mm:ss[.fffffff]</c>.</summary>
    public static string Format(TimeSpan value) => value.ToString("c", CultureInfo.InvariantCulture);

    /// <summary>JSON text of a real; the values JSON lacks become strings.</summary>
    internal static string JsonReal(double value)
    {
        if (double.IsNaN(value))
            return "\"NaN\"";
        if (double.IsInfinity(value))
            return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
        var s = value.ToString("R", CultureInfo.InvariantCulture);
        return s.AsSpan().IndexOfAny('.', 'E') < 0 ? s + ".0" : s;
    }

    private static bool TryClock(ReadOnlySpan<char> s, out long ticks)
    {
        ticks = 0;
        long days = 0;
        var dot = s.IndexOf('.');
        if (dot >= 0 && dot < s.IndexOf(':'))
        {
            if (!long.TryParse(s[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out days) || days > 10_675_198)
                return false;
            s = s[(dot + 1)..];
        }

        long seconds = 0, minutes = 0, fraction = 0;
        Span<Range> parts = stackalloc Range[4];
        var count = s.Split(parts, ':');
        if (count is < 2 or > 3 || !long.TryParse(s[parts[0]], NumberStyles.None, CultureInfo.InvariantCulture, out var hours)
            || !long.TryParse(s[parts[1]], NumberStyles.None, CultureInfo.InvariantCulture, out minutes))
            return false;
        if (count == 3)
        {
            var last = s[parts[2]];
            var point = last.IndexOf('.');
            var whole = point < 0 ? last : last[..point];
            if (!long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out seconds))
                return false;
            if (point >= 0)
            {
                var digits = last[(point + 1)..];
                for (var i = 0; i < 7; i++)
                    fraction = (fraction * 10) + (i < digits.Length && char.IsAsciiDigit(digits[i]) ? digits[i] - '0' : 0);
            }
        }

        if (hours > 100_000_000 || minutes > 1_000_000_000 || seconds > 100_000_000_000)
            return false;
        ticks = (days * TimeSpan.TicksPerDay) + (hours * TimeSpan.TicksPerHour) + (minutes * TimeSpan.TicksPerMinute)
            + (seconds * TimeSpan.TicksPerSecond) + fraction;
        return true;
    }

    private static bool TryBool(ReadOnlySpan<char> s, out object? value)
    {
        value = null;
        if (s.Equals("true", StringComparison.OrdinalIgnoreCase) || s is "1")
            value = true;
        else if (s.Equals("false", StringComparison.OrdinalIgnoreCase) || s is "0")
            value = false;
        return value is not null;
    }

    private static bool TryLong(ReadOnlySpan<char> s, out long value)
    {
        var negative = s.Length > 0 && s[0] == '-';
        var digits = negative ? s[1..].Trim() : s;
        if (digits.Length > 2 && digits[0] == '0' && digits[1] is 'x' or 'X')
        {
            var ok = long.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
            value = negative ? -value : value;
            return ok;
        }

        return long.TryParse(s, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryReal(ReadOnlySpan<char> s, out double value)
    {
        if (s.Equals("nan", StringComparison.OrdinalIgnoreCase))
        {
            value = double.NaN;
            return true;
        }

        if (s.Equals("inf", StringComparison.OrdinalIgnoreCase) || s.Equals("+inf", StringComparison.OrdinalIgnoreCase))
        {
            value = double.PositiveInfinity;
            return true;
        }

        if (s.Equals("-inf", StringComparison.OrdinalIgnoreCase))
        {
            value = double.NegativeInfinity;
            return true;
        }

        return double.TryParse(s, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static ReadOnlySpan<char> Unquote(ReadOnlySpan<char> s) =>
        s.Length >= 2 && s[0] is '"' or '\'' && s[^1] == s[0] ? s[1..^1].Trim() : s;
}
