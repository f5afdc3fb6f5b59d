using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>The server stands in for the real services' host names, through the proxy and on their own port.</summary>
public sealed class EmulatedHostsTests(EmulatedHostsTests.Server server) : IClassFixture<EmulatedHostsTests.Server>
{
    [Fact]
    public async Task A_token_and_a_call_by_the_real_names()
    {
        using var http = server.Client();
        var token = await server.TokenAsync(http, "login.microsoftonline.com");
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.securitycenter.microsoft.com/api/machines?$top=1");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await http.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        ((string)body["@odata.context"]!).ShouldStartWith("https://api.securitycenter.microsoft.com/api/");
    }

    [Theory]
    [InlineData("login.microsoftonline.com", "https://login.microsoftonline.com", "graph.microsoft.com")]
    [InlineData("login.windows.net", "https://login.microsoftonline.com", "graph.microsoft.com")]
    [InlineData("sts.windows.net", "https://login.microsoftonline.com", "graph.microsoft.com")]
    [InlineData("login.microsoftonline.us", "https://login.microsoftonline.us", "graph.microsoft.us")]
    public async Task Metadata_names_the_cloud_that_was_asked(string host, string issuer, string graph)
    {
        using var http = server.Client();
        var tenant = server.Process.TenantId;
        var metadata = JsonNode.Parse(await http.GetStringAsync($"https://{host}/{tenant}/v2.0/.well-known/openid-configuration"))!;
        ((string)metadata["issuer"]!).ShouldBe($"{issuer}/{tenant}/v2.0");
        ((string)metadata["token_endpoint"]!).ShouldBe($"https://{host}/{tenant}/oauth2/v2.0/token");
        ((string)metadata["userinfo_endpoint"]!).ShouldBe($"https://{graph}/oidc/userinfo");
        ((string)metadata["msgraph_host"]!).ShouldBe(graph);
    }

    [Fact]
    public async Task Instance_discovery_leads_to_the_host_that_was_asked_about()
    {
        using var http = server.Client();
        var answer = JsonNode.Parse(await http.GetStringAsync(
            "https://login.microsoftonline.com/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Flogin.microsoftonline.us%2Fcommon%2Foauth2%2Fv2.0%2Fauthorize"))!;
        ((string)answer["tenant_discovery_endpoint"]!).ShouldBe("https://login.microsoftonline.us/common/v2.0/.well-known/openid-configuration");
    }

    [Theory]
    [InlineData("login.microsoftonline.com", "/api/alerts")]
    [InlineData("api.securitycenter.microsoft.com", "/common/discovery/keys")]
    [InlineData("api.securitycenter.windows.com", "/health")]
    [InlineData("graph.microsoft.com", "/api/alerts")]
    public async Task A_host_serves_its_own_addresses_only(string host, string path)
    {
        using var http = server.Client();
        using var answer = await http.GetAsync($"https://{host}{path}");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_challenge_names_the_authority_of_the_cloud()
    {
        using var http = server.Client();
        using var answer = await http.GetAsync("https://api-gov.securitycenter.microsoft.us/api/alerts");
        answer.Headers.WwwAuthenticate.ToString().ShouldContain("authorization_uri=\"https://login.microsoftonline.us/common/oauth2/authorize\"");
    }

    [Theory]
    [InlineData("CONNECT example.com:443 HTTP/1.1", "403")]
    [InlineData("CONNECT login.microsoftonline.com:80 HTTP/1.1", "403")]
    [InlineData("CONNECT localhost:443 HTTP/1.1", "403")]
    [InlineData("GET http://login.microsoftonline.com/ HTTP/1.1", "405")]
    [InlineData("nonsense", "405")]
    public async Task The_proxy_leads_nowhere_else(string line, string status)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.ProxyPort);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(line + "\r\nHost: x\r\n\r\n"));
        using var reader = new StreamReader(stream);
        (await reader.ReadLineAsync())!.ShouldStartWith($"HTTP/1.1 {status}");
    }

    [Theory]
    [InlineData("example.com")]
    [InlineData("microsoftonline.com")]
    public async Task The_real_hosts_port_shows_no_certificate_for_other_names(string name)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.HostsPort);
        await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await Should.ThrowAsync<IOException>(() => tls.AuthenticateAsClientAsync(name));
    }

    [Fact]
    public async Task A_request_for_another_host_over_such_a_connection_is_misdirected()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.HostsPort);
        await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("login.microsoftonline.com");
        await tls.WriteAsync("GET /common/discovery/keys HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(tls);
        (await reader.ReadLineAsync())!.ShouldStartWith("HTTP/1.1 421");
    }

    [Fact]
    public void The_authority_can_certify_localhost_and_the_emulated_hosts_only()
    {
        using var authority = X509CertificateLoader.LoadCertificateFromFile((string)server.Process.Ready["caCertificate"]!);
        var constraints = authority.Extensions.Single(extension => extension.Oid!.Value == "2.5.29.30");
        constraints.Critical.ShouldBeTrue();
        var text = System.Text.Encoding.ASCII.GetString(constraints.RawData);
        text.ShouldContain("login.microsoftonline.com");
        text.ShouldContain("localhost");
        text.ShouldNotContain("example");
        foreach (var key in System.IO.Directory.EnumerateFiles(Path.Combine(server.Process.Data, "keys"), "*.key"))
            File.GetUnixFileMode(key).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, key);
    }

    [Fact]
    public async Task Trust_prints_what_platforms_need()
    {
        var (code, pem, _) = await server.Process.RunAsync("trust", "--print");
        code.ShouldBe(0);
        pem.ShouldBe(await File.ReadAllTextAsync((string)server.Process.Ready["caCertificate"]!));
        var (_, lines, _) = await server.Process.RunAsync("trust", "--env");
        foreach (var variable in new[] { "SSL_CERT_FILE=", "REQUESTS_CA_BUNDLE=", "NODE_EXTRA_CA_CERTS=", "CURL_CA_BUNDLE=" }) lines.ShouldContain($"export {variable}'/");
        var (_, hosts, _) = await server.Process.RunAsync("trust", "--hosts-file");
        hosts.ShouldContain("127.0.0.1 api.securitycenter.windows.com\n");
        (await server.Process.RunAsync("trust", "--print", "--env")).ExitCode.ShouldBe(2);
    }

    [Fact]
    public async Task By_default_nothing_of_it_is_there()
    {
        await using var plain = await VedetteProcess.StartAsync(null, "--empty");
        plain.Ready.ContainsKey("hosts").ShouldBeFalse();
        plain.Ready.ContainsKey("proxy").ShouldBeFalse();
        File.Exists(Path.Combine(plain.Data, "keys", "hosts.pem")).ShouldBeFalse();
    }

    /// <summary>A server with both ways in, on free ports.</summary>
    public sealed class Server : IAsyncLifetime
    {
        public VedetteProcess Process { get; private set; } = null!;

        public int HostsPort { get; private set; }

        public int ProxyPort => new Uri((string)Process.Ready["proxy"]!).Port;

        public async Task InitializeAsync()
        {
            HostsPort = FreePort();
            Process = await VedetteProcess.StartAsync(null, "--hosts", "--hosts-port", HostsPort.ToString(System.Globalization.CultureInfo.InvariantCulture), "--proxy", "0");
        }

        public async Task DisposeAsync() => await Process.DisposeAsync();

        /// <summary>A client that trusts the server's authority and nothing else, and uses the proxy.</summary>
        public HttpClient Client()
        {
            var root = X509CertificateLoader.LoadCertificateFromFile((string)Process.Ready["caCertificate"]!);
            return new HttpClient(new SocketsHttpHandler
            {
                Proxy = new WebProxy((string)Process.Ready["proxy"]!),
                AllowAutoRedirect = false,
                SslOptions = { CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck } },
            });
        }

        /// <summary>A token of the demo application by one of the authority's names.</summary>
        public async Task<string> TokenAsync(HttpClient http, string host)
        {
            using var form = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_id"] = Process.ClientId,
                ["client_secret"] = Process.ClientSecret,
                ["scope"] = "https://api.securitycenter.microsoft.com/.default",
            });
            using var answer = await http.PostAsync($"https://{host}/{Process.TenantId}/oauth2/v2.0/token", form);
            return (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["access_token"]!;
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
