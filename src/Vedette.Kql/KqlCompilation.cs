using Vedette.Kql.Bound;

namespace Vedette.Kql;

/// <summary>How bad a diagnostic is. A query with an error has no <see cref="KqlCompilation.Root"/>.</summary>
public enum KqlSeverity
{
    Error,
    Warning,
    Suggestion,
}

/// <summary>Something to tell the author of a query.</summary>
/// <param name="Code">Stable code (KS…), the official binder's where it has one.</param>
/// <param name="Severity">Only errors stop the query.</param>
/// <param name="Message">The service's words.</param>
/// <param name="Span">Where in the text.</param>
/// <param name="Line">Line of the first character, counted from 1.</param>
/// <param name="Column">Column of the first character, counted from 1, in UTF-16 units.</param>
/// <param name="IsSyntax">Found by lexer or parser rather than by the binder.</param>
/// <param name="Hint">A "did you mean" name, or null.</param>
public sealed record KqlDiagnostic(
    string Code, KqlSeverity Severity, string Message, TextSpan Span, int Line, int Column, bool IsSyntax, string? Hint)
{
    /// <summary>The service's words, then the hint: <c>… expression named 'Foo'. Did you mean 'Food'?</c></summary>
    public string FullMessage => Hint is null ? Message : $"{Message.TrimEnd('.')}. Did you mean '{Hint}'?";
}

/// <summary>A call of a plug-in whose columns only running reveals.</summary>
/// <param name="Start">Where the call starts in the text.</param>
/// <param name="Occurrence">Which of the call's places in the plan, counted from 0: the body of a function that is called twice has two.</param>
public readonly record struct KqlPluginCall(int Start, int Occurrence);

/// <summary>Limits and switches of a compilation.</summary>
public sealed record KqlOptions
{
    /// <summary>The defaults.</summary>
    public static KqlOptions Default { get; } = new();

    /// <summary>Longest accepted query text, in UTF-16 units.</summary>
    public int MaxTextLength { get; init; } = 1_000_000;

    /// <summary>Deepest nesting of expressions and operators; deeper ones give a diagnostic.</summary>
    public int MaxDepth { get; init; } = 400;

    /// <summary>Largest bound tree, counted in nodes; inlined functions can multiply a small text.</summary>
    public int MaxNodes { get; init; } = 500_000;

    /// <summary>Diagnostics kept; further ones are dropped.</summary>
    public int MaxDiagnostics { get; init; } = 50;

    /// <summary>The day that a datetime with a time alone belongs to (<c>datetime(8:00)</c>), UTC; null for today.</summary>
    public DateTime? Today { get; init; }

    /// <summary>
    /// Columns of open plug-ins (bag_unpack, pivot) once they are known. A host binds, runs what is below <see cref="Bound.EvaluateRelation.Input"/> to learn the
    /// columns, and binds again with them, so that the result's schema is complete.
    /// </summary>
    public IReadOnlyDictionary<KqlPluginCall, IReadOnlyList<KqlColumnDefinition>> LateSchemas { get; init; } =
        new Dictionary<KqlPluginCall, IReadOnlyList<KqlColumnDefinition>>();

    /// <summary>
    /// Gives columns that only running reveals no type, so that nothing is said against what is done with them, rather than dynamic: for a first binding that is
    /// sure to be repeated with <see cref="LateSchemas"/>.
    /// </summary>
    public bool LateUntyped { get; init; }

    /// <summary>Values for <c>declare query_parameters</c>, by name, as KQL literal text.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();
}

/// <summary>One result table of a query.</summary>
/// <param name="Name">Name of a fork or facet branch, or null.</param>
/// <param name="Root">The plan.</param>
public sealed record KqlResult(string? Name, BoundRelation Root);

/// <summary>The outcome of compiling a query text.</summary>
public sealed class KqlCompilation
{
    private readonly int _main;

    internal KqlCompilation(string text, IReadOnlyList<KqlDiagnostic> diagnostics, IReadOnlyList<KqlResult> results, int main = 0)
    {
        _main = main;
        Text = text;
        Diagnostics = diagnostics;
        Results = results;
    }

    /// <summary>The text that was compiled.</summary>
    public string Text { get; }

    /// <summary>Diagnostics in text order.</summary>
    public IReadOnlyList<KqlDiagnostic> Diagnostics { get; }

    /// <summary>Result tables: one for each query statement, several for fork and facet. Empty if there is an error.</summary>
    public IReadOnlyList<KqlResult> Results { get; }

    /// <summary>Whether the query can run.</summary>
    public bool Succeeded => Results.Count > 0;

    /// <summary>The plan of the last statement's (first) result table; null on errors.</summary>
    public BoundRelation? Root => Results.Count > 0 ? Results[_main].Root : null;

    /// <summary>The same with further things to tell, in text order.</summary>
    public KqlCompilation WithWarnings(IEnumerable<KqlDiagnostic> warnings) =>
        new(Text, [.. Diagnostics.Concat(warnings).OrderBy(d => d.Span.Start)], Results, _main);

    /// <summary>Columns of <see cref="Root"/>; empty on errors.</summary>
    public IReadOnlyList<KqlColumn> Columns => Root?.Columns ?? [];
}
