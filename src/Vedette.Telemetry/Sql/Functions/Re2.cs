namespace Vedette.Telemetry.Sql.Functions;

/// <summary>
/// Regular expressions as the engine wants them: its functions let a dot match line ends, the language does not unless the pattern says so.
/// </summary>
internal static class Re2
{
    /// <summary>A constant pattern, see <see cref="RegexSyntax"/>.</summary>
    public static string Text(string pattern) => RegexSyntax.Translate(pattern);

    /// <summary>The SQL text of a pattern.</summary>
    public static string Sql(SqlValue pattern, string text) =>
        pattern is { IsConstant: true, Constant: string constant } ? SqlText.Quote(Text(constant)) : $"concat('(?-s)', {text})";
}
