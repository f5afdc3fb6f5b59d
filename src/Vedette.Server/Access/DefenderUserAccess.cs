using System.Collections.Frozen;
using Vedette.Defender.Access;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Identity.Tokens;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Access;

/// <summary>
/// What users may do in Defender: by directory role, and by the roles of Defender that their groups were given. Once a tenant uses roles of
/// Defender, directory roles that only read give nothing by themselves any more, while administrators keep full access.
/// </summary>
internal sealed class DefenderUserAccess(DirectoryPeople people, AccessService access) : IUserAccess
{
    private static readonly FrozenSet<string> Everything = DefenderPermission.Expand(DefenderPermission.All);

    private static readonly (DirectoryRole Role, FrozenSet<string> Permissions)[] WithoutRoles =
    [
        (DirectoryRole.SecurityOperator, DefenderPermission.Expand(
        [
            DefenderPermission.ViewData, DefenderPermission.TvmViewData, DefenderPermission.AlertsInvestigation, DefenderPermission.ActiveRemediationActions,
            DefenderPermission.TvmRemediationHandling, DefenderPermission.LiveResponseBasic,
        ])),
        (DirectoryRole.SecurityReader, DefenderPermission.Expand([DefenderPermission.ViewData, DefenderPermission.TvmViewData])),
        (DirectoryRole.GlobalReader, DefenderPermission.Expand([DefenderPermission.ViewData, DefenderPermission.TvmViewData])),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<Guid> Resources { get; } = [ResourceCatalogue.EndpointAppId, ResourceCatalogue.ThreatProtectionAppId];

    /// <inheritdoc/>
    public async ValueTask<UserAccess> OfAsync(AccessToken token, CancellationToken cancellationToken)
    {
        var standing = await people.OfAsync(token.TenantId, token.ObjectId, cancellationToken);
        return Of(standing, await access.RulesAsync(token.TenantId, cancellationToken));
    }

    /// <summary>The access that a standing in the directory and a tenant's rules give together.</summary>
    internal static UserAccess Of(Standing standing, AccessRules rules)
    {
        if (standing.Holds(DirectoryRole.GlobalAdministrator, DirectoryRole.SecurityAdministrator)) return new UserAccess(Everything, null);
        var permissions = rules.Permissions(standing.Groups).AsEnumerable();
        if (!rules.UsesRoles) permissions = WithoutRoles.Where(pair => standing.Holds(pair.Role)).SelectMany(pair => pair.Permissions);
        return new UserAccess(permissions.ToFrozenSet(StringComparer.Ordinal), rules.VisibleTo(standing.Groups));
    }
}
