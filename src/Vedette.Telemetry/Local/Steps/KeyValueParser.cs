using System.Text;
using System.Text.RegularExpressions;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>parse-kv: pairs of keys and values, by delimiters or by a regular expression.</summary>
internal sealed class KeyValueParser(ParseKvRelation options)
{
    private readonly Regex? _regex = options.Regex is null ? null : new Regex(options.Regex.Replace("(?P<", "(?<", StringComparison.Ordinal), RegexOptions.CultureInvariant, TimeSpan.FromSeconds(5));

    public Dictionary<string, string> Parse(string text)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (_regex is not null)
        {
            foreach (Match match in _regex.Matches(text))
                result.TryAdd(match.Groups[1].Value, match.Groups[2].Value);
            return result;
        }

        return options.PairDelimiter is null ? Separators(text, result) : Delimited(text, result);
    }

    /// <summary>Pairs stand between delimiters; quotes hold a delimiter.</summary>
    private Dictionary<string, string> Delimited(string text, Dictionary<string, string> result)
    {
        var equals = options.KvDelimiter ?? "=";
        if (options.Greedy)
            return Greedy(text, equals, result);
        foreach (var pair in Split(text, options.PairDelimiter!))
        {
            var at = Find(pair, equals, 0);
            if (at <= 0)
                continue;
            result.TryAdd(Unquote(pair[..at].Trim()), Unquote(pair[(at + equals.Length)..].Trim()));
        }

        return result;
    }

    /// <summary>A value runs on over delimiters until the next thing that looks like a key.</summary>
    private Dictionary<string, string> Greedy(string text, string equals, Dictionary<string, string> result)
    {
        string? key = null;
        var value = new StringBuilder();
        foreach (var pair in Split(text, options.PairDelimiter!))
        {
            var at = Find(pair, equals, 0);
            if (at > 0)
            {
                if (key is not null)
                    result.TryAdd(key, Unquote(value.ToString().Trim()));
                key = Unquote(pair[..at].Trim());
                value.Clear().Append(pair, at + equals.Length, pair.Length - at - equals.Length);
            }
            else
            {
                value.Append(options.PairDelimiter).Append(pair);
            }
        }

        if (key is not null)
            result.TryAdd(key, Unquote(value.ToString().Trim()));
        return result;
    }

    /// <summary>Without delimiters: keys are words, values are words or quoted, anything else separates.</summary>
    private Dictionary<string, string> Separators(string text, Dictionary<string, string> result)
    {
        var words = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            if (QuoteAt(text, i) is { } close)
            {
                var end = Close(text, i + 1, close);
                words.Add(Unescape(text[(i + 1)..end]));
                i = Math.Min(end + 1, text.Length);
            }
            else if (char.IsLetterOrDigit(text[i]) || text[i] == '_')
            {
                var start = i;
                while (i < text.Length && (char.IsLetterOrDigit(text[i]) || text[i] == '_'))
                    i++;
                words.Add(text[start..i]);
            }
            else
            {
                i++;
            }
        }

        for (var i = 0; i + 1 < words.Count; i += 2)
            result.TryAdd(words[i], words[i + 1]);
        return result;
    }

    private List<string> Split(string text, string delimiter)
    {
        var parts = new List<string>();
        var start = 0;
        while (true)
        {
            var at = Find(text, delimiter, start);
            if (at < 0)
            {
                parts.Add(text[start..]);
                return parts;
            }

            parts.Add(text[start..at]);
            start = at + delimiter.Length;
        }
    }

    /// <summary>The next place of a delimiter outside quotes.</summary>
    private int Find(string text, string delimiter, int from)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (string.CompareOrdinal(text, i, delimiter, 0, delimiter.Length) == 0)
                return i;
            if (options.Escape is { } escape && text[i] == escape)
            {
                i++;
                continue;
            }

            if (QuoteAt(text, i) is { } close)
                i = Close(text, i + 1, close);
        }

        return -1;
    }

    private char? QuoteAt(string text, int at)
    {
        var quotes = options.Quotes;
        if (quotes.Count == 0 || quotes[0].Length == 0 || text[at] != quotes[0][0])
            return null;
        return quotes.Count > 1 ? quotes[1][0] : quotes[0].Length > 1 ? quotes[0][1] : quotes[0][0];
    }

    private int Close(string text, int from, char close)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (options.Escape is { } escape && text[i] == escape)
                i++;
            else if (text[i] == close)
                return i;
        }

        return text.Length;
    }

    private string Unquote(string text)
    {
        if (text.Length >= 2 && QuoteAt(text, 0) is { } close && text[^1] == close)
            text = text[1..^1];
        return Unescape(text);
    }

    private string Unescape(string text)
    {
        if (options.Escape is not { } escape || !text.Contains(escape))
            return text;
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == escape && i + 1 < text.Length)
                i++;
            result.Append(text[i]);
        }

        return result.ToString();
    }
}
