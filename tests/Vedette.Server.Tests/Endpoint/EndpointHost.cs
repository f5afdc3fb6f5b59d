using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vedette.Defender;
using Vedette.Defender.State;
using Vedette.Identity.Tokens;
using Vedette.Server.Endpoint;
using Vedette.Server.Http;
using Vedette.Server.Http.Steps;
using Vedette.Telemetry;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Server.Tests.Endpoint;

/// <summary>The surface on a real port over a real database, with real tokens.</summary>
internal sealed class EndpointHost : IAsyncDisposable
{
    public const string Audience = "https://api.securitycenter.microsoft.com";
    public const string ThreatProtection = "https://api.security.microsoft.com";
    private static readonly SigningKey Key = SigningKey.Create(DateTimeOffset.UtcNow.AddDays(-30));

    private static readonly Lazy<string> Telemetry = new(() => MakeTelemetryAsync().GetAwaiter().GetResult());

    private readonly TestDatabase _database;
    private readonly WebApplication _application;
    private readonly string _files;

    private EndpointHost(TestDatabase database, WebApplication application, Uri address, string files)
    {
        _files = files;
        _database = database;
        _application = application;
        Client = new HttpClient { BaseAddress = address };
    }

    public static Guid Tenant { get; } = new("11111111-2222-3333-4444-555555555555");

    public static Guid Application { get; } = new("aaaaaaaa-0000-4000-8000-000000000001");

    public HttpClient Client { get; }

    public IServiceProvider Services => _application.Services;

    public static async Task<EndpointHost> StartAsync(Action<HttpSettings>? settings = null, Action<IServiceCollection>? more = null)
    {
        var database = await TestPostgres.CreateAsync(DefenderState.Migrations);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Error);
        builder.Services.AddSingleton(database.DataSource);
        builder.Services.AddSingleton<ISigningKeySource>(new SigningKeyRing([Key]));
        builder.Services.AddSingleton<ITenantLookup, OneTenant>();
        builder.Services.AddSingleton(p => new AccessTokenValidator(
            p.GetRequiredService<ISigningKeySource>(), p.GetRequiredService<ITenantLookup>(), p.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(TestEngine.Shared);
        builder.Services.AddVedetteTelemetry(new TelemetryOptions { Database = Telemetry.Value });
        var files = Directory.CreateTempSubdirectory("vedette-files-").FullName;
        builder.Services.AddVedetteDefender(new DefenderOptions { FilesFolder = files });
        builder.Services.AddVedetteEndpoint();

        // There is no directory behind this host: users may do what their token says. DirectoryHost has one.
        builder.Services.RemoveAll<IUserAccess>();
        builder.Services.Configure<HttpSettings>(s => settings?.Invoke(s));
        more?.Invoke(builder.Services);
        var application = builder.Build();
        application.MapEndpoint();
        await application.StartAsync();
        return new EndpointHost(database, application, new Uri(application.Urls.Single()), files);
    }

    /// <summary>An application token with the given roles.</summary>
    public static string Token(params string[] roles) => Token(Audience, roles);

    public static string TokenFor(string audience, params string[] roles) => Token(audience, roles);

    public static string Write(Func<AccessTokenDescription, AccessTokenDescription> change) => AccessTokenWriter.Write(
        change(new AccessTokenDescription
        {
            TenantId = Tenant,
            ClientId = Application,
            ServicePrincipalId = new Guid("bbbbbbbb-0000-4000-8000-000000000001"),
            ClientDisplayName = "Test application",
            Audience = Audience,
            Authority = "https://localhost",
            NotBefore = DateTimeOffset.UtcNow.AddMinutes(-5),
            Expires = DateTimeOffset.UtcNow.AddHours(1),
        }),
        Key);

    /// <summary>Sends a request with a token that has the given roles.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null, string? token = null)
    {
        // The path is sent as it is written, spaces and quotes included where the client would send them so.
        using var request = new HttpRequestMessage(method, new Uri(Client.BaseAddress + path.TrimStart('/')));
        if (token is { Length: > 0 }) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is string text) request.Content = new StringContent(text, new MediaTypeHeaderValue("application/json"));
        else if (body is HttpContent content) request.Content = content;
        else if (body is not null) request.Content = JsonContent.Create(body, body.GetType(), options: JsonSerializerOptions.Default);
        using var response = await Client.SendAsync(request);
        return await Answer.ReadAsync(response);
    }

    public Task<Answer> GetAsync(string path, params string[] roles) => SendAsync(HttpMethod.Get, path, null, Token(roles));

    public Task<Answer> PostAsync(string path, object body, params string[] roles) => SendAsync(HttpMethod.Post, path, body, Token(roles));

    /// <summary>Stores entities.</summary>
    public async Task SeedAsync(params object[] entities)
    {
        await using var context = Context();
        context.AddRange(entities);
        await context.SaveChangesAsync();
    }

    /// <summary>Runs a statement on the state.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var command = _database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Appends rows to the tenant's telemetry, which all hosts of the test process share.</summary>
    public Task AppendAsync(params HuntingRow[] rows) =>
        Services.GetRequiredService<IHuntingStore>().AppendAsync(Tenant, rows, null, default);

    public DefenderDbContext Context() =>
        new(new DbContextOptionsBuilder<DefenderDbContext>().UseNpgsql(_database.DataSource).Options);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(_files, recursive: true);
    }

    private static async Task<string> MakeTelemetryAsync()
    {
        var name = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, name).EnsureAsync();
        return name;
    }

    private static string Token(string audience, string[] roles) => Write(d => d with { Audience = audience, Roles = roles });

    private sealed class OneTenant : ITenantLookup
    {
        public bool TenantExists(Guid tenantId) => tenantId == Tenant;
    }
}

/// <summary>What came back.</summary>
internal sealed record Answer(int Status, string Body, HttpResponseHeaders Headers, string? ContentType)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string? Code => Json.GetProperty("error").GetProperty("code").GetString();

    public string? Message => Json.GetProperty("error").GetProperty("message").GetString();

    public IReadOnlyList<JsonElement> Value => [.. Json.GetProperty("value").EnumerateArray()];

    public IReadOnlyList<string?> Ids => [.. Value.Select(item => item.GetProperty("id").GetString())];

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) => new(
        (int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers, response.Content.Headers.TryGetValues("Content-Type", out var type) ? type.Single() : null);

    /// <summary>Asserts an error answer to the letter.</summary>
    public void ShouldFail(int status, string code, string message)
    {
        Status.ShouldBe(status, Body);
        Code.ShouldBe(code);
        Message.ShouldBe(message);
    }
}
