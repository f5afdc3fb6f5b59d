using System.Globalization;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>Finds what every Windows event has, whatever the shipper calls it: provider, number, host and time.</summary>
internal sealed class EventHeader
{
    private readonly int[] _id;
    private readonly int[] _provider;
    private readonly int[] _channel;
    private readonly int[] _host;
    private readonly int[] _received;
    private readonly int _exact;
    private readonly int _arrived;
    private readonly int[] _time;

    public EventHeader(FieldNames names)
    {
        _id = Numbers(names, "EventID", "event_id", "event.code", "EventCode", "Id");
        _provider = Numbers(
            names, "SourceName", "Provider.Name", "provider_name", "source_name", "event.provider", "ProviderName", "EventSourceName", "Provider", "Source");
        _channel = Numbers(names, "Channel", "log_name", "LogName");
        _host = Numbers(
            names, "Hostname", "Computer", "computer_name", "MachineName", "host.name", "host.hostname", "agent.hostname", "agent.name", "ComputerName");
        _time = Numbers(
            names, "TimeCreated.SystemTime", "TimeCreated", "EventTime", "@timestamp", "TimeGenerated", "event.created", "timestamp", "time", "_time");
        _received = Numbers(names, "EventReceivedTime");
        _exact = names.Add("UtcTime");
        _arrived = names.Add("@timestamp");
    }

    /// <summary>Fills the header; false when the fields are no event of a Windows log.</summary>
    public bool Fill(LogEvent target, ProviderFamilies families)
    {
        if (target.Text(_id) is not { } id || !id.AsSpan().ContainsAnyInRange('0', '9') || id.AsSpan().ContainsAnyExceptInRange('0', '9')) return false;
        var channel = target.Text(_channel) ?? "";
        target.Id = id;
        target.Family = families.Find(target.Text(_provider) ?? "", channel);
        if (target.Host.Length == 0) target.Host = target.Text(_host) ?? "";
        target.EnvelopeTime ??= target.Text(_time) is { } time ? EventTimes.Parse(time) : null;
        if (target.Text(_exact) is { } exact) target.ExactTime = EventTimes.Parse(exact);

        // Forwarders that write local times also write when they received the event, and the pipeline behind them stamps that moment in UTC.
        if (target.EnvelopeTime is not null && target.Text(_received) is { } received && target.Text(_arrived) is { } arrived
            && EventTimes.Parse(received) is { } local && EventTimes.Parse(arrived) is { } utc)
        {
            target.EnvelopeOffset = EventTimes.RoundToZone(utc - local);
        }

        return true;
    }

    private static int[] Numbers(FieldNames names, params ReadOnlySpan<string> aliases)
    {
        var numbers = new int[aliases.Length];
        for (var index = 0; index < aliases.Length; index++) numbers[index] = names.Add(aliases[index]);
        return numbers;
    }
}

/// <summary>Reads the times that logs write.</summary>
internal static class EventTimes
{
    private const DateTimeStyles Utc = DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces;

    /// <summary>A time in UTC; a text that names no zone is taken as UTC. Null when it is no time, or none that a log could have.</summary>
    public static DateTime? Parse(string text) => ParseAny(text) is { Year: >= 1980 and < 2200 } time ? time : null;

    private static DateTime? ParseAny(string text)
    {
        if (text.Length >= 19 && TryFixed(text, out var time)) return time;
        if (text.StartsWith("/Date(", StringComparison.Ordinal) && text.IndexOf(')', StringComparison.Ordinal) is var end && end > 6
            && long.TryParse(text.AsSpan(6, end - 6), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milliseconds)
            && Math.Abs(milliseconds) < 100_000_000_000_000)
        {
            return DateTime.UnixEpoch.AddMilliseconds(milliseconds);
        }

        return DateTime.TryParse(text, CultureInfo.InvariantCulture, Utc, out var parsed) ? parsed : null;
    }

    /// <summary>The nearest quarter of an hour: no zone differs from UTC by less.</summary>
    public static TimeSpan RoundToZone(TimeSpan difference)
    {
        const long quarter = 15 * TimeSpan.TicksPerMinute;
        return TimeSpan.FromTicks((long)Math.Round(difference.Ticks / (double)quarter) * quarter);
    }

    // yyyy-MM-dd[ T]HH:mm:ss[.fffffff…][Z]: what nearly all events have, without the cost of the general parser.
    private static bool TryFixed(string text, out DateTime time)
    {
        time = default;
        if (text[4] != '-' || text[7] != '-' || text[10] is not (' ' or 'T') || text[13] != ':' || text[16] != ':') return false;
        if (!TryDigits(text, 0, 4, out var year) || !TryDigits(text, 5, 2, out var month) || !TryDigits(text, 8, 2, out var day)
            || !TryDigits(text, 11, 2, out var hour) || !TryDigits(text, 14, 2, out var minute) || !TryDigits(text, 17, 2, out var second))
        {
            return false;
        }

        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        if (hour > 23 || minute > 59 || second > 59) return false;
        long ticks = 0;
        var position = 19;
        if (position < text.Length && text[position] == '.')
        {
            var scale = TimeSpan.TicksPerSecond / 10;
            for (position++; position < text.Length && char.IsAsciiDigit(text[position]); position++, scale /= 10)
            {
                ticks += (text[position] - '0') * scale;
            }
        }

        if (position < text.Length && !(text[position] == 'Z' && position + 1 == text.Length)) return false;
        time = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).AddTicks(ticks);
        return true;
    }

    private static bool TryDigits(string text, int start, int count, out int value)
    {
        value = 0;
        for (var index = start; index < start + count; index++)
        {
            if (!char.IsAsciiDigit(text[index])) return false;
            value = (value * 10) + (text[index] - '0');
        }

        return true;
    }
}

/// <summary>Which providers belong to which family of the mapping.</summary>
internal sealed class ProviderFamilies(IReadOnlyList<ProviderFamily> families)
{
    private readonly Dictionary<(string, string), string> _found = [];

    /// <summary>The family of a provider and channel; the provider's own name when none is known.</summary>
    public string Find(string provider, string channel)
    {
        if (_found.TryGetValue((provider, channel), out var found)) return found;
        var match = families.FirstOrDefault(family =>
                Fits(family.Provider, provider) && Fits(family.Channel, channel) && (provider.Length > 0 || family.Provider is null))
            ?? families.FirstOrDefault(family => provider.Length == 0 && Fits(family.Channel, channel));
        var name = match?.Family ?? (provider.Length > 0 ? provider : channel.Length > 0 ? channel : "unknown");
        if (_found.Count < 4096) _found.Add((provider, channel), name);
        return name;
    }

    private static bool Fits(string? wanted, string text) => wanted is null || string.Equals(wanted, text, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A line of the mapping's provider table.</summary>
/// <param name="Family">Name in the mapping.</param>
/// <param name="Provider">Provider name; null fits any.</param>
/// <param name="Channel">Channel name; null fits any.</param>
internal sealed record ProviderFamily(string Family, string? Provider, string? Channel);
