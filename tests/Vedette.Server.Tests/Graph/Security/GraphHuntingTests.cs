using System.Globalization;
using System.Text.Json;
using Vedette.Server.Graph.Security.Hunting;
using Vedette.Server.Tests.Endpoint;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Tests.Graph.Security;

public sealed class GraphHuntingTests(SecurityFixture graph) : IClassFixture<SecurityFixture>
{
    private const string Role = "ThreatHunting.Read.All";
    private static readonly DateTime Now = new(2026, 11, 20, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("/v1.0/security/runHuntingQuery", "Query")]
    [InlineData("/beta/security/runHuntingQuery", "query")]
    [InlineData("/v1.0/security/microsoft.graph.security.runHuntingQuery", "query")]
    public async Task Answers_in_small_letters_and_reads_the_key_in_any_case(string path, string key)
    {
        var answer = await graph.SendAsync(HttpMethod.Post, path, new Dictionary<string, string> { [key] = "print Name = 'x', Count = toint(1), Big = 1, Real = 1.5, Flag = true, Bag = dynamic({\"a\":1}), At = datetime(2026-11-01)" }, Role);
        answer.Status.ShouldBe(200, answer.Body);
        answer.Json.GetProperty("@odata.context").GetString()!.ShouldEndWith("/$metadata#microsoft.graph.security.huntingQueryResults");
        answer.Json.EnumerateObject().Select(property => property.Name).ShouldBe(["@odata.context", "schema", "results"]);
        answer.Json.GetProperty("schema").EnumerateArray().Select(c => $"{c.GetProperty("name")}:{c.GetProperty("type")}").ShouldBe(
            ["Name:String", "Count:Int32", "Big:Int64", "Real:Double", "Flag:SByte", "Bag:Object", "At:DateTime"]);
        var row = answer.Json.GetProperty("results")[0];
        row.GetProperty("At").GetString().ShouldBe("2026-11-01T00:00:00.0000000Z");
        row.GetProperty("Bag").GetProperty("a").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Says_what_is_wrong_in_the_envelope_of_Graph()
    {
        var semantic = await RunAsync("DeviceInfo | where NoSuchColumn == 1");
        semantic.Status.ShouldBe(400);
        semantic.Code.ShouldBe("BadRequest");
        semantic.Message!.ShouldEndWith("Fix semantic errors in your query.");
        semantic.Json.GetProperty("error").GetProperty("innerError").GetProperty("date").ValueKind.ShouldBe(JsonValueKind.String);
        (await RunAsync("DeviceInfo | where (")).Message!.ShouldEndWith("Fix syntax errors in your query.");
        (await graph.SendAsync(HttpMethod.Post, "/v1.0/security/runHuntingQuery", "{}", Role)).ShouldFail(400, "BadRequest", "A value is required for property 'Query'.");
        (await graph.SendAsync(HttpMethod.Post, "/v1.0/security/runHuntingQuery", new { Query = "print 1" }, "SecurityAlert.Read.All")).ShouldFail(
            403, "Forbidden", "Missing application roles. API required roles: ThreatHunting.Read.All, application roles: SecurityAlert.Read.All.");
        (await RunAsync("print 1", "yesterday")).Message!.ShouldStartWith("Invalid Timespan: 'yesterday'.");
    }

    [Fact]
    public async Task The_time_span_bounds_what_is_seen()
    {
        var device = Seed.MachineId(graph.Next());
        HuntingRow At(int days)
        {
            var row = HuntingRow.For("DeviceProcessEvents");
            (row["Timestamp"], row["DeviceId"], row["ReportId"]) = (DateTime.UtcNow.AddDays(-days), device, (long)days);
            return row;
        }

        await graph.Host.AppendAsync(At(1), At(5), At(12));
        var query = $"DeviceProcessEvents | where DeviceId == '{device}' | order by ReportId asc | project ReportId";
        (await Seen(null)).ShouldBe([1, 5, 12]);
        (await Seen("P7D")).ShouldBe([1, 5]);
        (await Seen("P90D")).ShouldBe([1, 5, 12]);
        (await Seen(Day(-6))).ShouldBe([1, 5]);
        (await Seen($"{Day(-13)}/{Day(-4)}")).ShouldBe([5, 12]);
        (await Seen($"P3D/{Day(-4)}")).ShouldBe([5]);
        (await Seen($"{Day(-13)}/PT48H")).ShouldBe([12]);

        // Of two bounds the narrower one counts.
        (await RunAsync(query.Replace("| order", "| where Timestamp > ago(2d) | order", StringComparison.Ordinal), "P7D")).Json.GetProperty("results").GetArrayLength().ShouldBe(1);

        async Task<long[]> Seen(string? span) =>
            [.. (await RunAsync(query, span)).Json.GetProperty("results").EnumerateArray().Select(row => row.GetProperty("ReportId").GetInt64())];
    }

    [Theory]
    [InlineData("P30D", "2026-10-21T12:00:00Z", "2026-11-20T12:00:00Z")]
    [InlineData("P2W", "2026-11-06T12:00:00Z", "2026-11-20T12:00:00Z")]
    [InlineData("2026-11-01T08:00:00Z", "2026-11-01T08:00:00Z", "2026-11-20T12:00:00Z")]
    [InlineData("2026-11-01", "2026-11-01T00:00:00Z", "2026-11-20T12:00:00Z")]
    [InlineData("2026-11-01T08:00:00+02:00/P1D", "2026-11-01T06:00:00Z", "2026-11-02T06:00:00Z")]
    [InlineData("PT1H/2026-11-01T08:00:00Z", "2026-11-01T07:00:00Z", "2026-11-01T08:00:00Z")]
    [InlineData("2026-11-02/2026-11-01", null, null)]
    [InlineData("P1D/P1D", null, null)]
    [InlineData("1.00:00:00", null, null)]
    [InlineData("a/b/c", null, null)]
    [InlineData("P", null, null)]
    public void Every_form_of_a_time_span_is_read(string text, string? from, string? to)
    {
        var read = HuntingTimespan.Read(text, Now);
        if (from is null) read.ShouldBeNull();
        else read.ShouldBe((Time(from), Time(to!)));

        static DateTime Time(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
    }

    private static string Day(int days) => DateTime.UtcNow.AddDays(days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private Task<Answer> RunAsync(string query, string? span = null) =>
        graph.SendAsync(HttpMethod.Post, "/v1.0/security/runHuntingQuery", span is null ? new { Query = query } : new { Query = query, Timespan = span }, Role);
}
