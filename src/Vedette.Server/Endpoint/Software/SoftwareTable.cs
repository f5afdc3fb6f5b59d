using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Software;

/// <summary>Products that the organisation's devices have, and what belongs to them.</summary>
internal static class SoftwareTable
{
    private const string MissingUpdateSource =
        """
        (SELECT w.tenant_id, w.fix_id AS id, max(w.fix_name) AS name, array_agg(DISTINCT v.name) AS products, array_agg(DISTINCT v.vendor || '-_-' || v.name) AS product_ids,
            max(w.fix_url) AS url, array_agg(DISTINCT v.id) AS versions, count(DISTINCT w.vulnerability_id)::int AS cves,
            (SELECT count(DISTINCT i.machine_id) FROM defender.installations i
             JOIN defender.tvm_machines t ON t.tenant_id = w.tenant_id AND t.machine_id = i.machine_id
             WHERE i.version_id = ANY(array_agg(v.id)) AND i.removed_at IS NULL)::int AS machines
         FROM defender.version_vulnerabilities w JOIN defender.software_versions v ON v.id = w.version_id
         WHERE w.fix_id IS NOT NULL AND w.removed_at IS NULL
         GROUP BY w.tenant_id, w.fix_id) f
        """;

    private static readonly EntityProperty[] MissingUpdateProperties =
    [
        new("id", ValueKind.String, "f.id") { NotNull = true },
        new("name", ValueKind.String, "f.name"),
        new("productsNames", ValueKind.Strings, "f.products") { NotNull = true },
        new("url", ValueKind.String, "f.url"),
        new("machineMissedOn", ValueKind.Int32, "f.machines") { NotNull = true },
        new("cveAddressed", ValueKind.Int32, "f.cves") { NotNull = true },
    ];

    /// <summary>Products. Counts are of the whole organisation, also when one device is asked about.</summary>
    public static EntityTable Products { get; } = new("Software", "defender.tvm_products p", "p.tenant_id", "id", "p.id",
    [
        new("id", ValueKind.String, "p.id") { NotNull = true },
        new("name", ValueKind.String, "p.name") { NotNull = true },
        new("vendor", ValueKind.String, "p.vendor") { NotNull = true },
        new("weaknesses", ValueKind.Int64, "p.weaknesses") { NotNull = true },
        new("publicExploit", ValueKind.Boolean, "p.public_exploit") { NotNull = true },
        new("activeAlert", ValueKind.Boolean, "p.active_alert") { NotNull = true },
        new("exposedMachines", ValueKind.Int64, "p.exposed_machines") { NotNull = true },
        new("impactScore", ValueKind.Double, "p.impact_score") { NotNull = true },
    ]);

    /// <summary>Versions of a product, with the devices that have them.</summary>
    public static EntityTable Distributions { get; } = new(
        "Distribution",
        """
        (SELECT v.tenant_id, v.vendor || '-_-' || v.name AS product, v.version, count(DISTINCT i.machine_id)::int AS installations,
            (SELECT count(DISTINCT w.vulnerability_id) FROM defender.version_vulnerabilities w
             WHERE w.version_id = ANY(array_agg(v.id)) AND w.removed_at IS NULL)::int AS vulnerabilities
         FROM defender.software_versions v
         JOIN defender.installations i ON i.version_id = v.id AND i.removed_at IS NULL
         JOIN defender.tvm_machines t ON t.tenant_id = v.tenant_id AND t.machine_id = i.machine_id
         GROUP BY v.tenant_id, v.vendor, v.name, v.version) d
        """,
        "d.tenant_id", "version", "d.version",
    [
        new("version", ValueKind.String, "d.version") { NotNull = true },
        new("installations", ValueKind.Int32, "d.installations") { NotNull = true },
        new("vulnerabilities", ValueKind.Int32, "d.vulnerabilities") { NotNull = true },
    ]);

    /// <summary>References to devices. The handler's condition says which.</summary>
    public static EntityTable MachineReferences { get; } = new(
        "MachineRef", "defender.tvm_machines t JOIN defender.machines m ON m.tenant_id = t.tenant_id AND m.id = t.machine_id", "t.tenant_id", "id", "m.id",
    [
        new("id", ValueKind.String, "m.id") { NotNull = true },
        new("computerDnsName", ValueKind.String, "m.computer_dns_name"),
        new("osPlatform", ValueKind.String, "m.os_platform") { NotNull = true },
        new("rbacGroupName", ValueKind.String, "coalesce(m.rbac_group_name, 'UnassignedGroup')") { NotNull = true },
    ])
    {
        DeviceGroupColumn = "m.rbac_group_id",
    };

    /// <summary>Security updates that devices lack.</summary>
    public static EntityTable MissingUpdates { get; } = new("MissingKb", MissingUpdateSource, "f.tenant_id", "id", "f.id", MissingUpdateProperties);

    /// <summary>The same, by the name under which the device's page knows it.</summary>
    public static EntityTable ProductFixes { get; } = new("ProductFix", MissingUpdateSource, "f.tenant_id", "id", "f.id", MissingUpdateProperties);
}
