using Microsoft.Extensions.DependencyInjection;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>What cannot be had is refused by its name, with its place in the query.</summary>
public sealed class RefusedPlaceTests
{
    /// <summary>Queries, and what is said: line, column, words.</summary>
    private static (string Query, int Line, int Column, string Message)[] Refused { get; } =
    [
        .. new[]
        {
            "python(typeof(*), 'x')", "r(typeof(*), 'x')", "csharp(typeof(*), 'x')", "dax_request('x', 'y')", "sql_request('x', 'y')", "mysql_request('x', 'y')",
            "azure_digital_twins_query_request('x', 'y')", "ai_embeddings('x', 'y')", "ai_embed_text('x', 'y')", "ai_chat_completion(dynamic([]), 'y')",
            "ai_chat_completion_prompt('x', 'y')", "execute_query('x', 'y')", "execute_show_command('x', 'y')", "identity()", "estimate_rows_count()", "external_datatable()",
        }.Select(call => ($"print x = 1\n| evaluate {call}", 2, 12, $"'evaluate' operator: The plug-in function '{call[..call.IndexOf('(', StringComparison.Ordinal)]}' is not enabled.")),
        .. new[] { "cosmosdb_sql_request('x', 'y')", "postgresql_request('x', 'y')", "http_request('https://x')", "http_request_post('https://x')", "infer_storage_schema(dynamic({}))" }
            .Select(call => ($"evaluate {call}", 1, 10, $"The plug-in {call[..call.IndexOf('(', StringComparison.Ordinal)]} is switched off: no host is named that it may call.")),
        ("externaldata(a:string)\r\n  [\"https://example.com/a.csv\"]", 2, 4, "externaldata is switched off; it would read from example.com."),
        ("range v from 1 to 3 step 1\n| extend y = extract_json('$.a[*].b', tostring(v))", 2, 14, "The JSON path '$.a[*].b' is not supported: it may hold names and numbers of elements only."),
        ("datatable(v:long, p:long)[1, 50]\n| summarize percentile(v, p)", 2, 27, "percentile(): the percentile must be a constant."),
        ("print x = 1\n| evaluate diffpatterns(x, '1', '2')", 2, 12, "evaluate diffpatterns(): the column x must hold both '1' and '2'."),
        ("print d = dynamic({\"a\":1}), a = 2\n| partition by a (evaluate bag_unpack(d))", 2, 28, "evaluate bag_unpack(): the following error(s) occurred while evaluating the output schema: column 'a' already exists."),
        ("print c = cursor_after('')", 1, 11, "cursor_after() needs a table whose rows' arrival is known."),
        ("let f = (x:long) { f(x) };\nprint f(1)", 1, 20, "'print' operator: The function 'f' calls itself, which is not supported."),
    ];

    [Fact]
    public async Task A_refusal_says_what_and_where()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        await using var services = new ServiceCollection().AddSingleton(TestEngine.Shared).AddVedetteTelemetry(new TelemetryOptions { Database = database }).BuildServiceProvider();
        var hunting = services.GetRequiredService<IHuntingService>();
        foreach (var (query, line, column, message) in Refused)
        {
            var refused = await Should.ThrowAsync<HuntingException>(() => hunting.RunAsync(new HuntingRequest(Guid.NewGuid(), query), default), query);
            (refused.Message, refused.Line, refused.Column).ShouldBe((message, line, column), query);
        }
    }
}
