using Dapper;
using Npgsql;
using Vedette.Foundation;

namespace Vedette.Defender.Vulnerabilities.Posture;

/// <summary>A baseline profile: a benchmark that an organisation measures some of its devices by.</summary>
/// <param name="Name">Its name.</param>
/// <param name="OperatingSystem">The system meant, such as <c>Windows 11</c>.</param>
public sealed record BaselineProfile(string Name, string OperatingSystem)
{
    /// <summary>Identity; a new one when left empty.</summary>
    public Guid Id { get; init; }

    /// <summary>What it is for.</summary>
    public string Description { get; init; } = "";

    /// <summary>Version of the system meant; <c>All</c> for all.</summary>
    public string OperatingSystemVersion { get; init; } = "All";

    /// <summary>Whether devices are measured by it now.</summary>
    public bool IsActive { get; init; } = true;

    /// <summary>Level of the benchmark.</summary>
    public string ComplianceLevel { get; init; } = "Level 1 (L1) - Corporate/Enterprise Environment (general use)";

    /// <summary>The benchmark.</summary>
    public string Benchmark { get; init; } = BaselineCatalogue.Benchmark;

    /// <summary>The benchmark's version.</summary>
    public string Version { get; init; } = BaselineCatalogue.Version;
}

/// <summary>Keeps baseline profiles and measures devices by them. The service has no API that makes profiles: its portal does.</summary>
public sealed class BaselineService(NpgsqlDataSource database, IIdentifierSource identifiers, TimeProvider clock)
{
    private static readonly string Measure =
        $"""
        DELETE FROM defender.baseline_assessments WHERE tenant_id = @tenant AND (@machines::text[] IS NULL OR machine_id = ANY(@machines));
        INSERT INTO defender.baseline_assessments (tenant_id, machine_id, profile_id, configuration_id, is_applicable, is_compliant, current_value, collected_at, calculated_at)
        SELECT @tenant, m.id, p.id, b.id, true, {BaselineCatalogue.Verdict}, CASE WHEN s.v IS NULL THEN ARRAY[]::text[] ELSE ARRAY[s.v] END, d.reported_at, @now
        FROM defender.device_posture d
        JOIN defender.machines m ON m.tenant_id = d.tenant_id AND m.id = d.machine_id
        JOIN defender.baseline_profiles p ON p.tenant_id = d.tenant_id AND p.status AND replace(p.operating_system, ' ', '') = m.os_platform
        CROSS JOIN {BaselineCatalogue.Rows("b")}
        CROSS JOIN LATERAL (SELECT d.settings ->> b.source AS v) AS s
        WHERE d.tenant_id = @tenant AND d.settings IS NOT NULL AND (@machines::text[] IS NULL OR d.machine_id = ANY(@machines))
        """;

    /// <summary>Makes or replaces a profile, and measures all devices anew.</summary>
    /// <returns>Its id.</returns>
    public async Task<Guid> SaveAsync(Caller caller, BaselineProfile profile, CancellationToken cancellationToken)
    {
        var id = profile.Id == Guid.Empty ? identifiers.NewGuid() : profile.Id;
        var now = clock.GetUtcNow().UtcDateTime;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            """
            INSERT INTO defender.baseline_profiles (tenant_id, id, name, description, benchmark, version, operating_system, operating_system_version, status,
                compliance_level, created_by, created_on, last_updated_on)
            VALUES (@TenantId, @id, @Name, @Description, @Benchmark, @Version, @OperatingSystem, @OperatingSystemVersion, @IsActive, @ComplianceLevel, @by, @now, @now)
            ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, description = excluded.description, benchmark = excluded.benchmark, version = excluded.version,
                operating_system = excluded.operating_system, operating_system_version = excluded.operating_system_version, status = excluded.status,
                compliance_level = excluded.compliance_level, last_updated_by = excluded.created_by, last_updated_on = excluded.last_updated_on
            """,
            new
            {
                caller.TenantId, id, profile.Name, profile.Description, profile.Benchmark, profile.Version, profile.OperatingSystem, profile.OperatingSystemVersion,
                profile.IsActive, profile.ComplianceLevel, by = caller.Name, now,
            },
            cancellationToken: cancellationToken));
        await MeasureAsync(connection, caller.TenantId, null, now, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return id;
    }

    /// <summary>Measures devices by the active profiles of their system; null for all devices.</summary>
    internal static Task MeasureAsync(NpgsqlConnection connection, Guid tenantId, string[]? machines, DateTime now, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(new CommandDefinition(Measure, new { tenant = tenantId, machines, now }, commandTimeout: 300, cancellationToken: cancellationToken));
}
