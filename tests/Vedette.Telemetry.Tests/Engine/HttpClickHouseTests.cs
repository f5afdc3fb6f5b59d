using System.Collections.Specialized;
using System.Net;
using System.Text;
using Vedette.Telemetry.Engine;

namespace Vedette.Telemetry.Tests.Engine;

/// <summary>The shape of requests and answers, against a listener that plays the server's part.</summary>
public sealed class HttpClickHouseTests
{
    [Fact]
    public async Task A_query_sends_its_text_in_the_body_and_settings_and_parameters_in_the_address()
    {
        using var server = new Listener((_, response) => response.Close(OneBlock("x", 7), willBlock: false));
        await using var engine = new HttpClickHouse(server.Url("alice:s%3Acret"));
        var rows = await engine.RowsAsync(new("SELECT {a:String} AS x")
        {
            Parameters = [new("a", "tab\there & more")],
            Settings = new Dictionary<string, string> { ["max_execution_time"] = "3" },
        });

        rows.ShouldHaveSingleItem().ShouldBe([7]);
        var request = server.Requests.ShouldHaveSingleItem();
        request.Method.ShouldBe("POST");
        request.Body.ShouldBe("SELECT {a:String} AS x");
        request.Query["param_a"].ShouldBe("tab\\there & more");
        request.Query["max_execution_time"].ShouldBe("3");
        request.Query["default_format"].ShouldBe("Native");
        request.Query["database"].ShouldBe("hunting");
        request.Headers["X-ClickHouse-User"].ShouldBe("alice");
        request.Headers["X-ClickHouse-Key"].ShouldBe("s:cret");
        request.Headers["Authorization"].ShouldBeNull();
    }

    [Fact]
    public async Task Long_parameters_travel_as_form_fields()
    {
        using var server = new Listener((_, response) => response.Close(OneBlock("x", 1), willBlock: false));
        await using var engine = new HttpClickHouse(server.Url());
        var devices = Enumerable.Range(0, 500).Select(i => $"device-{i:D40}").ToArray();
        await engine.RowsAsync(new("SELECT {devices:Array(String)}") { Parameters = [new("devices", devices)] });

        var request = server.Requests.ShouldHaveSingleItem();
        request.Headers["Content-Type"]!.ShouldStartWith("multipart/form-data");
        request.Body.ShouldContain("name=\"param_devices\"");
        request.Body.ShouldContain("name=\"query\"");
        request.Body.ShouldContain(devices[499]);
        request.Query["param_devices"].ShouldBeNull();
    }

    [Fact]
    public async Task An_insert_streams_its_blocks()
    {
        using var server = new Listener((_, response) =>
        {
            response.AddHeader("X-ClickHouse-Summary", "{\"read_rows\":\"0\",\"written_rows\":\"12\"}");
            response.Close();
        });
        await using var engine = new HttpClickHouse(server.Url());
        var statistics = await engine.InsertAsync(new("INSERT INTO t (x)"), Blocks());

        statistics.RowsWritten.ShouldBe(12);
        var request = server.Requests.ShouldHaveSingleItem();
        request.Query["query"].ShouldBe("INSERT INTO t (x) FORMAT Native");
        request.Headers["Transfer-Encoding"].ShouldBe("chunked");
        request.Body.ShouldBe("onetwo");

        static async IAsyncEnumerable<ReadOnlyMemory<byte>> Blocks()
        {
            yield return "one"u8.ToArray();
            await Task.Yield();
            yield return "two"u8.ToArray();
        }
    }

    [Fact]
    public async Task Blocks_cut_anywhere_are_put_together()
    {
        var blocks = Enumerable.Range(0, 40).SelectMany(i => OneBlock("value", i)).ToArray();
        using var server = new Listener((_, response) =>
        {
            response.SendChunked = true;
            for (var i = 0; i < blocks.Length; i += 5)
            {
                response.OutputStream.Write(blocks, i, Math.Min(5, blocks.Length - i));
                response.OutputStream.Flush();
            }

            response.Close();
        });
        await using var engine = new HttpClickHouse(server.Url());
        (await engine.RowsAsync(new("SELECT"))).Select(r => r[0]).ShouldBe(Enumerable.Range(0, 40).Select(i => (object?)i));
    }

    [Fact]
    public async Task Errors_before_and_after_the_first_block_are_told()
    {
        using var early = new Listener((_, response) =>
        {
            response.StatusCode = 404;
            response.Close(Encoding.UTF8.GetBytes("Code: 60. DB::Exception: Table default.t does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)\n"), false);
        });
        await using (var engine = new HttpClickHouse(early.Url()))
        {
            var error = await Should.ThrowAsync<ClickHouseException>(engine.RowsAsync(new("SELECT 1")));
            error.Code.ShouldBe(60);
            error.Name.ShouldBe("UNKNOWN_TABLE");
            error.Message.ShouldBe("Table default.t does not exist.");
        }

        using var late = new Listener((_, response) => response.Close(
            [.. OneBlock("x", 1), .. Encoding.UTF8.GetBytes("Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)\n")], false));
        await using (var engine = new HttpClickHouse(late.Url()))
            (await Should.ThrowAsync<ClickHouseException>(engine.RowsAsync(new("SELECT 1")))).Name.ShouldBe("TIMEOUT_EXCEEDED");
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_named_without_its_password()
    {
        await using var engine = new HttpClickHouse(new Uri("http://user:hunter2@127.0.0.1:9/"));
        var error = await Should.ThrowAsync<ClickHouseException>(engine.RowsAsync(new("SELECT 1")));
        error.Name.ShouldBe("NETWORK_ERROR");
        error.Message.ShouldContain("127.0.0.1");
        error.Message.ShouldNotContain("hunter2");
    }

    // One column, one row: column count, row count, name, type, value.
    private static byte[] OneBlock(string name, int value) =>
        [1, 1, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), 5, .. "Int32"u8, .. BitConverter.GetBytes(value)];

    private sealed record Request(string Method, NameValueCollection Query, NameValueCollection Headers, string Body);

    private sealed class Listener : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly int _port;

        public Listener(Action<HttpListenerRequest, HttpListenerResponse> answer)
        {
            for (_port = Random.Shared.Next(20000, 60000); ; _port++)
            {
                try
                {
                    _listener.Prefixes.Clear();
                    _listener.Prefixes.Add($"http://127.0.0.1:{_port}/");
                    _listener.Start();
                    break;
                }
                catch (HttpListenerException)
                {
                    // The port is taken.
                }
            }

            _ = Task.Run(async () =>
            {
                while (_listener.IsListening)
                {
                    HttpListenerContext context;
                    try
                    {
                        context = await _listener.GetContextAsync();
                    }
                    catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
                    {
                        return;
                    }

                    using var body = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                    Requests.Add(new Request(
                        context.Request.HttpMethod, System.Web.HttpUtility.ParseQueryString(context.Request.Url!.Query),
                        context.Request.Headers, await body.ReadToEndAsync()));
                    answer(context.Request, context.Response);
                }
            });
        }

        public List<Request> Requests { get; } = [];

        public Uri Url(string user = "") => new($"http://{(user.Length > 0 ? user + "@" : "")}127.0.0.1:{_port}/?database=hunting");

        public void Dispose() => _listener.Close();
    }
}
