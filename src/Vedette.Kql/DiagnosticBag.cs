namespace Vedette.Kql;

/// <summary>Collects the diagnostics of one compilation; drops repeats at the same place and everything over the limit.</summary>
internal sealed class DiagnosticBag(int limit)
{
    private readonly record struct Entry(string Code, KqlSeverity Severity, string Message, TextSpan Span, bool IsSyntax, string? Hint);

    private readonly List<Entry> _entries = [];
    private readonly HashSet<(string, TextSpan, string)> _seen = [];

    /// <summary>Whether any error was reported (also one over the limit).</summary>
    public bool HasErrors { get; private set; }

    /// <summary>Reports a syntax error.</summary>
    public void Syntax(string code, string message, TextSpan span, string? hint = null) => Add(code, KqlSeverity.Error, message, span, true, hint);

    /// <summary>Reports a semantic error.</summary>
    public void Error(string code, string message, TextSpan span, string? hint = null) =>
        Add(code, KqlSeverity.Error, message, span, false, hint);

    /// <summary>Reports something that does not stop the query.</summary>
    public void Warning(string code, string message, TextSpan span) => Add(code, KqlSeverity.Warning, message, span, false, null);

    /// <summary>The diagnostics with line and column, in text order.</summary>
    public IReadOnlyList<KqlDiagnostic> ToList(string text)
    {
        if (_entries.Count == 0)
            return [];
        var ordered = _entries.OrderBy(e => e.Span.Start).ThenByDescending(e => e.IsSyntax).ToList();
        var result = new List<KqlDiagnostic>(ordered.Count);
        int line = 1, lineStart = 0, position = 0;
        foreach (var e in ordered)
        {
            for (; position < e.Span.Start && position < text.Length; position++)
            {
                if (text[position] == '\n' || (text[position] == '\r' && (position + 1 >= text.Length || text[position + 1] != '\n')))
                {
                    line++;
                    lineStart = position + 1;
                }
            }

            result.Add(new KqlDiagnostic(e.Code, e.Severity, e.Message, e.Span, line, e.Span.Start - lineStart + 1, e.IsSyntax, e.Hint));
        }

        return result;
    }

    private void Add(string code, KqlSeverity severity, string message, TextSpan span, bool isSyntax, string? hint)
    {
        HasErrors |= severity == KqlSeverity.Error;
        if (_entries.Count < limit && _seen.Add((code, span, message)))
            _entries.Add(new Entry(code, severity, message, span, isSyntax, hint));
    }
}
