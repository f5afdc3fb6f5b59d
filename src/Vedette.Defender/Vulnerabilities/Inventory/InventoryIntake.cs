using System.Text.Json;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using Vedette.Agent.Contract;
using Vedette.Defender.Vulnerabilities.Posture;

namespace Vedette.Defender.Vulnerabilities.Inventory;

/// <summary>A device's report.</summary>
/// <param name="MachineId">The device.</param>
/// <param name="Report">What it reports.</param>
public sealed record MachineInventory(string MachineId, InventoryReport Report)
{
    /// <summary>True when the report's software is only a part of what there is: the rest stays as it is known.</summary>
    public bool IsPartial { get; init; }
}

/// <summary>
/// Takes over what devices report of themselves. The scripts below are the parts of a report in order; each replaces what was known of the
/// part, for exactly those devices whose report has it. All of it is one transaction.
/// </summary>
public sealed class InventoryIntake(NpgsqlDataSource database, TimeProvider clock, TvmSignal signal) : IInventoryChannel
{
    private const int MostSoftware = 20_000;
    private const int DevicesAtOnce = 200;

    private const string StoreSoftware =
        """
        CREATE TEMP TABLE incoming (
            machine text, vendor text, name text, version text, scheme text, package text, code boolean, eos date, scope text,
            disk text[], registry text[], first timestamptz) ON COMMIT DROP;

        INSERT INTO incoming
        SELECT DISTINCT ON (machine, vendor, name, version, scheme, package) *
        FROM jsonb_to_recordset(@items) AS x(
            machine text, vendor text, name text, version text, scheme text, package text, code boolean, eos date, scope text,
            disk text[], registry text[], first timestamptz)
        ORDER BY machine, vendor, name, version, scheme, package;

        INSERT INTO defender.software_versions (tenant_id, vendor, name, version, scheme, package, has_product_code, end_of_support, end_of_support_scope)
        SELECT DISTINCT ON (vendor, name, version, scheme, package) @tenant, vendor, name, version, scheme, package, code, eos, scope FROM incoming
        ORDER BY vendor, name, version, scheme, package
        ON CONFLICT DO NOTHING;

        CREATE TEMP TABLE present (machine text, id bigint, disk text[], registry text[], first timestamptz) ON COMMIT DROP;

        INSERT INTO present
        SELECT x.machine, v.id, x.disk, x.registry, x.first
        FROM incoming x JOIN defender.software_versions v ON v.tenant_id = @tenant AND v.vendor = x.vendor AND v.name = x.name AND v.version = x.version
            AND v.scheme = x.scheme AND v.package = x.package;

        UPDATE defender.installations i SET removed_at = @now
        WHERE i.tenant_id = @tenant AND i.machine_id = ANY(@machines) AND i.removed_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM present p WHERE p.machine = i.machine_id AND p.id = i.version_id);

        INSERT INTO defender.installations AS i (tenant_id, machine_id, version_id, disk_paths, registry_paths, first_seen, added_at, last_seen)
        SELECT @tenant, machine, id, disk, registry, first, @now, @now FROM present ORDER BY machine, id
        ON CONFLICT (tenant_id, machine_id, version_id) DO UPDATE SET
            disk_paths = excluded.disk_paths, registry_paths = excluded.registry_paths, last_seen = @now, removed_at = NULL,
            added_at = CASE WHEN i.removed_at IS NULL THEN i.added_at ELSE @now END;

        -- A product that was brought to another version was first seen when its older version was.
        UPDATE defender.installations i SET first_seen = older.first_seen
        FROM (
            SELECT g.machine_id, v.vendor, v.name, min(g.first_seen) AS first_seen
            FROM defender.installations g JOIN defender.software_versions v ON v.id = g.version_id
            WHERE g.tenant_id = @tenant AND g.machine_id = ANY(@machines) AND g.removed_at = @now GROUP BY 1, 2, 3) AS older,
            defender.software_versions v
        WHERE v.id = i.version_id AND i.tenant_id = @tenant AND i.machine_id = older.machine_id AND i.added_at = @now AND i.removed_at IS NULL
            AND v.vendor = older.vendor AND v.name = older.name AND older.first_seen < i.first_seen;
        """;

    private const string StoreConfigurations =
        """
        DELETE FROM defender.configuration_assessments WHERE tenant_id = @tenant AND machine_id = ANY(@machines);
        INSERT INTO defender.configuration_assessments (tenant_id, machine_id, configuration_id, is_applicable, is_compliant, context, assessed_at)
        SELECT DISTINCT ON (machine, id) @tenant, machine, id, applicable, compliant, context, @now
        FROM jsonb_to_recordset(@items) AS x(machine text, id text, applicable boolean, compliant boolean, context jsonb);
        """;

    private const string StoreCertificates =
        """
        DELETE FROM defender.device_certificates WHERE tenant_id = @tenant AND machine_id = ANY(@machines);
        INSERT INTO defender.device_certificates (tenant_id, machine_id, thumbprint, path, signature_algorithm, key_length, not_after, not_before,
            subject_type, serial_number, friendly_name, subject, issuer, key_usage, extended_key_usage, is_self_signed)
        SELECT DISTINCT ON (machine, thumbprint, path) @tenant, machine, thumbprint, path, algorithm, length, "notAfter", "notBefore", subject_type, serial, friendly,
            subject, issuer, usage, extended, self
        FROM jsonb_to_recordset(@items) AS x(machine text, thumbprint text, path text, algorithm text, length int, "notAfter" timestamptz, "notBefore" timestamptz,
            subject_type text, serial text, friendly text, subject jsonb, issuer jsonb, usage text[], extended text[], self boolean);
        """;

    private const string StoreExtensions =
        """
        DELETE FROM defender.browser_extensions WHERE tenant_id = @tenant AND machine_id = ANY(@machines);
        INSERT INTO defender.browser_extensions (tenant_id, machine_id, browser_name, extension_id, name, description, version, vendor, risk, is_activated, installed_at, permissions)
        SELECT DISTINCT ON (machine, browser, id) @tenant, machine, browser, id, name, description, version, vendor, risk, activated, coalesce(installed, @now), permissions
        FROM jsonb_to_recordset(@items) AS x(machine text, browser text, id text, name text, description text, version text, vendor text, risk text,
            activated boolean, installed timestamptz, permissions jsonb);
        """;

    private const string StoreHardware =
        """
        DELETE FROM defender.hardware_components WHERE tenant_id = @tenant AND machine_id = ANY(@machines);
        INSERT INTO defender.hardware_components (tenant_id, machine_id, component_type, component_name, manufacturer, component_version, component_family, additional)
        SELECT DISTINCT ON (machine, type, name) @tenant, machine, type, name, manufacturer, version, family, additional
        FROM jsonb_to_recordset(@items) AS x(machine text, type text, name text, manufacturer text, version text, family text, additional jsonb);
        """;

    private const string StorePosture =
        """
        INSERT INTO defender.device_posture AS p (tenant_id, machine_id, antivirus, gathered, settings, reported_at)
        SELECT DISTINCT ON (machine) @tenant, machine, antivirus, gathered, settings, @now
        FROM jsonb_to_recordset(@items) AS x(machine text, antivirus jsonb, gathered jsonb, settings jsonb)
        ON CONFLICT (tenant_id, machine_id) DO UPDATE SET antivirus = coalesce(excluded.antivirus, p.antivirus), gathered = coalesce(excluded.gathered, p.gathered),
            settings = coalesce(excluded.settings, p.settings), reported_at = @now;
        """;

    private const string StoreScanners =
        """
        INSERT INTO defender.scan_agents AS a (tenant_id, machine_id, assigned_application_id, scanner_software_version, last_command_execution)
        SELECT DISTINCT ON (machine) @tenant, machine, gen_random_uuid(), version, @now FROM jsonb_to_recordset(@items) AS x(machine text, version text)
        ON CONFLICT (tenant_id, machine_id) DO UPDATE SET scanner_software_version = excluded.scanner_software_version, last_command_execution = @now;
        """;

    /// <inheritdoc/>
    public Task ReportInventoryAsync(DeviceSession device, InventoryReport report, CancellationToken cancellationToken)
    {
        if (report.Software?.Count > MostSoftware) throw new InvalidDataException($"A report holds at most {MostSoftware} pieces of software.");
        return StoreAsync(device.TenantId, [new MachineInventory(device.DeviceId, report)], cancellationToken);
    }

    /// <summary>Takes over the reports of several devices of a tenant; many are stored some hundred at a time.</summary>
    public async Task StoreAsync(Guid tenantId, IReadOnlyList<MachineInventory> reports, CancellationToken cancellationToken)
    {
        foreach (var chunk in reports.Chunk(DevicesAtOnce))
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await StoreAsync(connection, tenantId, chunk, cancellationToken);
            await connection.ExecuteAsync(new CommandDefinition(
                "INSERT INTO defender.tvm_state AS s (tenant_id, changed) VALUES (@tenantId, 1) ON CONFLICT (tenant_id) DO UPDATE SET changed = s.changed + 1",
                new { tenantId },
                cancellationToken: cancellationToken));
            await transaction.CommitAsync(cancellationToken);
        }

        signal.Raise(tenantId);
    }

    private async Task StoreAsync(NpgsqlConnection connection, Guid tenantId, MachineInventory[] reports, CancellationToken cancellationToken)
    {
        var now = new DateTime(clock.GetUtcNow().Ticks / 10 * 10, DateTimeKind.Utc);
        Task Run<T>(string script, Func<InventoryReport, IEnumerable<T>?> part, Func<string, T, object> row) =>
            RunAsync(connection, script, tenantId, now, reports, part, row, cancellationToken);

        await Run(StoreSoftware, r => r.Software, (machine, s) => Software(machine, s, now));
        await Run(StoreConfigurations, r => r.Configurations, (machine, c) => new { machine, id = c.Id, applicable = c.IsApplicable, compliant = c.IsCompliant && c.IsApplicable, context = c.Context });
        await Run(StoreCertificates, r => r.Certificates, (machine, c) => new
        {
            machine, thumbprint = c.Thumbprint, path = c.Path, algorithm = c.SignatureAlgorithm, length = c.KeyLength, notAfter = c.NotAfter, notBefore = c.NotBefore,
            subject_type = c.SubjectType, serial = c.SerialNumber, friendly = c.FriendlyName, subject = c.Subject, issuer = c.Issuer, usage = c.KeyUsage,
            extended = c.ExtendedKeyUsage, self = c.IsSelfSigned,
        });
        await Run(StoreExtensions, r => r.BrowserExtensions, (machine, e) => new
        {
            machine, browser = e.Browser, id = e.Id, name = e.Name, description = e.Description, version = e.Version, vendor = e.Vendor,
            risk = ExtensionPermissions.RiskOf(e.Permissions.Select(p => p.Id)), activated = e.IsActivated, installed = e.InstalledAt,
            permissions = e.Permissions.Select(p => new { p.Id, p.IsRequired, Risk = ExtensionPermissions.RiskOf([p.Id]) }),
        });
        await Run(StoreHardware, r => r.Hardware, (machine, h) => new
        {
            machine, type = h.Type, name = h.Name, manufacturer = h.Manufacturer, version = h.Version, family = h.Family, additional = h.Additional,
        });
        await Run(StorePosture, r => r.Antivirus is null && r.Gathered is null && r.Settings is null ? null : new[] { r }, (machine, r) => new
        {
            machine, antivirus = r.Antivirus, gathered = r.Gathered, settings = r.Settings,
        });
        var measured = reports.Where(r => r.Report.Settings is not null).Select(r => r.MachineId).ToArray();
        if (measured.Length > 0) await BaselineService.MeasureAsync(connection, tenantId, measured, now, cancellationToken);
        await Run(StoreScanners, r => r.ScannerVersion is { } version ? new[] { version } : null, (machine, version) => new { machine, version });
    }

    private static async Task RunAsync<T>(
        NpgsqlConnection connection, string script, Guid tenant, DateTime now, MachineInventory[] reports,
        Func<InventoryReport, IEnumerable<T>?> part, Func<string, T, object> row, CancellationToken cancellationToken)
    {
        var given = reports.Where(r => part(r.Report) is not null).ToArray();
        if (given.Length == 0) return;
        var items = JsonSerializer.SerializeToUtf8Bytes(given.SelectMany(r => part(r.Report)!.Select(item => row(r.MachineId, item))), TvmJson.Options);
        foreach (var statement in script.Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = new NpgsqlCommand(statement, connection);
            if (statement.Contains("@items", StringComparison.Ordinal)) command.Parameters.Add(new NpgsqlParameter("items", NpgsqlDbType.Jsonb) { Value = items });
            if (statement.Contains("@tenant", StringComparison.Ordinal)) command.Parameters.Add(new NpgsqlParameter("tenant", NpgsqlDbType.Uuid) { Value = tenant });
            if (statement.Contains("@now", StringComparison.Ordinal)) command.Parameters.Add(new NpgsqlParameter("now", NpgsqlDbType.TimestampTz) { Value = now });
            if (statement.Contains("@machines", StringComparison.Ordinal))
                command.Parameters.Add(new NpgsqlParameter("machines", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = given.Where(r => !r.IsPartial).Select(r => r.MachineId).ToArray() });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static object Software(string machine, SoftwareItem item, DateTime now)
    {
        var package = (item.Package ?? (item.Scheme == "cpe" ? $"{item.Vendor}:{item.Name}" : item.Name)).ToLowerInvariant();
        var support = SupportFacts.Of(item.Vendor, item.Name, item.Version);
        return new
        {
            machine,
            vendor = item.Vendor.ToLowerInvariant(),
            name = item.Name.ToLowerInvariant(),
            version = item.Version,
            scheme = item.Scheme,
            package,
            code = item.Scheme.Length > 0,
            eos = support?.EndsOn,
            scope = support?.Scope,
            disk = item.DiskPaths,
            registry = item.RegistryPaths,
            first = item.FirstSeen is { } first && first < now ? first : now,
        };
    }
}
