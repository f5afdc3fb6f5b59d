using Vedette.Defender.Detections.Custom;
using Vedette.Identity.Directory;

namespace Vedette.Server.Graph.DetectionRules;

/// <summary>Lets detection rules act on accounts of the directory.</summary>
internal sealed class DirectoryAccountActor(DirectoryService directory) : IAccountActor
{
    /// <inheritdoc/>
    public Task<string?> DisableAsync(Guid tenantId, AccountReference account, CancellationToken cancellationToken) =>
        ActAsync(tenantId, account, user => directory.UpdateUserAsync(user, new UserChange { AccountEnabled = false }, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<string?> ResetPasswordAsync(Guid tenantId, AccountReference account, CancellationToken cancellationToken) =>
        ActAsync(tenantId, account, user => directory.ResetPasswordAsync(user, cancellationToken), cancellationToken);

    private async Task<string?> ActAsync(Guid tenantId, AccountReference account, Func<User, Task> act, CancellationToken cancellationToken)
    {
        var user = account.ObjectId is { } id ? await directory.FindUserAsync(id, cancellationToken) : null;
        user ??= account.UserPrincipalName is { } name ? await directory.FindUserAsync(name, cancellationToken) : null;
        if (user is null || user.TenantId != tenantId) return $"The directory has no account {account.UserPrincipalName ?? account.ObjectId?.ToString()}.";
        try
        {
            await act(user);
            return null;
        }
        catch (DirectoryException refused)
        {
            return refused.Message;
        }
    }
}
