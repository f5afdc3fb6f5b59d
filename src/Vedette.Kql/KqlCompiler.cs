using Vedette.Kql.Binding;
using Vedette.Kql.Syntax;

namespace Vedette.Kql;

/// <summary>Compiles query text to a bound tree: lexer, parser, binder. Thread-safe, without state.</summary>
public static class KqlCompiler
{
    /// <summary>
    /// Compiles a query. Never throws for any text: whatever is wrong with it comes back as diagnostics, and then
    /// <see cref="KqlCompilation.Root"/> is null.
    /// </summary>
    /// <param name="text">The query.</param>
    /// <param name="schema">Tables and host functions it may use.</param>
    /// <param name="options">Limits and parameters; the defaults when null.</param>
    public static KqlCompilation Bind(string text, KqlSchema schema, KqlOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(schema);
        options ??= KqlOptions.Default;
        var diagnostics = new DiagnosticBag(options.MaxDiagnostics);
        if (text.Length > options.MaxTextLength)
        {
            diagnostics.Syntax("KS244", "Query text size exceeds maximum safe limit. Parsing not performed.", new TextSpan(0, 0));
            return new KqlCompilation(text, diagnostics.ToList(text), []);
        }

        var statements = Parser.Parse(text, diagnostics, options);
        var (results, main) = Binder.Bind(text, statements, schema, options, diagnostics);
        return new KqlCompilation(text, diagnostics.ToList(text), diagnostics.HasErrors ? [] : results, main);
    }
}
