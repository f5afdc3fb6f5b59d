using System.Globalization;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>A syslog line taken apart. Source: RFC 3164, RFC 5424 and the ISO time stamps that rsyslog and journald write.</summary>
/// <param name="Host">Host name; empty when the line has no header.</param>
/// <param name="Program">Program name without its process id; empty when unknown.</param>
/// <param name="Time">Time of the header; RFC 3164 has neither year nor zone, so then null.</param>
/// <param name="Message">What follows the header.</param>
internal readonly record struct SyslogLine(string Host, string Program, DateTime? Time, string Message)
{
    private static readonly string[] Months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

    /// <summary>Reads a line; a line without a recognisable header is all message.</summary>
    public static SyslogLine Parse(string line)
    {
        var text = SkipPriority(line);
        if (text.StartsWith("1 ", StringComparison.Ordinal) && ParseNew(text) is { } modern) return modern;
        var rest = text;
        DateTime? time = null;
        if (IsOldStamp(text))
        {
            rest = text[15..].TrimStart();
        }
        else
        {
            var blank = text.IndexOf(' ', StringComparison.Ordinal);
            if (blank < 19 || !TryTime(text[..blank], out var stamp)) return new SyslogLine("", "", null, text);
            time = stamp;
            rest = text[(blank + 1)..].TrimStart();
        }

        var hostEnd = rest.IndexOf(' ', StringComparison.Ordinal);
        if (hostEnd < 0) return new SyslogLine("", "", time, rest);
        var host = rest[..hostEnd];
        rest = rest[(hostEnd + 1)..];
        var colon = rest.IndexOf(": ", StringComparison.Ordinal);
        var tag = colon is > 0 and < 64 ? rest[..colon] : "";
        if (tag.Contains(' ', StringComparison.Ordinal)) tag = "";
        return new SyslogLine(host, ProgramOf(tag), time, tag.Length > 0 ? rest[(colon + 2)..] : rest);
    }

    private static string SkipPriority(string line)
    {
        if (line.Length < 3 || line[0] != '<' || !char.IsAsciiDigit(line[1])) return line;
        var close = line.IndexOf('>', StringComparison.Ordinal);
        return close is > 1 and < 6 ? line[(close + 1)..] : line;
    }

    private static SyslogLine? ParseNew(string text)
    {
        var parts = text.Split(' ', 7);
        if (parts.Length < 7 || !(parts[1] == "-" || TryTime(parts[1], out _))) return null;
        DateTime? time = TryTime(parts[1], out var stamp) ? stamp : null;
        var message = parts[6];
        if (message.StartsWith('['))
        {
            var end = EndOfStructuredData(message);
            message = end < message.Length ? message[end..].TrimStart() : "";
        }
        else if (message.StartsWith("- ", StringComparison.Ordinal))
        {
            message = message[2..];
        }

        return new SyslogLine(parts[2] == "-" ? "" : parts[2], parts[3] == "-" ? "" : parts[3], time, message.TrimStart('\uFEFF'));
    }

    private static int EndOfStructuredData(string text)
    {
        var quoted = false;
        for (var index = 0; index < text.Length; index++)
        {
            if (quoted && text[index] == '\\') index++;
            else if (text[index] == '"') quoted = !quoted;
            else if (!quoted && text[index] == ']' && (index + 1 == text.Length || text[index + 1] != '[')) return index + 1;
        }

        return text.Length;
    }

    private static bool IsOldStamp(string text) =>
        text.Length > 16 && text[3] == ' ' && text[6] == ' ' && text[9] == ':' && text[12] == ':' && text[15] == ' '
        && Array.IndexOf(Months, text[..3]) >= 0;

    private static bool TryTime(string text, out DateTime time) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out time)
        && text.Contains('T', StringComparison.Ordinal);

    private static string ProgramOf(string tag)
    {
        var bracket = tag.IndexOf('[', StringComparison.Ordinal);
        return bracket > 0 ? tag[..bracket] : tag;
    }
}
