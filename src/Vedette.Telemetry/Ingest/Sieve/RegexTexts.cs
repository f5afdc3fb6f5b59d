using System.Text;

namespace Vedette.Telemetry.Ingest.Sieve;

/// <summary>
/// Reads from a regular expression (RE2) texts without which nothing matches it: lists of which at least one text each must be there, without regard to
/// case. What it does not know it passes over, so it may find less than there is, never more.
/// </summary>
internal sealed class RegexTexts
{
    private const int MaxDepth = 100;

    private readonly string _pattern;
    private int _at;
    private int _depth;
    private bool _isUnknown;

    private RegexTexts(string pattern) => _pattern = pattern;

    /// <summary>The lists; empty when nothing is known to be needed.</summary>
    public static IReadOnlyList<string[]> Of(string pattern)
    {
        var reader = new RegexTexts(pattern);
        var needed = reader.Choice();
        return reader._isUnknown || reader._at < pattern.Length ? [] : needed;
    }

    // Branches need one of what each needs most clearly; a branch that needs nothing leaves nothing.
    private IReadOnlyList<string[]> Choice()
    {
        var branches = new List<IReadOnlyList<string[]>> { Sequence() };
        while (!_isUnknown && Take('|')) branches.Add(Sequence());
        if (branches.Count == 1) return branches[0];
        return branches.TrueForAll(static b => b.Count > 0)
            ? [branches.SelectMany(static b => b.MaxBy(static texts => texts.Min(static t => t.Length))!).Distinct(StringComparer.OrdinalIgnoreCase).ToArray()]
            : [];
    }

    private List<string[]> Sequence()
    {
        var needed = new List<string[]>();
        var run = new StringBuilder();
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')') && !_isUnknown)
        {
            var atom = Atom();
            var (least, repeats) = Repetition();
            if (atom.Letter is { } letter && least > 0)
            {
                run.Append(letter);
                if (!repeats) continue;
            }

            Flush();
            if (least > 0) needed.AddRange(atom.Needed);
        }

        Flush();
        return needed;

        void Flush()
        {
            if (run.Length > 0) needed.Add([run.ToString()]);
            run.Clear();
        }
    }

    private (char? Letter, IReadOnlyList<string[]> Needed) Atom()
    {
        var letter = _pattern[_at++];
        switch (letter)
        {
            case '(': return (null, Group());
            case '[': return (Class(), []);
            case '\\': return (Escaped(), []);
            case '.' or '^' or '$': return (null, []);
            case '*' or '+' or '?':
                _isUnknown = true;
                return (null, []);
            default: return (char.IsAscii(letter) && letter >= ' ' ? letter : null, []);
        }
    }

    private IReadOnlyList<string[]> Group()
    {
        if (++_depth > MaxDepth)
        {
            _isUnknown = true;
            return [];
        }

        if (Take('?'))
        {
            if (Take('P') || _at < _pattern.Length && _pattern[_at] == '<')
            {
                var end = _pattern.IndexOf('>', _at);
                _isUnknown |= end < 0 || _pattern[_at] != '<' || end == _at + 1 || _pattern[_at + 1] is '=' or '!';
                _at = end + 1;
            }
            else
            {
                while (_at < _pattern.Length && _pattern[_at] is 'i' or 'm' or 's' or 'U' or '-') _at++;
                if (Take(')'))
                {
                    _depth--;
                    return [];
                }

                _isUnknown |= !Take(':');
            }
        }

        if (_isUnknown) return [];
        var needed = Choice();
        _isUnknown |= !Take(')');
        _depth--;
        return needed;
    }

    // A class of one letter, as [.] or [Pp], is that letter.
    private char? Class()
    {
        var letters = new HashSet<char>();
        var isPlain = !Take('^');
        for (var first = true; _at < _pattern.Length && (first || _pattern[_at] != ']'); first = false)
        {
            var letter = _pattern[_at++];
            if (letter == '[' && _at < _pattern.Length && _pattern[_at] == ':')
            {
                var end = _pattern.IndexOf(":]", _at, StringComparison.Ordinal);
                _isUnknown |= end < 0;
                _at = end + 2;
                isPlain = false;
            }
            else if (letter == '\\')
            {
                if (Escaped() is { } escaped) letters.Add(char.ToLowerInvariant(escaped));
                else isPlain = false;
            }
            else if (letter == '-' || !char.IsAscii(letter))
                isPlain = false;
            else
                letters.Add(char.ToLowerInvariant(letter));
            if (_isUnknown) return null;
        }

        _isUnknown |= !Take(']');
        return isPlain && letters.Count == 1 ? letters.First() : null;
    }

    private char? Escaped()
    {
        if (_at == _pattern.Length)
        {
            _isUnknown = true;
            return null;
        }

        var letter = _pattern[_at++];
        switch (letter)
        {
            case 'd' or 'D' or 's' or 'S' or 'w' or 'W' or 'b' or 'B' or 'A' or 'z' or 't' or 'n' or 'r' or 'f' or 'v' or 'a': return null;
            case 'p' or 'P' when Take('{'):
                var end = _pattern.IndexOf('}', _at);
                _isUnknown |= end < 0;
                _at = end + 1;
                return null;
            case >= '!' and <= '~' when !char.IsAsciiLetterOrDigit(letter): return letter;
            default:
                // Quoted stretches, numbers of letters and what RE2 refuses.
                _isUnknown = true;
                return null;
        }
    }

    private (int Least, bool Repeats) Repetition()
    {
        if (_at == _pattern.Length) return (1, false);
        var least = 1;
        switch (_pattern[_at])
        {
            case '*' or '?':
                least = 0;
                _at++;
                break;
            case '+':
                _at++;
                break;
            case '{' when Count() is { } count:
                least = count;
                break;
            default:
                return (1, false);
        }

        // Lazy forms match the same texts.
        Take('?');
        return (least, true);
    }

    // {2}, {2,} and {2,5}; anything else in braces stands for itself.
    private int? Count()
    {
        var end = _pattern.IndexOf('}', _at);
        if (end < 0) return null;
        var parts = _pattern[(_at + 1)..end].Split(',');
        if (parts.Length > 2 || !int.TryParse(parts[0], out var least) || !parts.All(static p => p.All(char.IsAsciiDigit))) return null;
        _at = end + 1;
        return least;
    }

    private bool Take(char letter)
    {
        if (_at == _pattern.Length || _pattern[_at] != letter) return false;
        _at++;
        return true;
    }
}
