using System.Text.Json;

namespace Vedette.Kql.Tests.Binding;

/// <summary>
/// Queries made at random (by the grammar of the telemetry tests) that Microsoft's public binder accepts, recorded with the columns that it gives:
/// what it binds is bound here, to the same names and types.
/// </summary>
public sealed class RecordedQueryTests
{
    [Fact]
    public void What_the_public_binder_binds_is_bound_to_the_same_columns()
    {
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "generated-queries.jsonl"));
        using var first = JsonDocument.Parse(lines[0]);
        var before = first.RootElement.GetProperty("before").GetString()!;
        lines.Length.ShouldBeGreaterThan(500);
        var wrong = new List<string>();
        foreach (var line in lines.Skip(1))
        {
            using var entry = JsonDocument.Parse(line);
            var query = entry.RootElement.GetProperty("query").GetString()!;
            var compilation = KqlCompiler.Bind(before + query, TestSchema.Hunting);
            var columns = compilation.Succeeded ? TestSchema.Print(compilation.Columns) : compilation.Diagnostics[0].Message;
            if (columns != entry.RootElement.GetProperty("columns").GetString()) wrong.Add($"{query}\n  {columns}\n  {entry.RootElement.GetProperty("columns")}");
        }

        wrong.ShouldBeEmpty();
    }
}
