using System.Text.Json;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>An example of the language reference with its documented output.</summary>
internal sealed record ReferenceExample(
    string Id, string Query, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows, IReadOnlyList<(string Name, string Type)> Schema, bool Ordered, bool Soft, bool Open, bool Reordered)
{
    public static IEnumerable<ReferenceExample> All => ConformanceData.Lines("reference_examples.jsonl").Select(line => new ReferenceExample(
        line.GetProperty("id").GetString()!,
        line.GetProperty("query").GetString()!,
        [.. line.GetProperty("expected").GetProperty("columns").EnumerateArray().Select(c => c.GetString()!)],
        [.. line.GetProperty("expected").GetProperty("rows").EnumerateArray().Select(r => (IReadOnlyList<string>)[.. r.EnumerateArray().Select(c => c.ValueKind == JsonValueKind.Null ? "" : c.GetString()!)])],
        [.. line.GetProperty("schema").EnumerateArray().Select(c => (c.GetProperty("name").GetString()!, c.GetProperty("type").GetString()!))],
        line.GetProperty("ordered").GetBoolean(),
        line.TryGetProperty("soft", out var soft) && soft.ValueKind is not (JsonValueKind.False or JsonValueKind.Null),
        line.GetProperty("open").GetBoolean(),
        line.GetProperty("columns_match").GetString() == "reordered"));

    /// <summary>The day on which the page's answer was made, so that times without a date belong to it.</summary>
    private DateTime? Today
    {
        get
        {
            var times = Schema.Select((c, i) => (c.Type, i)).Where(c => c.Type == "datetime").Select(c => c.i).ToList();
            foreach (var row in Rows)
            {
                if (times.Find(i => i < row.Count && PrintedRows.ReadTime(row[i]) is not null) is var i && times.Contains(i) && i < row.Count && PrintedRows.ReadTime(row[i]) is { } time)
                    return time.Date;
            }

            return null;
        }
    }

    /// <summary>The page's rows with its columns, which have the right names, in the order of the language.</summary>
    private List<IReadOnlyList<string>> InOrderOf(IReadOnlyList<string> names)
    {
        var positions = names.Select(name => Columns.ToList().IndexOf(name)).ToList();
        return positions.Contains(-1) ? [.. Rows] : [.. Rows.Select(row => (IReadOnlyList<string>)[.. positions.Select(p => row[p])])];
    }

    /// <summary>The example with the rows that the service's own engine gives, instead of those that the page prints.</summary>
    public ReferenceExample With(IReadOnlyList<IReadOnlyList<string>> rows) => this with { Rows = rows };

    /// <summary>Runs the example and tells what differs; null when nothing does.</summary>
    public async Task<string?> RunAsync(IClickHouse engine, CancellationToken cancellationToken = default)
    {
        try
        {
            var options = new KqlOptions { Today = Today };
            var compilation = KqlCompiler.Bind(Query, KqlSchema.Empty, options);
            if (!compilation.Succeeded)
                return "bind: " + string.Join("; ", compilation.Diagnostics.Where(d => d.Severity == KqlSeverity.Error).Select(d => d.Message));
            var context = new SqlContext { TenantId = Guid.Empty, FindTable = static _ => null, Now = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) };
            compilation = await LateBinding.CompleteAsync(compilation, late => KqlCompiler.Bind(Query, KqlSchema.Empty, late with { Today = Today }), context, engine, null, null, cancellationToken);
            var (columns, rows) = await HuntingRuns.RunAsync(engine, SqlCompiler.Compile(compilation.Root!, context), cancellationToken);
            if (columns.Count != Columns.Count)
                return $"{columns.Count} columns ({string.Join(", ", columns.Select(c => c.Name))}) instead of {Columns.Count}";
            return PrintedRows.Difference(Reordered ? InOrderOf([.. columns.Select(c => c.Name)]) : Rows, [.. columns.Select(c => c.Type)], rows, Ordered, Soft);
        }
        catch (Exception e) when (e is ClickHouseException or Hunting.HuntingException or InvalidOperationException or ArgumentException or NotSupportedException or KeyNotFoundException or FormatException or InvalidCastException or NullReferenceException or IndexOutOfRangeException)
        {
            return e.GetType().Name + ": " + e.Message + (e is ClickHouseException or Hunting.HuntingException ? "" : e.StackTrace?.Split('\n').FirstOrDefault());
        }
    }
}

/// <summary>Runs compiled queries for tests.</summary>
internal static class HuntingRuns
{
    public static async Task<(IReadOnlyList<SqlColumn> Columns, List<object?[]> Rows)> RunAsync(IClickHouse engine, SqlStatement statement, CancellationToken cancellationToken = default)
    {
        await using var running = statement;
        var query = await statement.PrepareAsync(engine, null, null, cancellationToken);
        var rows = await engine.RowsAsync(query.Statement, cancellationToken);
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
                row[i] = LocalValues.FromEngine(row[i], query.Columns[i].Type);
        }

        return (query.Columns, rows);
    }
}
