using Vedette.Defender.State;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Machines;

/// <summary>The machine resource and the users that log on to machines.</summary>
internal static class MachineTable
{
    /// <summary>Machines by id: an order that does not move while devices report, so that paging neither loses nor doubles one.</summary>
    public static EntityTable Machines { get; } = new("Machine", "defender.machines m", "m.tenant_id", "id", "m.id",
    [
        new("id", ValueKind.String, "m.id") { NotNull = true },
        new("mergedIntoMachineId", ValueKind.String, "m.merged_into_machine_id"),
        new("isPotentialDuplication", ValueKind.Boolean, "m.is_potential_duplication") { NotNull = true },
        new("isExcluded", ValueKind.Boolean, "m.is_excluded") { NotNull = true },
        new("exclusionReason", ValueKind.String, "m.exclusion_reason"),
        new("computerDnsName", ValueKind.String, "m.computer_dns_name"),
        new("firstSeen", ValueKind.Time, "m.first_seen") { NotNull = true },
        new("lastSeen", ValueKind.Time, "m.last_seen") { NotNull = true },
        new("osPlatform", ValueKind.String, "m.os_platform") { NotNull = true },
        new("osVersion", ValueKind.String, "m.os_version"),
        new("osProcessor", ValueKind.String, "m.os_processor") { NotNull = true },
        new("version", ValueKind.String, "m.version") { NotNull = true },
        new("lastIpAddress", ValueKind.String, "m.last_ip_address"),
        new("lastExternalIpAddress", ValueKind.String, "m.last_external_ip_address"),
        new("agentVersion", ValueKind.String, "m.agent_version"),
        new("osBuild", ValueKind.Int64, "m.os_build"),
        new("healthStatus", ValueKind.String, "m.health_status") { Values = Vocabulary.Of<HealthStatus>(), NotNull = true },
        new("deviceValue", ValueKind.String, "m.device_value") { Values = Vocabulary.Of<DeviceValue>(), NotNull = true },
        new("rbacGroupId", ValueKind.Int32, "m.rbac_group_id") { NotNull = true },
        new("rbacGroupName", ValueKind.String, "m.rbac_group_name"),
        new("riskScore", ValueKind.String, "m.risk_score") { Values = Vocabulary.Of<RiskScore>(), NotNull = true },
        new("exposureLevel", ValueKind.String, "m.exposure_level") { Values = Vocabulary.Of<ExposureLevel>(), NotNull = true },
        new("isAadJoined", ValueKind.Boolean, "m.is_aad_joined"),
        new("aadDeviceId", ValueKind.Guid, "m.aad_device_id"),
        new("machineTags", ValueKind.Strings, "m.machine_tags") { NotNull = true },
        new("defenderAvStatus", ValueKind.String, "m.defender_av_status") { NotNull = true },
        new("onboardingStatus", ValueKind.String, "m.onboarding_status") { Values = Vocabulary.Of<OnboardingStatus>(), NotNull = true },
        new("osArchitecture", ValueKind.String, "m.os_architecture") { NotNull = true },
        new("managedBy", ValueKind.String, "m.managed_by") { NotNull = true },
        new("managedByStatus", ValueKind.String, "m.managed_by_status") { NotNull = true },
        new("ipAddresses", ValueKind.Json, "m.ip_addresses") { NotNull = true },
        new("vmMetadata", ValueKind.Json, "m.vm_metadata"),
    ])
    {
        DeviceGroupColumn = "m.rbac_group_id",
        DocumentColumn = "m.document",
        VersionSequence = "changes.machines",
    };

    /// <summary>Users by machine. The statistics over all machines are null in this list, as in the service.</summary>
    public static EntityTable LogonUsers { get; } = new("User", "defender.logon_users u", "u.tenant_id", "id", "u.last_seen DESC, u.account_domain, u.account_name",
    [
        new("id", ValueKind.String, "u.account_domain || '\\' || u.account_name") { NotNull = true },
        new("accountName", ValueKind.String, "u.account_name") { NotNull = true },
        new("accountDomain", ValueKind.String, "u.account_domain") { NotNull = true },
        new("accountSid", ValueKind.String, "u.account_sid"),
        new("firstSeen", ValueKind.Time, "u.first_seen") { NotNull = true },
        new("lastSeen", ValueKind.Time, "u.last_seen") { NotNull = true },
        new("mostPrevalentMachineId", ValueKind.String, "NULL::text"),
        new("leastPrevalentMachineId", ValueKind.String, "NULL::text"),
        new("logonTypes", ValueKind.String, "array_to_string(u.logon_types, ', ')") { NotNull = true },
        new("logOnMachinesCount", ValueKind.Int32, "NULL::int"),
        new("isDomainAdmin", ValueKind.Boolean, "u.is_domain_admin") { NotNull = true },
        new("isOnlyNetworkUser", ValueKind.Boolean, "NULL::boolean"),
    ]);
}
