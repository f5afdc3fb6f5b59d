using Microsoft.Extensions.DependencyInjection;
using Vedette.Foundation.Migrations;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Security;
using Vedette.Identity.SignIn;
using Vedette.Identity.Tokens;

namespace Vedette.Identity;

/// <summary>Settings of the authority.</summary>
public sealed record IdentityOptions
{
    /// <summary>File that holds the authority's key; made at first start, readable by its owner only. Must be backed up with the database.</summary>
    public required string KeyFile { get; init; }

    /// <summary>Wrong passwords and codes that one address may try within a minute.</summary>
    public int FailedSignInsPerMinute { get; init; } = 60;

    /// <summary>Device sign-ins that one client may begin within a minute.</summary>
    public int DeviceCodesPerMinute { get; init; } = 60;
}

/// <summary>Puts the authority's parts together.</summary>
public static class IdentityServices
{
    /// <summary>The steps that bring the schema <c>identity</c> up to date.</summary>
    public static MigrationSet Migrations { get; } = MigrationSet.FromResources(typeof(IdentityServices).Assembly, "identity");

    /// <summary>
    /// Registers the authority. Needs an <see cref="Npgsql.NpgsqlDataSource"/>, a <see cref="TimeProvider"/> and an
    /// <see cref="Foundation.IIdentifierSource"/> in the container. Call <see cref="IdentityStartup.StartAsync"/> before serving.
    /// </summary>
    public static IServiceCollection AddVedetteIdentity(this IServiceCollection services, IdentityOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton(_ => IdentityKey.OpenOrCreate(options.KeyFile));
        services.AddSingleton<DirectoryStore>();
        services.AddSingleton<ITenantLookup>(provider => provider.GetRequiredService<DirectoryStore>());
        services.AddSingleton<DirectoryService>();
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<ISigningKeySource>(provider => provider.GetRequiredService<SigningKeys>());
        services.AddSingleton(provider => new AccessTokenValidator(
            provider.GetRequiredService<ISigningKeySource>(), provider.GetRequiredService<ITenantLookup>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<AuditLog>();
        services.AddSingleton<IAuditSink>(provider => provider.GetRequiredService<AuditLog>());
        services.AddSingleton<ClientAuthentication>();
        services.AddSingleton<TicketStore>();
        services.AddSingleton<PasswordSignIn>();
        services.AddSingleton<SecondFactors>();
        services.AddSingleton<SignInSettings>();
        services.AddSingleton<AttemptLimiter>();
        services.AddSingleton<DelegatedTokens>();
        services.AddSingleton<IGrant, ClientCredentialsGrant>();
        services.AddSingleton<IGrant, PasswordGrant>();
        services.AddSingleton<IGrant, RefreshTokenGrant>();
        services.AddSingleton<IGrant, DeviceCodeGrant>();
        services.AddSingleton<IGrant, AuthorizationCodeGrant>();
        services.AddSingleton<IGrant, OnBehalfOfGrant>();
        services.AddSingleton<DeviceCodeEndpoint>();
        services.AddSingleton<UserInfoEndpoint>();
        services.AddSingleton<InteractiveSignIn>();
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<TokenIssuer>();
        services.AddSingleton<MetadataDocuments>();
        services.AddSingleton<IdentityStartup>();
        return services;
    }
}

/// <summary>Brings the authority up and keeps it in order.</summary>
public sealed class IdentityStartup(DirectoryStore directory, SigningKeys keys, AuditLog audit, TicketStore tickets)
{
    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromMinutes(10);

    /// <summary>Reads signing keys and directory, both at once. The schema must be up to date.</summary>
    public Task StartAsync(CancellationToken cancellationToken = default) => Task.WhenAll(
        keys.LoadAsync(cancellationToken), directory.LoadAsync(cancellationToken), PublishedResources.EnsureAsync(directory, cancellationToken));

    /// <summary>Follows other servers' changes, writes the audit log, rotates keys; until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(directory.FollowAsync(cancellationToken), audit.RunAsync(cancellationToken), MaintainAsync(cancellationToken));

    private async Task MaintainAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(MaintenanceInterval, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested) return;
            try
            {
                await keys.MaintainAsync(cancellationToken);
                await audit.TrimAsync(cancellationToken);
                await tickets.TrimAsync(cancellationToken);
            }
            catch (Exception exception) when (exception is Npgsql.NpgsqlException or IOException or OperationCanceledException)
            {
                // The database is away or the server is stopping: the next round is as good.
            }
        }
    }
}
