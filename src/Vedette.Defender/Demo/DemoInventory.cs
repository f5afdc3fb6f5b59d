using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Defender.Vulnerabilities.Hunting;
using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Defender.Vulnerabilities.Knowledge;
using Vedette.Defender.Vulnerabilities.Posture;
using Vedette.Defender.Vulnerabilities.Remediation;

namespace Vedette.Defender.Demo;

/// <summary>What the demo organisation's devices report of themselves, and what its people do about it.</summary>
public sealed class DemoInventory(
    InventoryIntake intake, KnowledgeStore knowledge, BaselineService baselines, VulnerabilityAssessment assessment, RemediationService remediations, TvmPublisher publisher,
    TimeProvider clock)
{
    // What is asked for, until when in days from the end of the history, and how urgently.
    private static readonly (string Recommendation, int Due, string Priority, string Notes)[] Tasks =
    [
        ("va-_-apache-_-log4j", 3, "High", "The shop's servers first, please."),
        ("va-_-google-_-chrome", 14, "Medium", "Goes out with the next ring."),
        ("sca-_-scid-96", 30, "Low", "Start with the IT department."),
    ];

    /// <summary>Stores the devices' reports, assesses them and publishes what follows. May be repeated.</summary>
    /// <returns>Hunting rows that show it.</returns>
    internal async Task<long> StoreAsync(DemoWorld world, DateTime end, CancellationToken cancellationToken)
    {
        var learned = DemoKnowledge.EnsureAsync(knowledge, clock.GetUtcNow().UtcDateTime, cancellationToken);
        var owner = new Caller(world.TenantId, world.Users.First(user => user.Department == "IT").Account.Upn) { Source = "Portal" };
        foreach (var profile in SimulatedInventory.Profiles)
            await baselines.SaveAsync(owner, profile with { Id = world.GuidFor("baseline/" + profile.Name) }, cancellationToken);
        await intake.StoreAsync(
            world.TenantId,
            [.. world.Devices.Select(device => new MachineInventory(device.Id, SimulatedInventory.Report(Simulated(device, end), end)))],
            cancellationToken);
        await learned;
        await assessment.RunAsync(world.TenantId, cancellationToken);
        foreach (var (recommendation, due, priority, notes) in Tasks)
        {
            await remediations.CreateAsync(
                owner, new RemediationRequest(recommendation, end.Date.AddDays(due), priority) { Id = world.GuidFor("remediation/" + recommendation), Notes = notes, RequesterId = world.GuidFor("user/it") }, cancellationToken);
        }

        return await publisher.PublishAsync(world.TenantId, cancellationToken);
    }

    internal static SimulatedDevice Simulated(DemoDevice device, DateTime end) => new(device.Id, device.System.Platform)
    {
        DnsName = device.DnsName,
        Release = device.System.VersionInfo,
        Version = device.IsWindows ? $"10.0.{device.System.Revision}" : device.System.Platform == "Linux" ? "22.04" : device.System.Version,
        Distribution = device.System.Distribution,
        Roles = device.Kind.Roles,
        Department = device.Department,
        Manufacturer = device.System.Vendor,
        Model = device.System.Model,
        Since = end.AddDays(-DemoGenerator.Days).AddHours(1),
        IsScanner = device.ShortName == "srv-app01",
    };
}
