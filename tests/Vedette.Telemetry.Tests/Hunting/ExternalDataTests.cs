using System.IO.Compression;
using System.Net;
using System.Text;
using Vedette.Telemetry.Hunting;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary><c>externaldata</c> against a server on this machine: what it reads, and what it must not.</summary>
public sealed class ExternalDataTests : IAsyncLifetime
{
    private readonly FileServer _server = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("a.csv", "1,\"x, \"\"y\"\"\",2026-01-02\n2,,\n", "", "1|x, \"y\"|2026-01-02T00:00:00 2||")]
    [InlineData("a.csv", "n,s,t\r\n7,é,\r\n", "with (ignoreFirstRecord=true)", "7|é|")]
    [InlineData("a.tsv", "1\ta b\t\n", "", "1|a b|")]
    [InlineData("a.psv", "1|a,b|\n", "", "1|a,b|")]
    [InlineData("a.dat", "1,a,\n", "", "1|a|")]
    [InlineData("a.dat", "{\"n\":1,\"s\":\"a\\nb\"}\n{\"n\":2,\"t\":\"2026-01-02\"}\n", "with (format='json')", "1|a\nb| 2||2026-01-02T00:00:00")]
    [InlineData("a.tsv", "1\ta\\tb\\\\\t\n", "with (format='tsve')", "1|a\tb\\|")]
    [InlineData("a.log", "#Version: 1.0\n#Fields: n s t\n1 a -\n2 b 2026-01-02\n", "with (format='w3clogfile')", "1|a| 2|b|2026-01-02T00:00:00")]
    [InlineData("a.csv", "1;a;\n", "with (format='scsv')", "1|a|")]
    [InlineData("a.csv", "1\u0001a\u0001\n", "with (format='sohsv')", "1|a|")]
    [InlineData("a.json", "{\n \"n\": 1,\n \"s\": \"x\"\n}\n{\n \"n\": 2 }", "with (format='multijson')", "1|x| 2||")]
    [InlineData("a.json", "{\"a\":{\"n\":1,\"l\":[\"p\",\"q r\"]},\"u\":1767323045}", "with (format='json', ingestionMapping='[{\"Column\":\"n\",\"Properties\":{\"Path\":\"$.a.n\"}},{\"Column\":\"s\",\"Properties\":{\"Path\":\"$.a.l[1]\"}},{\"Column\":\"t\",\"Properties\":{\"Path\":\"$.u\",\"Transform\":\"DateTimeFromUnixSeconds\"}}]')", "1|q r|2026-01-02T03:04:05")]
    [InlineData("a.csv", "x,7,y\n", "with (ingestionMapping='[{\"column\":\"n\",\"Properties\":{\"Ordinal\":\"1\"}},{\"column\":\"s\",\"Properties\":{\"ConstValue\":\"c\"}}]')", "7|c|")]
    [InlineData("a.json", "[{\"n\":1,\"s\":{\"k\":[true]}}, {\"n\":\"3\"}]", "with (format='multijson')", "1|{\"k\":[true]}| 3||")]
    public async Task Rows_come_in_every_text_format(string file, string text, string properties, string expected)
    {
        _server.Add("/" + file, text);
        var rows = await RunAsync($"externaldata (n:long, s:string, t:datetime) [@'{Address(file)}'] {properties}");
        string.Join(' ', rows.Select(r => string.Join('|', r.Select(v => v is DateTime time ? time.ToString("s") : v?.ToString())))).ShouldBe(expected);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(".gz", "with (format='parquet')")]
    public async Task Binary_columns_come_by_name(string ending, string properties)
    {
        _server.Add("/a.parquet" + ending, ending.Length > 0 ? Packed(Parquet) : Parquet);
        var rows = await RunAsync($"externaldata (id:long, ['na me']:string, at:datetime, ratio:real, ok:bool, bag:dynamic, cost:decimal, none:string) ['{Address("a.parquet" + ending)}'] {properties}");
        rows.Count.ShouldBe(2);
        rows[0].ShouldBe([1L, "a b", new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1234560), 1.5, true, "{\"k\":\"v\",\"n\":[1,2]}", 12.34m, ""]);
        rows[1].ShouldBe([2L, "", null, null, null, "{\"k\":null,\"n\":[]}", null, ""]);
    }

    [Fact]
    public async Task Binary_columns_go_by_a_mapping_and_other_files_are_refused()
    {
        _server.Add("/a.parquet", Parquet);
        _server.Add("/b.parquet", "no such thing");
        var rows = await RunAsync($"externaldata (k:string, second:int, file:string) ['{Address("a.parquet")}'] with (format='parquet', ingestionMapping='[{{\"Column\":\"k\",\"Properties\":{{\"Path\":\"$.bag.k\"}}}},{{\"Column\":\"second\",\"Properties\":{{\"Path\":\"$.bag.n[1]\"}}}},{{\"Column\":\"file\",\"Properties\":{{\"Transform\":\"SourceLocation\"}}}}]') | take 1");
        rows[0].ShouldBe(["v", 2, Address("a.parquet")]);
        (await FailAsync($"externaldata (k:string) ['{Address("b.parquet")}']", Options())).Message.ShouldBe("externaldata: the file of 'feeds.test' is not parquet that can be read.");
        (await FailAsync($"externaldata (k:string) ['{Address("a.parquet")}'] with (ingestionMapping='x')", Options())).Message.ShouldBe("externaldata: the ingestionMapping is no array of column mappings.");
        (await FailAsync($"externaldata (k:string) ['{Address("a.parquet")}']", Options() with { MaxCharacters = 1100 })).Message.ShouldBe("externaldata read more than 1100 characters.");
    }

    [Fact]
    public async Task Lines_and_whole_files_are_one_column()
    {
        _server.Add("/a.txt", "one, two\r\nthree\n");
        (await RunAsync($"externaldata (line:string) ['{Address("a.txt")}']")).Select(r => r[0]).ShouldBe(["one, two", "three"]);
        (await RunAsync($"externaldata (all:string) ['{Address("a.txt")}'] with (format='raw')")).ShouldHaveSingleItem()[0].ShouldBe("one, two\r\nthree\n");
    }

    [Fact]
    public async Task Packed_files_several_files_and_joins_work()
    {
        _server.Add("/a.csv.gz", Packed("x,1\ny,2\n"));
        _server.Add("/b.csv", "z,3\n");
        var rows = await RunAsync(
            $"let bad = externaldata (k:string, n:int) [h@'{Address("a.csv.gz")}', @'{Address("b.csv")};key'] with (format='csv'); "
            + "datatable(k:string)['y', 'z', 'w'] | join kind=inner bad on k | project k, n | sort by k asc");
        rows.Select(r => $"{r[0]}{r[1]}").ShouldBe(["y2", "z3"]);
    }

    [Fact]
    public async Task It_is_off_until_a_host_is_named()
    {
        var error = await FailAsync("externaldata (x:string) ['https://feeds.example.com/a.csv']", new ExternalDataOptions());
        (error.Failure, error.Message).ShouldBe((HuntingFailure.Unsupported, "externaldata is switched off; it would read from feeds.example.com."));
    }

    [Theory]
    [InlineData("https://other.test:{0}/a.csv", "externaldata: The host 'other.test:{0}' is not on the list of hosts that may be read.")]
    [InlineData("https://feeds.test.evil:{0}/a.csv", "externaldata: The host 'feeds.test.evil:{0}' is not on the list of hosts that may be read.")]
    [InlineData("https://feeds.test/a.csv", "externaldata: The host 'feeds.test' is not on the list of hosts that may be read.")]
    [InlineData("https://other.test:{0}@feeds.test:{0}/a.csv", "externaldata: An address must not hold a user name or a password.")]
    [InlineData("http://feeds.test:{0}/a.csv", "externaldata: 'feeds.test' is not an https address.")]
    [InlineData("file:///etc/passwd", "externaldata: '' is not an https address.")]
    [InlineData("/etc/passwd", "externaldata: '' is not an https address.")]
    [InlineData("https://feeds.test:{0}/none.csv", "externaldata: 'feeds.test' answered 404.")]
    [InlineData("https://feeds.test:{0}/away", "externaldata: 'feeds.test' redirects to another place, 'https://127.0.0.1:{0}'.")]
    [InlineData("https://feeds.test:{0}/plain", "externaldata: 'feeds.test' redirects to another place, 'http://feeds.test:{0}'.")]
    [InlineData("https://feeds.test:{0}/round", "externaldata: 'feeds.test' redirects more than 5 times.")]
    [InlineData("https://10.0.0.1:{0}/a.csv", "externaldata: The host '10.0.0.1:{0}' is not on the list of hosts that may be read.")]
    [InlineData("https://inner.test:{0}/a.csv", "externaldata: 'inner.test' leads to the private address 10.1.2.3, which the list of hosts does not name.")]
    [InlineData("https://mapped.test:{0}/a.csv", "externaldata: 'mapped.test' leads to the private address ::ffff:169.254.169.254, which the list of hosts does not name.")]
    public async Task What_the_list_does_not_name_is_not_reached(string address, string message)
    {
        _server.Files["/away"] = ($"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: https://127.0.0.1:{_server.Port}/a.csv", []);
        _server.Files["/plain"] = ($"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://feeds.test:{_server.Port}/a.csv", []);
        _server.Files["/round"] = ("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /round", []);
        _server.Add("/a.csv", "secret\n");
        var options = new ExternalDataOptions
        {
            AllowedHosts = [$"feeds.test:{_server.Port}", $"inner.test:{_server.Port}", $"mapped.test:{_server.Port}", "127.0.0.0/8"],
        };
        var error = await FailAsync($"externaldata (x:string) [@'{string.Format(address, _server.Port)}']", options);
        error.Message.ShouldBe(string.Format(message, _server.Port));
        _server.Asked.ShouldNotContain("/a.csv");
    }

    [Fact]
    public async Task A_redirect_within_the_host_is_followed()
    {
        _server.Files["/old.csv"] = ("HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\nLocation: /a.csv", []);
        _server.Add("/a.csv", "1\n");
        (await RunAsync($"externaldata (x:long) [@'{Address("old.csv")}']")).ShouldHaveSingleItem()[0].ShouldBe(1L);
    }

    [Fact]
    public async Task Size_and_time_are_bounded()
    {
        var options = Options() with { MaxBytes = 1000, MaxCharacters = 5000, Timeout = TimeSpan.FromMilliseconds(700) };
        _server.Add("/large.csv", new string('x', 1001));
        _server.Files["/endless.csv"] = ("HTTP/1.1 200 OK", Encoding.UTF8.GetBytes(new string('x', 100_000)));
        _server.Files["/slow.csv"] = ("HTTP/1.1 200 OK\r\nContent-Length: 10", null);
        _server.Add("/bomb.csv.gz", Packed(new string('x', 100_000)));
        _server.Add("/broken.csv.gz", "not packed at all");
        foreach (var file in new[] { "large.csv", "endless.csv" })
            (await FailAsync(Query(file), options)).Message.ShouldBe("externaldata: the file of 'feeds.test' is larger than 1000 bytes.");
        (await FailAsync(Query("slow.csv"), options)).Message.ShouldBe("externaldata: 'feeds.test' took longer than 0.7 seconds.");
        (await FailAsync(Query("bomb.csv.gz"), options)).Message.ShouldBe("externaldata read more than 5000 characters.");
        (await FailAsync(Query("broken.csv.gz"), options)).Message.ShouldStartWith("externaldata: the file of 'feeds.test' is not gzip");
        (await FailAsync(Query("large.csv") + " with (format='sstream')", Options())).Message.ShouldStartWith("externaldata: the format 'sstream' cannot be read; use one of csv, ");
    }

    [Theory]
    [InlineData("*.example.com", "https://a.b.example.com/x", true)]
    [InlineData("*.example.com", "https://example.com/x", false)]
    [InlineData("*.example.com", "https://badexample.com/x", false)]
    [InlineData("Feeds.Example.com", "https://feeds.EXAMPLE.com./x", true)]
    [InlineData("feeds.example.com", "https://feeds.example.com:444/x", false)]
    [InlineData("192.0.2.0/24", "https://192.0.2.7/x", true)]
    [InlineData("2001:db8::/32", "https://[2001:db8::1]/x", true)]
    [InlineData("127.0.0.1", "https://2130706433/x", true)]
    [InlineData("10.0.0.1", "https://0x0a000002/x", false)]
    public void Entries_of_the_list(string entry, string address, bool allowed) => new ExternalHosts([entry]).Allows(new Uri(address)).ShouldBe(allowed);

    [Theory]
    [InlineData("")]
    [InlineData("https://feeds.example.com")]
    [InlineData("feeds.example.com:x")]
    [InlineData("*")]
    public void Entries_that_mean_nothing_are_refused(string entry) => Should.Throw<FormatException>(() => new ExternalHosts([entry])).Message.ShouldContain($"'{entry}'");

    /// <summary>A file with a column of each kind, one of them named with a space, and a row of nulls.</summary>
    internal static byte[] Parquet { get; } = Convert.FromBase64String(
        "UEFSMRUAFSwVMCwVBBUAFQYVBgAAFlQCAAAABAEBAAAAAAAAAAIAAAAAAAAAFQAVWBUoLBUEFQAVBhUGAAAsGCEAAABBAQB2AQAYAwAAAGEgYhUAFVoVKiwVBBUAFQYVBgAALRghAAAAQQEAdgEAHI"
        + "DVTvZeRwYAFQAVWhUeLBUEFQAVBhUGAAAtGCEAAABBAQCOAQAE+D8VABVMFRwsFQQVABUGFQYAACYYIQAAAEEBAHYBAAABFQAVlAEVJCwVBBUAFQYVBgAAShhBAAAAQQIA9gEAEAEAAAB2FQAVpAIV"
        + "SCwVBhUAFQYVBgAAkgEYIQAAAEECAHYBAABhASUAJHYkAO4BAAUBHAEAAAACAAAAFQAVUhUiLBUEFQAVBhUGAAApGCEAAABBAQB2AQAM0gQAABUCGcw1ABgNZHVja2RiX3NjaGVtYRUOABUEJQIYAm"
        + "lkJSQAFQwlAhgFbmEgbWUlAAAVBCUCGAJhdCUUTIwSHCwAAAAAABUKJQIYBXJhdGlvABUAJQIYAm9rADUCGANiYWcVBAAVDCUCGAFrJQAANQIYAW4VAhUGADUEGARsaXN0FQIAFQIlAhgHZWxlbWVu"
        + "dCUiABUCJQIYBGNvc3QlChUEFRIsXBUEFRIAAAAWBBkcGYwmABwVBBkVABkYAmlkFQIWBBZOFlImCDwYCAIAAAAAAAAAGAgBAAAAAAAAABYAKAgCAAAAAAAAABgIAQAAAAAAAAAREQAAACYAHBUMGR"
        + "UAGRgFbmEgbWUVAhYEFnoWSiZaPBgDYSBiGANhIGIWAigDYSBiGANhIGIREQAAACYAHBUEGRUAGRgCYXQVAhYEFnwWTCakATwYCIDVTvZeRwYAGAiA1U72XkcGABYCKAiA1U72XkcGABgIgNVO9l5H"
        + "BgAREQAAACYAHBUKGRUAGRgFcmF0aW8VAhYEFnwWQCbwATwYCAAAAAAAAPg/GAgAAAAAAAD4PxYCKAgAAAAAAAD4PxgIAAAAAAAA+D8REQAAACYAHBUAGRUAGRgCb2sVAhYEFm4WPiawAjwYAQEYAQ"
        + "EWAigBARgBARERAAAAJgAcFQwZFQAZKANiYWcBaxUCFgQWuAEWSCbuAjwYAXYYAXYWAigBdhgBdhERAAAAJgAcFQIZFQAZSANiYWcBbgRsaXN0B2VsZW1lbnQVAhYGFsgCFmwmtgM8GAQCAAAAGAQB"
        + "AAAAFgIoBAIAAAAYBAEAAAAREQAAACYAHBUCGRUAGRgEY29zdBUCFgQWdBZEJqIEPBgE0gQAABgE0gQAABYCKATSBAAAGATSBAAAEREAAAAWogkWBCYIFt4EACgoRHVja0RCIHZlcnNpb24gdjEuNS"
        + "42IChidWlsZCAwNjljYzlmOWI1KRmMHAAAHAAAHAAAHAAAHAAAHAAAHAAAHAAAAPECAABQQVIx");

    private static byte[] Packed(string text) => Packed(Encoding.UTF8.GetBytes(text));

    private static byte[] Packed(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(bytes);
        return packed.ToArray();
    }

    private string Address(string file) => $"https://feeds.test:{_server.Port}/{file}";

    private string Query(string file) => $"externaldata (x:string) [@'{Address(file)}']";

    private ExternalDataOptions Options() => new() { AllowedHosts = [$"feeds.test:{_server.Port}", "127.0.0.1"] };

    private async Task<IReadOnlyList<object?[]>> RunAsync(string query, ExternalDataOptions? external = null)
    {
        var options = new TelemetryOptions { ExternalData = external ?? Options() };
        using var connector = new ExternalConnector(
            options.ExternalData,
            (_, certificate, _, _) => certificate?.Subject == "CN=feeds.test",
            (host, _) => Task.FromResult<IPAddress[]>([host switch
            {
                "inner.test" => IPAddress.Parse("10.1.2.3"),
                "mapped.test" => IPAddress.Parse("::ffff:169.254.169.254"),
                _ => IPAddress.Loopback,
            }]));
        var service = external is { AllowedHosts.Count: 0 }
            ? new HuntingService(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System)
            : new HuntingService(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System, connector);
        var result = await service.RunAsync(new HuntingRequest(Guid.NewGuid(), query), default);
        return [.. result.Rows];
    }

    private async Task<HuntingException> FailAsync(string query, ExternalDataOptions options) =>
        await Should.ThrowAsync<HuntingException>(() => RunAsync(query, options));
}
