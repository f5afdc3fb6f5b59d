using System.Text;
using System.Text.RegularExpressions;

namespace Vedette.Server.Http.OData;

/// <summary>Brings the spellings that the service takes beyond the standard into the form that the OData parser reads.</summary>
internal static partial class FilterText
{
    /// <summary>
    /// Outside of quoted text: a date with nothing but <c>Z</c> after it, or with nothing at all, becomes the start of that day, and a
    /// moment without a zone is UTC.
    /// </summary>
    public static string Normalise(string filter)
    {
        if (!Moment().IsMatch(filter)) return filter;
        var text = new StringBuilder(filter.Length + 16);
        var start = 0;
        while (start < filter.Length)
        {
            var quote = filter.IndexOf('\'', start);
            var end = quote < 0 ? filter.Length : quote;
            text.Append(Moment().Replace(filter[start..end], Complete));
            if (quote < 0) break;
            var close = EndOfText(filter, quote);
            text.Append(filter, quote, close - quote);
            start = close;
        }

        return text.ToString();
    }

    private static string Complete(Match match)
    {
        var date = match.Groups["date"].Value;
        var time = match.Groups["time"].Value;
        var zone = match.Groups["zone"].Value;
        return $"{date}{(time.Length == 0 ? "T00:00:00" : time)}{(zone.Length == 0 ? "Z" : zone)}";
    }

    // A quote inside a text is doubled.
    private static int EndOfText(string filter, int quote)
    {
        var at = quote + 1;
        while (at < filter.Length)
        {
            if (filter[at] != '\'') at++;
            else if (at + 1 < filter.Length && filter[at + 1] == '\'') at += 2;
            else return at + 1;
        }

        return filter.Length;
    }

    [GeneratedRegex(@"(?<![\w-])(?<date>\d{4}-\d{2}-\d{2})(?<time>T\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?(?<zone>Z|[+-]\d{2}:\d{2})?(?![\w-])", RegexOptions.IgnoreCase)]
    private static partial Regex Moment();
}
