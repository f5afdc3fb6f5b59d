using System.Text;

namespace Vedette.Telemetry.Tests;

/// <summary><c>inline_external_table</c> against a server on this machine.</summary>
public sealed class InlineExternalTableTests : IAsyncLifetime
{
    private readonly FileServer _server = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("csv", "a.csv", "id,s\n1,x\n", "b.csv", "id,s\n2,y\n", "with (includeHeaders='All')", "1|x / 2|y")]
    [InlineData("csv", "a.csv", "id,s\n1,x\n", "b.csv", "2,y\n", "with (includeHeaders='FirstFile', encoding='UTF8BOM')", "1|x / 2|y")]
    [InlineData("tsv", "a.tsv", "1\tx\n", "b.tsv", "2\ty\n", "", "1|x / 2|y")]
    [InlineData("json", "a.json", "{\"id\":1,\"s\":\"x\"}\n{\"id\":3}\n", "b.json", "{\"s\":\"y\"}\n", "", "1|x / 3| / |y")]
    public async Task Files_are_read_as_one_table(string format, string first, string text, string second, string other, string properties, string rows)
    {
        _server.Add("/store/in/" + first, text);
        _server.Add("/store/in/" + second, other);
        (await RunAsync($"inline_external_table(id:long, s:string) kind=storage dataformat={format} (h@'{Address("store/in/" + first)}', '{Address("store/in/" + second)}') {properties}"))
            .ShouldBe("id:long s:string / " + rows);
    }

    [Fact]
    public async Task Columns_that_part_the_files_come_from_their_paths_and_from_expressions()
    {
        _server.Add("/store/day=2026/01/05/region=east one/a.csv", "2026-01-05 10:00,1\n");
        _server.Add("/store/day=2026/01/06/region=west/a.csv", "2026-01-06 11:00,2\n");
        var files = $"'{Address("store/day=2026/01/05/region=east%20one/a.csv")}', '{Address("store/day=2026/01/06/region=west/a.csv")}'";
        (await RunAsync($"""
            inline_external_table(at:datetime, n:int) kind=storage
              partition by (Day:datetime, Region:string, Hour:datetime = bin(at, 1h))
              pathformat=('day=' datetime_pattern('yyyy/MM/dd', Day) '/region=' Region)
              dataformat=csv ({files})
            | where Day >= datetime(2026-01-05) | project n, Day, Region, Hour
            """)).ShouldBe("n:int Day:datetime Region:string Hour:datetime / 1|2026-01-05T00:00:00|east one|2026-01-05T10:00:00 / 2|2026-01-06T00:00:00|west|2026-01-06T11:00:00");
    }

    [Fact]
    public async Task A_lake_table_is_what_its_log_says()
    {
        _server.Add("/lake/t/p=1/a.parquet", ExternalDataTests.Parquet);
        _server.Add("/lake/t/p=2/b.parquet", ExternalDataTests.Parquet);
        Log(0,
            """{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}""",
            """{"metaData":{"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\"},{\"name\":\"ratio\"},{\"name\":\"p\"}]}","partitionColumns":["p"]}}""",
            """{"add":{"path":"p=1/a.parquet","partitionValues":{"p":"1"}}}""",
            """{"add":{"path":"p=0/gone.parquet","partitionValues":{"p":"0"}}}""");
        Log(1, """{"remove":{"path":"p=0/gone.parquet"}}""", """{"add":{"path":"p%3D2/b.parquet","partitionValues":{"p":"2"}}}""");
        (await RunAsync($"inline_external_table(id:long, p:long, ratio:real) kind=delta ('{Address("lake/t")}') | where id == 1")).ShouldBe("id:long p:long ratio:real / 1|1|1.5 / 1|2|1.5");
        (await FailAsync($"inline_external_table(nope:long) kind=delta ('{Address("lake/t")}')")).ShouldBe("inline_external_table: the table has no column 'nope'.");
        (await FailAsync($"inline_external_table(id:long) kind=delta ('{Address("lake/none")}')")).ShouldBe("inline_external_table: there is no Delta Lake table at this address.");
        Log(2, """{"protocol":{"minReaderVersion":3,"minWriterVersion":7}}""");
        (await FailAsync($"inline_external_table(id:long) kind=delta ('{Address("lake/t")}')")).ShouldStartWith("inline_external_table: the table needs a reader of a later version");
    }

    [Fact]
    public async Task Nothing_else_is_reached()
    {
        (await FailAsync("inline_external_table(x:string) kind=storage dataformat=txt ('https://other.test/store/a.txt')")).ShouldBe("inline_external_table: The host 'other.test' is not on the list of hosts that may be read.");
        (await FailAsync("inline_external_table(x:string) kind=storage dataformat=txt ('file:///etc/passwd')")).ShouldBe("inline_external_table: a storage container needs an https address.");
        (await FailAsync($"inline_external_table(x:string) kind=storage dataformat=sstream ('{Address("store/a.txt")}')")).ShouldStartWith("inline_external_table: the format 'sstream' cannot be read; use one of ");
        (await ExternalQueries.FailAsync("inline_external_table(x:string) kind=storage dataformat=txt ('https://feeds.test/a.txt')", new(), "feeds.test")).ShouldBe("inline_external_table is switched off; it would read from feeds.test.");
        (await FailAsync("inline_external_table(x:string) kind=storage ('https://feeds.test/a.txt')")).ShouldContain("DataFormat definition is expected.");
        _server.Asked.ShouldBeEmpty();
    }

    private void Log(int version, params string[] actions) => _server.Add($"/lake/t/_delta_log/{version:D20}.json", Encoding.UTF8.GetBytes(string.Join('\n', actions)));

    private string Address(string file) => $"https://feeds.test:{_server.Port}/{file}";

    private async Task<string> RunAsync(string query) => (await ExternalQueries.RunAsync(query, ExternalQueries.Allow($"feeds.test:{_server.Port}"), "feeds.test")).Print();

    private Task<string> FailAsync(string query) => ExternalQueries.FailAsync(query, ExternalQueries.Allow($"feeds.test:{_server.Port}"), "feeds.test");
}
