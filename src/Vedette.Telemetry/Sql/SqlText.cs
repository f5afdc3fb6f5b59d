using System.Globalization;
using System.Text;

namespace Vedette.Telemetry.Sql;

/// <summary>
/// The one place where values and names become SQL text. Nothing a user wrote reaches a statement except through these functions.
/// </summary>
internal static class SqlText
{
    /// <summary>Physical type of datetime.</summary>
    public const string DateTimeType = "DateTime64(7, 'UTC')";

    /// <summary>A string literal.</summary>
    public static string Quote(string value)
    {
        var text = new StringBuilder(value.Length + 2).Append('\'');
        foreach (var c in value)
        {
            switch (c)
            {
                case '\'': text.Append("\\'"); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\0': text.Append("\\0"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                default: text.Append(c); break;
            }
        }

        return text.Append('\'').ToString();
    }

    /// <summary>A name: of a database, table, column or alias.</summary>
    public static string Identifier(string name)
    {
        var text = new StringBuilder(name.Length + 2).Append('`');
        foreach (var c in name)
        {
            if (c is '`' or '\\')
                text.Append('\\');
            text.Append(c == '\0' ? '?' : c);
        }

        return text.Append('`').ToString();
    }

    public static string Long(long value) => value switch
    {
        long.MinValue => "(-9223372036854775807 - 1)",
        < 0 => "(" + value.ToString(CultureInfo.InvariantCulture) + ")",
        // The engine reads a literal of more than 32 bits as unsigned, and what it computes with it too.
        > uint.MaxValue => "toInt64(" + value.ToString(CultureInfo.InvariantCulture) + ")",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    public static string Real(double value)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "(-inf)";
        return "toFloat64(" + value.ToString("R", CultureInfo.InvariantCulture) + ")";
    }

    public static string DateTime(DateTime value) =>
        "toDateTime64('" + value.ToString("yyyy-MM-dd HH:mm:ss.fffffff", CultureInfo.InvariantCulture) + "', 7, 'UTC')";
}
