using System.Globalization;
using Vedette.Identity.Directory;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Protocol;

/// <summary>
/// The refresh token grant. A refresh token belongs to a user and a client, not to an API: it may be redeemed for any API that was
/// consented to. Each use gives a new one; the old one stays good, as the real service has it, unless the tenant wants it otherwise.
/// </summary>
public sealed class RefreshTokenGrant(TicketStore tickets, DirectoryService directory, DelegatedTokens tokens, SignInSettings settings) : IGrant
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = ["refresh_token"];

    /// <inheritdoc/>
    public bool AllowsPublicClients => true;

    /// <inheritdoc/>
    public ProtocolError? CheckTenant(TenantAlias alias) => null;

    /// <inheritdoc/>
    public async ValueTask<ProtocolError?> ExecuteAsync(TokenContext context, CancellationToken cancellationToken)
    {
        var call = context.Call;
        if (call.Field("refresh_token") is not { } value) return ErrorCatalogue.Create(900144, "refresh_token");
        if (!TicketStore.IsWellFormed(value)) return ErrorCatalogue.Create(9002313);
        if (await tickets.FindAsync(TicketKind.Refresh, value, cancellationToken) is not { } ticket) return ErrorCatalogue.Create(70000, "The refresh token is not known.");
        if (ticket.AppId != context.Client.AppId) return ErrorCatalogue.Create(70000, "The refresh token was issued to another client.");
        if (ticket.ExpiresAt <= context.Now) return Ended(ticket);
        if (SinglePages.CheckOrigin(call, ticket.Data.SinglePageUntil is not null) is { } elsewhereFrom) return elsewhereFrom;
        if (await directory.FindUserAsync(ticket.UserId!.Value, cancellationToken) is not { } user) return ErrorCatalogue.Create(70008);
        if (DelegatedTokens.EnterTenant(context, user.TenantId) is { } elsewhere) return elsewhere.Number == 700005 ? ErrorCatalogue.Create(70000, "The refresh token belongs to another tenant.") : elsewhere;

        // What is not asked for anew is as it was at sign-in, also when that was at the other generation of endpoints.
        var data = ticket.Data;
        var scope = call.Field("scope");
        var resource = call.Field("resource");
        var asBefore = call.Version == 2 ? scope is null : resource is null;
        var version = asBefore ? data.Version : call.Version;
        if (asBefore) (scope, resource) = (data.Scope, data.Resource);
        if (DelegatedScopes.Read(version, scope, resource, context.Directory, context.Tenant.DisplayName, out var scopes) is { } error) return error;

        if (await CheckUseAsync(ticket, user, cancellationToken) is { } reused) return reused;

        // A new refresh token comes with every answer, whether or not offline_access is repeated.
        return await tokens.IssueAsync(context, user, scopes! with { OfflineAccess = true }, data with { Nonce = null }, cancellationToken);
    }

    // Where tokens are good once, a second use means that two hold the same one: neither can be told from the thief, so both have to sign in.
    private async Task<ProtocolError?> CheckUseAsync(Ticket ticket, User user, CancellationToken cancellationToken)
    {
        if (!(await settings.OfAsync(user.TenantId, cancellationToken)).SingleUseRefreshTokens) return null;
        if (await tickets.TryUseAsync(ticket, cancellationToken)) return null;
        if (ticket.Data.Family is { } family) await tickets.DeleteFamilyAsync(user.Id, family, cancellationToken);
        return ErrorCatalogue.Create(70000, "The refresh token was used before. All refresh tokens of this sign-in were revoked.");
    }

    private static ProtocolError Ended(Ticket ticket)
    {
        var issued = ticket.IssuedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
        return ticket.Data.SinglePageUntil is not null ? ErrorCatalogue.Create(700084, issued) : ErrorCatalogue.Create(700082, issued, DelegatedTokens.RefreshLife);
    }
}
