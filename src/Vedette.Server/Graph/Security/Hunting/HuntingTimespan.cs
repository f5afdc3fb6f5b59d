using System.Globalization;
using System.Xml;

namespace Vedette.Server.Graph.Security.Hunting;

/// <summary>
/// The time that a hunting query looks at, as ISO 8601 writes it: <c>start/end</c>, <c>start/duration</c>, <c>duration/end</c>, a duration back
/// from now, or a start from which on to now. A moment without a zone is UTC; a date is its first moment.
/// </summary>
internal static class HuntingTimespan
{
    // A calendar may end before what a duration asks for.
    private static readonly DateTime Earliest = new(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Reads a time span; null when it is none.</summary>
    public static (DateTime From, DateTime To)? Read(string text, DateTime now)
    {
        var parts = text.Trim().Split('/');
        (DateTime From, DateTime To)? read = parts switch
        {
            [var one] when Duration(one) is { } back => (Back(now, back), now),
            [var one] when Moment(one) is { } start => (start, now),
            [var one, var other] when Duration(one) is { } back && Moment(other) is { } end => (Back(end, back), end),
            [var one, var other] when Moment(one) is { } start && Duration(other) is { } length => (start, Forth(start, length)),
            [var one, var other] when Moment(one) is { } start && Moment(other) is { } end => (start, end),
            _ => null,
        };
        return read is { } window && window.From <= window.To ? window : null;
    }

    private static DateTime Back(DateTime end, TimeSpan length) => end - Earliest < length ? Earliest : end - length;

    private static DateTime Forth(DateTime start, TimeSpan length) => DateTime.MaxValue - start < length ? DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc) : start + length;

    private static TimeSpan? Duration(string text)
    {
        if (text.Length is < 2 or > 40 || text[0] is not ('P' or 'p')) return null;
        var upper = text.ToUpperInvariant();

        // Weeks are ISO's but not XML's.
        if (upper.EndsWith('W'))
            return int.TryParse(upper.AsSpan(1, upper.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var weeks) && weeks < 100_000 ? TimeSpan.FromDays(7 * weeks) : null;
        try
        {
            return XmlConvert.ToTimeSpan(upper);
        }
        catch (Exception wrong) when (wrong is FormatException or OverflowException)
        {
            return null;
        }
    }

    private static DateTime? Moment(string text) =>
        text.Length is >= 8 and <= 40 && char.IsAsciiDigit(text[0])
        && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
            ? moment
            : null;
}
