using System.Globalization;
using System.Text;

namespace Vedette.Kql;

/// <summary>JSON as the language writes it: nothing is escaped that need not be, so that text is read and compared as it was written.</summary>
public static class KqlJson
{
    /// <summary>A JSON string. What is half of a character becomes U+FFFD.</summary>
    public static string Quote(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var result = new StringBuilder(text.Length + 2).Append('"');
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            switch (c)
            {
                case '"': result.Append("\\\""); break;
                case '\\': result.Append("\\\\"); break;
                case '\b': result.Append("\\b"); break;
                case '\f': result.Append("\\f"); break;
                case '\n': result.Append("\\n"); break;
                case '\r': result.Append("\\r"); break;
                case '\t': result.Append("\\t"); break;
                case < ' ' or '\u2028' or '\u2029': result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                case >= '\ud800' and <= '\udfff':
                    if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) result.Append(c).Append(text[++i]);
                    else result.Append('\ufffd');
                    break;
                default: result.Append(c); break;
            }
        }

        return result.Append('"').ToString();
    }
}
