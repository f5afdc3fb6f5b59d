using System.Text.Json;
using System.Text.RegularExpressions;
using Vedette.Foundation;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;
using Vedette.Identity.Security;
using Vedette.Identity.SignIn;
using Vedette.Identity.Tokens;
using Vedette.Testing;

namespace Vedette.Identity.Tests;

/// <summary>An authority on a database of its own, with a clock that tests set.</summary>
internal sealed class TestAuthority : IAsyncDisposable
{
    public const string Base = "https://localhost:8443";

    private static readonly byte[] KeyMaterial = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    // One signing key for all tests: making one takes longer than most tests.
    private static readonly SigningKey SharedKey = SigningKey.Create(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TestDatabase _database;

    private TestAuthority(TestDatabase database)
    {
        _database = database;
        Store = new DirectoryStore(database.DataSource);
        Directory = new DirectoryService(Store, Key, Clock, new SeededIdentifierSource(7));
        Keys = new SigningKeys(database.DataSource, Key, Clock);
        Audit = new RecordingAudit();
        Tickets = new TicketStore(database.DataSource, Key, Clock);
        Limiter = new AttemptLimiter(Clock);
        Factors = new SecondFactors(database.DataSource, Key, Clock, Audit);
        Settings = new SignInSettings(database.DataSource, Clock, Audit);
        SignIn = new PasswordSignIn(Store, Directory, database.DataSource, Limiter, Options, Clock, Audit);
        var delegated = new DelegatedTokens(Keys, Tickets, Factors, Directory);
        IGrant[] grants =
        [
            new ClientCredentialsGrant(Keys), new PasswordGrant(SignIn, delegated), new RefreshTokenGrant(Tickets, Directory, delegated, Settings),
            new OnBehalfOfGrant(new AccessTokenValidator(Keys, Store, Clock), Directory, delegated, Clock, Keys),
            new DeviceCodeGrant(Tickets, Directory, delegated), new AuthorizationCodeGrant(Tickets, Directory, delegated),
        ];
        Interactive = new InteractiveSignIn(Store, Directory, SignIn, Factors, Tickets, Key, Clock);
        DeviceCodes = new DeviceCodeEndpoint(Store, Tickets, Limiter, Options, Clock);
        Endpoint = new TokenEndpoint(Store, new ClientAuthentication(Key), grants, Audit, Clock);
        Documents = new MetadataDocuments(Store, Keys, Clock);
        Validator = new AccessTokenValidator(Keys, Store, Clock);
    }

    public SettableClock Clock { get; } = new(new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero));

    public IdentityKey Key { get; } = new(KeyMaterial);

    public DirectoryStore Store { get; }

    public DirectoryService Directory { get; }

    public SigningKeys Keys { get; }

    public RecordingAudit Audit { get; }

    public TicketStore Tickets { get; }

    public static IdentityOptions Options { get; } = new() { KeyFile = "" };

    public AttemptLimiter Limiter { get; }

    public SecondFactors Factors { get; }

    public SignInSettings Settings { get; }

    public PasswordSignIn SignIn { get; }

    public InteractiveSignIn Interactive { get; }

    public DeviceCodeEndpoint DeviceCodes { get; }

    public TokenEndpoint Endpoint { get; }

    public MetadataDocuments Documents { get; }

    public AccessTokenValidator Validator { get; }

    public Npgsql.NpgsqlDataSource Database => _database.DataSource;

    public Tenant Tenant => Directory.FindTenant(null);

    public static async Task<TestAuthority> StartAsync(bool withTenant = true)
    {
        var authority = new TestAuthority(await TestPostgres.CreateAsync(IdentityServices.Migrations));
        await authority.StoreKeyAsync(SharedKey);
        await authority.Keys.LoadAsync();
        await authority.Store.LoadAsync();
        if (withTenant) await authority.Directory.CreateTenantAsync(new CreateTenantRequest("Contoso", "contoso.example"));
        return authority;
    }

    /// <summary>An application with a secret and consent to the given permissions of the Endpoint API.</summary>
    public async Task<(ApplicationDetails Application, string Secret)> AddClientAsync(params string[] permissions)
    {
        var application = await Directory.CreateApplicationAsync(new CreateApplicationRequest($"Client {Store.Current.Applications.Count}"));
        var name = application.AppId.ToString();
        if (permissions.Length > 0)
        {
            await Directory.GrantAsync(new GrantRequest(name, permissions, "endpoint"));
            await Directory.ConsentAsync(name);
        }

        return (application, (await Directory.AddSecretAsync(name)).SecretText);
    }

    public async Task<Answer> PostAsync(int version, string tenant, params (string Name, string? Value)[] fields) =>
        await SendAsync(Call(version, tenant, fields));

    public async Task<Answer> SendAsync(AuthorityCall call)
    {
        var answer = await Endpoint.HandleAsync(call);
        return new Answer(answer.Status, JsonDocument.Parse(answer.Body).RootElement);
    }

    public AuthorityCall Call(int version, string tenant, params (string Name, string? Value)[] fields) => new()
    {
        Authority = Base,
        TenantSegment = tenant,
        Version = version,
        Method = "POST",
        Form = fields.Where(field => field.Value is not null).ToDictionary(field => field.Name, field => field.Value!),
        TraceId = new Guid("11111111-1111-1111-1111-111111111111"),
        CorrelationId = new Guid("22222222-2222-2222-2222-222222222222"),
    };

    public async Task StoreKeyAsync(SigningKey key)
    {
        await using var command = Database.CreateCommand("INSERT INTO identity.signing_keys (id, private_key, certificate, signs_from) VALUES ($1, $2, $3, $4)");
        foreach (var value in new object[] { key.Id, Key.Protect(key.ExportPrivateKey()), key.Certificate, key.SignsFrom })
            command.Parameters.Add(new Npgsql.NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}

/// <summary>What an endpoint answered.</summary>
internal sealed record Answer(int Status, JsonElement Body)
{
    public string Text(string name) => Body.GetProperty(name).GetString()!;

    /// <summary>Fails unless this is a refusal with the given number, error word and status.</summary>
    public string ShouldRefuse(int number, string error, int status)
    {
        Body.TryGetProperty("error_codes", out var codes).ShouldBeTrue(Body.ToString());
        codes.EnumerateArray().Select(code => code.GetInt32()).ShouldBe([number], Body.ToString());
        Text("error").ShouldBe(error);
        Status.ShouldBe(status);
        Text("error_description").ShouldStartWith($"AADSTS{number}: ");
        var sentence = string.Join(".*", Regex.Split(ErrorCatalogue.Create(number).Text, @"\{\d\}").Select(Regex.Escape));
        Regex.IsMatch(Text("error_description"), $"^AADSTS{number}: {sentence}.* Trace ID: [0-9a-f-]{{36}} Correlation ID: [0-9a-f-]{{36}} Timestamp: .{{20}}$", RegexOptions.Singleline).ShouldBeTrue(Text("error_description"));
        Text("error_description").Replace("{EUII Hidden}", "", StringComparison.Ordinal).ShouldNotContain("{");
        return Text("error_description");
    }
}

internal sealed class SettableClock(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}

internal sealed class RecordingAudit : IAuditSink
{
    private readonly List<AuditEvent> _events = [];

    public IReadOnlyList<AuditEvent> Events => _events;

    public void Record(AuditEvent audit) => _events.Add(audit);
}
