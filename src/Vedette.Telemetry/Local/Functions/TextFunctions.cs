using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>Parsers and formats of text.</summary>
internal static class TextFunctions
{
    private const int MaxInflated = 64 * 1024 * 1024;

    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["parse_command_line"] = c => CommandLine(c.Text(0));
        table["parse_csv"] = c => Csv(c.Text(0));
        table["parse_xml"] = c => ParseXml(c.Text(0));
        table["parse_version"] = c => Version(c.Text(0));
        table["parse_user_agent"] = UserAgent.Parse;
        table["format_bytes"] = FormatBytes;
        table["gzip_compress_to_base64_string"] = c => Convert.ToBase64String(Compression.Gzip(Encoding.UTF8.GetBytes(c.Text(0))));
        table["zlib_compress_to_base64_string"] = c => Convert.ToBase64String(Compression.Zlib(Encoding.UTF8.GetBytes(c.Text(0))));
        table["gzip_decompress_from_base64_string"] = c => Inflate(c.Text(0), s => new GZipStream(s, CompressionMode.Decompress));
        table["zlib_decompress_from_base64_string"] = c => Inflate(c.Text(0), s => new ZLibStream(s, CompressionMode.Decompress));
        table["datetime_list_timezones"] = _ => new JsonArray([.. TimeZoneInfo.GetSystemTimeZones().Select(z => z.Id).Order(StringComparer.Ordinal).Select(id => (JsonNode?)id)]);
        table["datetime_utc_to_local"] = c => c[0] is DateTime utc && Zone(c) is { } zone ? TimeZoneInfo.ConvertTimeFromUtc(utc, zone) : null;
        table["datetime_local_to_utc"] = c => c[0] is DateTime local && Zone(c) is { } zone ? TimeZones.ToUtc(local, zone) : null;
        table["array_sort_asc"] = c => Sort(c, descending: false);
        table["array_sort_desc"] = c => Sort(c, descending: true);
    }

    /// <summary>The time zone of the second argument; null for the empty name.</summary>
    private static TimeZoneInfo? Zone(LocalCall c) => c.Text(1) is not { Length: > 0 } name ? null
        : TimeZones.Name(name) is { } known ? TimeZoneInfo.FindSystemTimeZoneById(known)
        : throw new Hunting.HuntingException(Hunting.HuntingFailure.Semantic, $"{c.Name}(): the time zone '{Hunting.HuntingWords.Short(name)}' is not known.");

    /// <summary>Windows' rules: blanks part arguments, quotes hold them together, a backslash escapes a quote.</summary>
    private static JsonArray? CommandLine(string line)
    {
        if (line.Length == 0)
            return null;
        var arguments = new JsonArray();
        var i = 0;
        while (i < line.Length)
        {
            while (i < line.Length && char.IsWhiteSpace(line[i]))
                i++;
            if (i >= line.Length)
                break;
            var argument = new StringBuilder();
            var quoted = false;
            for (; i < line.Length && (quoted || !char.IsWhiteSpace(line[i])); i++)
            {
                var slashes = 0;
                while (i < line.Length && line[i] == '\\')
                {
                    slashes++;
                    i++;
                }

                if (i < line.Length && line[i] == '"')
                {
                    argument.Append('\\', slashes / 2);
                    if (slashes % 2 == 1)
                        argument.Append('"');
                    else if (quoted && i + 1 < line.Length && line[i + 1] == '"')
                    {
                        argument.Append('"');
                        i++;
                    }
                    else
                        quoted = !quoted;
                    continue;
                }

                argument.Append('\\', slashes);
                if (i >= line.Length || (!quoted && char.IsWhiteSpace(line[i])))
                    break;
                argument.Append(line[i]);
            }

            arguments.Add(argument.ToString());
        }

        return arguments;
    }

    private static JsonArray Csv(string text)
    {
        // Only the first record counts.
        var fields = new JsonArray();
        var field = new StringBuilder();
        var i = 0;
        while (true)
        {
            field.Clear();
            if (i < text.Length && text[i] == '"')
            {
                i++;
                while (i < text.Length)
                {
                    if (text[i] == '"' && i + 1 < text.Length && text[i + 1] == '"')
                    {
                        field.Append('"');
                        i += 2;
                    }
                    else if (text[i] == '"')
                    {
                        i++;
                        break;
                    }
                    else
                    {
                        field.Append(text[i++]);
                    }
                }
            }

            while (i < text.Length && text[i] is not (',' or '\n' or '\r'))
                field.Append(text[i++]);
            fields.Add(field.ToString());
            if (i < text.Length && text[i] == ',')
            {
                i++;
                continue;
            }

            return fields;
        }
    }

    // A tree of elements is walked up from each of them: deep ones would take minutes.
    private const int MaxXmlDepth = 1_000;

    private static JsonNode? ParseXml(string text)
    {
        try
        {
            var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, MaxCharactersInDocument = 16 * 1024 * 1024 };
            using (var depth = XmlReader.Create(new StringReader(text), settings))
            {
                while (depth.Read())
                {
                    if (depth.Depth > MaxXmlDepth)
                        return null;
                }
            }

            using var reader = XmlReader.Create(new StringReader(text), settings);
            var root = XDocument.Load(reader).Root!;
            return new JsonObject { [Name(root)] = Element(root, 0) };
        }
        catch (XmlException)
        {
            return null;
        }

        static string Name(XElement element) => element.GetPrefixOfNamespace(element.Name.Namespace) is { Length: > 0 } prefix ? prefix + ":" + element.Name.LocalName : element.Name.LocalName;

        static JsonNode? Element(XElement element, int depth)
        {
            if (depth > 100)
                return null;
            var children = element.Elements().ToList();
            var value = string.Concat(element.Nodes().OfType<XText>().Select(t => t.Value));
            if (children.Count == 0 && !element.HasAttributes)
                return element.IsEmpty ? null : Typed(value);
            var bag = new JsonObject();
            foreach (var attribute in element.Attributes())
                bag["@" + (attribute.IsNamespaceDeclaration && attribute.Name.LocalName != "xmlns" ? "xmlns:" : "") + attribute.Name.LocalName] = Typed(attribute.Value);
            foreach (var group in children.GroupBy(Name))
            {
                var items = group.Select(e => Element(e, depth + 1)).ToList();
                bag[group.Key] = items.Count == 1 ? items[0] : new JsonArray([.. items]);
            }

            if (value.Trim().Length > 0)
                bag["#text"] = Typed(value);
            return bag;
        }

        static JsonNode? Typed(string value) =>
            long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number.ToString(CultureInfo.InvariantCulture) == value ? number
            : bool.TryParse(value, out var flag) ? flag : value;
    }

    private static object? Version(string text)
    {
        var parts = text.Split('.');
        if (text.Length == 0 || parts.Length > 4)
            return null;
        var result = 0m;
        for (var i = 0; i < 4; i++)
        {
            var part = 0;
            if (i < parts.Length && (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out part) || part > 99_999_999))
                return null;
            // The engine has wider numbers than this process.
            if (result > 790_000_000_000_000_000_000m)
                return null;
            result = (result * 100_000_000m) + part;
        }

        return result;
    }

    private static string FormatBytes(LocalCall c)
    {
        if (c.Real(0) is not { } size)
            return "";
        string[] units = ["Bytes", "KB", "MB", "GB", "TB", "PB", "EB"];
        var wanted = c.Has(2) ? Array.FindIndex(units, u => string.Equals(u, c.Text(2), StringComparison.OrdinalIgnoreCase)) : -1;
        var unit = 0;
        if (wanted > 0)
        {
            size /= Math.Pow(1024, wanted);
            unit = wanted;
        }
        else if (wanted < 0)
        {
            while (Math.Abs(size) >= 1024 && unit < units.Length - 1)
            {
                size /= 1024;
                unit++;
            }
        }

        var digits = (int)Math.Clamp(c.Has(1) ? c.Long(1) ?? 0 : 0, 0, 15);
        return Math.Round(size, digits).ToString("0." + new string('#', digits), CultureInfo.InvariantCulture) + " " + units[unit];
    }

    private static string? Inflate(string text, Func<Stream, Stream> open)
    {
        try
        {
            using var source = open(new MemoryStream(Convert.FromBase64String(text)));
            using var target = new MemoryStream();
            var buffer = new byte[8192];
            int read;
            while ((read = source.Read(buffer)) > 0)
            {
                target.Write(buffer, 0, read);
                if (target.Length > MaxInflated)
                    return null;
            }

            return Encoding.UTF8.GetString(target.GetBuffer(), 0, (int)target.Length);
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Sorts the first array, and the others along with it; several arrays give an array of arrays.</summary>
    private static JsonNode? Sort(LocalCall c, bool descending)
    {
        var arrays = new List<JsonArray>();
        var nullsLast = true;
        for (var i = 0; i < c.Count; i++)
        {
            if (c.TypeOf(i) == KqlType.Bool)
                nullsLast = c.Bool(i) ?? true;
            else if (c.Array(i) is { } array)
                arrays.Add(array);
            else if (i == 0)
                return null;
        }

        var keys = arrays[0];
        var order = Enumerable.Range(0, keys.Count).ToList();
        var sorted = order.Where(i => keys[i] is not null).ToList();
        var kinds = sorted.OrderBy(i => Kind(keys[i]));
        var stable = descending ? kinds.ThenByDescending(i => keys[i], Comparer).ToList() : [.. kinds.ThenBy(i => keys[i], Comparer)];
        var nulls = order.Where(i => keys[i] is null);
        var final = nullsLast ? stable.Concat(nulls).ToList() : [.. nulls, .. stable];
        var results = arrays.Select(a => a.Count == keys.Count ? new JsonArray([.. final.Select(i => a[i]?.DeepClone())]) : null).ToList();
        return new JsonArray([.. results]);
    }

    /// <summary>Numbers and times before texts before identifiers before all else, whichever way is sorted.</summary>
    private static int Kind(JsonNode? node) => node is not JsonValue value ? 3
        : value.TryGetValue<string>(out var text) ? Span(text) is not null || IsTime(text) ? 0 : text.Length == 36 && Guid.TryParseExact(text, "D", out _) ? 2 : 1
        : value.TryGetValue<bool>(out _) ? 3 : 0;

    private static bool IsTime(string text) => text.Length == 28 && text[10] == 'T' && text[^1] == 'Z' && char.IsAsciiDigit(text[0]);

    private static double? Span(string text) => text.Length is >= 8 and <= 26 && text[^1] is >= '0' and <= '9' && text.Contains(':') && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var span) ? span.Ticks : null;

    private static readonly IComparer<JsonNode?> Comparer = Comparer<JsonNode?>.Create((a, b) =>
    {
        var (textA, textB) = (a is JsonValue v && v.TryGetValue<string>(out var s) ? s : null, b is JsonValue w && w.TryGetValue<string>(out var t) ? t : null);
        if (textA is not null && textB is not null)
            return Span(textA) is { } spanA && Span(textB) is { } spanB ? spanA.CompareTo(spanB) : string.CompareOrdinal(textA, textB);
        return textA is null && textB is null ? LocalJson.Real(a).CompareTo(LocalJson.Real(b)) : textA is null ? -1 : 1;
    });
}
