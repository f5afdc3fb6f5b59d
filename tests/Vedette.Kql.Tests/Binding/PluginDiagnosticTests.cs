namespace Vedette.Kql.Tests.Binding;

/// <summary>
/// Calls of plug-ins with arguments that are too few, too many, or of another type or form, from <c>plugin-diagnostics.txt</c>: a query, and under it what
/// Microsoft's public binder says of it: code, text and position of each error, in the order of the text.
/// </summary>
public sealed class PluginDiagnosticTests
{
    private static readonly KqlSchema Schema = new([new KqlTable("T",
    [
        new("s", KqlType.String), new("t", KqlType.DateTime), new("l", KqlType.Long), new("i", KqlType.Int), new("r", KqlType.Real), new("b", KqlType.Bool),
        new("d", KqlType.Dynamic), new("g", KqlType.Guid), new("ts", KqlType.TimeSpan), new("dc", KqlType.Decimal),
    ])]);

    [Fact]
    public void Wrong_arguments_get_the_errors_of_the_public_binder()
    {
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "plugin-diagnostics.txt"));
        lines.Length.ShouldBeGreaterThan(500);
        var wrong = new List<string>();
        for (var i = 0; i + 1 < lines.Length; i += 2)
        {
            var query = lines[i];
            var errors = KqlCompiler.Bind(query, Schema).Diagnostics.Where(d => d.Severity == KqlSeverity.Error)
                .Select(d => (d.Span.Start, d.Code, Text: $"{d.Code} {query.Substring(d.Span.Start, d.Span.Length)}@{d.Span.Start}"))
                .Distinct().OrderBy(d => d.Start).ThenBy(d => d.Text.Length).ThenBy(d => d.Code, StringComparer.Ordinal).Select(d => d.Text);
            var actual = string.Join(", ", errors);
            if (actual != lines[i + 1].Trim())
                wrong.Add($"{query}\n  {actual}\n  {lines[i + 1].Trim()}");
        }

        wrong.ShouldBeEmpty();
    }
}
