using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vedette.Defender;
using Vedette.Defender.Access;
using Vedette.Defender.State;
using Vedette.Foundation;
using Vedette.Identity;
using Vedette.Identity.Directory;
using Vedette.Server.Authority;
using Vedette.Server.Endpoint;
using Vedette.Server.Graph;
using Vedette.Server.Hosting;
using Vedette.Server.ThreatProtection;
using Vedette.Server.Tests.Endpoint;
using Vedette.Telemetry;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Server.Tests.Access;

/// <summary>Authority and surfaces together on a real port over a real database, with one tenant, contoso.example.</summary>
internal sealed class DirectoryHost : IAsyncDisposable
{
    public const string Password = "correct horse battery";
    private static readonly Lazy<Task<string>> Telemetry = new(MakeTelemetryAsync);
    private readonly TestDatabase _database;
    private readonly WebApplication _application;
    private readonly string _folder;

    private DirectoryHost(TestDatabase database, WebApplication application, string folder)
    {
        _database = database;
        _application = application;
        _folder = folder;
        Client = new HttpClient { BaseAddress = new Uri(application.Urls.Single(address => address.StartsWith("http:", StringComparison.Ordinal))) };
    }

    public HttpClient Client { get; }

    public IServiceProvider Services => _application.Services;

    public DirectoryService Directory => Services.GetRequiredService<DirectoryService>();

    public AccessService Access => Services.GetRequiredService<AccessService>();

    public Tenant Tenant => Directory.FindTenant("contoso.example");

    /// <summary>Base address with https and the name localhost, when the host was started with it.</summary>
    public string Https => _application.Urls.Single(address => address.StartsWith("https", StringComparison.Ordinal)).Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

    /// <summary>PEM file of the certificate authority to trust.</summary>
    public string AuthorityFile => Path.Combine(_folder, "ca.pem");

    /// <summary>Starts the host.</summary>
    /// <param name="https">True to listen with https too, with a certificate of an authority of its own.</param>
    /// <param name="more">Adds services after all others.</param>
    public static async Task<DirectoryHost> StartAsync(bool https = false, Action<IServiceCollection>? more = null)
    {
        var database = await TestPostgres.CreateAsync(IdentityServices.Migrations, DefenderState.Migrations);
        var folder = System.IO.Directory.CreateTempSubdirectory("vedette-directory-").FullName;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            if (https) kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(new CertificateAuthority(folder, TimeProvider.System).ServerCertificate()));
        });
        builder.Logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Error);
        builder.Services.AddSingleton(database.DataSource);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IIdentifierSource, RandomIdentifierSource>();
        builder.Services.AddSingleton(TestEngine.Shared);
        builder.Services.AddVedetteTelemetry(new TelemetryOptions { Database = await Telemetry.Value });
        builder.Services.AddVedetteIdentity(new IdentityOptions { KeyFile = Path.Combine(folder, "identity.key") });
        builder.Services.AddVedetteDefender(new DefenderOptions { FilesFolder = folder });
        builder.Services.AddVedetteEndpoint();
        builder.Services.AddVedetteThreatProtection();
        builder.Services.AddVedetteGraph();
        builder.Services.AddHostedService<AuthorityWorker>();
        more?.Invoke(builder.Services);
        var application = builder.Build();
        await application.Services.GetRequiredService<IdentityStartup>().StartAsync();
        await application.Services.GetRequiredService<DirectoryService>().CreateTenantAsync(new CreateTenantRequest("Contoso", "contoso.example"));
        application.MapAuthority();
        application.MapEndpoint();
        application.MapGraph();
        await application.StartAsync();
        return new DirectoryHost(database, application, folder);
    }

    /// <summary>Another tenant, with a domain of its own.</summary>
    public async Task<Tenant> AddTenantAsync(string name = "Fabrikam") => await Directory.CreateTenantAsync(new CreateTenantRequest(name, $"{Guid.NewGuid():N}.example"));

    /// <summary>An application with a secret that holds permissions of an API in its home tenant.</summary>
    public async Task<TestClient> AddClientAsync(string[] roles, string api = "endpoint", string[]? scopes = null, Tenant? tenant = null, bool multiTenant = false)
    {
        var home = (tenant ?? Tenant).Id.ToString();
        var application = await Directory.CreateApplicationAsync(new CreateApplicationRequest($"Client {Guid.NewGuid():N}") { Tenant = home, MultiTenant = multiTenant });
        var id = application.AppId.ToString();
        if (roles.Length > 0) await Directory.GrantAsync(new GrantRequest(id, roles, api));
        if (scopes is { Length: > 0 }) await Directory.GrantAsync(new GrantRequest(id, scopes, api, Delegated: true));
        if (roles.Length > 0 || scopes is { Length: > 0 }) await Directory.ConsentAsync(id);
        return new TestClient(application, home, (await Directory.AddSecretAsync(id)).SecretText);
    }

    /// <summary>A user who can sign in with <see cref="Password"/>.</summary>
    public async Task<UserInfo> AddUserAsync(string name, Tenant? tenant = null, params DirectoryRole[] roles) => await Directory.CreateUserAsync(
        new CreateUserRequest(name, name) { Password = Password, Tenant = (tenant ?? Tenant).Id.ToString(), DirectoryRoles = [.. roles.Select(role => role.TemplateId)] });

    /// <summary>A token in application context.</summary>
    public async Task<string> TokenAsync(TestClient client, string resource = EndpointHost.Audience, string? tenant = null) => await TokenAsync(
        tenant ?? client.Tenant,
        [new("grant_type", "client_credentials"), new("client_id", client.Id), new("client_secret", client.Secret), new("scope", $"{resource}/.default")]);

    /// <summary>A token in user context.</summary>
    public async Task<string> UserTokenAsync(TestClient client, UserInfo user, string resource = EndpointHost.Audience) => await TokenAsync(
        user.TenantId.ToString(),
        [
            new("grant_type", "password"), new("client_id", client.Id), new("client_secret", client.Secret), new("scope", $"{resource}/.default"),
            new("username", user.UserPrincipalName), new("password", Password),
        ]);

    /// <summary>Asks the token endpoint.</summary>
    public async Task<Answer> AskTokenAsync(string tenant, IReadOnlyList<KeyValuePair<string, string>> form)
    {
        using var content = new FormUrlEncodedContent(form);
        using var response = await Client.PostAsync(new Uri($"/{tenant}/oauth2/v2.0/token", UriKind.Relative), content);
        return await Answer.ReadAsync(response);
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? token, object? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(Client.BaseAddress + path.TrimStart('/')));
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null) request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var response = await Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    public Task<Answer> GetAsync(string path, string token, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, token, null, headers);

    /// <summary>Appends rows to a tenant's telemetry, which all hosts of the test process share.</summary>
    public Task AppendAsync(Guid tenant, HuntingRow[] rows) => _application.Services.GetRequiredService<IHuntingStore>().AppendAsync(tenant, rows, null, default);

    /// <summary>Stores entities of the domain.</summary>
    public async Task SeedAsync(params object[] entities)
    {
        await using var context = await Services.GetRequiredService<IDbContextFactory<DefenderDbContext>>().CreateDbContextAsync();
        context.AddRange(entities);
        await context.SaveChangesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
        await _database.DisposeAsync();
        System.IO.Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> TokenAsync(string tenant, IReadOnlyList<KeyValuePair<string, string>> form)
    {
        var answer = await AskTokenAsync(tenant, form);
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Json.GetProperty("access_token").GetString()!;
    }

    private static async Task<string> MakeTelemetryAsync()
    {
        var name = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, name).EnsureAsync();
        return name;
    }
}

/// <summary>An application with its secret.</summary>
internal sealed record TestClient(ApplicationDetails Application, string Tenant, string Secret)
{
    public string Id => Application.AppId.ToString();
}

/// <summary>One host for a class of tests.</summary>
public sealed class DirectoryFixture : IAsyncLifetime
{
    internal DirectoryHost Host { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync() => Host = await DirectoryHost.StartAsync();

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Host.DisposeAsync();
}
