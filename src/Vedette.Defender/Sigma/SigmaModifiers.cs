using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>
/// Turns <c>field|modifier|modifier</c> and its values into an item: the modifiers are applied in their order. Source: the Sigma
/// specification's appendix on modifiers.
/// </summary>
internal static partial class SigmaModifiers
{
    private const int MaxVariants = 700;

    private static readonly string[] Dashes = ["-", "/", "\u2013", "\u2014", "\u2015"];
    private static readonly HashSet<string> TimeParts = ["minute", "hour", "day", "week", "month", "year"];

    private static readonly Dictionary<string, string> Operators = new(StringComparer.Ordinal) { ["gt"] = ">", ["gte"] = ">=", ["lt"] = "<", ["lte"] = "<=" };

    /// <summary>A value as it stands in the file.</summary>
    /// <param name="Text">Its text; null for a null value.</param>
    /// <param name="Line">Where it stands.</param>
    internal readonly record struct Raw(string? Text, int Line);

    /// <summary>Reads one item.</summary>
    public static SigmaItem Apply(string key, IReadOnlyList<Raw> raws, int line, SigmaPlaceholders placeholders)
    {
        var words = key.Split('|');
        var field = words[0].Trim();
        var chain = new Chain(words[1..], line, placeholders);
        IReadOnlyList<SigmaValue>[] values = [.. raws.Select(raw => chain.Values(raw).ToArray())];
        if (values.Length == 0) throw new SigmaException(SigmaReason.Syntax, $"'{key}' has no values", line);
        return new SigmaItem(field.Length == 0 ? null : field, values, chain.All, chain.Negated, chain.TimePart, line);
    }

    private sealed class Chain
    {
        private readonly string[] _words;
        private readonly int _line;
        private readonly SigmaPlaceholders _placeholders;

        public Chain(string[] words, int line, SigmaPlaceholders placeholders)
        {
            (_words, _line, _placeholders) = ([.. words.Select(static word => word.Trim().ToLowerInvariant())], line, placeholders);
            foreach (var word in _words)
                if (!Known.Contains(word)) throw new SigmaException(SigmaReason.Modifier, $"the modifier '{word}' is not known", line);
            All = _words.Contains("all");
            Negated = _words.Contains("neq");
            TimePart = _words.FirstOrDefault(TimeParts.Contains);
        }

        private static readonly HashSet<string> Known =
        [
            "contains", "startswith", "endswith", "all", "re", "i", "m", "s", "cidr", "base64", "base64offset", "wide", "utf16le", "utf16be", "utf16",
            "windash", "cased", "exists", "expand", "fieldref", "gt", "gte", "lt", "lte", "neq", .. TimeParts,
        ];

        public bool All { get; }

        public bool Negated { get; }

        public string? TimePart { get; }

        private bool Has(string word) => Array.IndexOf(_words, word) >= 0;

        public IEnumerable<SigmaValue> Values(Raw raw)
        {
            if (Has("exists")) return [new SigmaExists(Flag(raw))];
            if (raw.Text is not { } text)
            {
                if (_words.Any(word => word is not ("neq" or "cased" or "all"))) throw new SigmaException(SigmaReason.Modifier, $"null takes no modifier '{_words[0]}'", raw.Line);
                return [new SigmaNull()];
            }

            if (Operators.FirstOrDefault(pair => Has(pair.Key)).Value is { } op) return [new SigmaComparison(op, Number(text, raw.Line))];
            if (Has("cidr")) return [Network(text, raw.Line)];
            if (Has("re")) return [new SigmaRegex(text, Has("i"), Has("m"), Has("s"))];
            if (Has("fieldref"))
                return [new SigmaFieldReference(text, Has("contains") || Has("endswith"), Has("contains") || Has("startswith"), Has("cased"))];
            return Texts(text, raw.Line).Select(pattern => new SigmaText(pattern, Has("cased")));
        }

        private IEnumerable<SigmaPattern> Texts(string text, int line)
        {
            var isOctets = _words.Any(static word => word is "base64" or "base64offset" or "wide" or "utf16le" or "utf16be" or "utf16");
            IEnumerable<SigmaPattern> patterns = isOctets ? Encoded(SigmaPattern.Parse(text), line) : [SigmaPattern.Parse(text)];
            foreach (var word in _words)
            {
                patterns = word switch
                {
                    "contains" => patterns.Select(static pattern => pattern.Within()),
                    "startswith" => patterns.Select(static pattern => pattern.Opened(start: false, end: true)),
                    "endswith" => patterns.Select(static pattern => pattern.Opened(start: true, end: false)),
                    "windash" => patterns.SelectMany(pattern => Windash(pattern, line)),
                    "expand" => patterns.SelectMany(pattern => _placeholders.Expand(pattern, line)),
                    _ => patterns,
                };
            }

            return patterns.ToArray();
        }

        // What the text modifiers make of a value, octet by octet, before it is text again.
        private IEnumerable<SigmaPattern> Encoded(SigmaPattern pattern, int line)
        {
            if (!pattern.IsLiteral) throw new SigmaException(SigmaReason.Modifier, "a value that is encoded takes no wildcards", line);
            var text = pattern.IsEmpty ? "" : pattern.Parts[0].Text;
            var octets = Encoding.UTF8.GetBytes(text);
            var isText = true;
            foreach (var word in _words)
            {
                switch (word)
                {
                    case "wide" or "utf16le": (octets, isText) = (Encoding.Unicode.GetBytes(text), false); break;
                    case "utf16be": (octets, isText) = (Encoding.BigEndianUnicode.GetBytes(text), false); break;
                    case "utf16": (octets, isText) = ([0xFF, 0xFE, .. Encoding.Unicode.GetBytes(text)], false); break;
                    case "base64":
                        text = Convert.ToBase64String(octets);
                        return [SigmaPattern.Of(text)];
                    case "base64offset":
                        return Offsets(octets).Distinct().Select(SigmaPattern.Of);
                }
            }

            return [SigmaPattern.Of(isText ? text : Encoding.Latin1.GetString(octets))];
        }

        // At each of three offsets, the characters that follow from these octets alone.
        private static IEnumerable<string> Offsets(byte[] octets)
        {
            for (var offset = 0; offset < 3; offset++)
            {
                var encoded = Convert.ToBase64String([.. new byte[offset], .. octets]);
                var start = (offset * 8 + 5) / 6;
                var end = (offset + octets.Length) * 8 / 6;
                if (end > start) yield return encoded[start..end];
            }
        }

        // A dash that begins a word may be written in five ways.
        private static IEnumerable<SigmaPattern> Windash(SigmaPattern pattern, int line)
        {
            IEnumerable<SigmaPart[]> variants = [[]];
            var count = 1;
            foreach (var part in pattern.Parts)
            {
                if (part.Kind != SigmaPartKind.Text)
                {
                    variants = variants.Select(parts => (SigmaPart[])[.. parts, part]).ToArray();
                    continue;
                }

                var from = 0;
                foreach (Match dash in Dash().Matches(part.Text))
                {
                    var before = part.Text[from..dash.Index];
                    if ((count *= Dashes.Length) > MaxVariants) throw new SigmaException(SigmaReason.Modifier, "windash on more than four dashes of one value", line);
                    variants = variants.SelectMany(parts => Dashes.Select(mark => (SigmaPart[])[.. parts, new SigmaPart(SigmaPartKind.Text, before + mark)])).ToArray();
                    from = dash.Index + 1;
                }

                var rest = new SigmaPart(SigmaPartKind.Text, part.Text[from..]);
                variants = variants.Select(parts => (SigmaPart[])[.. parts, rest]).ToArray();
            }

            return variants.Select(static parts => new SigmaPattern(parts));
        }

        private bool Flag(Raw raw) => raw.Text?.ToLowerInvariant() switch
        {
            "true" or "yes" or "on" => true,
            "false" or "no" or "off" => false,
            _ => throw new SigmaException(SigmaReason.Modifier, $"'exists' takes true or false, not '{raw.Text}'", raw.Line),
        };

        private static string Number(string text, int line)
        {
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
                throw new SigmaException(SigmaReason.Modifier, $"'{text}' is not a number", line);
            return number.ToString("0.################", CultureInfo.InvariantCulture);
        }

        private static SigmaNetwork Network(string text, int line)
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0 || !System.Net.IPAddress.TryParse(text.AsSpan(0, slash), out var address)
                || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length > (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128))
            {
                throw new SigmaException(SigmaReason.Modifier, $"'{text}' is not a network such as 10.0.0.0/8", line);
            }

            return new SigmaNetwork(text);
        }
    }

    [GeneratedRegex(@"\B[-/]\b")]
    private static partial Regex Dash();
}
