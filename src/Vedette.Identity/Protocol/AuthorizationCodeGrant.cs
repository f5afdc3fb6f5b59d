using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Vedette.Identity.Directory;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Protocol;

/// <summary>The authorization code grant, with PKCE.</summary>
public sealed class AuthorizationCodeGrant(TicketStore tickets, DirectoryService directory, DelegatedTokens tokens) : IGrant
{
    /// <summary>How long a code may be redeemed.</summary>
    public static readonly TimeSpan CodeLife = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = ["authorization_code"];

    /// <inheritdoc/>
    public bool AllowsPublicClients => true;

    /// <inheritdoc/>
    public ProtocolError? CheckTenant(TenantAlias alias) => null;

    /// <inheritdoc/>
    public async ValueTask<ProtocolError?> ExecuteAsync(TokenContext context, CancellationToken cancellationToken)
    {
        var call = context.Call;
        if (call.Field("code") is not { } value) return ErrorCatalogue.Create(900144, "code");
        if (!TicketStore.IsWellFormed(value)) return ErrorCatalogue.Create(9002313);
        if (await tickets.FindAsync(TicketKind.Code, value, cancellationToken) is not { } ticket) return ErrorCatalogue.Create(70000, "The authorization code is not known.");
        if (ticket.AppId != context.Client.AppId) return ErrorCatalogue.Create(70000, "The authorization code was issued to another client.");
        if (ticket.UsedAt is not null) return ErrorCatalogue.Create(54005);
        if (ticket.ExpiresAt <= context.Now) return ErrorCatalogue.Create(70008);
        if (CheckBinding(call, ticket.Data) is { } unbound) return unbound;
        if (SinglePages.CheckOrigin(call, IsSinglePage(context.Client, ticket.Data.RedirectUri)) is { } elsewhereFrom) return elsewhereFrom;
        if (await directory.FindUserAsync(ticket.UserId!.Value, cancellationToken) is not { } user) return ErrorCatalogue.Create(70008);
        if (DelegatedTokens.EnterTenant(context, user.TenantId) is { } elsewhere) return elsewhere;

        if (call.Version == 2 && call.Form.TryGetValue("scope", out var named) && string.IsNullOrWhiteSpace(named)) return ErrorCatalogue.Create(28003);

        // Scopes may be named again, as long as they are of one API; else they are those of the sign-in.
        var data = ticket.Data;
        var asBefore = call.Version == 2 ? call.Field("scope") is null : call.Field("resource") is null && data.Resource is not null;
        var (version, scope, resource) = asBefore ? (data.Version, data.Scope, data.Resource) : (call.Version, call.Field("scope"), call.Field("resource"));
        if (DelegatedScopes.Read(version, scope, resource, context.Directory, context.Tenant.DisplayName, out var scopes) is { } error) return error;
        if (!await tickets.TryUseAsync(ticket, cancellationToken)) return ErrorCatalogue.Create(54005);
        if (data.SinglePageUntil is null && IsSinglePage(context.Client, data.RedirectUri)) data = data with { SinglePageUntil = context.Now + DelegatedTokens.SinglePageRefreshLife };
        return await tokens.IssueAsync(context, user, scopes!, data, cancellationToken);
    }

    private static ProtocolError? CheckBinding(AuthorityCall call, TicketData data)
    {
        if (call.Field("redirect_uri") is not { } redirect) return ErrorCatalogue.Create(900144, "redirect_uri");
        if (redirect != data.RedirectUri) return ErrorCatalogue.Create(500112, redirect, data.RedirectUri);
        var verifier = call.Field("code_verifier");

        // A verifier for a code that was asked for without a challenge is refused too: it would hide that the challenge was stripped (RFC 9700).
        if (data.CodeChallenge is null) return verifier is null ? null : ErrorCatalogue.Create(501481);
        if (verifier is null or { Length: > 256 }) return ErrorCatalogue.Create(501481);
        var computed = data.CodeChallengeMethod == "S256" ? Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))) : verifier;
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(computed), Encoding.UTF8.GetBytes(data.CodeChallenge)) ? null : ErrorCatalogue.Create(501481);
    }

    private static bool IsSinglePage(Application client, string? redirectUri) =>
        client.RedirectUris.Any(redirect => redirect.Kind == RedirectKind.Spa && redirect.Uri == redirectUri);
}
