using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local;
using Vedette.Telemetry.Sql;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Sql;

/// <summary>Rows of local steps on their way back to the engine.</summary>
public sealed class LocalStepTests
{
    [Fact]
    public async Task Many_rows_go_through_a_table_that_lasts_as_long_as_the_query()
    {
        var statement = Compile("range x from 1 to 60000 step 1 | extend v = parse_csv(strcat(x, ',some text that makes the row long enough')) | summarize count(), max(tolong(v[0]))");
        var query = await statement.PrepareAsync(TestEngine.Shared);
        var table = Regex.Match(query.Statement.Sql, "hunting_step_[0-9a-f]+").Value;
        table.ShouldNotBeEmpty();
        (await TestEngine.Shared.RowsAsync(query.Statement)).ShouldHaveSingleItem().ShouldBe([60000L, 60000L]);
        (await CountAsync(table)).ShouldBe(1UL);
        await statement.DisposeAsync();
        (await CountAsync(table)).ShouldBe(0UL);
    }

    [Fact]
    public async Task Few_rows_stand_in_the_statement()
    {
        await using var statement = Compile("range x from 1 to 3 step 1 | extend v = parse_csv(strcat(x, ',b'))");
        (await statement.PrepareAsync(TestEngine.Shared)).Statement.Sql.ShouldNotContain("hunting_step_");
    }

    [Fact]
    public async Task Rows_keep_the_order_in_which_a_step_gave_them()
    {
        await using var statement = Compile("range x from 1 to 90000 step 1 | sort by x desc | evaluate rows_near(true, 0) | extend s = 'text that makes the row longer' | evaluate rows_near(x % 2 == 0, 0)");
        var query = await statement.PrepareAsync(TestEngine.Shared);
        var rows = await TestEngine.Shared.RowsAsync(query.Statement);
        rows.Count.ShouldBe(45000);
        rows.Select(r => (long)r[0]!).ShouldBe(Enumerable.Range(0, 45000).Select(i => 90000L - (2 * i)));
    }

    [Fact]
    public async Task What_a_scan_asks_of_the_engine_is_asked_for_many_rows_at_once()
    {
        await using var statement = Compile("range x from 1 to 20000 step 1 | extend t = tostring(x % 7) | sort by x asc | scan with (step a: t == '1'; step b: toupper(strcat(a.t, t)) == '12' or tolower(t) == toupper(a.t);) | count");
        await using var engine = new CountingEngine(TestEngine.Shared);
        var query = await statement.PrepareAsync(engine);
        (await TestEngine.Shared.RowsAsync(query.Statement)).ShouldHaveSingleItem().ShouldBe([8572L]);
        engine.Queries.ShouldBeLessThan(40);
    }

    [Fact]
    public async Task Queries_that_keep_rows_while_they_read_do_not_wait_for_each_other()
    {
        // More of them than the engine has connections.
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            await using var statement = Compile("range x from 1 to 4000 step 1 | extend s = punycode_from_string(strrep(tostring(x), 300)) | summarize dcount(substring(s, 0, 9))");
            var query = await statement.PrepareAsync(TestEngine.Shared);
            (await TestEngine.Shared.RowsAsync(query.Statement)).Count.ShouldBe(1);
        })).WaitAsync(TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task Pivot_makes_no_more_columns_than_it_may()
    {
        const string Query = "range x from 1 to 10001 step 1 | evaluate pivot(x)";
        var compilation = LateBinding.Bind(Query, null, options => KqlCompiler.Bind(Query, KqlSchema.Empty, options));
        await using var statement = SqlCompiler.Compile(compilation.Root!, new SqlContext { TenantId = Guid.Empty, FindTable = static _ => null, Now = DateTime.UtcNow });
        var error = await Should.ThrowAsync<HuntingException>(() => statement.PrepareAsync(TestEngine.Shared));
        (error.Failure, error.Message).ShouldBe((HuntingFailure.ExcessiveResources, "evaluate pivot(): the column has more than 10000 values. Reduce them first."));
    }

    [Fact]
    public void Rows_of_a_step_are_bounded_by_number_and_size()
    {
        object?[] large = [new string('x', 1 << 20)];
        var (bytes, rows) = (new RowBudget("scan"), new RowBudget("narrow"));
        for (var i = 0; i < 255; i++)
            bytes.Add(large);
        Should.Throw<HuntingException>(() => bytes.Add(large)).Message.ShouldBe("scan gives more than 2000000 rows or 512 MB. Narrow what it looks for, or project fewer columns.");
        for (var i = 0; i < 2_000_000; i++)
            rows.Add([]);
        Should.Throw<HuntingException>(() => rows.Add([])).Failure.ShouldBe(HuntingFailure.ExcessiveResources);
    }

    [Theory]
    [InlineData("range x from 1 to 3000 step 1 | sort by x asc | scan declare (h:string) with (step a: true => h = hash_sha256(strcat(a.h, x));)")]
    [InlineData("range x from 1 to 400 step 1 | extend a = x % 20, b = (x * 7) % 20 | make-graph a --> b with_node_id=n | graph-match (p)-[e*1..3]->(q) where hash_sha256(tostring(p.n)) == '' project p.n")]
    public async Task Steps_stop_when_the_query_is_cancelled(string query)
    {
        await using var statement = Compile(query);
        using var stop = new CancellationTokenSource();
        await using var engine = new CountingEngine(TestEngine.Shared) { Asked = stop.Cancel };
        await Should.ThrowAsync<OperationCanceledException>(() => statement.PrepareAsync(engine, cancellationToken: stop.Token));
        engine.Queries.ShouldBeLessThan(10);
    }

    private static async Task<ulong> CountAsync(string table) =>
        (ulong)(await TestEngine.Shared.RowsAsync(new ClickHouseStatement($"SELECT count() FROM system.tables WHERE name = '{table}'")))[0][0]!;

    private static SqlStatement Compile(string query)
    {
        var compilation = KqlCompiler.Bind(query, KqlSchema.Empty);
        compilation.Succeeded.ShouldBeTrue();
        return SqlCompiler.Compile(compilation.Root!, new SqlContext { TenantId = Guid.Empty, FindTable = static _ => null, Now = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc) });
    }

    /// <summary>An engine that counts what it is asked.</summary>
    private sealed class CountingEngine(IClickHouse engine) : IClickHouse
    {
        public int Queries { get; private set; }

        /// <summary>Called with the second question.</summary>
        public Action? Asked { get; init; }

        public Task<ClickHouseStatistics> ExecuteAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default) => engine.ExecuteAsync(statement, cancellationToken);

        public Task<ClickHouseReader> QueryAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default)
        {
            if (++Queries == 2)
                Asked?.Invoke();
            return engine.QueryAsync(statement, cancellationToken);
        }

        public Task<ClickHouseStatistics> InsertAsync(ClickHouseStatement statement, IAsyncEnumerable<ReadOnlyMemory<byte>> nativeBlocks, CancellationToken cancellationToken = default) =>
            engine.InsertAsync(statement, nativeBlocks, cancellationToken);

        public ValueTask DisposeAsync() => default;
    }
}
