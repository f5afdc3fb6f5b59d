using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>Writes values as KQL.</summary>
internal static partial class KqlText
{
    /// <summary>A string literal, verbatim where that reads better.</summary>
    public static string Quote(string text)
    {
        if (text.Any(IsHidden))
        {
            var escaped = new StringBuilder("\"");
            foreach (var c in text)
            {
                escaped.Append(c switch
                {
                    '"' => "\\\"",
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ when IsHidden(c) => "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture),
                    _ => c.ToString(),
                });
            }

            return escaped.Append('"').ToString();
        }

        return text.Contains('\\', StringComparison.Ordinal) || text.Contains('"', StringComparison.Ordinal)
            ? "@\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\""
            : "\"" + text + "\"";
    }

    /// <summary>Whether a character is not seen in a text: controls, direction marks, line ends of other kinds.</summary>
    public static bool IsHidden(char c) =>
        char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>Literals in a list.</summary>
    public static string List(IEnumerable<string> texts) => string.Join(", ", texts.Select(Quote));

    /// <summary>A member of the column of further properties.</summary>
    public static string Additional(string member) => Identifier().IsMatch(member)
        ? $"tostring(parse_json(AdditionalFields).{member})"
        : $"tostring(parse_json(AdditionalFields)[{Quote(member)}])";

    /// <summary>Whether a text is a plain name.</summary>
    public static bool IsName(string text) => Identifier().IsMatch(text);

    /// <summary>A time span such as 5m or 1h.</summary>
    public static string Span(TimeSpan time) => time switch
    {
        _ when time.Ticks % TimeSpan.TicksPerDay == 0 => $"{time.Days}d",
        _ when time.Ticks % TimeSpan.TicksPerHour == 0 => $"{(long)time.TotalHours}h",
        _ when time.Ticks % TimeSpan.TicksPerMinute == 0 => $"{(long)time.TotalMinutes}m",
        _ => $"{(long)time.TotalSeconds}s",
    };

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Identifier();
}
