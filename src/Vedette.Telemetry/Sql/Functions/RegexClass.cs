using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>
/// A class of characters in brackets, in RE2's words. Classes within classes, and their intersection (<c>&amp;&amp;</c>), difference (<c>--</c>) and symmetric
/// difference (<c>~~</c>), which RE2 lacks, are worked out to ranges.
/// </summary>
internal sealed class RegexClass(string pattern, int start, bool unicode, bool verbose, Func<string, HuntingException> malformed)
{
    private const int Last = 0x10FFFF;

    // Letters, marks, digits and connectors, in so few ranges that repetitions of them stay small: a block counts as a whole.
    private const string Words = @"0-9A-Za-z_\x{AA}\x{B5}\x{BA}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2C1}\x{2C6}-\x{2D1}\x{2E0}-\x{2E4}\x{300}-\x{374}\x{376}-\x{37D}\x{37F}-\x{1FFF}"
        + @"\x{200C}\x{200D}\x{203F}\x{2040}\x{2071}\x{207F}\x{2090}-\x{209C}\x{20D0}-\x{20F0}\x{2102}-\x{2188}\x{2C00}-\x{2DFF}\x{3005}-\x{3007}\x{3021}-\x{302F}\x{3031}-\x{303C}"
        + @"\x{3041}-\x{D7FF}\x{F900}-\x{FDFF}\x{FE00}-\x{FE0F}\x{FE20}-\x{FE2F}\x{FE33}\x{FE34}\x{FE70}-\x{FEFC}\x{FF10}-\x{FF19}\x{FF21}-\x{FF3A}\x{FF3F}\x{FF41}-\x{FF5A}\x{FF66}-\x{FFDC}"
        + @"\x{10000}-\x{1CFFF}\x{1D400}-\x{1D7FF}\x{1E000}-\x{1EFFF}\x{20000}-\x{323AF}\x{E0100}-\x{E01EF}";

    private const string Spaces = @"\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}";

    private static readonly ConcurrentDictionary<string, List<(int Low, int High)>> Categories = new(StringComparer.Ordinal);

    private static readonly Dictionary<string, string> LongNames = new(StringComparer.Ordinal)
    {
        ["letter"] = "L", ["lowercaseletter"] = "Ll", ["uppercaseletter"] = "Lu", ["titlecaseletter"] = "Lt", ["modifierletter"] = "Lm", ["otherletter"] = "Lo",
        ["mark"] = "M", ["nonspacingmark"] = "Mn", ["spacingmark"] = "Mc", ["enclosingmark"] = "Me",
        ["number"] = "N", ["decimalnumber"] = "Nd", ["digit"] = "Nd", ["letternumber"] = "Nl", ["othernumber"] = "No",
        ["punctuation"] = "P", ["punct"] = "P", ["connectorpunctuation"] = "Pc", ["dashpunctuation"] = "Pd", ["openpunctuation"] = "Ps", ["closepunctuation"] = "Pe",
        ["initialpunctuation"] = "Pi", ["finalpunctuation"] = "Pf", ["otherpunctuation"] = "Po",
        ["symbol"] = "S", ["mathsymbol"] = "Sm", ["currencysymbol"] = "Sc", ["modifiersymbol"] = "Sk", ["othersymbol"] = "So",
        ["separator"] = "Z", ["spaceseparator"] = "Zs", ["lineseparator"] = "Zl", ["paragraphseparator"] = "Zp",
        ["other"] = "C", ["control"] = "Cc", ["cntrl"] = "Cc", ["format"] = "Cf", ["privateuse"] = "Co",
        ["alphabetic"] = "L", ["alpha"] = "L", ["uppercase"] = "Lu", ["upper"] = "Lu", ["lowercase"] = "Ll", ["lower"] = "Ll",
    };

    private int _at = start;

    /// <summary>The class that begins at the start.</summary>
    /// <param name="end">Where the pattern goes on.</param>
    public string Read(out int end)
    {
        var begin = _at;
        var text = ReadPlain(false);
        if (text is null)
        {
            _at = begin;
            try
            {
                text = Written(ReadSet());
            }
            catch (HuntingException)
            {
                // Many patterns have a bracket within brackets that stands for itself.
                _at = begin;
                if ((text = ReadPlain(true)) is null)
                    throw;
            }
        }

        end = _at;
        return text;
    }

    /// <summary>Reads <c>\d \D \s \S \w \W \p{…} \P{…}</c>: what stands within brackets for it, or a whole negated class. Null when there is none.</summary>
    public static string? ReadClass(string pattern, ref int at, bool unicode, Func<string, HuntingException> malformed)
    {
        if (at + 1 >= pattern.Length || pattern[at] != '\\')
            return null;
        var kind = pattern[at + 1];
        string? items = char.ToLowerInvariant(kind) switch
        {
            'd' => unicode ? @"\p{Nd}" : "0-9",
            's' => unicode ? Spaces : @"\x{9}-\x{D}\x{20}",
            'w' => unicode ? Words : "0-9A-Za-z_",
            _ => null,
        };
        if (items is not null)
        {
            at += 2;
            return char.IsUpper(kind) ? $"[^{items}]" : items;
        }

        if (kind is not ('p' or 'P') || at + 2 >= pattern.Length)
            return null;
        var end = at + 3;
        var name = pattern[at + 2].ToString();
        if (name == "{")
        {
            end = pattern.IndexOf('}', at);
            if (end < 0)
                throw malformed("Unicode property not found");
            name = pattern[(at + 3)..end++];
        }

        at = end;
        var negated = kind == 'P' ^ name.StartsWith('^');
        items = Property(name.TrimStart('^'));
        return negated ? $"[^{items}]" : items;
    }

    /// <summary>Reads the escape of one character by its code; null when there is none that the engine reads otherwise.</summary>
    public static int? ReadCode(string pattern, ref int at, Func<string, HuntingException> malformed)
    {
        if (at + 1 >= pattern.Length || pattern[at] != '\\' || pattern[at + 1] is not ('u' or 'U' or 'x'))
            return null;
        int digits, end;
        if (at + 2 < pattern.Length && pattern[at + 2] == '{')
        {
            digits = at + 3;
            end = pattern.IndexOf('}', at);
        }
        else
        {
            digits = at + 2;
            end = digits + (pattern[at + 1] switch { 'x' => 2, 'u' => 4, _ => 8 });
        }

        if (end < 0 || end > pattern.Length || !int.TryParse(pattern.AsSpan(digits, end - digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code > Last)
            throw malformed("invalid hexadecimal escape");
        at = digits == at + 3 ? end + 1 : end;
        return code;
    }

    /// <summary>A character by its code.</summary>
    public static string Written(int code) => string.Create(CultureInfo.InvariantCulture, $"\\x{{{code:X}}}");

    private static string Property(string name)
    {
        var value = name[(name.IndexOf('=', StringComparison.Ordinal) + 1)..];
        var key = value.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
        return key switch
        {
            "any" => @"\x{0}-\x{10FFFF}",
            "ascii" => @"\x{0}-\x{7F}",
            "whitespace" => Spaces,
            _ => $"\\p{{{LongNames.GetValueOrDefault(key, value)}}}",
        };
    }

    /// <summary>The class as it stands, with its escapes put in the engine's words; null when it needs to be worked out.</summary>
    private string? ReadPlain(bool bracketsAreLiteral)
    {
        var text = new StringBuilder("[");
        var others = new List<string>();
        _at++;
        var negated = _at < pattern.Length && pattern[_at] == '^';
        if (negated)
        {
            text.Append('^');
            _at++;
        }

        for (var first = true; ; first = false)
        {
            if (_at >= pattern.Length)
                throw malformed("unclosed character class");
            var c = pattern[_at];
            if (c == ']' && !first)
            {
                _at++;
                break;
            }

            if (pattern.AsSpan(_at).StartsWith("[:") && pattern.IndexOf(":]", _at, StringComparison.Ordinal) is > 0 and var end)
            {
                text.Append(pattern, _at, end + 2 - _at);
                _at = end + 2;
                continue;
            }

            if (!bracketsAreLiteral && (c == '[' || IsSetOperator(_at)))
                return null;
            if (verbose && (char.IsWhiteSpace(c) || c == '#'))
            {
                _at++;
                continue;
            }

            if (ReadClass(pattern, ref _at, unicode, malformed) is { } named)
            {
                if (!named.StartsWith("[^", StringComparison.Ordinal))
                    text.Append(named);
                else if (negated)
                    return null;
                else
                    others.Add(named);
            }
            else if (ReadCode(pattern, ref _at, malformed) is { } code)
            {
                text.Append(Written(code));
            }
            else
            {
                if (c == '[')
                    text.Append('\\');
                var size = c == '\\' ? Math.Min(2, pattern.Length - _at) : 1;
                if (c == '\\' && size == 2 && pattern[_at + 1] is '<' or '>')
                    text.Append(pattern[_at + 1]);
                else
                    text.Append(pattern, _at, size);
                _at += size;
            }
        }

        if (others.Count == 0)
            return text.Append(']').ToString();
        if (text.Length > 1)
            others.Insert(0, text.Append(']').ToString());
        return others.Count == 1 ? others[0] : $"(?:{string.Join('|', others)})";
    }

    private bool IsSetOperator(int at) =>
        pattern.AsSpan(at).StartsWith("&&") || (pattern.AsSpan(at).StartsWith("--") && at + 2 < pattern.Length && pattern[at + 2] != ']') || pattern.AsSpan(at).StartsWith("~~");

    private List<(int Low, int High)> ReadSet()
    {
        _at++;
        var negated = _at < pattern.Length && pattern[_at] == '^';
        if (negated)
            _at++;
        var result = new List<(int, int)>();
        var pending = "";
        var union = new List<(int, int)>();
        for (var first = true; ; first = false)
        {
            if (_at >= pattern.Length)
                throw malformed("unclosed character class");
            if (pattern[_at] == ']' && !first)
            {
                _at++;
                break;
            }

            if (IsSetOperator(_at))
            {
                result = Combine(result, Merged(union), pending);
                union = [];
                pending = pattern.Substring(_at, 2);
                _at += 2;
                continue;
            }

            if (verbose && char.IsWhiteSpace(pattern[_at]))
            {
                _at++;
                continue;
            }

            ReadItem(union);
        }

        result = Combine(result, Merged(union), pending);
        return negated ? Without([(0, Last)], result) : result;
    }

    private void ReadItem(List<(int, int)> union)
    {
        if (pattern.AsSpan(_at).StartsWith("[:") && pattern.IndexOf(":]", _at, StringComparison.Ordinal) is > 0 and var end)
        {
            union.AddRange(Posix(pattern[(_at + 2)..end]));
            _at = end + 2;
        }
        else if (pattern[_at] == '[')
        {
            union.AddRange(ReadSet());
        }
        else if (ReadClass(pattern, ref _at, unicode, malformed) is { } named)
        {
            var inner = named.StartsWith("[^", StringComparison.Ordinal) ? named[2..^1] : named;
            var set = Merged(ReadItems(inner));
            union.AddRange(inner.Length < named.Length ? Without([(0, Last)], set) : set);
        }
        else
        {
            var low = ReadCharacter();
            var high = low;
            if (_at + 1 < pattern.Length && pattern[_at] == '-' && pattern[_at + 1] is not (']' or '-'))
            {
                _at++;
                high = ReadCharacter();
            }

            if (high < low)
                throw malformed("invalid character class range");
            union.Add((low, high));
        }
    }

    private int ReadCharacter()
    {
        if (ReadCode(pattern, ref _at, malformed) is { } code)
            return code;
        if (pattern[_at] == '\\' && _at + 1 < pattern.Length)
        {
            _at++;
            var escaped = pattern[_at] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', 'f' => '\f', 'v' => '\v', 'a' => '\a', var other => other };
            _at++;
            return escaped;
        }

        var rune = char.ConvertToUtf32(pattern, _at);
        _at += char.IsSurrogatePair(pattern, _at) ? 2 : 1;
        return rune;
    }

    /// <summary>The ranges of items as <see cref="ReadClass"/> writes them.</summary>
    private List<(int, int)> ReadItems(string items)
    {
        if (items.StartsWith(@"\p{", StringComparison.Ordinal))
            return Category(items[3..^1]);
        var result = new List<(int, int)>();
        var inner = new RegexClass(items, 0, unicode, false, malformed);
        while (inner._at < items.Length)
            inner.ReadItem(result);
        return result;
    }

    private List<(int, int)> Category(string name)
    {
        if (name.Length > 2 || !"LMNPSZC".Contains(name[0], StringComparison.Ordinal))
            throw malformed($"the class '{name}' cannot take part in operations on sets");
        return Categories.GetOrAdd(name, static wanted =>
        {
            var ranges = new List<(int, int)>();
            for (var code = 0; code <= Last; code++)
            {
                if (code is >= 0xD800 and <= 0xDFFF || !Short(CharUnicodeInfo.GetUnicodeCategory(code)).StartsWith(wanted, StringComparison.Ordinal))
                    continue;
                if (ranges.Count > 0 && ranges[^1].Item2 == code - 1)
                    ranges[^1] = (ranges[^1].Item1, code);
                else
                    ranges.Add((code, code));
            }

            return ranges;
        });
    }

    private static string Short(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => "Lu",
        UnicodeCategory.LowercaseLetter => "Ll",
        UnicodeCategory.TitlecaseLetter => "Lt",
        UnicodeCategory.ModifierLetter => "Lm",
        UnicodeCategory.OtherLetter => "Lo",
        UnicodeCategory.NonSpacingMark => "Mn",
        UnicodeCategory.SpacingCombiningMark => "Mc",
        UnicodeCategory.EnclosingMark => "Me",
        UnicodeCategory.DecimalDigitNumber => "Nd",
        UnicodeCategory.LetterNumber => "Nl",
        UnicodeCategory.OtherNumber => "No",
        UnicodeCategory.ConnectorPunctuation => "Pc",
        UnicodeCategory.DashPunctuation => "Pd",
        UnicodeCategory.OpenPunctuation => "Ps",
        UnicodeCategory.ClosePunctuation => "Pe",
        UnicodeCategory.InitialQuotePunctuation => "Pi",
        UnicodeCategory.FinalQuotePunctuation => "Pf",
        UnicodeCategory.OtherPunctuation => "Po",
        UnicodeCategory.MathSymbol => "Sm",
        UnicodeCategory.CurrencySymbol => "Sc",
        UnicodeCategory.ModifierSymbol => "Sk",
        UnicodeCategory.OtherSymbol => "So",
        UnicodeCategory.SpaceSeparator => "Zs",
        UnicodeCategory.LineSeparator => "Zl",
        UnicodeCategory.ParagraphSeparator => "Zp",
        UnicodeCategory.Control => "Cc",
        UnicodeCategory.Format => "Cf",
        UnicodeCategory.PrivateUse => "Co",
        _ => "Cn",
    };

    private List<(int Low, int High)> Posix(string name)
    {
        var negated = name.StartsWith('^');
        List<(int, int)> set = name.TrimStart('^') switch
        {
            "alnum" => [('0', '9'), ('A', 'Z'), ('a', 'z')],
            "alpha" => [('A', 'Z'), ('a', 'z')],
            "ascii" => [(0, 0x7F)],
            "blank" => [('\t', '\t'), (' ', ' ')],
            "cntrl" => [(0, 0x1F), (0x7F, 0x7F)],
            "digit" => [('0', '9')],
            "graph" => [('!', '~')],
            "lower" => [('a', 'z')],
            "print" => [(' ', '~')],
            "punct" => [('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            "space" => [('\t', '\r'), (' ', ' ')],
            "upper" => [('A', 'Z')],
            "word" => [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            "xdigit" => [('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => throw malformed("unrecognized class"),
        };
        return negated ? Without([(0, Last)], set) : set;
    }

    private static List<(int Low, int High)> Combine(List<(int Low, int High)> left, List<(int Low, int High)> right, string op) => op switch
    {
        "&&" => Without(left, Without([(0, Last)], right)),
        "--" => Without(left, right),
        "~~" => Merged([.. Without(left, right), .. Without(right, left)]),
        _ => right,
    };

    private static List<(int Low, int High)> Merged(List<(int Low, int High)> ranges)
    {
        var result = new List<(int Low, int High)>(ranges.Count);
        foreach (var range in ranges.Order())
        {
            if (result.Count > 0 && range.Low <= result[^1].High + 1)
                result[^1] = (result[^1].Low, Math.Max(result[^1].High, range.High));
            else
                result.Add(range);
        }

        return result;
    }

    private static List<(int Low, int High)> Without(List<(int Low, int High)> left, List<(int Low, int High)> right)
    {
        var result = new List<(int, int)>();
        foreach (var (low, high) in left)
        {
            var from = low;
            foreach (var gone in right)
            {
                if (gone.High < from || gone.Low > high)
                    continue;
                if (gone.Low > from)
                    result.Add((from, gone.Low - 1));
                from = gone.High + 1;
            }

            if (from <= high)
                result.Add((from, high));
        }

        return result;
    }

    private static string Written(List<(int Low, int High)> ranges) => ranges.Count == 0
        ? @"[^\x{0}-\x{10FFFF}]"
        : "[" + string.Concat(ranges.Select(r => r.Low == r.High ? Written(r.Low) : $"{Written(r.Low)}-{Written(r.High)}")) + "]";
}
