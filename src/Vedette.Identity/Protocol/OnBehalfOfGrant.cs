using Vedette.Identity.Directory;
using Vedette.Identity.SignIn;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>The on-behalf-of grant: an API that was called with a user's token gets a token for another API, still for that user.</summary>
public sealed class OnBehalfOfGrant(AccessTokenValidator validator, DirectoryService directory, DelegatedTokens tokens, TimeProvider clock, ISigningKeySource keys) : IGrant
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = ["urn:ietf:params:oauth:grant-type:jwt-bearer"];

    /// <inheritdoc/>
    public bool AllowsPublicClients => false;

    /// <inheritdoc/>
    public ProtocolError? CheckTenant(TenantAlias alias) => null;

    /// <inheritdoc/>
    public async ValueTask<ProtocolError?> ExecuteAsync(TokenContext context, CancellationToken cancellationToken)
    {
        var call = context.Call;
        if (call.Field("assertion") is not { } assertion) return ErrorCatalogue.Create(900144, "assertion");
        if (call.Field("requested_token_use") is not { } use) return ErrorCatalogue.Create(900144, "requested_token_use");
        if (use != "on_behalf_of") return ErrorCatalogue.Create(90023, "The value of 'requested_token_use' is not supported.");
        if (CheckAssertion(context, assertion, out var token) is { } refused) return refused;
        if (await directory.FindUserAsync(token!.ObjectId, cancellationToken) is not { } user) return ErrorCatalogue.Create(50013, "The user of the assertion does not exist.");
        if (DelegatedTokens.EnterTenant(context, token.TenantId) is { } elsewhere)
            return elsewhere.Number == 700005 ? ErrorCatalogue.Create(50013, "The assertion belongs to another tenant.") : elsewhere;
        if (DelegatedScopes.Read(call.Version, call.Field("scope"), call.Field("resource"), context.Directory, context.Tenant.DisplayName, out var scopes) is { } error) return error;
        var data = new TicketData { Scope = call.Field("scope") ?? "", Resource = call.Field("resource"), Version = call.Version, Methods = token.AuthenticationMethods };
        return await tokens.IssueAsync(context, user, scopes!, data, cancellationToken);
    }

    private ProtocolError? CheckAssertion(TokenContext context, string assertion, out AccessToken? token)
    {
        var result = validator.Validate(assertion);
        token = result.Token;
        if (result.Failure == AccessTokenFailure.Expired) return ErrorCatalogue.Create(500133);
        if (!result.Succeeded) return IsIdToken(assertion) ? ErrorCatalogue.Create(240002) : ErrorCatalogue.Create(50013, $"{result.Detail} Current time: {clock.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z.");

        // The token must have been made for the application that now presents it: by its id or one of its App ID URIs.
        if (context.Directory.Resource(token!.Audience)?.AppId != context.Client.AppId) return ErrorCatalogue.Create(50013, "The audience of the assertion is not the calling application.");
        return token.IsAppOnly ? ErrorCatalogue.Create(50013, "The assertion speaks for no user.") : null;
    }

    private bool IsIdToken(string assertion) =>
        JsonWebToken.TryParse(assertion, out var jwt) && keys.Current.Find(jwt.KeyId) is { } key && key.Verify(jwt) && jwt.Claim("scp") is null
        && (jwt.Claim("preferred_username") ?? jwt.Claim("upn")) is not null;
}
