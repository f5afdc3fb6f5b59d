using Vedette.Server.Graph.Directory;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph;

/// <summary>The entity tables of this surface, by the name that the <c>returns</c> column of the endpoint table begins with.</summary>
internal static class GraphEntities
{
    /// <summary>All tables.</summary>
    public static IReadOnlyList<EntityTable> Tables { get; } =
    [
        ApplicationTable.Applications, ServicePrincipalTable.Principals, GrantTables.Assignments, GrantTables.Grants,
        UserTable.Users, GroupTable.Groups, DirectoryObjectTable.Objects, OrganizationTables.Organizations, OrganizationTables.Domains,
        DirectoryRoleTable.Roles,
    ];
}
