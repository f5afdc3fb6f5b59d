using Vedette.Identity;

namespace Vedette.Server.Authority;

/// <summary>Runs the authority's background work as long as the server runs.</summary>
internal sealed class AuthorityWorker(IdentityStartup identity) : BackgroundService
{
    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => identity.RunAsync(stoppingToken);
}
