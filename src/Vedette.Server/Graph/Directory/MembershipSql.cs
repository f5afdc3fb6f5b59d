using NpgsqlTypes;
using Vedette.Identity.Directory;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Conditions on who belongs to what.</summary>
internal static class MembershipSql
{
    /// <summary>Members of a group, by themselves or also through other groups.</summary>
    /// <param name="id">The column that holds an object's id.</param>
    /// <param name="group">The group.</param>
    /// <param name="nested">Whether through other groups, too.</param>
    public static SqlCondition Members(string id, Guid group, bool nested) => sql =>
    {
        var parameter = sql.Parameter(group, NpgsqlDbType.Uuid);
        var members = nested
            ? $"WITH RECURSIVE held AS (SELECT member_id FROM identity.group_members WHERE group_id = {parameter} UNION SELECT m.member_id FROM identity.group_members m JOIN held ON m.group_id = held.member_id) SELECT member_id FROM held"
            : $"SELECT member_id FROM identity.group_members WHERE group_id = {parameter}";
        sql.Add($" AND {id} IN ({members})");
    };

    /// <summary>Groups that a user belongs to, and the directory roles that the user holds.</summary>
    /// <param name="id">The column that holds an object's id.</param>
    /// <param name="user">The user.</param>
    /// <param name="nested">Whether through other groups, too.</param>
    public static SqlCondition Memberships(string id, User user, bool nested) => sql =>
    {
        var parameter = sql.Parameter(user.Id, NpgsqlDbType.Uuid);
        var roles = DirectoryRole.All.Where(role => user.DirectoryRoles.Contains(role.TemplateId)).Select(role => role.ObjectId(user.TenantId)).ToArray();
        var groups = nested
            ? $"WITH RECURSIVE held AS (SELECT group_id FROM identity.group_members WHERE member_id = {parameter} UNION SELECT m.group_id FROM identity.group_members m JOIN held ON m.member_id = held.group_id) SELECT group_id FROM held"
            : $"SELECT group_id FROM identity.group_members WHERE member_id = {parameter}";
        sql.Add($" AND ({id} IN ({groups}) OR {id} = ANY({sql.Parameter(roles, NpgsqlDbType.Array | NpgsqlDbType.Uuid)}))");
    };
}
