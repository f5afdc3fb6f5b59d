using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

public sealed class HuntingServiceTests : IAsyncLifetime
{
    private static readonly Guid Tenant = Guid.Parse("22222222-2222-2222-2222-222222222222");
    private static readonly Guid OtherTenant = Guid.Parse("33333333-3333-3333-3333-333333333333");
    private static readonly DateTime Noon = new(2026, 11, 10, 12, 0, 0, DateTimeKind.Utc);

    private ServiceProvider _services = null!;

    private HuntingService Service => _services.GetRequiredService<HuntingService>();

    private IHuntingStore Store => _services.GetRequiredService<IHuntingStore>();

    [Fact]
    public async Task Queries_of_one_tenant_leave_room_for_those_of_others()
    {
        var options = new TelemetryOptions { Connections = 4 };
        using var service = new HuntingService(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System);
        using var leave = new CancellationTokenSource();
        var slow = Enumerable.Range(0, 8).Select(_ => service.RunAsync(
            new HuntingRequest(Tenant, "range x from 1 to 1000000000000 step 1 | where hash(x) == 1 | count"), leave.Token)).ToList();
        (await service.RunAsync(new HuntingRequest(OtherTenant, "print 1"), default).WaitAsync(TimeSpan.FromMinutes(1))).Rows.ShouldHaveSingleItem();
        slow.ShouldAllBe(query => !query.IsCompleted);
        await leave.CancelAsync();
        foreach (var query in slow) await Should.ThrowAsync<OperationCanceledException>(query);
    }

    public async Task InitializeAsync()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        _services = new ServiceCollection()
            .AddSingleton(TestEngine.Shared)
            .AddVedetteTelemetry(new TelemetryOptions { Database = database })
            .BuildServiceProvider();
        await Store.AppendAsync(Tenant, Enumerable.Range(0, 100).Select(Process).ToList(), "fixture", default);
        await Store.AppendAsync(OtherTenant, [Process(1000)], "other", default);
    }

    public async Task DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public async Task Answers_with_columns_rows_and_statistics()
    {
        var result = await RunAsync(
            "DeviceProcessEvents | where FileName =~ 'CMD.EXE' | summarize Count = count(), Last = max(Timestamp) by DeviceName | sort by DeviceName asc");
        result.Columns.ShouldBe([new("DeviceName", KqlType.String), new("Count", KqlType.Long), new("Last", KqlType.DateTime)]);
        result.Rows.Count.ShouldBe(2);
        result.Rows[0].ShouldBe(["pc0", 25L, Noon.AddSeconds(96)]);
        result.Rows.Select(r => r[0]).ShouldBe(["pc0", "pc1"]);
        result.Statistics.RowsRead.ShouldBeGreaterThan(0);
        result.Statistics.ResultBytes.ShouldBeGreaterThan(0);
        result.Statistics.ExecutionTime.ShouldBeGreaterThan(TimeSpan.Zero);
    }

    [Fact]
    public async Task A_search_through_everything_finds_rows_and_keeps_the_columns_of_empty_tables()
    {
        var before = await RunAsync("search 'pc1' | where FileName =~ 'cmd.exe' | project $table, DeviceName, RemoteUrl, EmailAction, FileSize, Severity");
        before.Rows.Count.ShouldBe((int)(long)(await RunAsync("DeviceProcessEvents | where FileName =~ 'cmd.exe' and DeviceName == 'pc1' | count")).Rows[0][0]!);
        before.Rows[0].ShouldBe(["DeviceProcessEvents", "pc1", "", "", null, ""]);
        var columns = (await RunAsync("search 'no such thing'")).Columns;
        columns.Count.ShouldBeGreaterThan(500);

        var row = HuntingRow.For("EmailEvents");
        row["Timestamp"] = Noon;
        row["Subject"] = "about pc1";
        await Store.AppendAsync(Tenant, [row], "mail", default);
        (await RunAsync("search in (EmailEvents, DeviceEvents, DeviceFileEvents, DeviceLogonEvents, AlertInfo, UrlClickEvents) 'pc1' | project $table, Subject"))
            .Rows.ShouldHaveSingleItem().ShouldBe(["EmailEvents", "about pc1"]);
        (await RunAsync("union * | summarize count()")).Rows[0][0].ShouldBe(101L);
    }

    [Fact]
    public async Task Every_type_comes_back_as_its_dotnet_type()
    {
        var result = await RunAsync(
            "print a = true, b = int(7), c = 8, d = 1.5, e = 'x', f = datetime(2026-01-02 03:04:05.1234567), g = 1d, "
            + "h = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), i = dynamic({'k':[1,null]}), j = int(null), k = ''");
        result.Columns.Select(c => c.Type).ShouldBe(
        [
            KqlType.Bool, KqlType.Int, KqlType.Long, KqlType.Real, KqlType.String, KqlType.DateTime, KqlType.TimeSpan, KqlType.Guid, KqlType.Dynamic,
            KqlType.Int, KqlType.String,
        ]);
        result.Rows.ShouldHaveSingleItem().ShouldBe(
        [
            true, 7, 8L, 1.5, "x", new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1234567), TimeSpan.FromDays(1),
            Guid.Parse("74be27de-1e4e-49d9-b579-fe0b331d3642"), "{\"k\":[1,null]}", null, "",
        ]);
    }

    [Fact]
    public async Task A_tenant_sees_its_own_rows_only()
    {
        (await CountAsync(new HuntingRequest(Tenant, "DeviceProcessEvents | count"))).ShouldBe(100);
        (await CountAsync(new HuntingRequest(OtherTenant, "DeviceProcessEvents | count"))).ShouldBe(1);
        (await CountAsync(new HuntingRequest(Guid.NewGuid(), "union DeviceProcessEvents, DeviceFileEvents | count"))).ShouldBe(0);
    }

    [Fact]
    public async Task Windows_and_device_groups_narrow_what_is_visible()
    {
        var all = new HuntingRequest(Tenant, "DeviceProcessEvents | count");
        (await CountAsync(all with { Window = (Noon, Noon.AddSeconds(10)) })).ShouldBe(10);
        (await CountAsync(all with { VisibleDevices = ["d0"] })).ShouldBe(50);
        (await CountAsync(all with { VisibleDevices = [] })).ShouldBe(0);
        (await CountAsync(all with { IngestionWindow = (Noon, Noon.AddDays(1)) })).ShouldBe(0);
        (await CountAsync(all with { IngestionWindow = (DateTime.UtcNow.AddHours(-1), Store.CompleteUntil) })).ShouldBe(100);
    }

    [Fact]
    public async Task Rows_beside_those_of_the_arrival_window_may_have_arrived_earlier()
    {
        var begin = Store.CompleteUntil;
        await Store.AppendAsync(Tenant, [Process(7)], "late", default);
        var join = new HuntingRequest(Tenant, "DeviceProcessEvents | join kind=inner (DeviceProcessEvents | where ReportId != 7 | distinct DeviceId) on DeviceId | count")
        {
            IngestionWindow = (begin, Store.CompleteUntil),
        };
        (await CountAsync(join)).ShouldBe(0);
        (await CountAsync(join with { BesideLookBack = TimeSpan.FromHours(1) })).ShouldBe(1);
        var subquery = join with { Query = "DeviceProcessEvents | where DeviceId in ((DeviceProcessEvents | where ReportId != 7 | project DeviceId)) | count" };
        (await CountAsync(subquery)).ShouldBe(0);
        (await CountAsync(subquery with { BesideLookBack = TimeSpan.FromHours(1) })).ShouldBe(1);
    }

    [Fact]
    public async Task Rows_are_cut_at_the_limit()
    {
        var limits = new HuntingLimits { MaxRows = 17 };
        (await RunAsync("DeviceProcessEvents", limits)).Rows.Count.ShouldBe(17);
        var sorted = await RunAsync("DeviceProcessEvents | sort by ReportId desc | project ReportId", limits);
        sorted.Rows.Select(r => r[0]).ShouldBe(Enumerable.Range(0, 17).Select(i => (object?)(99L - i)));
        (await RunAsync("range x from 1 to 300000 step 1")).Rows.Count.ShouldBe(100_000);
    }

    [Fact]
    public async Task A_large_answer_can_be_cut_to_fit()
    {
        var whole = await RunAsync("DeviceProcessEvents | project ReportId, FileName");
        var half = await RunAsync(
            "DeviceProcessEvents | project ReportId, FileName", new HuntingLimits { MaxBytes = whole.Statistics.ResultBytes / 2, CutsLargeAnswers = true });
        (whole.IsCut, half.IsCut).ShouldBe((false, true));
        half.Rows.Count.ShouldBeInRange(45, 50);
        half.Rows[^1].Length.ShouldBe(2);
        (await RunAsync("DeviceProcessEvents", new HuntingLimits { MaxRows = 99 })).IsCut.ShouldBeTrue();
        (await RunAsync("DeviceProcessEvents", new HuntingLimits { MaxRows = 100 })).IsCut.ShouldBeFalse();
    }

    [Theory]
    [InlineData("DeviceProcessEvents | summarize n = count() by DeviceId | summarize sum(n)", 100L)]
    [InlineData("union DeviceProcessEvents, DeviceProcessEvents | count", 200L)]
    [InlineData("DeviceProcessEvents | where ReportId in ((DeviceProcessEvents | project ReportId)) | count", 100L)]
    [InlineData("DeviceProcessEvents | join kind=inner (DeviceProcessEvents) on ReportId | count", 100L)]
    [InlineData("let m = materialize(DeviceProcessEvents | project ReportId); m | join kind=inner (m) on ReportId | count", 100L)]
    [InlineData("DeviceProcessEvents | sort by ReportId asc | extend n = row_number() | summarize max(n)", 100L)]
    [InlineData("DeviceProcessEvents | extend p = punycode_from_string(strcat(FileName, tostring(ReportId))) | summarize dcount(p)", 100L)]
    [InlineData("DeviceProcessEvents | invoke FileProfile() | count", 100L)]
    [InlineData("range x from 1 to 100 step 1 | extend t = strcat_array(split(tostring(x), ''), '') | summarize count()", 100L)]
    public async Task The_row_limit_holds_for_the_answer_only(string query, long expected) =>
        (await RunAsync(query, new HuntingLimits { MaxRows = 3 })).Rows.ShouldHaveSingleItem()[0].ShouldBe(expected);

    [Theory]
    [InlineData("DeviceProcessEvents", HuntingFailure.ResultTooLarge,
        "Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again.")]
    [InlineData("range x from 1 to 10000000 step 1 | extend h = hash_sha256(tostring(x)) | summarize dcount(h), max(h), count_distinct(h)",
        HuntingFailure.Timeout, "Query exceeded the timeout period.")]
    public async Task Limits_speak_the_services_words(string query, HuntingFailure failure, string message)
    {
        var limits = new HuntingLimits { MaxBytes = 1000, Timeout = failure == HuntingFailure.Timeout ? TimeSpan.FromMilliseconds(300) : TimeSpan.FromMinutes(1) };
        var error = await Should.ThrowAsync<HuntingException>(RunAsync(query, limits));
        error.Failure.ShouldBe(failure);
        error.Message.ShouldBe(message);
    }

    [Fact]
    public async Task Too_much_memory_is_told_as_too_many_resources()
    {
        var hungry = new HuntingService(
            TestEngine.Shared, _services.GetRequiredService<TelemetryOptions>() with { QueryMemoryBytes = 20_000_000 },
            _services.GetRequiredService<HuntingCatalogue>(), TimeProvider.System);
        var error = await Should.ThrowAsync<HuntingException>(hungry.RunAsync(
            new HuntingRequest(Tenant, "range x from 1 to 5000000 step 1 | summarize make_list(tostring(x), 10000000) by x % 2"), default));
        error.Failure.ShouldBe(HuntingFailure.ExcessiveResources);
        error.Message.ShouldBe("Query stopped due to excessive resource consumption.");
    }

    [Theory]
    [InlineData("DeviceProcessEvents | where Nonsense == 1", HuntingFailure.Semantic, 1, 29)]
    [InlineData("NoSuchTable | take 1", HuntingFailure.Semantic, 1, 1)]
    [InlineData("DeviceProcessEvents\n| where (", HuntingFailure.Syntax, 2, null)]
    public async Task Mistakes_are_told_with_their_place(string query, HuntingFailure failure, int line, int? column)
    {
        var error = await Should.ThrowAsync<HuntingException>(RunAsync(query));
        error.Failure.ShouldBe(failure);
        error.Line.ShouldBe(line);
        if (column is not null) error.Column.ShouldBe(column);
        error.Message.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Columns_that_were_renamed_are_understood_unless_switched_off()
    {
        (await RunAsync("EmailEvents | where FinalEmailAction == 'x' | project AccountUpn = FinalEmailActionPolicy")).Rows.Count.ShouldBe(0);
        var strict = new TelemetryOptions { RetiredColumns = RetiredColumns.Reject, Database = _services.GetRequiredService<TelemetryOptions>().Database };
        var service = new HuntingService(TestEngine.Shared, strict, new HuntingCatalogue(strict), TimeProvider.System);
        (await Should.ThrowAsync<HuntingException>(service.RunAsync(new HuntingRequest(Tenant, "EmailEvents | where FinalEmailAction == 'x'"), default)))
            .Message.ShouldContain("FinalEmailAction");
        (await Should.ThrowAsync<HuntingException>(Service.RunAsync(new HuntingRequest(Tenant, "EmailEvents | where FinalEmailAction == 'x'") { Strict = true }, default)))
            .Message.ShouldContain("FinalEmailAction");
    }

    [Fact]
    public async Task TimeGenerated_is_an_option()
    {
        (await Should.ThrowAsync<HuntingException>(RunAsync("DeviceProcessEvents | where TimeGenerated > ago(1d)"))).Message.ShouldContain("TimeGenerated");
        var options = _services.GetRequiredService<TelemetryOptions>() with { TimeGenerated = true };
        var service = new HuntingService(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System);
        var result = await service.RunAsync(
            new HuntingRequest(Tenant, "DeviceProcessEvents | where TimeGenerated < datetime(2026-11-10 12:00:05) | count"), default);
        result.Rows[0][0].ShouldBe(5L);
    }

    [Fact]
    public async Task An_assertion_fails_in_its_own_words()
    {
        var error = await Should.ThrowAsync<HuntingException>(RunAsync("datatable(b:bool)[true, false] | extend x = assert(strlen('a') > 1, 'must be so')"));
        (error.Failure, error.Message).ShouldBe((HuntingFailure.Semantic, "assert() has failed with message: 'must be so'"));
    }

    [Fact]
    public async Task Leaving_cancels_the_query()
    {
        using var leave = new CancellationTokenSource(100);
        await Should.ThrowAsync<OperationCanceledException>(Service.RunAsync(
            new HuntingRequest(Tenant, "range x from 1 to 10000000 step 1 | summarize dcount(hash_sha256(tostring(x)))"), leave.Token));
    }

    [Fact]
    public async Task A_batch_answers_line_by_line()
    {
        var input = new StringReader("""
            {"id":"a","query":"DeviceProcessEvents | where DeviceId == 'd0' | top 1 by ReportId | project Timestamp, ReportId, x = 1h, f = parse_json(AdditionalFields)"}

            {"id":2,"query":"DeviceProcessEvent"}
            not json
            """);
        using var output = new MemoryStream();
        (await new HuntBatch(Service, Tenant).RunAsync(input, output)).ShouldBe((1, 2));
        var lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        lines.Length.ShouldBe(3);
        lines[0].GetProperty("id").GetString().ShouldBe("a");
        lines[0].GetProperty("ok").GetBoolean().ShouldBeTrue();
        lines[0].GetProperty("schema").GetRawText().ShouldBe(
            """[{"name":"Timestamp","type":"datetime"},{"name":"ReportId","type":"long"},{"name":"x","type":"timespan"},{"name":"f","type":"dynamic"}]""");
        lines[0].GetProperty("rows").GetRawText().ShouldBe("""[["2026-11-10T12:01:38.0000000Z",98,"01:00:00",{"n":98}]]""");
        lines[1].GetProperty("id").GetInt32().ShouldBe(2);
        lines[1].GetProperty("error").GetProperty("message").GetString()!.ShouldEndWith(" Did you mean 'DeviceProcessEvents'?");
        lines[1].GetProperty("error").GetProperty("line").GetInt32().ShouldBe(1);
        lines[2].GetProperty("error").GetProperty("code").GetString().ShouldBe("BadInput");
    }

    private static HuntingRow Process(int i)
    {
        var row = HuntingRow.For("DeviceProcessEvents");
        row["Timestamp"] = Noon.AddSeconds(i);
        row["DeviceId"] = $"d{i % 2}";
        row["DeviceName"] = $"pc{i % 4}";
        row["FileName"] = i % 4 < 2 ? "cmd.exe" : "powershell.exe";
        row["ProcessCommandLine"] = $"run step {i}";
        row["ReportId"] = (long)i;
        row["AdditionalFields"] = $"{{\"n\":{i}}}";
        return row;
    }

    private Task<HuntingResult> RunAsync(string query, HuntingLimits? limits = null) =>
        Service.RunAsync(new HuntingRequest(Tenant, query) { Limits = limits }, default);

    private async Task<long> CountAsync(HuntingRequest request) => (long)(await Service.RunAsync(request, default)).Rows[0][0]!;
}
