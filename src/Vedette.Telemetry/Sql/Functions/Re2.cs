namespace Vedette.Telemetry.Sql.Functions;

/// <summary>
/// Regular expressions as the engine wants them: its functions let a dot match line ends, the language does not unless the pattern says so.
/// </summary>
internal static class Re2
{
    /// <summary>A constant pattern, see <see cref="RegexSyntax"/>.</summary>
    public static string Text(string pattern) => RegexSyntax.Translate(pattern);

    /// <summary>Expressions longer than this are not written three times.</summary>
    private const int LongText = 1_000;

    /// <summary>Whether a text matches a constant pattern. Classes of Unicode cost twice as much as those of ASCII, and nearly all texts are ASCII.</summary>
    public static string Match(string text, string pattern)
    {
        var (exact, ascii) = (Text(pattern), RegexSyntax.Translate(pattern, ascii: true));
        var match = $"match({text}, {SqlText.Quote(exact)})";
        // The engine computes a text that stands here three times once.
        return exact == ascii || text.Length > LongText ? match : $"if(isValidASCII({text}), match({text}, {SqlText.Quote(ascii)}), {match})";
    }

    /// <summary>The SQL text of a pattern.</summary>
    public static string Sql(SqlValue pattern, string text) =>
        pattern is { IsConstant: true, Constant: string constant } ? SqlText.Quote(Text(constant)) : $"concat('(?-s)', {text})";
}
