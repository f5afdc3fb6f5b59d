using System.Text;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Tests.Properties;

namespace Vedette.Telemetry.Tests;

/// <summary>
/// Queries that try to see what is not theirs, or to take the server down. Rows of the other tenant hold the word "foreign" in every text; so do
/// none of the caller's.
/// </summary>
public sealed class IsolationTests
{
    /// <summary>Queries that run: what they give must be the caller's own.</summary>
    [Theory]
    [InlineData("DeviceProcessEvents")]
    [InlineData("DeviceProcessEvents | where true or DeviceId startswith 'foreign'")]
    [InlineData("union DeviceProcessEvents, (DeviceProcessEvents | where DeviceId startswith 'foreign')")]
    [InlineData("union withsource=T DeviceP*, DeviceFile* | where T has 'Process'")]
    [InlineData("search 'foreign'")]
    [InlineData("search in (DeviceProcessEvents) '*'")]
    [InlineData("find in (DeviceProcessEvents) where ProcessCommandLine has 'foreign' or true")]
    [InlineData("DeviceProcessEvents | join kind=fullouter (DeviceProcessEvents) on $left.ReportId == $right.ReportId")]
    [InlineData("DeviceProcessEvents | join kind=rightanti (DeviceProcessEvents | where DeviceId startswith 'foreign') on DeviceId")]
    [InlineData("let a = materialize(DeviceProcessEvents); union a, a | extend n = toscalar(a | summarize make_set(DeviceId))")]
    [InlineData("DeviceProcessEvents | where DeviceId !in ((DeviceProcessEvents | where DeviceId startswith 'foreign' | project DeviceId))")]
    [InlineData("table('DeviceProcessEvents') | take 100")]
    [InlineData("table(strcat('Device', 'ProcessEvents')) | take 100")]
    [InlineData("database('hunting').DeviceProcessEvents | take 100")]
    [InlineData("cluster('elsewhere').database('system').DeviceProcessEvents | take 100")]
    [InlineData("let DeviceProcessEvents = DeviceProcessEvents | where true; DeviceProcessEvents")]
    [InlineData("let f = (T:(*)) { T }; DeviceProcessEvents | invoke f()")]
    [InlineData("DeviceProcessEvents | as X | union X")]
    [InlineData("DeviceProcessEvents | partition by DeviceId (top 100 by ReportId)")]
    [InlineData("DeviceProcessEvents | partition by DeviceId { DeviceProcessEvents | where DeviceId startswith 'foreign' or true }")]
    [InlineData("DeviceProcessEvents | mv-apply x = pack_array('foreign'[0]) on (take 1)")]
    [InlineData("DeviceProcessEvents | summarize arg_max(Timestamp, *) by DeviceId")]
    [InlineData("DeviceProcessEvents | extend t = ingestion_time() | sort by t asc")]
    [InlineData("DeviceProcessEvents | invoke FileProfile(SHA1, 1000)")]
    [InlineData("DeviceFromIP('10.0.0.1')")]
    [InlineData("DeviceProcessEvents | invoke SeenBy()")]
    [InlineData("AssignedIPAddresses('foreign0', now())")]
    [InlineData("DeviceProcessEvents | getschema")]
    [InlineData("DeviceProcessEvents | evaluate bag_unpack(parse_json(AdditionalFields)) | project n, mark")]
    [InlineData("DeviceProcessEvents | summarize count() by mark = tostring(parse_json(AdditionalFields).mark) | evaluate pivot(mark, sum(count_))")]
    [InlineData("DeviceProcessEvents | make-graph DeviceId --> FileName | graph-match (a)-[e]->(b) project a, b")]
    [InlineData("print current_principal(), current_database(), current_cluster_endpoint()")]
    [InlineData("restrict access to (DeviceProcessEvents); DeviceProcessEvents")]
    [InlineData("alias database x = cluster('a').database('b'); database('x').DeviceProcessEvents")]
    [InlineData("declare query_parameters(t:string = 'foreign'); DeviceProcessEvents | where DeviceId has t or true")]
    [InlineData("set query_now = datetime(2000-01-01); set servercache = 'x'; set norequesttimeout; DeviceProcessEvents")]
    public async Task What_a_query_gives_is_its_tenants_own(string query)
    {
        var text = await RunAsync(query);
        text.ShouldNotContain("foreign");
        text.ShouldNotContain("unexpected error");
    }

    /// <summary>Queries for what is not there.</summary>
    [Theory]
    [InlineData("['vedette.DeviceProcessEvents']")]
    [InlineData("['system.tables']")]
    [InlineData("['system`.`tables']")]
    [InlineData("system.tables")]
    [InlineData("database('system').tables")]
    [InlineData("database('system').['processes']")]
    [InlineData("table('system.processes')")]
    [InlineData("table('`system`.`processes`')")]
    [InlineData("table('DeviceProcessEvents FINAL')")]
    [InlineData("union system.*")]
    [InlineData("numbers(10)")]
    [InlineData("file('/etc/passwd')")]
    [InlineData("url('http://127.0.0.1/')")]
    [InlineData("remote('127.0.0.1', system.one)")]
    [InlineData("s3('https://bucket/x')")]
    [InlineData("executable('id', 'TSV', 'x String')")]
    [InlineData("mysql('127.0.0.1:3306', 'a', 'b', 'c', 'd')")]
    [InlineData("print file('/etc/passwd')")]
    [InlineData("print x = getMacro('a')")]
    [InlineData("print x = dictGet('a', 'b', 1)")]
    [InlineData("print x = currentUser(), y = hostName(), z = version()")]
    [InlineData("print x = sleep(3)")]
    [InlineData("print x = getSetting('max_threads')")]
    [InlineData("DeviceProcessEvents | project _TenantId")]
    [InlineData("DeviceProcessEvents | project ['_IngestTime'], ['_Batch']")]
    [InlineData("DeviceProcessEvents | where ['_TenantId'] != guid(null)")]
    [InlineData("DeviceProcessEvents | extend x = ['1) FROM system.one --']")]
    [InlineData("DeviceProcessEvents | project c1, o1")]
    [InlineData("DeviceProcessEvents | extend x = column_ifexists('_TenantId', guid(null)) | where isnotnull(x)")]
    [InlineData("evaluate sql_request('Server=x', 'select 1')")]
    [InlineData("evaluate http_request('https://127.0.0.1')")]
    [InlineData("evaluate cosmosdb_sql_request('a', 'b')")]
    [InlineData("evaluate python(typeof(x:long), 'import os')")]
    [InlineData("externaldata (x:string) ['file:///etc/passwd']")]
    [InlineData("externaldata (x:string) [@'/etc/passwd']")]
    [InlineData("externaldata (x:string) ['https://127.0.0.1/']")]
    [InlineData("externaldata (x:string) ['https://169.254.169.254/latest/meta-data']")]
    [InlineData(".show tables")]
    [InlineData(".drop table DeviceProcessEvents")]
    [InlineData("DROP TABLE DeviceProcessEvents")]
    [InlineData("SELECT * FROM system.tables")]
    [InlineData("DeviceProcessEvents; DROP TABLE x")]
    public async Task What_is_not_there_is_refused_or_empty(string query)
    {
        var text = await RunAsync(query);
        text.ShouldNotContain("unexpected error");
        foreach (var trace in new[] { "foreign", "root:", "vedette", "_TenantId\n", "default" }) text.ShouldNotContain(trace);
    }

    [Fact]
    public async Task Devices_and_windows_hold_for_every_way_to_read()
    {
        foreach (var query in new[]
                 {
                     "DeviceProcessEvents", "search in (DeviceProcessEvents, DeviceInfo) 'own'", "find in (DeviceProcessEvents) where true", "union withsource=T DevicePr*",
                     "DeviceProcessEvents | join kind=fullouter (DeviceProcessEvents) on ReportId", "let a = materialize(DeviceProcessEvents); union a, a",
                     "DeviceProcessEvents | where DeviceId in ((DeviceProcessEvents | project DeviceId)) | invoke FileProfile()",
                     "DeviceProcessEvents | partition by FileName { DeviceProcessEvents }", "DeviceProcessEvents | summarize count() by DeviceId, bin(Timestamp, 1h)",
                     "DeviceProcessEvents | summarize arg_max(Timestamp, *) by FileName", "DeviceProcessEvents | make-graph DeviceId --> FileName | graph-match (a)-[e]->(b) project e.DeviceId",
                     "DeviceProcessEvents | make-graph DeviceId --> FileName with DeviceProcessEvents on DeviceId | graph-to-table nodes", "search * | summarize by DeviceId", "union * | distinct DeviceId",
                     "DeviceProcessEvents | top-nested of DeviceId with others = 'rest' by count()", "DeviceProcessEvents | sample-distinct 100 of DeviceId", "DeviceProcessEvents | lookup (DeviceProcessEvents) on ReportId",
                     "DeviceProcessEvents | mv-apply x = pack_array(DeviceId) on (take 1)", "DeviceProcessEvents | as X | union X | summarize make_set(DeviceId)",
                     "DeviceProcessEvents | join kind=leftanti (DeviceProcessEvents | where DeviceId == 'own0') on FileName", "print x = toscalar(DeviceProcessEvents | summarize make_set(DeviceId))",
                 })
        {
            var text = await RunAsync(query, request => request with { VisibleDevices = ["own1", "foreign0"] });
            text.ShouldContain("own1", customMessage: query);
            foreach (var hidden in new[] { "own0", "own2", "foreign" }) text.ShouldNotContain(hidden, customMessage: query);
            (await RunAsync(query, request => request with { Window = (DateTime.UtcNow.AddDays(-9), DateTime.UtcNow.AddDays(-8)) })).ShouldNotContain("own", customMessage: query);
        }
    }

    /// <summary>Work that this process does on one value ends when the caller leaves, also where it is done before the query starts.</summary>
    [Theory]
    [InlineData("print series_fft(range(1, 1000000))")]
    [InlineData("range x from 1 to 3 step 1 | extend a = range(x, 1000000) | extend d = series_decompose(a)")]
    [InlineData("range x from 1 to 3 step 1 | extend a = range(x, 1000000) | extend d = series_fit_2lines(a)")]
    [InlineData("range x from 1 to 3 step 1 | extend c = strcat_array(split(strrep('[1,1] [2,0.5] ', 20000 * x), ' '), ',') | extend l = parse_json(strcat('{\"type\":\"LineString\",\"coordinates\":[', c, '[0,0]]}')) | extend s = geo_intersection_2lines(l, l)")]
    public async Task Who_leaves_ends_what_was_asked(string query)
    {
        await PropertyRuns.RunAsync("print 1", request => request);
        using var leave = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Should.ThrowAsync<OperationCanceledException>(Task.Run(() => PropertyRuns.RunAsync(query, request => request, leave.Token)).WaitAsync(TimeSpan.FromSeconds(40)));
    }

    /// <summary>Queries that are too much: each is refused with words about itself.</summary>
    [Theory]
    [MemberData(nameof(Heavy))]
    public async Task Too_much_is_refused_in_words(string name, string query)
    {
        var error = await Should.ThrowAsync<HuntingException>(PropertyRuns.RunAsync(query, request => request with { Limits = new HuntingLimits { Timeout = TimeSpan.FromSeconds(4) } }));
        error.Failure.ShouldNotBe(HuntingFailure.Internal, $"{name}: {error.Message} {error.InnerException?.Message}");
        error.Message.Length.ShouldBeInRange(10, 400);
    }

    public static TheoryData<string, string> Heavy => new()
    {
        { "brackets", "print x = " + new string('(', 20_000) + "1" + new string(')', 20_000) },
        { "open brackets", "print x = " + new string('(', 100_000) },
        { "calls", "print x = " + string.Concat(Enumerable.Repeat("abs(", 5_000)) + "1" + new string(')', 5_000) },
        { "negations", "print x = " + new string('-', 50_000) + "1" },
        { "sums", "print x = 1" + string.Concat(Enumerable.Repeat(" + 1", 50_000)) },
        { "members", "print x = dynamic({})" + string.Concat(Enumerable.Repeat(".a", 50_000)) },
        { "indexes", "print x = dynamic([])" + string.Concat(Enumerable.Repeat("[0]", 50_000)) },
        { "operators", "DeviceInfo" + string.Concat(Enumerable.Repeat(" | where true", 5_000)) },
        { "subqueries", string.Concat(Enumerable.Repeat("DeviceInfo | where DeviceId in ((", 2_000)) + "DeviceInfo" + new string(')', 4_000) },
        { "joins", "DeviceInfo" + string.Concat(Enumerable.Repeat(" | join (DeviceInfo", 2_000)) + string.Concat(Enumerable.Repeat(") on DeviceId", 2_000)) },
        { "json", "print x = dynamic(" + new string('[', 50_000) + new string(']', 50_000) + ")" },
        { "text", "print x = '" + new string('a', 1_100_000) + "'" },
        { "doubling", "let a0 = () { DeviceInfo | project DeviceId }; " + string.Concat(Enumerable.Range(1, 40).Select(i => $"let a{i} = () {{ union a{i - 1}(), a{i - 1}() }}; ")) + "a40()" },
        { "doubling scalars", "let a0 = (x:long) { x + 1 }; " + string.Concat(Enumerable.Range(1, 40).Select(i => $"let a{i} = (x:long) {{ a{i - 1}(x) + a{i - 1}(x) }}; ")) + "print a40(1)" },
        { "recursion", "let f = (x:long) { f(x) }; print f(1)" },
        { "lists", "range x from 1 to 3000000 step 1 | extend s = strcat('some text to carry ', x) | evaluate pivot(s)" },
        { "rows for a step", "range x from 1 to 3000000 step 1 | extend s = tostring(x) | reduce by s | count" },
        { "cross join", "range x from 1 to 5000000 step 1 | extend k = 1 | join kind=inner (range y from 1 to 5000000 step 1 | extend k = 1) on k | summarize dcount(hash(x + y))" },
        { "repeated text", "range x from 1 to 1000 step 1 | extend s = strrep('abcdefgh', 1000000) | summarize make_list(s)" },
        { "pattern", "print x = 'a' matches regex '" + string.Concat(Enumerable.Repeat("(a{1,1000}){1,1000}", 20)) + "'" },
    };

    private static async Task<string> RunAsync(string query, Func<HuntingRequest, HuntingRequest>? change = null)
    {
        try
        {
            var result = await PropertyRuns.RunAsync(query, change ?? (request => request));
            var text = new StringBuilder();
            foreach (var row in result.Rows) text.AppendJoin('\t', row).Append('\n');
            return text.ToString();
        }
        catch (HuntingException error)
        {
            // The words of a refusal may hold what the query said, and nothing else.
            return error.Message.Replace("foreign", "", StringComparison.Ordinal).Replace("vedette.DeviceProcessEvents", "", StringComparison.Ordinal)
                .Replace("_TenantId", "", StringComparison.Ordinal);
        }
    }
}
