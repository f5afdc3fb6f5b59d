using System.Text;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Sql.Functions;

/// <summary>
/// Puts a regular expression of the language into the words of RE2: classes of Unicode, sets of characters with set operators, verbose mode, boundaries
/// of words, escapes, and dots that stop at line ends. What RE2 cannot say is refused in the service's words.
/// </summary>
internal sealed class RegexSyntax
{
    private readonly string _pattern;
    private readonly StringBuilder _text = new();
    private readonly Stack<Flags> _outer = new();
    private Flags _flags = new(false, false, true);
    private int _at;

    private readonly bool _ascii;

    private RegexSyntax(string pattern, bool ascii) => (_pattern, _ascii) = (pattern, ascii);

    private bool IsUnicode => _flags.Unicode && !_ascii;

    /// <summary>What holds from a place on: dots match line ends, white space is ignored, classes are those of Unicode.</summary>
    private readonly record struct Flags(bool DotAll, bool Verbose, bool Unicode);

    /// <summary>The pattern for the engine.</summary>
    /// <param name="pattern">The pattern as it was written.</param>
    /// <param name="ascii">Whether it will only meet ASCII texts: classes of Unicode then need no more than their ASCII part, which is much faster.</param>
    /// <exception cref="HuntingException">The pattern is malformed, or cannot be said.</exception>
    public static string Translate(string pattern, bool ascii = false) => new RegexSyntax(pattern, ascii).Translate();

    private string Translate()
    {
        while (_at < _pattern.Length)
            Next();
        if (_outer.Count > 0)
            throw Malformed("unclosed group");
        return _text.ToString();
    }

    private HuntingException Malformed(string why) => new(HuntingFailure.Semantic, $"Regex pattern is ill-formed: '{_pattern}' ({why}).");

    private bool At(string text) => string.CompareOrdinal(_pattern, _at, text, 0, text.Length) == 0;

    private void Next()
    {
        var c = _pattern[_at];
        switch (c)
        {
            case '\\':
                Escape();
                break;
            case '[':
                _text.Append(new RegexClass(_pattern, _at, IsUnicode, _flags.Verbose, Malformed).Read(out _at));
                break;
            case '(':
                Group();
                break;
            case ')':
                if (!_outer.TryPop(out _flags))
                    throw Malformed("unopened group");
                Copy(1);
                break;
            case '.':
                _text.Append(_flags.DotAll ? "(?s:.)" : @"[^\n]");
                _at++;
                break;
            case '#' when _flags.Verbose:
                while (_at < _pattern.Length && _pattern[_at] != '\n')
                    _at++;
                break;
            case ' ' or '\t' or '\n' or '\r' or '\f' or '\v' when _flags.Verbose:
                _at++;
                break;
            default:
                Copy(1);
                break;
        }
    }

    private void Copy(int count)
    {
        _text.Append(_pattern, _at, count);
        _at += count;
    }

    private void Group()
    {
        if (At("(?=") || At("(?!") || At("(?<=") || At("(?<!"))
            throw Malformed("look-around is not supported");
        if (!At("(?") || At("(?P<") || At("(?<"))
        {
            _outer.Push(_flags);
            Copy(At("(?P<") ? 4 : At("(?<") ? 3 : 1);
            return;
        }

        // (?flags) holds to the end of the group around it, (?flags:…) for its own.
        var end = _at + 2;
        var (flags, kept, on) = (_flags, new StringBuilder(), true);
        var cleared = new StringBuilder();
        for (; end < _pattern.Length && _pattern[end] is not (')' or ':'); end++)
        {
            switch (_pattern[end])
            {
                case '-':
                    on = false;
                    break;
                case 's':
                    flags = flags with { DotAll = on };
                    break;
                case 'x':
                    flags = flags with { Verbose = on };
                    break;
                case 'u':
                    flags = flags with { Unicode = on };
                    break;
                case 'i' or 'm' or 'U':
                    (on ? kept : cleared).Append(_pattern[end]);
                    break;
                case 'R':
                    if (on)
                        throw Malformed("the flag R is not supported");
                    break;
                default:
                    throw Malformed("unrecognized flag");
            }
        }

        if (end >= _pattern.Length)
            throw Malformed("unclosed group");
        var words = kept + (cleared.Length > 0 ? "-" + cleared : "");
        if (_pattern[end] == ':')
        {
            _outer.Push(_flags);
            _text.Append("(?").Append(words).Append(':');
        }
        else if (words.Length > 0)
        {
            _text.Append("(?").Append(words).Append(')');
        }

        _flags = flags;
        _at = end + 1;
    }

    private void Escape()
    {
        if (_at + 1 == _pattern.Length)
            throw Malformed("incomplete escape sequence");
        var c = _pattern[_at + 1];
        if (c == 'Q')
        {
            var end = _pattern.IndexOf(@"\E", _at, StringComparison.Ordinal);
            Copy(end < 0 ? _pattern.Length - _at : end + 2 - _at);
            return;
        }

        if (c is '<' or '>')
        {
            _text.Append(@"\b");
            _at += 2;
            return;
        }

        if (c == 'b')
        {
            // Where a word begins or ends follows from what stands on either side.
            _text.Append(@"\b");
            _at += 2;
            foreach (var kind in (ReadOnlySpan<string>)["{start}", "{end}", "{start-half}", "{end-half}"])
            {
                if (At(kind))
                    _at += kind.Length;
            }

            return;
        }

        if (c is >= '1' and <= '9' && !IsOctal(_at + 1))
            throw Malformed("backreferences are not supported");
        if (RegexClass.ReadClass(_pattern, ref _at, IsUnicode, Malformed) is { } named)
        {
            _text.Append(named.StartsWith("[^", StringComparison.Ordinal) ? named : $"[{named}]");
            return;
        }

        if (RegexClass.ReadCode(_pattern, ref _at, Malformed) is { } code)
        {
            _text.Append(RegexClass.Written(code));
            return;
        }

        Copy(char.IsHighSurrogate(c) && _at + 2 < _pattern.Length ? 3 : 2);
    }

    private bool IsOctal(int at) => at + 2 < _pattern.Length && _pattern[at] is >= '0' and <= '3' && _pattern[at + 1] is >= '0' and <= '7' && _pattern[at + 2] is >= '0' and <= '7';
}
