using System.Text;
using System.Text.Json;
using Xunit.Abstractions;

namespace Vedette.Clients.Tests;

/// <summary>
/// Public clients, unmodified, times every grant they support: once with their documented settings for another authority, and once by the real
/// services' names with no setting at all but the certificate authority. Sign-ins happen in a real browser.
/// </summary>
[Collection(MatrixCollection.Name)]
public sealed class ClientMatrixTests(MatrixServer server, ITestOutputHelper output)
{
    private static readonly string[] Grants = ["secret", "certificate", "code", "device", "refresh", "password", "obo"];

    // What the server's audit log calls each of them.
    private static readonly Dictionary<string, string> AuditNames = new()
    {
        ["secret"] = "client_credentials", ["certificate"] = "client_credentials", ["code"] = "authorization_code", ["device"] = "urn:ietf:params:oauth:grant-type:device_code",
        ["refresh"] = "refresh_token", ["password"] = "password", ["obo"] = "urn:ietf:params:oauth:grant-type:jwt-bearer",
    };

    [Fact]
    public Task Every_client_with_its_documented_settings() => RunAsync("https://localhost:8443");

    [Fact]
    public Task Every_client_by_the_real_names_with_no_setting_but_the_certificate() => RunAsync(null);

    [Fact]
    public async Task The_pages_work_in_a_browser_without_scripts_by_keyboard_and_on_a_phone()
    {
        var settings = server.Settings["curl"];
        var url = $"https://login.microsoftonline.com/{settings.Tenant}/oauth2/v2.0/authorize?client_id={settings.NativeId}&response_type=code&prompt=consent"
            + $"&redirect_uri=http%3A%2F%2Flocalhost%3A59%2F&scope={Uri.EscapeDataString(settings.UserScope)}";
        var lines = await server.RunAsync(["node", Path.Combine(ClientProcess.ProjectFolder, "node", "pages.mjs"), url, settings.UserName, settings.Password], "", new Dictionary<string, string>());
        lines[0]["wrong"]!.AsArray().Select(line => (string)line!).ShouldBeEmpty();
    }

    /// <summary>An application in a page: code with PKCE from another origin, renewal without the person, sign-out.</summary>
    [Theory]
    [InlineData("https://localhost:8443")]
    [InlineData(null)]
    public async Task A_page_signs_a_person_in_and_renews_its_token_with_msal_browser(string? authority)
    {
        var settings = server.Settings[MatrixHost.SinglePage] with { Authority = authority };
        var answer = (await server.RunAsync(["node", ClientProcess.NodeScript("spa.mjs")], JsonSerializer.Serialize(settings, ClientSettings.Json), new Dictionary<string, string>()))[0];
        answer["error"].ShouldBeNull(answer.ToJsonString());
        var (first, second) = (answer["first"]!, answer["second"]!);
        ((string)first["cached"]!["token"]!).ShouldBe((string)first["popup"]!["token"]!);
        var tokens = new[] { first["popup"]!, first["renewed"]!, second["redirect"]!, second["renewed"]! };
        tokens.Select(token => (string)token["token"]!).ShouldBeUnique();
        foreach (var token in tokens)
        {
            ((string)token["user"]!).ShouldBe(settings.UserName);
            ((string)token["tenant"]!).ShouldBe(settings.Tenant);
            (await CheckAsync("code", settings, (string)token["token"]!)).ShouldBeNull();
        }

        ((string)second["sessionBefore"]!, (string)second["sessionAfter"]!).ShouldBe(("unchanged", "changed"));
        ((int)second["accounts"]!).ShouldBe(0);
        ((bool)second["askedAgain"]!).ShouldBeTrue();
        ((int)answer["api"]!["status"]!).ShouldBe(200, answer["api"]!.ToJsonString());
        answer["api"]!["body"]!["value"].ShouldNotBeNull();
    }

    private async Task RunAsync(string? authority)
    {
        // A client mostly waits, for a browser or for the next time it may ask about a device.
        using var places = new SemaphoreSlim(4);
        var rows = await Task.WhenAll(MatrixHost.Clients.Select(async client =>
        {
            await places.WaitAsync();
            try
            {
                return (client, Cells: await AskAsync(client, server.Settings[client] with { Authority = authority }));
            }
            finally
            {
                places.Release();
            }
        }));

        var table = Table(rows);
        output.WriteLine(table);
        var wrong = rows.SelectMany(row => row.Cells.Where(cell => cell.Value is not null).Select(cell => $"{row.client} {cell.Key}: {cell.Value}")).ToArray();
        wrong.ShouldBeEmpty(table);
    }

    // For each grant null when it worked, else what went wrong.
    private async Task<Dictionary<string, string?>> AskAsync(string client, MatrixSettings settings)
    {
        var (words, environment) = Command(client, settings);
        var lines = await server.RunAsync(words, JsonSerializer.Serialize(settings, ClientSettings.Json), environment);
        var answers = lines.ToDictionary(line => (string)line["grant"]!);
        var audit = await AuditAsync(settings);
        var cells = new Dictionary<string, string?>();
        foreach (var grant in Grants)
        {
            cells[grant] = !answers.TryGetValue(grant, out var line) ? "no answer"
                : (string?)line["error"] is { } error ? error
                : audit.Contains(AuditNames[grant]) ? await CheckAsync(grant, settings, (string)line["token"]!)
                : $"the server saw no {AuditNames[grant]}";
        }

        return cells;
    }

    private async Task<string?> CheckAsync(string grant, MatrixSettings settings, string token)
    {
        var story = (await server.OperateAsync("token.inspect", new { token }))!;
        if (!(bool)story["usable"]!) return $"the token is not good: {story["findings"]}";
        var isApplication = grant is "secret" or "certificate";
        var (context, client, permissions, proof) = grant switch
        {
            "secret" => ("application", settings.ClientId, "Alert.Read.All", "a client secret"),
            "certificate" => ("application", settings.ClientId, "Alert.Read.All", "a certificate"),
            "obo" => ("user", settings.ClientId, "Alert.Read", "a client secret; user by pwd"),
            _ => ("user", settings.NativeId, "Alert.Read", "none (public client); user by pwd"),
        };
        ((string)story["context"]!).ShouldBe(context);
        ((string)story["application"]!).ShouldContain(client);
        ((string)story["proof"]!).ShouldBe(proof);
        story[isApplication ? "roles" : "scopes"]!.AsArray().Select(name => (string)name!).ShouldBe([permissions]);
        if (!isApplication) ((string)story["who"]!).ShouldBe(settings.UserName);
        return null;
    }

    private async Task<HashSet<string>> AuditAsync(MatrixSettings settings)
    {
        var seen = new HashSet<string>();
        foreach (var actor in new[] { settings.ClientId, settings.NativeId })
        {
            var rows = await server.OperateAsync("audit", new { actor, activity = "Issue token", limit = 1000 });
            foreach (var row in rows!.AsArray().Where(row => (bool)row!["succeeded"]!)) seen.Add((string)row!["detail"]!["grant"]!);
        }

        return seen;
    }

    private static (string[] Words, Dictionary<string, string> Environment) Command(string client, MatrixSettings settings)
    {
        var environment = new Dictionary<string, string> { ["VEDETTE_USER"] = settings.UserName, ["VEDETTE_PASSWORD"] = settings.Password };
        var folder = ClientProcess.ProjectFolder;
        string[] Node(string name) => ["node", Path.Combine(folder, "node", "matrix.mjs"), name];
        string[] Python(string name) => ["/usr/bin/python3", Path.Combine(folder, "matrix", "matrix.py"), name];
        string[] DotNet(string name) => ["dotnet", "exec", typeof(ClientMatrixTests).Assembly.Location, "matrix", name];
        if (client == "curl")
        {
            foreach (var (name, value) in new[]
            {
                ("AUTHORITY", settings.Authority ?? ""), ("TENANT", settings.Tenant), ("CLIENT_ID", settings.ClientId), ("SECRET", settings.Secret), ("NATIVE_ID", settings.NativeId),
                ("SCOPE", settings.Scope), ("USER_SCOPE", settings.UserScope), ("ASSERTION", settings.Assertion), ("KEY_PEM", settings.KeyPem), ("THUMBPRINT_SHA256", settings.ThumbprintSha256),
            }) environment[name] = value;
        }

        return (client switch
        {
            "MSAL.NET" => DotNet("msal-net"),
            "Azure.Identity" => DotNet("azure-identity-net"),
            "msal-node" => Node("msal-node"),
            "@azure/identity" => Node("azure-identity-js"),
            "oauth4webapi" => Node("oauth4webapi"),
            "python3-msal" => Python("msal-python"),
            "python3-azure" => Python("azure-identity-python"),
            _ => ["bash", Path.Combine(folder, "matrix", "curl.sh")],
        }, environment);
    }

    private static string Table(IEnumerable<(string Client, Dictionary<string, string?> Cells)> rows)
    {
        var text = new StringBuilder();
        text.AppendLine($"| {"client",-16} | {string.Join(" | ", Grants.Select(grant => grant.PadRight(11)))} |");
        foreach (var (client, cells) in rows) text.AppendLine($"| {client,-16} | {string.Join(" | ", Grants.Select(grant => (cells[grant] is null ? "ok" : "FAILED").PadRight(11)))} |");
        foreach (var (client, cells) in rows)
            foreach (var (grant, error) in cells.Where(cell => cell.Value is not null)) text.AppendLine($"{client} {grant}: {error}");
        return text.ToString();
    }
}
