using Microsoft.Extensions.DependencyInjection;
using Vedette.Server.Http;
using Vedette.Telemetry.Engine;
using Vedette.Testing;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>Limits and quotas of hunting as clients meet them.</summary>
public sealed class HuntingLimitTests
{
    private const string Query = "AdvancedQuery.Read.All";
    private const string Heavy = "range x from 1 to 10000000 step 1 | summarize dcount(hash_sha256(tostring(x)))";

    [Fact]
    public async Task Rows_and_bytes_of_each_surface_are_settings()
    {
        var settings = new HuntingSettings
        {
            Endpoint = new HuntingSurface { MaxRows = 7, MaxBytes = 2_000, Timeout = TimeSpan.FromMinutes(2) },
            ThreatProtection = new HuntingSurface { MaxRows = 11, Timeout = TimeSpan.FromMinutes(2) },
        };
        await using var host = await EndpointHost.StartAsync(more: services => services.AddSingleton(settings));
        (await HuntAsync(host, "range x from 1 to 100 step 1")).Json.GetProperty("Results").GetArrayLength().ShouldBe(7);
        (await host.SendAsync(HttpMethod.Post, "/api/advancedhunting/run", new { Query = "range x from 1 to 100 step 1" },
            EndpointHost.TokenFor(EndpointHost.ThreatProtection, "AdvancedHunting.Read.All"))).Json.GetProperty("Results").GetArrayLength().ShouldBe(11);
        (await HuntAsync(host, "print x = strrep('abcdefgh', 500)")).ShouldFail(
            400, "BadRequest", "Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again.");
    }

    [Fact]
    public async Task Run_time_is_a_setting()
    {
        var settings = new HuntingSettings { Endpoint = new HuntingSurface { Timeout = TimeSpan.FromMilliseconds(300) } };
        await using var host = await EndpointHost.StartAsync(more: services => services.AddSingleton(settings));
        (await HuntAsync(host, Heavy)).ShouldFail(400, "BadRequest", "Query exceeded the timeout period.");
    }

    [Fact]
    public async Task Used_up_resources_block_the_tenant_until_time_has_passed()
    {
        var clock = new ManualClock(DateTime.UtcNow);
        var settings = new HuntingSettings
        {
            Endpoint = new HuntingSurface { Timeout = TimeSpan.FromSeconds(60), RunTimePerHour = TimeSpan.FromTicks(1) },
            CpuShare = 0,
        };
        await using var host = await EndpointHost.StartAsync(more: services => services.AddSingleton(settings).AddSingleton<TimeProvider>(clock));
        (await HuntAsync(host, "print 1")).Status.ShouldBe(200);
        clock.Advance(TimeSpan.FromMinutes(20));
        var refused = await HuntAsync(host, "print 1");
        refused.ShouldFail(429, "TooManyRequests", "You have exceeded processing resources allocated to this tenant. You can run queries again in 2400 seconds.");
        refused.Message!.Split(' ')[^2].ShouldBe("2400");
        refused.Headers.GetValues("Retry-After").ShouldBe(["2400"]);
        clock.Advance(TimeSpan.FromMinutes(40));
        (await HuntAsync(host, "print 1")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Calls_a_minute_are_a_setting()
    {
        await using var host = await EndpointHost.StartAsync(
            settings => settings.Calls = new Dictionary<string, CallLimits> { ["POST /api/advancedqueries/run"] = new() { PerMinute = 2, PerTenant = true } });
        (await HuntAsync(host, "print 1")).Status.ShouldBe(200);
        (await HuntAsync(host, "print 1")).Status.ShouldBe(200);
        var refused = await HuntAsync(host, "print 1");
        refused.Status.ShouldBe(429);
        refused.Message!.ShouldStartWith("API calls quota exceeded! Maximum allowed 2 per 00:01:00");
    }

    [Fact]
    public async Task A_client_that_leaves_stops_its_query_in_the_engine()
    {
        await using var host = await EndpointHost.StartAsync();
        var mark = "mark" + Guid.NewGuid().ToString("N");
        using var leave = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/advancedqueries/run")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new
            {
                Query = $"range x from 1 to 200000 step 1 | extend k = 1, m = strcat('{mark}', tostring(x)) "
                    + "| join kind=inner (range y from 1 to 200000 step 1 | extend k = 1) on k | summarize count() by m, bin(x + y, 7)",
            }, options: System.Text.Json.JsonSerializerOptions.Default),
        };
        request.Headers.Authorization = new("Bearer", EndpointHost.Token(Query));
        var answer = host.Client.SendAsync(request, leave.Token);
        await Task.WhenAny(answer, UntilAsync(mark, running => running > 0));
        if (answer.IsCompleted) (await (await answer).Content.ReadAsStringAsync()).ShouldBeNull("the query was to run for long");
        await leave.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(answer);
        await UntilAsync(mark, running => running == 0);
    }

    private static async Task UntilAsync(string mark, Func<long, bool> done)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!done(Convert.ToInt64(await TestEngine.Shared.ScalarAsync(
            "SELECT count() FROM system.processes WHERE position(query, {mark:String}) > 0 AND position(query, 'system.processes') = 0",
            patience.Token,
            new ClickHouseParameter("mark", mark)))))
            await Task.Delay(25, patience.Token);
    }

    private static Task<Answer> HuntAsync(EndpointHost host, string query) => host.SendAsync(
        HttpMethod.Post, "/api/advancedqueries/run", new { Query = query },
        EndpointHost.Write(token => token with { Roles = [Query], Expires = DateTimeOffset.UtcNow.AddHours(5) }));
}
