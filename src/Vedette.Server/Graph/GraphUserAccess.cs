using System.Collections.Frozen;
using Vedette.Defender.Access;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;
using Vedette.Server.Access;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Graph;

/// <summary>What users may do on Graph: what their directory roles say of the directory, and what Defender says of security data.</summary>
internal sealed class GraphUserAccess(DirectoryPeople people, AccessService access) : IUserAccess
{
    /// <summary>Change every application and service principal.</summary>
    public const string ManageApplications = nameof(ManageApplications);

    /// <summary>Consent for others and assign app roles.</summary>
    public const string ManageConsent = nameof(ManageConsent);

    /// <summary>Make, change and delete users.</summary>
    public const string ManageUsers = nameof(ManageUsers);

    /// <summary>Change every group.</summary>
    public const string ManageGroups = nameof(ManageGroups);

    /// <summary>Give and take directory roles.</summary>
    public const string ManageRoles = nameof(ManageRoles);

    private static readonly (DirectoryRole Role, string[] Abilities)[] ByRole =
    [
        (DirectoryRole.GlobalAdministrator, [ManageApplications, ManageConsent, ManageUsers, ManageGroups, ManageRoles]),
        (DirectoryRole.PrivilegedRoleAdministrator, [ManageRoles, ManageConsent]),
        (DirectoryRole.ApplicationAdministrator, [ManageApplications, ManageConsent]),
        (DirectoryRole.CloudApplicationAdministrator, [ManageApplications, ManageConsent]),
        (DirectoryRole.UserAdministrator, [ManageUsers, ManageGroups]),
        (DirectoryRole.GroupsAdministrator, [ManageGroups]),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<Guid> Resources { get; } = [ResourceCatalogue.GraphAppId];

    /// <inheritdoc/>
    public async ValueTask<UserAccess> OfAsync(AccessToken token, CancellationToken cancellationToken)
    {
        var standing = await people.OfAsync(token.TenantId, token.ObjectId, cancellationToken);
        var defender = DefenderUserAccess.Of(standing, await access.RulesAsync(token.TenantId, cancellationToken));
        var abilities = ByRole.Where(pair => standing.Holds(pair.Role)).SelectMany(pair => pair.Abilities);
        return defender with { Roles = defender.Roles.Concat(abilities).ToFrozenSet(StringComparer.Ordinal) };
    }
}
