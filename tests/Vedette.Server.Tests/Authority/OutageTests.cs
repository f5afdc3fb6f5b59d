using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using Vedette.Foundation.Migrations;
using Vedette.Foundation.Postgres;
using Vedette.Identity;
using Vedette.Identity.Directory;

namespace Vedette.Server.Tests.Authority;

/// <summary>The authority while its database is away, on an engine of its own.</summary>
public sealed class OutageTests
{
    private const string Api = "https://api.securitycenter.microsoft.com";
    private const string Password = "correct horse battery";

    [Fact]
    public async Task A_directory_that_is_out_of_reach_is_told_as_a_transient_error()
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("vedette-outage-").FullName;
        var options = new PostgresOptions { DataFolder = folder, Durable = false };
        var engine = await EmbeddedPostgres.StartAsync(options);
        try
        {
            await using var state = NpgsqlDataSource.Create(engine.ConnectionString);
            await MigrationRunner.ApplyAsync(state, [IdentityServices.Migrations]);
            await using var host = await AuthorityHost.StartAsync(state);
            using var http = new HttpClient { BaseAddress = new Uri(host.Http) };
            var (clientId, secret) = await host.AddClientAsync("Alert.Read.All");
            var native = (await host.Directory.CreateApplicationAsync(new CreateApplicationRequest("Console") { Native = true })).AppId.ToString();
            await host.Directory.GrantAsync(new GrantRequest(native, ["Alert.Read"], "endpoint", Delegated: true));
            await host.Directory.ConsentAsync(native);
            await host.Directory.CreateUserAsync(new CreateUserRequest("ada", "Ada Lovelace") { Password = Password });
            Task<HttpResponseMessage> Ask(string path, params (string, string)[] fields) => http.PostAsync(
                $"/contoso.example/oauth2/v2.0/{path}", new FormUrlEncodedContent(fields.ToDictionary(field => field.Item1, field => field.Item2)));
            Task<HttpResponseMessage> ByPassword() => Ask("token", ("grant_type", "password"), ("client_id", native), ("username", "ada@contoso.example"), ("password", Password), ("scope", $"{Api}/Alert.Read"));
            (await ByPassword()).StatusCode.ShouldBe(HttpStatusCode.OK);

            await engine.DisposeAsync();
            await ShouldRefuseAsync(90033, await ByPassword());
            await ShouldRefuseAsync(90033, await Ask("devicecode", ("client_id", native), ("scope", $"{Api}/Alert.Read")));

            // What the directory's picture in memory answers goes on.
            (await Ask("token", ("grant_type", "client_credentials"), ("client_id", clientId), ("client_secret", secret), ("scope", $"{Api}/.default"))).StatusCode.ShouldBe(HttpStatusCode.OK);

            engine = await EmbeddedPostgres.StartAsync(options);
            (await ByPassword()).StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        finally
        {
            await engine.DisposeAsync();
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task ShouldRefuseAsync(int number, HttpResponseMessage answer)
    {
        answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, await answer.Content.ReadAsStringAsync());
        answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        body.RootElement.GetProperty("error").GetString().ShouldBe("temporarily_unavailable");
        body.RootElement.GetProperty("error_codes").EnumerateArray().Select(code => code.GetInt32()).ShouldBe([number]);
        Regex.IsMatch(
            body.RootElement.GetProperty("error_description").GetString()!,
            $@"^AADSTS{number}: A transient error has occurred\. Please try again\. Trace ID: [0-9a-f-]{{36}} Correlation ID: [0-9a-f-]{{36}} Timestamp: \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\dZ$").ShouldBeTrue(body.RootElement.ToString());
    }
}
