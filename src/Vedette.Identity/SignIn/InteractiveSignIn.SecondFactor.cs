using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Security;

namespace Vedette.Identity.SignIn;

// The second factor, for tenants that require one.
public sealed partial class InteractiveSignIn
{
    // How long a right password counts while the second factor is looked for.
    private static readonly TimeSpan FactorPatience = TimeSpan.FromMinutes(10);

    /// <summary>Goes on with the code of an authenticator app.</summary>
    /// <returns>The next step, and the value for the session cookie when the code was right.</returns>
    public async Task<(InteractionStep Step, string? Session)> SecondFactorAsync(Interaction interaction, string code, CancellationToken cancellationToken = default)
    {
        if (store.Current.Application(interaction.AppId) is not { } client) return (new InteractionStep.Fail(ErrorCatalogue.Create(700016, interaction.AppId, interaction.TenantSegment)), null);
        var now = clock.GetUtcNow();
        if (interaction.PendingUserId is not { } userId || interaction.PendingUntil <= now
            || await directory.FindUserAsync(userId, cancellationToken) is not { AccountEnabled: true } user)
            return (new InteractionStep.AskSignIn(Settled(interaction), client, "", null), null);
        if (user.LockedUntil > now) return (new InteractionStep.AskSignIn(Settled(interaction), client, user.UserPrincipalName, ErrorCatalogue.Create(50053)), null);
        var good = interaction.PendingSecret is { } secret
            ? await factors.EnrolAsync(user, secret, code, cancellationToken)
            : await factors.VerifyAsync(user, code, cancellationToken);
        if (good) return await EnterAsync(Settled(interaction), client, new Visitor(user, ["pwd", "mfa"]), cancellationToken);
        await passwords.CountFailureAsync(user.Id, now, cancellationToken);

        // Somebody else may have registered an app in the meantime: then its code is the one to ask for.
        var stillNew = interaction.PendingSecret is not null && !await factors.IsEnrolledAsync(user.Id, cancellationToken);
        return (new InteractionStep.AskSecondFactor(stillNew ? interaction : interaction with { PendingSecret = null }, client, user, Failed: true), null);
    }

    private bool NeedsSecondFactor(Visitor visitor) =>
        store.Current.TryGetTenant(visitor.User.TenantId, out var tenant) && tenant.RequiresMfa && !visitor.Methods.Contains("mfa");

    private async Task<InteractionStep> AskFactorAsync(Interaction interaction, Application client, User user, CancellationToken cancellationToken) =>
        new InteractionStep.AskSecondFactor(
            interaction with
            {
                PendingUserId = user.Id,
                PendingUntil = clock.GetUtcNow() + FactorPatience,
                PendingSecret = await factors.IsEnrolledAsync(user.Id, cancellationToken) ? null : TimeBasedCodes.NewSecret(),
            },
            client, user, Failed: false);

    private async Task<(InteractionStep Step, string? Session)> EnterAsync(Interaction interaction, Application client, Visitor visitor, CancellationToken cancellationToken)
    {
        var session = await tickets.IssueAsync(
            TicketKind.Session, null, visitor.User.TenantId, visitor.User.Id, SessionLife, new TicketData { Methods = visitor.Methods }, null, cancellationToken);
        visitor = visitor with { SessionId = TicketStore.SessionIdOf(session) };
        var prompts = interaction.Prompt.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var forceConsent = interaction.UserCode is not null || prompts.Contains("consent") || prompts.Contains("admin_consent");
        return (await ContinueAsync(interaction, client, visitor, mayAsk: true, forceConsent, cancellationToken), session);
    }

    private static Interaction Settled(Interaction interaction) => interaction with { PendingUserId = null, PendingUntil = null, PendingSecret = null };
}
