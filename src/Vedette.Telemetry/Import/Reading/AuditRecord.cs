using System.Globalization;
using System.Text;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>One line of the Linux audit log.</summary>
/// <param name="Type">Record type, for instance <c>SYSCALL</c>.</param>
/// <param name="Node">Host that the record names; empty when it names none.</param>
/// <param name="Time">UTC.</param>
/// <param name="Serial">Number that the records of one event share.</param>
/// <param name="Fields">Names and texts in order, decoded.</param>
internal sealed record AuditRecord(string Type, string Node, DateTime Time, long Serial, List<KeyValuePair<string, string>> Fields)
{
    private const char EnrichmentMark = '\x1D';

    // Fields that the kernel writes in hexadecimal when they hold a blank, a quote or a control character.
    private static readonly HashSet<string> Encoded = new(StringComparer.Ordinal)
    {
        "name", "exe", "comm", "cwd", "proctitle", "acct", "cmd", "key", "path", "data", "vm", "op", "dir", "old-disk", "new-disk",
    };

    /// <summary>The text of a field; null when the record has none.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in Fields)
            {
                if (key == name) return value;
            }

            return null;
        }
    }

    /// <summary>Whether a line is an audit record.</summary>
    public static bool Looks(ReadOnlySpan<char> line) =>
        (line.StartsWith("type=") || line.StartsWith("node=")) && line.Contains("audit(", StringComparison.Ordinal);

    /// <summary>Reads a line.</summary>
    /// <param name="line">Text from <c>type=</c> or <c>node=</c> on.</param>
    /// <param name="maxFields">Fields to keep, at most.</param>
    /// <param name="error">What is wrong when there is no record.</param>
    public static AuditRecord? Parse(string line, int maxFields, out string? error)
    {
        error = null;
        var node = "";
        var position = 0;
        if (line.StartsWith("node=", StringComparison.Ordinal))
        {
            var end = line.IndexOf(' ', StringComparison.Ordinal);
            if (end > 0) node = line[5..end];
            position = end + 1;
        }

        var typeEnd = line.IndexOf(' ', position);
        var stampStart = line.IndexOf("audit(", position, StringComparison.Ordinal);
        var stampEnd = stampStart < 0 ? -1 : line.IndexOf(')', stampStart);
        if (typeEnd < 0 || stampEnd < 0 || !line.AsSpan(position).StartsWith("type="))
        {
            error = "the audit record has no type or no time stamp";
            return null;
        }

        var type = line[(position + 5)..typeEnd];
        if (!TryStamp(line.AsSpan(stampStart + 6, stampEnd - stampStart - 6), out var time, out var serial))
        {
            error = "the audit record's time stamp is not seconds.milliseconds:serial";
            return null;
        }

        var fields = new List<KeyValuePair<string, string>>(32);
        var rest = line.AsSpan(stampEnd + 1).TrimStart(": ").ToString();
        ReadFields(rest, type, fields, maxFields, nested: false);
        var record = new AuditRecord(type, node, time, serial, fields);
        return node.Length == 0 && record["node"] is { } inner ? record with { Node = inner } : record;
    }

    private static bool TryStamp(ReadOnlySpan<char> text, out DateTime time, out long serial)
    {
        time = default;
        serial = 0;
        var colon = text.IndexOf(':');
        if (colon < 0 || !long.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out serial)) return false;
        if (!decimal.TryParse(text[..colon], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)) return false;
        if (seconds > 253402300799m) return false;
        time = DateTime.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond));
        return true;
    }

    private static void ReadFields(string text, string type, List<KeyValuePair<string, string>> fields, int maxFields, bool nested)
    {
        var position = 0;
        while (position < text.Length && fields.Count < maxFields)
        {
            while (position < text.Length && text[position] is ' ' or EnrichmentMark) position++;
            var equals = text.IndexOf('=', position);
            if (equals < 0) return;
            var name = text[position..equals];
            // Free text may stand before a name, as in "login res=success".
            var blank = name.LastIndexOf(' ');
            if (blank >= 0) name = name[(blank + 1)..];
            var value = ReadValue(text, equals + 1, name, out position);
            var isGroup = name == "msg" && !nested && value.Contains('=', StringComparison.Ordinal);
            if (isGroup) ReadFields(value.TrimStart('"'), type, fields, maxFields, nested: true);
            else fields.Add(new(name, Decode(type, name, value)));
        }
    }

    private static string ReadValue(string text, int start, string name, out int next)
    {
        next = start;
        if (start >= text.Length) return "";
        var open = text[start];
        if (open == '[')
        {
            var close = text.IndexOf(']', start);
            next = close < 0 ? text.Length : close + 1;
            return text[start..next];
        }

        if (open is '"' or '\'')
        {
            var close = EndOfQuoted(text, start, open);
            next = close + 1;
            return "\"" + text[(start + 1)..close];
        }

        // The collector of Azure Monitor writes proctitle unquoted up to its next field.
        var end = name == "proctitle" && text.IndexOf(" redactors=", start, StringComparison.Ordinal) is var mark && mark >= 0
            ? mark
            : text.AsSpan(start).IndexOfAny(' ', EnrichmentMark) is var length && length >= 0 ? start + length : text.Length;
        next = end;
        return text[start..end];
    }

    // A quote ends its value only where a new field or the end follows: collectors do not escape quotes inside.
    private static int EndOfQuoted(string text, int start, char quote)
    {
        for (var at = text.IndexOf(quote, start + 1); at >= 0; at = text.IndexOf(quote, at + 1))
        {
            if (at + 1 == text.Length || text[at + 1] == EnrichmentMark) return at;
            if (text[at + 1] != ' ') continue;
            var word = text.AsSpan(at + 2).TrimStart(' ');
            var equals = word.IndexOf('=');
            if (word.IsEmpty || (equals > 0 && !word[..equals].ContainsAny(" \"'{}|;&$/"))) return at;
        }

        return text.Length;
    }

    private static string Decode(string type, string name, string value)
    {
        if (value.StartsWith('"')) return value[1..];
        var canBeHex = Encoded.Contains(name) || (type == "EXECVE" && name.Length > 1 && name[0] == 'a' && char.IsAsciiDigit(name[1]));
        if (!canBeHex || value.Length < 2 || value.Length % 2 != 0 || value.AsSpan().ContainsAnyExcept("0123456789ABCDEF"))
        {
            return value is "(null)" or "(none)" or "?" ? "" : value;
        }

        var bytes = Convert.FromHexString(value);
        var isTitle = name == "proctitle";
        for (var index = 0; index < bytes.Length; index++)
        {
            if (bytes[index] == 0) bytes[index] = isTitle ? (byte)' ' : (byte)'\n';
        }

        return Encoding.UTF8.GetString(bytes).TrimEnd(' ', '\n');
    }
}
