using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>The client credentials grant: a token for the application itself, with the app roles it was given on one API.</summary>
public sealed class ClientCredentialsGrant(ISigningKeySource keys) : IGrant
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = ["client_credentials"];

    /// <inheritdoc/>
    public bool AllowsPublicClients => false;

    /// <inheritdoc/>
    public ProtocolError? CheckTenant(TenantAlias alias) => alias == TenantAlias.None ? null : ErrorCatalogue.Create(50059);

    /// <inheritdoc/>
    public ValueTask<ProtocolError?> ExecuteAsync(TokenContext context, CancellationToken cancellationToken)
    {
        var error = AskedResource(context.Call, out var asked) ?? FindResource(context, asked, out var resource, out var principal) ?? Issue(context, asked, resource!, principal!);
        return new(error);
    }

    private static ProtocolError? AskedResource(AuthorityCall call, out string resource)
    {
        if (call.Version == 2) return ScopeRules.ApplicationResource(call.Field("scope"), out resource);
        resource = call.Field("resource") ?? "";
        return resource.Length == 0 ? ErrorCatalogue.Create(900144, "resource") : null;
    }

    private static ProtocolError? FindResource(TokenContext context, string asked, out Resource? resource, out ServicePrincipal? principal)
    {
        resource = context.Directory.Resource(asked);
        principal = resource is null ? null : context.Directory.Principal(context.Tenant.Id, resource.AppId);
        if (resource is null || principal is null) return ErrorCatalogue.Create(500011, asked, context.Tenant.DisplayName);
        if (!principal.AccountEnabled) return ErrorCatalogue.Create(50001, asked, context.Tenant.DisplayName);
        return resource.AppId == context.Client.AppId && !Guid.TryParse(asked, out _)
            ? ErrorCatalogue.Create(90009, context.Client.AppId, context.Client.DisplayName)
            : null;
    }

    private ProtocolError? Issue(TokenContext context, string asked, Resource resource, ServicePrincipal principal)
    {
        var description = new AccessTokenDescription
        {
            TenantId = context.Tenant.Id,
            ClientId = context.Client.AppId,
            ServicePrincipalId = context.Principal.Id,
            ClientDisplayName = context.Client.DisplayName,
            Proof = context.Proof,
            Audience = resource.TokenVersion == 2 ? resource.AppId.ToString() : asked,
            Version2 = resource.TokenVersion == 2,
            Authority = context.Call.Authority,
            Roles = context.Directory.Roles(context.Principal.Id, principal.Id),
            GraphClaims = resource.AppId == ResourceCatalogue.GraphAppId,
            ClientCapabilities = ClientCapabilities.Read(context.Call.Field("claims")),
            NotBefore = context.Now - TokenLifetimes.Backdate,
            Expires = context.Now + TokenLifetimes.AccessToken,
        };
        var token = AccessTokenWriter.Write(description, keys.Current.Signer(context.Now));
        context.Result = new TokenResult(token, asked, description.NotBefore, description.Expires);
        return null;
    }
}
