using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;
using Vedette.Identity.Security;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.SignIn;

/// <summary>
/// Leads a browser from an authorize request, or from a device code, over sign-in and consent to its end. Every method says what comes next;
/// pages and cookies are the caller's.
/// </summary>
public sealed partial class InteractiveSignIn(DirectoryStore store, DirectoryService directory, PasswordSignIn passwords, SecondFactors factors, TicketStore tickets, IdentityKey key, TimeProvider clock)
{
    /// <summary>How long a browser stays signed in.</summary>
    public static readonly TimeSpan SessionLife = TimeSpan.FromHours(12);

    private const string Purpose = "interaction";
    private static readonly TimeSpan PageLife = TimeSpan.FromMinutes(30);

    /// <summary>Encodes a sign-in under way for a hidden field.</summary>
    public string Protect(Interaction interaction) => Base64Url.EncodeToString(key.Protect(JsonSerializer.SerializeToUtf8Bytes(interaction), Purpose));

    /// <summary>Reads a hidden field back; null when it was changed or is too old.</summary>
    public Interaction? Unprotect(string? text)
    {
        if (string.IsNullOrEmpty(text) || text.Length > 32 * 1024 || !Base64Url.IsValid(text)) return null;
        try
        {
            var interaction = JsonSerializer.Deserialize<Interaction>(key.Unprotect(Base64Url.DecodeFromChars(text), Purpose));
            return interaction?.ExpiresAt > clock.GetUtcNow() ? interaction : null;
        }
        catch (Exception exception) when (exception is CryptographicException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Begins with an authorize request, whose parameters are the call's form.</summary>
    /// <param name="call">The request.</param>
    /// <param name="session">Value of the session cookie, or null.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    public async Task<InteractionStep> AuthorizeAsync(AuthorityCall call, string? session, CancellationToken cancellationToken = default)
    {
        if (AuthorizeRequest.Read(call, store.Current, clock.GetUtcNow() + PageLife, out var interaction, out var client) is { } broken) return new InteractionStep.Fail(broken);
        if (AuthorizeRequest.Check(call, store.Current, interaction!) is { } wrong) return Refuse(interaction!, wrong);
        var prompts = interaction!.Prompt.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var visitor = prompts.Contains("login") || prompts.Contains("select_account") ? null : await VisitorAsync(session, cancellationToken);
        if (visitor is not null && !MayEnter(interaction, visitor.User)) visitor = null;
        if (visitor is not null && NeedsSecondFactor(visitor))
        {
            return prompts.Contains("none")
                ? Refuse(interaction, ErrorCatalogue.CreateVariant(50076, "authorize", interaction.AppId))
                : await AskFactorAsync(interaction, client!, visitor.User, cancellationToken);
        }

        if (visitor is not null) return await ContinueAsync(interaction, client!, visitor, mayAsk: !prompts.Contains("none"), forceConsent: prompts.Contains("consent") || prompts.Contains("admin_consent"), cancellationToken);
        return prompts.Contains("none")
            ? Refuse(interaction, ErrorCatalogue.Create(50058))
            : new InteractionStep.AskSignIn(interaction, client!, interaction.LoginHint ?? "", null);
    }

    /// <summary>Begins with the code that a device shows.</summary>
    /// <returns>Null when there is no such code.</returns>
    public async Task<InteractionStep?> DeviceAsync(string userCode, string? session, CancellationToken cancellationToken = default)
    {
        if (await tickets.FindByUserCodeAsync(userCode, cancellationToken) is not { AppId: { } appId } ticket || store.Current.Application(appId) is not { } client) return null;
        var interaction = new Interaction
        {
            TenantSegment = ticket.TenantId?.ToString() ?? "organizations",
            Version = ticket.Data.Version,
            AppId = appId,
            Scope = ticket.Data.Scope,
            Resource = ticket.Data.Resource,
            UserCode = userCode,
            ExpiresAt = ticket.ExpiresAt,
        };
        var visitor = await VisitorAsync(session, cancellationToken);
        if (visitor is null || !MayEnter(interaction, visitor.User)) return new InteractionStep.AskSignIn(interaction, client, "", null);

        // Even somebody who is signed in is asked, by name, whether this device shall be: a code may have come from a stranger.
        return NeedsSecondFactor(visitor)
            ? await AskFactorAsync(interaction, client, visitor.User, cancellationToken)
            : await ContinueAsync(interaction, client, visitor, mayAsk: true, forceConsent: true, cancellationToken);
    }

    /// <summary>Goes on with a name and password.</summary>
    /// <returns>The next step, and the value for the session cookie when the sign-in succeeded.</returns>
    public async Task<(InteractionStep Step, string? Session)> SignInAsync(
        Interaction interaction, string userName, string password, string? address = null, CancellationToken cancellationToken = default)
    {
        if (store.Current.Application(interaction.AppId) is not { } client) return (new InteractionStep.Fail(ErrorCatalogue.Create(700016, interaction.AppId, interaction.TenantSegment)), null);
        var (user, error) = await passwords.CheckAsync(userName.Trim(), password, null, address, cancellationToken);

        // The page does not tell a wrong name from a wrong password, so that it cannot be asked who exists.
        if (user is null) return (new InteractionStep.AskSignIn(interaction, client, userName, error!.Number == 50034 ? ErrorCatalogue.Create(50126) : error), null);
        if (!MayEnter(interaction, user))
        {
            store.Current.TryGetTenant(interaction.TenantSegment, out var tenant);
            var stranger = ErrorCatalogue.Create(50020, user.UserPrincipalName, AccessTokenWriter.IssuerV1(user.TenantId), tenant?.DisplayName, client.AppId, client.DisplayName);
            return (new InteractionStep.AskSignIn(interaction, client, "", stranger), null);
        }

        var visitor = new Visitor(user, ["pwd"]);
        return NeedsSecondFactor(visitor)
            ? (await AskFactorAsync(interaction, client, user, cancellationToken), null)
            : await EnterAsync(interaction, client, visitor, cancellationToken);
    }

    /// <summary>Goes on with the answer to a consent page.</summary>
    /// <param name="interaction">The sign-in under way.</param>
    /// <param name="session">Value of the session cookie.</param>
    /// <param name="accepted">The answer.</param>
    /// <param name="forAll">True when an administrator answers for the whole organisation.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    public async Task<InteractionStep> ConsentAsync(Interaction interaction, string? session, bool accepted, bool forAll, CancellationToken cancellationToken = default)
    {
        if (store.Current.Application(interaction.AppId) is not { } client) return new InteractionStep.Fail(ErrorCatalogue.Create(700016, interaction.AppId, interaction.TenantSegment));
        if (await VisitorAsync(session, cancellationToken) is not { } visitor || visitor.User.Id != interaction.AskedUserId || NeedsSecondFactor(visitor))
            return new InteractionStep.AskSignIn(interaction with { AskedUserId = null }, client, "", null);
        var user = visitor.User;
        if (interaction.AdminConsent) return await SettleAdminConsentAsync(interaction, client, user, accepted, cancellationToken);
        if (!accepted) return await DeclineAsync(interaction, client, user, cancellationToken);
        if (ReadScopes(interaction, user, out var scopes) is { } error) return Refuse(interaction, error);
        var names = Wanted(client, scopes!).Select(permission => permission.Value).ToArray();
        var organisation = forAll && IsAdministrator(user);
        if (organisation) await directory.ConsentAsync(client.AppId.ToString(), user.TenantId.ToString(), cancellationToken);
        await directory.GrantScopesAsync(client.AppId, user.TenantId, scopes!.Resource.AppId, names, organisation ? null : user.Id, cancellationToken);
        return await ContinueAsync(interaction, client, visitor, mayAsk: true, forceConsent: false, cancellationToken);
    }

    /// <summary>Asks for another account than the one that is signed in.</summary>
    public InteractionStep AskAgain(Interaction interaction) => store.Current.Application(interaction.AppId) is { } client
        ? new InteractionStep.AskSignIn(interaction with { AskedUserId = null }, client, "", null)
        : new InteractionStep.Fail(ErrorCatalogue.Create(700016, interaction.AppId, interaction.TenantSegment));

    /// <summary>Name of a user's organisation.</summary>
    public string OrganisationOf(User user) => store.Current.TryGetTenant(user.TenantId, out var tenant) ? tenant.DisplayName : "";

    /// <summary>Ends a browser's session.</summary>
    /// <param name="session">Value of the session cookie.</param>
    /// <param name="authority">The authority's address as the browser knows it.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    /// <returns>Addresses that the browser is to load, so that the applications of the session hear of it (front-channel sign-out).</returns>
    public async Task<IReadOnlyList<string>> SignOutAsync(string? session, string authority, CancellationToken cancellationToken = default)
    {
        if (session is null || !TicketStore.IsWellFormed(session) || await tickets.FindAsync(TicketKind.Session, session, cancellationToken) is not { } ticket) return [];
        var sessionId = TicketStore.SessionIdOf(session);
        var applications = ticket.UserId is { } userId ? await tickets.ApplicationsOfAsync(userId, sessionId, cancellationToken) : [];
        await tickets.DeleteAsync(ticket, cancellationToken);
        return [.. applications.Select(entry => store.Current.Application(entry.AppId)?.LogoutUrl is { } address ? Hear(address, entry.Version) : null).OfType<string>().Distinct(StringComparer.Ordinal)];

        // The application compares both with the claims of its id token.
        string Hear(string address, int version)
        {
            var tenant = ticket.TenantId ?? Guid.Empty;
            var issuer = version == 2 ? AccessTokenWriter.IssuerV2(authority, tenant) : AccessTokenWriter.IssuerV1(tenant);
            return $"{address}{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}sid={sessionId}&iss={Uri.EscapeDataString(issuer)}";
        }
    }

    private async Task<InteractionStep> ContinueAsync(Interaction interaction, Application client, Visitor visitor, bool mayAsk, bool forceConsent, CancellationToken cancellationToken)
    {
        var user = visitor.User;
        if (interaction.AdminConsent) return AskAdministrator(interaction, client, user);
        if (ReadScopes(interaction, user, out var scopes) is { } error) return Refuse(interaction, error);
        var principal = store.Current.Principal(user.TenantId, client.AppId);
        if (principal is not null && (await directory.RolesOfUserAsync(user, [principal], cancellationToken)).Error is { } unassigned)
            return mayAsk ? new InteractionStep.Fail(unassigned) : Refuse(interaction, unassigned with { Error = ErrorCatalogue.CreateVariant(50105, "authorize").Error });
        var granted = principal is null ? null : scopes!.Granted(store.Current, principal, user.TenantId, user.Id);
        if (granted is null || forceConsent)
        {
            if (!mayAsk) return Refuse(interaction, ErrorCatalogue.CreateVariant(65001, "authorize", client.AppId, client.DisplayName));
            var wanted = Wanted(client, scopes!);
            var known = scopes!.Names.Where(name => wanted.All(permission => !string.Equals(permission.Value, name, StringComparison.OrdinalIgnoreCase))).ToArray();
            if (known.Length > 0) return Refuse(interaction, ErrorCatalogue.Create(65005, client.DisplayName, string.Join(' ', known)));
            if (wanted.Count == 0 && granted is null) return Refuse(interaction, ErrorCatalogue.Create(65001, client.AppId, client.DisplayName));
            var everything = IsAdministrator(user) ? directory.GetApplication(client.AppId.ToString()).Permissions : null;
            return new InteractionStep.AskConsent(interaction with { AskedUserId = user.Id }, client, user, scopes.Resource, wanted, everything);
        }

        return await FinishAsync(interaction, client, visitor, cancellationToken);
    }

    private async Task<InteractionStep> FinishAsync(Interaction interaction, Application client, Visitor visitor, CancellationToken cancellationToken)
    {
        var user = visitor.User;
        if (interaction.UserCode is { } userCode)
        {
            var ticket = await tickets.FindByUserCodeAsync(userCode, cancellationToken);
            return ticket is not null && await tickets.SettleDeviceAsync(ticket, user.TenantId, user.Id, visitor.Methods, cancellationToken)
                ? new InteractionStep.DeviceSettled(client, Approved: true)
                : new InteractionStep.Fail(ErrorCatalogue.Create(70019));
        }

        var data = new TicketData
        {
            Scope = interaction.Scope,
            Resource = interaction.Resource,
            Version = interaction.Version,
            RedirectUri = interaction.RedirectUri,
            Nonce = interaction.Nonce,
            CodeChallenge = interaction.CodeChallenge,
            CodeChallengeMethod = interaction.CodeChallengeMethod,
            Methods = visitor.Methods,
            SessionId = visitor.SessionId,
        };
        var code = await tickets.IssueAsync(TicketKind.Code, client.AppId, user.TenantId, user.Id, AuthorizationCodeGrant.CodeLife, data, null, cancellationToken);
        var parameters = new List<KeyValuePair<string, string>> { new("code", code) };
        if (interaction.ClientInfo) parameters.Add(new("client_info", DelegatedTokens.ClientInfo(user)));
        if (interaction.State is not null) parameters.Add(new("state", interaction.State));
        parameters.Add(new("session_state", (visitor.SessionId ?? Guid.NewGuid()).ToString()));
        return new InteractionStep.Reply(interaction.RedirectUri!, interaction.ResponseMode, parameters);
    }

    private async Task<InteractionStep> DeclineAsync(Interaction interaction, Application client, User user, CancellationToken cancellationToken)
    {
        if (interaction.UserCode is not { } userCode) return Refuse(interaction, ErrorCatalogue.Create(65004), subcode: "cancel");
        if (await tickets.FindByUserCodeAsync(userCode, cancellationToken) is { } ticket) await tickets.SettleDeviceAsync(ticket, user.TenantId, user.Id, null, cancellationToken);
        return new InteractionStep.DeviceSettled(client, Approved: false);
    }

    private ProtocolError? ReadScopes(Interaction interaction, User user, out DelegatedScopes? scopes)
    {
        store.Current.TryGetTenant(user.TenantId, out var tenant);
        return DelegatedScopes.Read(interaction.Version, interaction.Scope, interaction.Resource, store.Current, tenant?.DisplayName ?? "", out scopes);
    }

    // What a consent page lists: the scopes that were named, or everything that the registration asks for on this API.
    private static IReadOnlyList<Permission> Wanted(Application client, DelegatedScopes scopes)
    {
        var offered = scopes.Resource.Scopes;
        if (!scopes.AsksDefault) return [.. offered.Where(permission => scopes.Names.Contains(permission.Value, StringComparer.OrdinalIgnoreCase))];
        var required = client.RequiredPermissions.Where(r => r.Kind == PermissionKind.Scope && r.ResourceAppId == scopes.Resource.AppId).Select(r => r.PermissionId).ToHashSet();
        return [.. offered.Where(permission => required.Contains(permission.Id))];
    }

    private async Task<Visitor?> VisitorAsync(string? session, CancellationToken cancellationToken)
    {
        if (session is null || !TicketStore.IsWellFormed(session)) return null;
        if (await tickets.FindAsync(TicketKind.Session, session, cancellationToken) is not { UserId: { } userId } ticket || ticket.ExpiresAt <= clock.GetUtcNow()) return null;
        return await directory.FindUserAsync(userId, cancellationToken) is { AccountEnabled: true } user ? new Visitor(user, ticket.Data.Methods) { SessionId = TicketStore.SessionIdOf(session) } : null;
    }

    private bool MayEnter(Interaction interaction, User user) => !store.Current.TryGetTenant(interaction.TenantSegment, out var tenant) || tenant.Id == user.TenantId;

    private static bool IsAdministrator(User user) => user.DirectoryRoles.Contains(DirectoryRole.GlobalAdministrator.TemplateId);

    /// <summary>Somebody who is signed in.</summary>
    /// <param name="User">Who.</param>
    /// <param name="Methods">How they signed in.</param>
    private sealed record Visitor(User User, IReadOnlyList<string> Methods)
    {
        /// <summary>The browser's session; null while there is none yet.</summary>
        public Guid? SessionId { get; init; }
    }

    private static InteractionStep Refuse(Interaction interaction, ProtocolError error, string? subcode = null)
    {
        if (interaction.RedirectUri is null) return new InteractionStep.Fail(error);
        var parameters = new List<KeyValuePair<string, string>> { new("error", error.Error), new("error_description", $"AADSTS{error.Number}: {error.Text}") };
        if (subcode is not null) parameters.Add(new("error_subcode", subcode));
        if (error.Claims is not null) parameters.Add(new("claims", error.Claims));
        if (interaction.State is not null) parameters.Add(new("state", interaction.State));
        return new InteractionStep.Reply(interaction.RedirectUri, interaction.ResponseMode, parameters);
    }
}
