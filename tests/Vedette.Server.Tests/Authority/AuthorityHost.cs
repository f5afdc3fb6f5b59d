using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Foundation;
using Vedette.Identity;
using Vedette.Identity.Directory;
using Vedette.Server.Authority;
using Vedette.Server.Hosting;
using Vedette.Testing;

namespace Vedette.Server.Tests.Authority;

/// <summary>The authority's surface on a real https port (and a plain one), with a certificate of an authority of its own.</summary>
internal sealed class AuthorityHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TestDatabase? _database;
    private readonly string _folder;

    private AuthorityHost(WebApplication app, TestDatabase? database, string folder)
    {
        _app = app;
        _database = database;
        _folder = folder;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Https = addresses.Single(address => address.StartsWith("https", StringComparison.Ordinal)).Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        Http = addresses.Single(address => address.StartsWith("http:", StringComparison.Ordinal));
    }

    /// <summary>Base address with https and the name localhost.</summary>
    public string Https { get; }

    /// <summary>Base address with plain http.</summary>
    public string Http { get; }

    /// <summary>PEM file of the certificate authority to trust.</summary>
    public string AuthorityFile => Path.Combine(_folder, "ca.pem");

    /// <summary>Services of the server.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>The directory.</summary>
    public DirectoryService Directory => Services.GetRequiredService<DirectoryService>();

    /// <summary>Starts a server with one tenant, contoso.example.</summary>
    /// <param name="state">A migrated database to use instead of a new one; it stays the caller's.</param>
    public static async Task<AuthorityHost> StartAsync(NpgsqlDataSource? state = null)
    {
        var database = state is null ? await TestPostgres.CreateAsync(IdentityServices.Migrations) : null;
        var folder = System.IO.Directory.CreateTempSubdirectory("vedette-authority-").FullName;
        var certificate = new CertificateAuthority(folder, TimeProvider.System).ServerCertificate();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddSingleton(state ?? database!.DataSource);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IIdentifierSource, RandomIdentifierSource>();
        builder.Services.AddVedetteIdentity(new IdentityOptions { KeyFile = Path.Combine(folder, "identity.key") });
        builder.Services.AddHostedService<AuthorityWorker>();
        var app = builder.Build();
        await app.Services.GetRequiredService<IdentityStartup>().StartAsync();
        await app.Services.GetRequiredService<DirectoryService>().CreateTenantAsync(new CreateTenantRequest("Contoso", "contoso.example"));
        app.MapAuthority();
        app.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsync("another surface");
        });
        await app.StartAsync();
        return new AuthorityHost(app, database, folder);
    }

    /// <summary>An application with a secret and consent to permissions of the Endpoint API.</summary>
    public async Task<(string ClientId, string Secret)> AddClientAsync(params string[] permissions)
    {
        var id = (await Directory.CreateApplicationAsync(new CreateApplicationRequest("Client"))).AppId.ToString();
        await Directory.GrantAsync(new GrantRequest(id, permissions, "endpoint"));
        await Directory.ConsentAsync(id);
        return (id, (await Directory.AddSecretAsync(id)).SecretText);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
        System.IO.Directory.Delete(_folder, recursive: true);
    }
}
