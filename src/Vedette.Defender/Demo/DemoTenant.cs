using System.Diagnostics;
using Dapper;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Vedette.Defender.Detections;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Demo;

/// <summary>What filling the demo tenant did.</summary>
/// <param name="AlreadyComplete">It had been filled before and nothing was done.</param>
/// <param name="Rows">Hunting rows of its history.</param>
/// <param name="Devices">Devices.</param>
/// <param name="Alerts">Alerts that the detections raised.</param>
/// <param name="FailedRules">Rules that failed.</param>
/// <param name="Elapsed">Time taken.</param>
public sealed record DemoSummary(bool AlreadyComplete, int Rows, int Devices, int Alerts, int FailedRules, TimeSpan Elapsed);

/// <summary>
/// Fills a tenant with the demo organisation: devices, thirty days of telemetry and the alerts that the detection rules find in it. An
/// attempt that was interrupted continues where it stood, with the same rows.
/// </summary>
public sealed class DemoTenant(
    NpgsqlDataSource database, IDbContextFactory<DefenderDbContext> states, IHuntingStore store, DetectionEngine engine, DemoInventory inventory, TimeProvider clock)
{
    /// <summary>The seed of the demo that everybody sees.</summary>
    public const int DefaultSeed = 1;

    /// <summary>Domain of the demo organisation; its users' names end in it.</summary>
    public const string Domain = "alderfinch.example";

    /// <summary>People of the demo organisation, for the directory: name, user principal name, object id, department and title.</summary>
    public static IReadOnlyList<DemoPerson> People(Guid tenantId, int seed = DefaultSeed) =>
        [.. DemoWorld.Create(tenantId, seed).Users.Select(user => new DemoPerson(
            Guid.Parse(user.Account.ObjectId), user.Account.Upn, user.DisplayName, user.GivenName, user.Surname, user.Department, user.Title))];

    /// <summary>Fills the tenant unless it is filled.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="cancellationToken">Stops; a later call goes on.</param>
    /// <param name="seed">What the organisation and its history follow from.</param>
    /// <param name="filling">Called before the work begins, when there is work.</param>
    public async Task<DemoSummary> EnsureAsync(Guid tenantId, CancellationToken cancellationToken, int seed = DefaultSeed, Action? filling = null)
    {
        var started = Stopwatch.GetTimestamp();
        var marker = await BeginAsync(tenantId, seed, cancellationToken);
        if (marker.CompletedAt is not null) return new DemoSummary(true, 0, 0, 0, 0, Stopwatch.GetElapsedTime(started));

        filling?.Invoke();
        var world = DemoWorld.Create(tenantId, marker.Seed);
        var state = StoreStateAsync(world, marker.HistoryEnd, cancellationToken);
        var batches = new DemoGenerator(world, marker.HistoryEnd).Generate();
        await Task.WhenAll(batches.Select(batch => store.AppendAsync(tenantId, batch.Rows, batch.Token, cancellationToken)).Prepend(state));
        var detections = await engine.RunNowAsync(tenantId, cancellationToken, AlertTime.WithEvents);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "UPDATE defender.demo_tenants SET completed_at = @now WHERE tenant_id = @tenantId", new { tenantId, now = clock.GetUtcNow().UtcDateTime }, cancellationToken: cancellationToken));
        return new DemoSummary(
            false, batches.Sum(batch => batch.Rows.Count) + (int)await state, world.Devices.Count, detections.Alerts, detections.Failures, Stopwatch.GetElapsedTime(started));
    }

    private async Task<Marker> BeginAsync(Guid tenantId, int seed, CancellationToken cancellationToken)
    {
        // Whole microseconds, because that is what the database keeps, and a repetition must end at the same moment.
        var now = clock.GetUtcNow().UtcDateTime;
        var end = new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleAsync<Marker>(new CommandDefinition(
            """
            INSERT INTO defender.demo_tenants (tenant_id, seed, history_end) VALUES (@tenantId, @seed, @end) ON CONFLICT DO NOTHING;
            SELECT seed AS Seed, history_end AS HistoryEnd, completed_at AS CompletedAt FROM defender.demo_tenants WHERE tenant_id = @tenantId
            """,
            new { tenantId, seed, end },
            cancellationToken: cancellationToken));
    }

    private async Task<long> StoreStateAsync(DemoWorld world, DateTime end, CancellationToken cancellationToken)
    {
        await StoreDevicesAsync(world, end, cancellationToken);
        return await inventory.StoreAsync(world, end, cancellationToken);
    }

    private async Task StoreDevicesAsync(DemoWorld world, DateTime end, CancellationToken cancellationToken)
    {
        await using var state = await states.CreateDbContextAsync(cancellationToken);
        if (await state.Machines.AsNoTracking().CountAsync(m => m.TenantId == world.TenantId && m.Id == world.Devices[0].Id, cancellationToken) > 0) return;
        var groups = world.Devices.Select(device => device.System.Group).Distinct(StringComparer.Ordinal).ToArray();
        var last = await state.DeviceGroups.Where(group => group.TenantId == world.TenantId).MaxAsync(group => (int?)group.Id, cancellationToken) ?? 0;
        for (var group = 0; group < groups.Length; group++) state.DeviceGroups.Add(new DeviceGroup { TenantId = world.TenantId, Id = last + group + 1, Name = groups[group] });
        foreach (var device in world.Devices)
        {
            state.Machines.Add(Machine(world, device, last + Array.IndexOf(groups, device.System.Group) + 1, end));
            if (device.User is { } user) state.LogonUsers.Add(Logon(world, device, user.Account, "Interactive", 22, end));
            if (device.IsWindows && device.User is null) state.LogonUsers.Add(Logon(world, device, world.DomainAdmin, "RemoteInteractive", 6, end));
        }

        await state.SaveChangesAsync(cancellationToken);
    }

    private static Machine Machine(DemoWorld world, DemoDevice device, int group, DateTime end) => new()
    {
        TenantId = world.TenantId,
        Id = device.Id,
        ComputerDnsName = device.DnsName,
        FirstSeen = end.AddDays(-DemoGenerator.Days).AddHours(1),
        LastSeen = end.AddMinutes(-5 - 7 * (device.Index % 9)),
        OsPlatform = device.System.Platform,
        OsProcessor = "x64",
        Version = device.IsWindows ? device.System.VersionInfo : device.System.Version,
        LastIpAddress = device.Ip,
        LastExternalIpAddress = world.PublicIp,
        AgentVersion = device.System.Client,
        OsBuild = device.System.Build == 0 ? null : device.System.Build,
        DeviceValue = device.Has("dc") ? DeviceValue.High : DeviceValue.Normal,
        RbacGroupId = group,
        RbacGroupName = device.System.Group,
        ExposureLevel = device.Has("web") ? ExposureLevel.High : device.Index % 3 == 0 ? ExposureLevel.Medium : ExposureLevel.Low,
        IsAadJoined = device.IsWindows && device.User is not null,
        AadDeviceId = device.IsWindows ? device.AadId : null,
        MachineTags = device.Has("dc") ? ["Tier 0"] : device.Has("web") ? ["Internet facing"] : [],
        DefenderAvStatus = "Updated",
        ManagedBy = device.IsWindows && device.User is not null ? "Intune" : "Unknown",
        IpAddresses = [new MachineIpAddress(device.Ip, device.Mac, "Ethernet", "Up")],
        OsDistribution = device.System.Distribution,
        DeviceType = device.System.Type,
        Channel = DeviceChannelKind.Simulated,
        LastContact = end,
    };

    private static LogonUser Logon(DemoWorld world, DemoDevice device, DemoAccount account, string type, int count, DateTime end) => new()
    {
        TenantId = world.TenantId,
        MachineId = device.Id,
        AccountDomain = account.Domain.ToLowerInvariant(),
        AccountName = account.Name,
        AccountSid = account.Sid,
        FirstSeen = end.AddDays(-DemoGenerator.Days).AddHours(2),
        LastSeen = end.AddMinutes(-5 - 7 * (device.Index % 9)),
        LogonTypes = [type],
        LogonCount = count,
        IsDomainAdmin = account == world.DomainAdmin,
    };

    private sealed record Marker(int Seed, DateTime HistoryEnd, DateTime? CompletedAt);
}

/// <summary>A person of the demo organisation.</summary>
/// <param name="ObjectId">Identity in the directory.</param>
/// <param name="UserPrincipalName">Name to sign in with.</param>
/// <param name="DisplayName">Full name.</param>
/// <param name="GivenName">First name.</param>
/// <param name="Surname">Last name.</param>
/// <param name="Department">Department.</param>
/// <param name="JobTitle">Title.</param>
public sealed record DemoPerson(Guid ObjectId, string UserPrincipalName, string DisplayName, string GivenName, string Surname, string Department, string JobTitle);
