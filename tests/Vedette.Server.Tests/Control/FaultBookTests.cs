using Microsoft.AspNetCore.Http;
using Vedette.Server.Control.Scripting;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Control;

public sealed class FaultBookTests
{
    private readonly FaultBook _book = new();

    [Theory]
    [InlineData("GET /api/alerts", "GET", "/api/alerts", true)]
    [InlineData("GET /api/alerts", "GET", "/API/v1.0/Alerts/", true)]
    [InlineData("GET /api/alerts", "POST", "/api/alerts", false)]
    [InlineData("GET /api/alerts", "GET", "/api/alerts/1", false)]
    [InlineData("* /api/machines/{id}/isolate", "POST", "/api/machines/abc/isolate", true)]
    [InlineData("* /api/machines/*/isolate", "POST", "/api/machines/abc/unisolate", false)]
    [InlineData("* /api/**", "DELETE", "/api/indicators/4", true)]
    [InlineData("* /api/**", "GET", "/api", true)]
    [InlineData("* /**", "GET", "/", true)]
    public async Task A_route_means_the_requests_it_says(string route, string method, string path, bool meant)
    {
        _book.Add(new FaultRule { Route = route, Status = 500 });
        (await NextAsync(method, path) is not null).ShouldBe(meant);
    }

    [Fact]
    public async Task First_429_then_normal()
    {
        _book.Add(new FaultRule { Route = "GET /api/alerts", Status = 429, RetryAfter = 1, Times = 1 });
        (await NextAsync("GET", "/api/alerts"))!.RetryAfter.ShouldBe(1);
        (await NextAsync("GET", "/api/alerts")).ShouldBeNull();
        _book.Rules.Single().Played.ShouldBe(1);
    }

    [Fact]
    public async Task Requests_are_left_alone_first_and_used_up_rules_make_room_for_the_next()
    {
        _book.Add(new FaultRule { Status = 500, After = 1, Times = 1 });
        _book.Add(new FaultRule { Status = 503 });
        var statuses = new List<int?>();
        for (var i = 0; i < 3; i++) statuses.Add((await NextAsync("GET", "/api/alerts"))?.Status);
        statuses.ShouldBe([503, 500, 503]);
    }

    [Fact]
    public async Task A_rate_is_kept_and_repeats_with_the_same_seed()
    {
        async Task<string> Draw()
        {
            _book.Clear();
            _book.Add(new FaultRule { Status = 500, Rate = 0.3, Seed = 7 });
            var drawn = new char[1000];
            for (var i = 0; i < drawn.Length; i++) drawn[i] = await NextAsync("GET", "/api/alerts") is null ? '.' : 'x';
            return new string(drawn);
        }

        var first = await Draw();
        first.Count(c => c == 'x').ShouldBeInRange(250, 350);
        (await Draw()).ShouldBe(first);
    }

    [Fact]
    public async Task Only_the_named_client_is_met()
    {
        var client = Guid.NewGuid();
        _book.Add(new FaultRule { Client = client, Status = 403 });
        (await NextAsync("GET", "/api/alerts", Guid.NewGuid())).ShouldBeNull();
        (await NextAsync("GET", "/api/alerts", client)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("GET", 500)]
    [InlineData("FETCH /api", 500)]
    [InlineData("GET api/alerts", 500)]
    [InlineData("GET /a/**/b", 500)]
    [InlineData("GET /api/alerts", 42)]
    [InlineData("GET /api/alerts", null)]
    public void A_rule_that_makes_no_sense_is_refused(string route, int? status) =>
        Should.Throw<ArgumentException>(() => _book.Add(new FaultRule { Route = route, Status = status }));

    private ValueTask<ScriptedFault?> NextAsync(string method, string path, Guid? client = null)
    {
        var http = new DefaultHttpContext();
        http.Request.Method = method;
        http.Request.Path = path;
        return _book.NextAsync(http, client);
    }
}
