using Vedette.Identity.Directory;
using Vedette.Identity.SignIn;

namespace Vedette.Identity.Protocol;

/// <summary>The device code grant: a client polls until somebody has signed in elsewhere. Libraries use its long name and a bare one.</summary>
public sealed class DeviceCodeGrant(TicketStore tickets, DirectoryService directory, DelegatedTokens tokens) : IGrant
{
    // Clients are told five seconds; a clock that runs fast, or a client that does not know the word slow_down, must not be lost over it.
    private static readonly TimeSpan LeastApart = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = ["urn:ietf:params:oauth:grant-type:device_code", "device_code"];

    /// <inheritdoc/>
    public bool AllowsPublicClients => true;

    /// <inheritdoc/>
    public ProtocolError? CheckTenant(TenantAlias alias) => null;

    /// <inheritdoc/>
    public async ValueTask<ProtocolError?> ExecuteAsync(TokenContext context, CancellationToken cancellationToken)
    {
        var call = context.Call;
        if ((call.Field("device_code") ?? call.Field("code")) is not { } value) return ErrorCatalogue.Create(900144, "device_code");
        if (!TicketStore.IsWellFormed(value) || await tickets.FindAsync(TicketKind.Device, value, cancellationToken) is not { } ticket) return ErrorCatalogue.Create(70018);
        if (ticket.AppId != context.Client.AppId) return ErrorCatalogue.Create(70000, "The device code was issued to another client.");
        if (ticket.ExpiresAt <= context.Now) return call.Version == 1 ? ErrorCatalogue.CreateVariant(70019, "v1") : ErrorCatalogue.Create(70019);
        if (ticket.Data.Device == DeviceState.Pending)
            return await tickets.TryPollAsync(ticket, LeastApart, cancellationToken) ? ErrorCatalogue.Create(70016) : ErrorCatalogue.CreateVariant(70016, "slow");
        if (ticket.Data.Device == DeviceState.Declined) return ErrorCatalogue.CreateVariant(65004, "device");
        if (await directory.FindUserAsync(ticket.UserId!.Value, cancellationToken) is not { } user) return ErrorCatalogue.Create(70008);
        var data = ticket.Data;
        if (DelegatedTokens.EnterTenant(context, user.TenantId) is { } elsewhere) return elsewhere;
        if (DelegatedScopes.Read(data.Version, data.Scope, data.Resource, context.Directory, context.Tenant.DisplayName, out var scopes) is { } error) return error;
        if (!await tickets.TryUseAsync(ticket, cancellationToken)) return ErrorCatalogue.Create(70018);
        return await tokens.IssueAsync(context, user, scopes!, data, cancellationToken);
    }
}
