using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Users;

/// <summary>Users over all machines they log on to.</summary>
internal static class UserTable
{
    /// <summary>Users by domain and name.</summary>
    public static EntityTable Users { get; } = new("UserProfile", $"({Source}) u", "u.tenant_id", "id", "u.account_domain, u.account_name",
    [
        new("id", ValueKind.String, "u.account_domain || '\\' || u.account_name") { NotNull = true },
        new("accountName", ValueKind.String, "u.account_name") { NotNull = true },
        new("accountDomain", ValueKind.String, "u.account_domain") { NotNull = true },
        new("accountSid", ValueKind.String, "u.account_sid"),
        new("firstSeen", ValueKind.Time, "u.first_seen") { NotNull = true },
        new("lastSeen", ValueKind.Time, "u.last_seen") { NotNull = true },
        new("mostPrevalentMachineId", ValueKind.String, "u.most_prevalent"),
        new("leastPrevalentMachineId", ValueKind.String, "u.least_prevalent"),
        new("logonTypes", ValueKind.String, "u.logon_types") { NotNull = true },
        new("logOnMachinesCount", ValueKind.Int32, "u.machines") { NotNull = true },
        new("isDomainAdmin", ValueKind.Boolean, "u.is_domain_admin") { NotNull = true },
        new("isOnlyNetworkUser", ValueKind.Boolean, "u.is_only_network") { NotNull = true },
    ]);

    private const string Source =
        """
        SELECT l.tenant_id, l.account_domain, l.account_name, max(l.account_sid) AS account_sid, min(l.first_seen) AS first_seen,
            max(l.last_seen) AS last_seen, (array_agg(l.machine_id ORDER BY l.logon_count DESC, l.machine_id))[1] AS most_prevalent,
            (array_agg(l.machine_id ORDER BY l.logon_count, l.machine_id))[1] AS least_prevalent,
            array_to_string(ARRAY(SELECT DISTINCT kind FROM unnest(string_to_array(string_agg(array_to_string(l.logon_types, ','), ','), ',')) AS kind
                WHERE kind <> '' ORDER BY kind), ', ') AS logon_types,
            count(*)::int AS machines, bool_or(l.is_domain_admin) AS is_domain_admin, bool_and(l.logon_types <@ ARRAY['Network']) AS is_only_network
        FROM defender.logon_users l GROUP BY l.tenant_id, l.account_domain, l.account_name
        """;

    /// <summary>Condition that one user is meant.</summary>
    public static SqlCondition Named(string domain, string name) => sql =>
    {
        Where.Equals("u.account_domain", domain)(sql);
        Where.Equals("u.account_name", name)(sql);
    };
}
