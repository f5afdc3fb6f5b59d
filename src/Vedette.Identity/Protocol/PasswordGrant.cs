using Vedette.Identity.SignIn;

namespace Vedette.Identity.Protocol;

/// <summary>The resource owner password grant: a token for a user whose name and password the client sends.</summary>
public sealed class PasswordGrant(PasswordSignIn signIn, DelegatedTokens tokens) : IGrant
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = ["password"];

    /// <inheritdoc/>
    public bool AllowsPublicClients => true;

    /// <inheritdoc/>
    public ProtocolError? CheckTenant(TenantAlias alias) => alias is TenantAlias.Common or TenantAlias.Consumers ? ErrorCatalogue.Create(9001023) : null;

    /// <inheritdoc/>
    public async ValueTask<ProtocolError?> ExecuteAsync(TokenContext context, CancellationToken cancellationToken)
    {
        var call = context.Call;
        if (call.Field("username") is not { } name) return ErrorCatalogue.Create(900144, "username");
        if (call.Field("password") is not { } password) return ErrorCatalogue.Create(900144, "password");
        var tenantName = context.Segment.Tenant?.DisplayName ?? call.TenantSegment;
        if (DelegatedScopes.Read(call.Version, call.Field("scope"), call.Field("resource"), context.Directory, tenantName, out var scopes) is { } badScope) return badScope;
        var (user, error) = await signIn.CheckAsync(name, password, context.Segment.Tenant, call.RemoteAddress, cancellationToken);
        if (user is null) return error;
        return DelegatedTokens.EnterTenant(context, user.TenantId)
            ?? await tokens.IssueAsync(context, user, scopes!, new TicketData { Scope = call.Field("scope") ?? "", Resource = call.Field("resource"), Version = call.Version }, cancellationToken);
    }
}
