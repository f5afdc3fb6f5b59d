using System.Diagnostics;
using Vedette.Telemetry.Engine;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Engine;

public sealed class EmbeddedClickHouseTests
{
    private static IClickHouse Engine => TestEngine.Shared;

    [Theory]
    [InlineData("true", true)]
    [InlineData("toInt8(-3)", (sbyte)-3)]
    [InlineData("toInt32(-70000)", -70000)]
    [InlineData("toInt64(-5000000000)", -5000000000L)]
    [InlineData("toUInt64(18446744073709551615)", 18446744073709551615UL)]
    [InlineData("2.5", 2.5)]
    [InlineData("'čaj'", "čaj")]
    [InlineData("''", "")]
    [InlineData("NULL", null)]
    [InlineData("toNullable(toInt32(7))", 7)]
    [InlineData("CAST(NULL AS Nullable(Int64))", null)]
    [InlineData("toLowCardinality('lc')", "lc")]
    [InlineData("CAST('b' AS Enum8('a' = 1, 'b' = 2))", "b")]
    [InlineData("toFixedString('ab', 2)", "ab")]
    [InlineData("toIPv4('10.1.2.3')", "10.1.2.3")]
    [InlineData("toIPv6('2001:db8::1')", "2001:db8::1")]
    [InlineData("'{\"a\":1}'::JSON", "{\"a\":1}")]
    public async Task Reads_scalar_values(string expression, object? expected) =>
        (await Engine.ScalarAsync($"SELECT {expression}")).ShouldBe(expected);

    [Fact]
    public async Task Reads_times_identifiers_and_decimals()
    {
        var rows = await Engine.RowsAsync(new(
            "SELECT toDateTime64('2026-03-04 05:06:07.1234567', 7, 'UTC'), toDateTime('2026-03-04 05:06:07', 'UTC'), toDate('2026-03-04'), "
            + "toUUID('00112233-4455-6677-8899-aabbccddeeff'), toDecimal128('-12.5', 17), toDateTime64('2026-03-04 05:06:07.125', 3, 'UTC')"));
        rows[0].ShouldBe(
        [
            new DateTime(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc).AddTicks(1234567),
            new DateTime(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc),
            new DateTime(2026, 3, 4, 0, 0, 0, DateTimeKind.Utc),
            Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"),
            -12.5m,
            new DateTime(2026, 3, 4, 5, 6, 7, 125, DateTimeKind.Utc),
        ]);
        ((DateTime)rows[0][0]!).Kind.ShouldBe(DateTimeKind.Utc);
    }

    [Fact]
    public async Task Reads_arrays_tuples_and_maps()
    {
        var row = (await Engine.RowsAsync(new(
            "SELECT [1, 2]::Array(Int32), []::Array(String), [['a'], []], tuple(1::Int64, 'x', NULL), map('k', 1.5), [NULL, 'v']")))[0];
        row[0].ShouldBe(new object?[] { 1, 2 });
        row[1].ShouldBe(Array.Empty<object?>());
        ((object?[])row[2]!).Select(x => ((object?[])x!).Length).ShouldBe([1, 0]);
        row[3].ShouldBe(new object?[] { 1L, "x", null });
        ((KeyValuePair<object, object?>[])row[4]!).ShouldBe([new("k", 1.5)]);
        row[5].ShouldBe(new object?[] { null, "v" });
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("it's \"quoted\" \\ back\\slash \\N")]
    [InlineData("tab\tnewline\nreturn\rnul\0end")]
    [InlineData("'); DROP TABLE x; --")]
    [InlineData("ünïcödé 日本語 \U0001F600")]
    public async Task Strings_travel_as_parameters_unchanged(string text)
    {
        var row = (await Engine.RowsAsync(new("SELECT {one:String}, {many:Array(String)}, {one:String} = {many:Array(String)}[2]")
        {
            Parameters = [new("one", text), new("many", new[] { "x", text })],
        }))[0];
        row[0].ShouldBe(text);
        row[1].ShouldBe(new object?[] { "x", text });
        Convert.ToInt32(row[2]).ShouldBe(1);
    }

    [Fact]
    public async Task Typed_parameters_arrive()
    {
        var time = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(77);
        var id = Guid.NewGuid();
        var row = (await Engine.RowsAsync(new(
            "SELECT {t:DateTime64(7, 'UTC')}, {g:UUID}, {l:Int64}, {r:Float64}, {b:Bool}, {n:Nullable(Int64)}, {ts:Array(DateTime64(7, 'UTC'))}")
        {
            Parameters =
            [
                new("t", time), new("g", id), new("l", long.MinValue), new("r", 0.1), new("b", true), new("n", null), new("ts", new[] { time }),
            ],
        }))[0];
        row[..6].ShouldBe(new object?[] { time, id, long.MinValue, 0.1, true, null });
        row[6].ShouldBe(new object?[] { time });
    }

    [Fact]
    public async Task Errors_carry_code_name_and_message()
    {
        var error = await Should.ThrowAsync<ClickHouseException>(Engine.ScalarAsync("SELECT * FROM missing_table"));
        error.Code.ShouldBe(60);
        error.Name.ShouldBe("UNKNOWN_TABLE");
        error.Message.ShouldContain("missing_table");
        (await Engine.ScalarAsync("SELECT 1")).ShouldNotBeNull();
    }

    [Fact]
    public async Task An_error_half_way_reaches_the_reader()
    {
        await Should.ThrowAsync<ClickHouseException>(async () =>
        {
            await using var reader = await Engine.QueryAsync(new("SELECT throwIf(number = 5000000) FROM numbers(10000000)"));
            while (await reader.ReadAsync() is not null)
            {
            }
        });
    }

    [Fact]
    public async Task Streams_many_blocks_and_counts_what_was_read()
    {
        await using var reader = await Engine.QueryAsync(new("SELECT number, toString(number) AS text FROM numbers(300000)"));
        long rows = 0, sum = 0;
        await foreach (var block in reader.BlocksAsync())
        {
            block.Fields.Select(f => f.Name).ShouldBe(["number", "text"]);
            var numbers = ((FixedColumn<ulong>)block.Columns[0]).Values;
            for (var i = 0; i < block.RowCount; i++) sum += (long)numbers[i];
            ((StringColumn)block.Columns[1]).GetString(block.RowCount - 1).ShouldBe(numbers[block.RowCount - 1].ToString());
            rows += block.RowCount;
        }

        rows.ShouldBe(300000);
        sum.ShouldBe(300000L * 299999 / 2);
        reader.Statistics.RowsRead.ShouldBeInRange(1, 300000);
        reader.Statistics.BytesRead.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_query_that_takes_its_time_reports_rows_memory_and_processor_time()
    {
        await using var reader = await Engine.QueryAsync(new("SELECT number % 1000 AS key, uniqExact(number) FROM numbers(3000000) GROUP BY key"));
        while (await reader.ReadAsync() is not null)
        {
        }

        reader.Statistics.RowsRead.ShouldBe(3000000);
        reader.Statistics.PeakMemoryBytes.ShouldBeGreaterThan(1_000_000);
        reader.Statistics.CpuTime.ShouldBeGreaterThan(TimeSpan.FromMilliseconds(20));
        reader.Statistics.CpuTime.ShouldNotBe(reader.Statistics.Elapsed);
    }

    [Fact]
    public async Task Settings_hold_for_one_statement()
    {
        var limited = new ClickHouseStatement("SELECT max(sipHash64(number)) FROM numbers(100000000000)")
        {
            Settings = new Dictionary<string, string> { ["max_execution_time"] = "0.2" },
        };
        (await Should.ThrowAsync<ClickHouseException>(Engine.RowsAsync(limited))).Name.ShouldBe("TIMEOUT_EXCEEDED");
        for (var i = 0; i < 6; i++) (await Engine.ScalarAsync("SELECT toFloat64(getSetting('max_execution_time'))")).ShouldBe(0.0);

        var memory = new ClickHouseStatement("SELECT length(groupArray(number)) FROM numbers(50000000)")
        {
            Settings = new Dictionary<string, string> { ["max_memory_usage"] = "20000000" },
        };
        (await Should.ThrowAsync<ClickHouseException>(Engine.RowsAsync(memory))).Name.ShouldBe("MEMORY_LIMIT_EXCEEDED");
    }

    [Fact]
    public async Task Cancelling_stops_an_aggregation_that_has_not_answered_yet()
    {
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(150));
        var clock = Stopwatch.StartNew();
        await Should.ThrowAsync<OperationCanceledException>(
            Engine.RowsAsync(new("SELECT max(sipHash64(number)) FROM numbers(1000000000000)"), cancel.Token));
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        for (var wait = Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            var running = await Engine.ScalarAsync("SELECT toInt64(count()) FROM system.processes WHERE query LIKE '%100000000000' || '0)'");
            if (running is 0L) break;
            wait.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public async Task Leaving_a_reader_early_frees_its_connection()
    {
        for (var i = 0; i < 20; i++)
        {
            await using var reader = await Engine.QueryAsync(new("SELECT number FROM numbers(1000000000)"));
            (await reader.ReadAsync()).ShouldNotBeNull();
        }

        (await Engine.ScalarAsync("SELECT toInt32(1)")).ShouldBe(1);
    }

    [Fact]
    public async Task Queries_run_side_by_side_and_more_than_connections_wait()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            Engine.ScalarAsync("SELECT toInt64(sum(number) + {i:Int64}) FROM numbers(200000)", default, new ClickHouseParameter("i", i))));
        results.ShouldBe(Enumerable.Range(0, 40).Select(i => (object?)(19999900000L + i)));
    }

    [Fact]
    public void Dotnet_exceptions_from_hardware_faults_still_work()
    {
        _ = Engine;
        string? nothing = Environment.GetEnvironmentVariable("VEDETTE_NO_SUCH_VARIABLE");
        Should.Throw<NullReferenceException>(() => nothing!.Length);
        var zero = nothing is null ? 0 : 1;
        Should.Throw<DivideByZeroException>(() => 7 / zero);
    }

    [Fact]
    public void A_second_engine_in_one_process_is_refused()
    {
        _ = Engine;
        Should.Throw<InvalidOperationException>(() => EmbeddedClickHouse.Open(Path.GetTempPath())).Message.ShouldContain("open already");
    }
}
