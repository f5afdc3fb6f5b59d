using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;

namespace Vedette.Identity.SignIn;

/// <summary>
/// A sign-in under way, as the browser carries it from page to page: encrypted, authenticated and short-lived. It comes either from an
/// authorize request or from a device code.
/// </summary>
public sealed record Interaction
{
    /// <summary>Tenant segment of the request.</summary>
    public required string TenantSegment { get; init; }

    /// <summary>1 or 2: which generation of endpoints was called.</summary>
    public required int Version { get; init; }

    /// <summary>The client.</summary>
    public required Guid AppId { get; init; }

    /// <summary>Scopes as they were asked for.</summary>
    public string Scope { get; init; } = "";

    /// <summary>Resource as it was asked for (v1).</summary>
    public string? Resource { get; init; }

    /// <summary>Reply address; null for a device code.</summary>
    public string? RedirectUri { get; init; }

    /// <summary><c>query</c>, <c>fragment</c> or <c>form_post</c>.</summary>
    public string ResponseMode { get; init; } = "query";

    /// <summary>The client's state, given back untouched.</summary>
    public string? State { get; init; }

    /// <summary>Nonce for the id token.</summary>
    public string? Nonce { get; init; }

    /// <summary>The <c>prompt</c> parameter.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>Sign-in name to propose.</summary>
    public string? LoginHint { get; init; }

    /// <summary>PKCE challenge.</summary>
    public string? CodeChallenge { get; init; }

    /// <summary>PKCE method.</summary>
    public string? CodeChallengeMethod { get; init; }

    /// <summary>True when client_info is wanted with the code.</summary>
    public bool ClientInfo { get; init; }

    /// <summary>The code that a device's user typed; null for an authorize request.</summary>
    public string? UserCode { get; init; }

    /// <summary>True when an administrator is asked to consent for the organisation, and nothing else is wanted.</summary>
    public bool AdminConsent { get; init; }

    /// <summary>The user who was asked for consent, so that nobody else's answer counts.</summary>
    public Guid? AskedUserId { get; init; }

    /// <summary>The user whose password was right and whose second factor is still to come.</summary>
    public Guid? PendingUserId { get; init; }

    /// <summary>Until when that password counts.</summary>
    public DateTimeOffset? PendingUntil { get; init; }

    /// <summary>Secret of an authenticator app that is being registered.</summary>
    public byte[]? PendingSecret { get; init; }

    /// <summary>When the pages stop working.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>What the browser is to do next.</summary>
public abstract record InteractionStep
{
    private InteractionStep()
    {
    }

    /// <summary>Show that it cannot go on. Never a redirect: the reply address may be an attacker's.</summary>
    public sealed record Fail(ProtocolError Error) : InteractionStep;

    /// <summary>Ask for name and password.</summary>
    public sealed record AskSignIn(Interaction Interaction, Application Client, string UserName, ProtocolError? Error) : InteractionStep;

    /// <summary>Ask for the code of an authenticator app, and show how to register one where there is none yet.</summary>
    /// <param name="Interaction">The sign-in under way.</param>
    /// <param name="Client">The application that asks.</param>
    /// <param name="User">The user, whose password was right.</param>
    /// <param name="Failed">True when the last code was wrong.</param>
    public sealed record AskSecondFactor(Interaction Interaction, Application Client, User User, bool Failed) : InteractionStep
    {
        /// <summary>The secret to register; null when an app is registered already.</summary>
        public byte[]? Secret => Interaction.PendingSecret;
    }

    /// <summary>Ask for consent.</summary>
    /// <param name="Interaction">The sign-in under way.</param>
    /// <param name="Client">The application that asks.</param>
    /// <param name="User">The user who is asked.</param>
    /// <param name="Resource">The API.</param>
    /// <param name="Permissions">What is asked for.</param>
    /// <param name="ForOrganisation">
    /// Everything the registration asks for, which an administrator may grant for the whole organisation; null for other users.
    /// </param>
    public sealed record AskConsent(
        Interaction Interaction, Application Client, User User, Resource Resource, IReadOnlyList<Permission> Permissions, IReadOnlyList<PermissionInfo>? ForOrganisation) : InteractionStep;

    /// <summary>Ask an administrator for consent on behalf of the organisation.</summary>
    /// <param name="Interaction">The sign-in under way.</param>
    /// <param name="Client">The application that asks.</param>
    /// <param name="User">The administrator.</param>
    /// <param name="Organisation">Name of the organisation.</param>
    /// <param name="Permissions">What is asked for.</param>
    public sealed record AskAdminConsent(
        Interaction Interaction, Application Client, User User, string Organisation, IReadOnlyList<PermissionInfo> Permissions) : InteractionStep;

    /// <summary>Say that an administrator is needed, and let the user come back as one.</summary>
    public sealed record NeedAdministrator(Interaction Interaction, Application Client, User User, ProtocolError Error) : InteractionStep;

    /// <summary>Go back to the client.</summary>
    public sealed record Reply(string RedirectUri, string ResponseMode, IReadOnlyList<KeyValuePair<string, string>> Parameters) : InteractionStep;

    /// <summary>Say that a device is signed in, or that it was refused.</summary>
    public sealed record DeviceSettled(Application Client, bool Approved) : InteractionStep;
}
