using System.Text;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Tests;

/// <summary>http_request and http_request_post against a server on this machine.</summary>
public sealed class HttpRequestTests : IAsyncLifetime
{
    private readonly FileServer _server = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task An_answer_is_one_row_and_json_is_read()
    {
        Answer("/prices?x=1", "application/json; charset=utf-8", """{"Items":[{"n":1,"s":"é"},{"n":2,"s":"b"}]}""");
        var answer = await RunAsync($$"""evaluate http_request('{{Address("prices?x=1")}}', dynamic({'X-Key':'k 1'})) | project tostring(ResponseHeaders['Content-Type']), ResponseBody.Items[1].s""");
        answer.Print().ShouldBe("""ResponseHeaders_Content-Type:string ResponseBody_Items_1_s:dynamic / application/json; charset=utf-8|"b" """.TrimEnd());
        var head = _server.Requests.ShouldHaveSingleItem().Split('\n');
        head.ShouldContain("X-Key: k 1");
        head.ShouldContain("x-ms-readonly: true");
        head.ShouldContain(line => line.StartsWith("x-ms-client-request-id: Vedette.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Other_answers_stay_text()
    {
        Answer("/a", "text/plain", "{\"a\":1}");
        Answer("/b", "application/json", "not json");
        (await RunAsync($"evaluate http_request('{Address("a")}') | project gettype(ResponseBody), strlen(tostring(ResponseBody))")).Print().ShouldEndWith(" / string|7");
        (await RunAsync($"evaluate http_request('{Address("b")}') | project gettype(ResponseBody), ResponseBody")).Print().ShouldEndWith(" / string|\"not json\"");
    }

    [Fact]
    public async Task The_documented_shape_asks_once()
    {
        Answer("/list", "application/json", """{"Items":[{"n":1,"s":"a"},{"n":2,"s":"b"}]}""");
        var query = $"let Uri = strcat('https://feeds.test:', '{_server.Port}', '/list'); evaluate http_request(Uri) | project ResponseBody.Items | mv-expand ResponseBody_Items | evaluate bag_unpack(ResponseBody_Items) | where n > 1";
        (await RunAsync(query)).Print().ShouldBe("n:long s:string / 2|b");
        _server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_post_sends_its_content()
    {
        Answer("/post", "application/json", "[1,2]");
        (await RunAsync($$"""evaluate http_request_post('{{Address("post")}}', dynamic({'Content-Type':'text/csv'}), dynamic(null), 'a,b') | project ResponseBody""")).Print().ShouldBe("ResponseBody:dynamic / [1,2]");
        var sent = _server.Requests.ShouldHaveSingleItem();
        sent.ShouldStartWith("POST\n");
        sent.ShouldContain("Content-Type: text/csv");
        sent.ShouldEndWith("\n\na,b");
        (await RunAsync($"evaluate http_request_post('{Address("post")}')")).Rows.Count.ShouldBe(1);
        _server.Requests.Last().ShouldContain("Content-Type: application/json");
    }

    [Theory]
    [InlineData("'https://other.test:{0}/a'", "http_request: The host 'other.test:{0}' is not on the list of hosts that may be read.")]
    [InlineData("'http://feeds.test:{0}/a'", "http_request: 'feeds.test' is not an https address.")]
    [InlineData("'/etc/passwd'", "http_request: '' is not an https address.")]
    [InlineData("'https://inner.test:{0}/a'", "http_request: 'inner.test' leads to the private address 10.1.2.3, which the list of hosts does not name.")]
    [InlineData("'https://feeds.test:{0}/none'", "http_request: 'feeds.test' answered 404.")]
    [InlineData("'https://feeds.test:{0}/away'", "http_request: 'feeds.test' redirects to another place, 'https://127.0.0.1:{0}'.")]
    [InlineData("'https://feeds.test:{0}/a', dynamic({{'Host':'x'}})", "http_request: the header 'Host' cannot be set.")]
    [InlineData("'https://feeds.test:{0}/a', dynamic({{'X':'a\\r\\nY: b'}})", "http_request: 'X' is not a header.")]
    [InlineData("'https://feeds.test:{0}/a', dynamic([1])", "'evaluate' operator: The expression must be a dynamic bag.")]
    [InlineData("'https://feeds.test:{0}/large'", "http_request: the file of 'feeds.test' is larger than 1000 bytes.")]
    public async Task What_must_not_be_called_is_refused(string arguments, string message)
    {
        Answer("/a", "text/plain", "secret");
        Answer("/large", "text/plain", new string('x', 1001));
        _server.Files["/away"] = ($"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: https://127.0.0.1:{_server.Port}/a", []);
        (await ExternalQueries.FailAsync($"evaluate http_request({string.Format(arguments, _server.Port)})", Options() with { MaxBytes = 1000 }, "feeds.test"))
            .ShouldBe(string.Format(message, _server.Port));
        _server.Asked.ShouldNotContain("/a");
    }

    [Fact]
    public async Task A_post_is_not_carried_elsewhere_and_nothing_is_called_while_it_is_off()
    {
        _server.Files["/round"] = ("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: /post", []);
        (await ExternalQueries.FailAsync($"evaluate http_request_post('{Address("round")}')", Options(), "feeds.test")).ShouldBe("http_request_post: 'feeds.test' answered 307.");
        (await ExternalQueries.FailAsync($"evaluate http_request('{Address("a")}')", new ExternalDataOptions(), "feeds.test"))
            .ShouldBe("The plug-in http_request is switched off: no host is named that it may call.");
    }

    private void Answer(string path, string type, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        _server.Files[path] = ($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {bytes.Length}", bytes);
    }

    private string Address(string path) => $"https://feeds.test:{_server.Port}/{path}";

    private ExternalDataOptions Options() => ExternalQueries.Allow($"feeds.test:{_server.Port}", $"inner.test:{_server.Port}");

    private Task<HuntingResult> RunAsync(string query) => ExternalQueries.RunAsync(query, Options(), "feeds.test");
}
