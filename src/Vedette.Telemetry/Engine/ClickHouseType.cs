using System.Globalization;

namespace Vedette.Telemetry.Engine;

/// <summary>A ClickHouse type, read from its name, for instance <c>Array(Nullable(DateTime64(7, 'UTC')))</c>.</summary>
/// <param name="Name">Family, for instance <c>DateTime64</c>.</param>
/// <param name="Text">The whole name.</param>
/// <param name="Arguments">Type arguments: the element of an Array or Nullable, the members of a Tuple, key and value of a Map.</param>
/// <param name="Literals">Other arguments as written: precision, scale, time zone, enum members.</param>
public sealed record ClickHouseType(string Name, string Text, IReadOnlyList<ClickHouseType> Arguments, IReadOnlyList<string> Literals)
{
    private const int MaxDepth = 32;

    /// <summary>Precision of a DateTime64 or Decimal.</summary>
    internal int Precision => int.Parse(Literals[0], CultureInfo.InvariantCulture);

    /// <summary>Reads a type name.</summary>
    /// <exception cref="FormatException">The text is not a type name.</exception>
    public static ClickHouseType Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var position = 0;
        var type = Parse(text, ref position, 0);
        return position == text.Length ? type : throw Malformed(text);
    }

    private static ClickHouseType Parse(string text, ref int position, int depth)
    {
        if (depth > MaxDepth) throw Malformed(text);
        var start = position;
        while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_')) position++;
        var name = text[start..position];
        if (name.Length == 0) throw Malformed(text);
        var types = new List<ClickHouseType>();
        var literals = new List<string>();
        if (position < text.Length && text[position] == '(')
        {
            position++;
            while (true)
            {
                SkipSpaces(text, ref position);
                if (position >= text.Length) throw Malformed(text);
                if (text[position] == ')') break;
                if (text[position] == ',')
                {
                    position++;
                    continue;
                }

                if (char.IsAsciiDigit(text[position]) || text[position] is '\'' or '-' || name.StartsWith("Enum", StringComparison.Ordinal))
                {
                    literals.Add(ReadLiteral(text, ref position));
                    continue;
                }

                if (name is "Tuple" or "Nested") SkipMemberName(text, ref position);
                types.Add(Parse(text, ref position, depth + 1));
            }

            position++;
        }

        return new ClickHouseType(name, text[start..position], types, literals);
    }

    private static string ReadLiteral(string text, ref int position)
    {
        var start = position;
        var quoted = false;
        for (; position < text.Length; position++)
        {
            var c = text[position];
            if (quoted && c == '\\') position++;
            else if (c == '\'') quoted = !quoted;
            else if (!quoted && c is ',' or ')' && !quoted) break;
        }

        return text[start..Math.Min(position, text.Length)].Trim();
    }

    private static void SkipMemberName(string text, ref int position)
    {
        var look = position;
        if (text[look] == '`')
        {
            for (look++; look < text.Length && text[look] != '`'; look++)
            {
                if (text[look] == '\\') look++;
            }

            look++;
        }
        else
        {
            while (look < text.Length && (char.IsAsciiLetterOrDigit(text[look]) || text[look] == '_')) look++;
        }

        if (look >= text.Length || text[look] != ' ') return;
        position = look + 1;
    }

    private static void SkipSpaces(string text, ref int position)
    {
        while (position < text.Length && text[position] == ' ') position++;
    }

    private static FormatException Malformed(string text) => new($"'{text}' is not a ClickHouse type this reader knows.");
}
