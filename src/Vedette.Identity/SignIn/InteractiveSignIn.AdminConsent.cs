using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;

namespace Vedette.Identity.SignIn;

// Consent of an administrator for the whole organisation, which a client asks for by a link of its own.
public sealed partial class InteractiveSignIn
{
    /// <summary>Begins with an admin consent request, whose parameters are the call's form.</summary>
    /// <param name="call">The request. Version 1 asks for everything the registration requires, version 2 for what <c>scope</c> names.</param>
    /// <param name="session">Value of the session cookie, or null.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    public async Task<InteractionStep> AdminConsentAsync(AuthorityCall call, string? session, CancellationToken cancellationToken = default)
    {
        if (AuthorizeRequest.ReadAdminConsent(call, store.Current, clock.GetUtcNow() + PageLife, out var interaction, out var client) is { } broken) return new InteractionStep.Fail(broken);
        if (call.Version == 2 && interaction!.Scope.Length == 0) return Refuse(interaction, ErrorCatalogue.Create(900144, "scope"));
        var visitor = await VisitorAsync(session, cancellationToken);
        if (visitor is null || !MayEnter(interaction!, visitor.User)) return new InteractionStep.AskSignIn(interaction!, client!, interaction!.LoginHint ?? "", null);
        return NeedsSecondFactor(visitor)
            ? await AskFactorAsync(interaction!, client!, visitor.User, cancellationToken)
            : AskAdministrator(interaction!, client!, visitor.User);
    }

    private InteractionStep AskAdministrator(Interaction interaction, Application client, User user)
    {
        var organisation = store.Current.TryGetTenant(user.TenantId, out var tenant) ? tenant.DisplayName : "";
        if (!IsAdministrator(user))
            return new InteractionStep.NeedAdministrator(interaction, client, user, ErrorCatalogue.Create(90094, organisation, client.DisplayName));
        if (WantedForAll(interaction, client, user, out var permissions) is { } error) return Refuse(interaction, error);
        return new InteractionStep.AskAdminConsent(interaction with { AskedUserId = user.Id }, client, user, organisation, permissions);
    }

    private async Task<InteractionStep> SettleAdminConsentAsync(Interaction interaction, Application client, User user, bool accepted, CancellationToken cancellationToken)
    {
        if (!IsAdministrator(user)) return AskAdministrator(interaction, client, user);
        if (!accepted) return DeclineAdminConsent(interaction);
        if (WantedForAll(interaction, client, user, out var permissions) is { } error) return Refuse(interaction, error);
        if (AsksForEverything(interaction))
        {
            await directory.ConsentAsync(client.AppId.ToString(), user.TenantId.ToString(), cancellationToken);
        }
        else
        {
            foreach (var api in permissions.GroupBy(permission => permission.ResourceAppId))
                await directory.GrantScopesAsync(client.AppId, user.TenantId, api.Key, [.. api.Select(permission => permission.Name)], null, cancellationToken);
        }

        var parameters = new List<KeyValuePair<string, string>> { new("admin_consent", "True"), new("tenant", user.TenantId.ToString()) };
        if (interaction.Version == 2) parameters.Add(new("scope", interaction.Scope));
        if (interaction.State is not null) parameters.Add(new("state", interaction.State));
        return new InteractionStep.Reply(interaction.RedirectUri!, "query", parameters);
    }

    // The two generations tell a refusal by different words.
    private static InteractionStep DeclineAdminConsent(Interaction interaction)
    {
        var error = ErrorCatalogue.CreateVariant(65004, interaction.Version == 2 ? "adminconsent" : "adminconsentV1");
        var parameters = new List<KeyValuePair<string, string>> { new("error", error.Error), new("error_description", $"AADSTS{error.Number}: {error.Text}") };
        if (interaction.Version == 2) parameters.Add(new("admin_consent", "True"));
        if (interaction.State is not null) parameters.Add(new("state", interaction.State));
        return new InteractionStep.Reply(interaction.RedirectUri!, "query", parameters);
    }

    // "/.default" has the meaning of the older endpoint: all that the registration requires, application permissions included.
    private static bool AsksForEverything(Interaction interaction) =>
        interaction.Version == 1 || interaction.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(name => name.EndsWith("/.default", StringComparison.OrdinalIgnoreCase));

    private ProtocolError? WantedForAll(Interaction interaction, Application client, User user, out IReadOnlyList<PermissionInfo> permissions)
    {
        if (AsksForEverything(interaction))
        {
            permissions = directory.GetApplication(client.AppId.ToString()).Permissions;
            return null;
        }

        permissions = [];
        var wanted = new List<PermissionInfo>();
        var tenantName = store.Current.TryGetTenant(user.TenantId, out var tenant) ? tenant.DisplayName : "";
        foreach (var (name, scope) in DelegatedScopes.SplitAll(interaction.Scope))
        {
            if (store.Current.Resource(name) is not { } resource) return ErrorCatalogue.Create(500011, name, tenantName);
            if (resource.Scopes.FirstOrDefault(offered => string.Equals(offered.Value, scope, StringComparison.OrdinalIgnoreCase)) is not { } permission)
                return ErrorCatalogue.Create(65005, client.DisplayName, scope);
            wanted.Add(new PermissionInfo(permission.Value, resource.DisplayName, "Delegated", false, permission.DisplayName, permission.Id, resource.AppId));
        }

        permissions = wanted;
        return wanted.Count > 0 ? null : ErrorCatalogue.Create(70011, interaction.Scope);
    }
}
