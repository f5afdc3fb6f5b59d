using Vedette.Defender.Alerts;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Alerts;

public sealed class AlertByReferenceTests
{
    [Fact]
    public async Task An_event_s_columns_become_the_evidence()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        world.Clock.Advance(TimeSpan.FromTicks(1234567));
        await world.AppendAsync(
            "DeviceRegistryEvents",
            ("RegistryKey", @"HKEY_LOCAL_MACHINE\SOFTWARE\Lab"),
            ("RegistryValueName", "odd"),
            ("InitiatingProcessFileName", "odd.exe"),
            ("InitiatingProcessId", 4711L),
            ("InitiatingProcessAccountName", "dana"),
            ("InitiatingProcessAccountDomain", "example"));
        var alert = (await world.Get<AlertByReference>().CreateAsync(DefenderWorld.Caller, Example(world), default)).Value;
        (alert.Title, alert.Severity, alert.Category, alert.MachineId, alert.FirstEventTime).ShouldBe(("By hand", AlertSeverity.High, "Execution", DefenderWorld.MachineId(1), world.Now));
        alert.RelatedUser.ShouldBe(new RelatedUser("dana", "example"));
        alert.Evidence.Select(e => e.EntityType).ShouldBe([EvidenceKind.Process, EvidenceKind.User, EvidenceKind.RegistryValue]);
        (alert.Evidence[2].RegistryHive, alert.Evidence[2].RegistryKey).ShouldBe(("HKEY_LOCAL_MACHINE", @"SOFTWARE\Lab"));

        // The same device and title while it is open: the one alert.
        (await world.Get<AlertByReference>().CreateAsync(DefenderWorld.Caller, Example(world), default)).Value.Id.ShouldBe(alert.Id);
    }

    [Fact]
    public async Task An_event_that_is_not_there_is_not_found()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        await world.AppendAsync("DeviceEvents");
        var service = world.Get<AlertByReference>();
        foreach (var wrong in new[] { Example(world) with { ReportId = "78" }, Example(world) with { EventTime = world.Now.AddTicks(1) } })
        {
            (await service.CreateAsync(DefenderWorld.Caller, wrong, default)).Error!.Refusal.ShouldBe(Refusal.ResourceNotFound);
        }

        var elsewhere = (await service.CreateAsync(DefenderWorld.Caller, Example(world) with { MachineId = DefenderWorld.MachineId(2) }, default)).Error!;
        elsewhere.Refusal.ShouldBe(Refusal.MachineNotFound);
    }

    [Fact]
    public async Task Everything_is_required_and_words_are_checked()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var good = Example(world);
        var service = world.Get<AlertByReference>();
        foreach (var (wrong, refusal, detail) in new (EventReference, Refusal, string)[]
        {
            (good with { EventTime = null }, Refusal.MissingRequiredParameter, "eventTime"),
            (good with { ReportId = "" }, Refusal.MissingRequiredParameter, "reportId"),
            (good with { RecommendedAction = null }, Refusal.MissingRequiredParameter, "recommendedAction"),
            (good with { Severity = "Informational" }, Refusal.InvalidInput, "severity"),
            (good with { Category = "Mischief" }, Refusal.InvalidInput, "category"),
            (good with { ReportId = "1' or 1==1" }, Refusal.InvalidInput, "reportId"),
        })
        {
            var error = (await service.CreateAsync(DefenderWorld.Caller, wrong, default)).Error!;
            (error.Refusal, error.Details[0]).ShouldBe((refusal, detail));
        }
    }

    private static EventReference Example(DefenderWorld world) => new()
    {
        EventTime = world.Now,
        ReportId = "77",
        MachineId = DefenderWorld.MachineId(1),
        Severity = "High",
        Title = "By hand",
        Description = "An analyst says so.",
        RecommendedAction = "Look at it.",
        Category = "execution",
    };
}
