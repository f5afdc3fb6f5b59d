using Vedette.Defender.Alerts;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.Alerts;

public sealed class AlertServiceTests
{
    [Fact]
    public async Task An_update_sets_what_it_names_and_keeps_the_rest()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var id = (await world.Get<AlertIntake>().RaiseAsync(AlertIntakeTests.Example(world), default)).Alert.Id;
        var alerts = world.Get<AlertService>();
        world.Clock.Advance(TimeSpan.FromHours(1));
        var update = new AlertUpdate { Status = "Resolved", Classification = "FalsePositive", Determination = "Malware", Comment = "noise", AssignedTo = "dana@example.test" };
        var alert = (await alerts.UpdateAsync(DefenderWorld.Caller, id, update, default)).Value;
        alert.Status.ShouldBe(AlertStatus.Resolved);
        alert.ResolvedTime.ShouldBe(world.Now);
        alert.LastUpdateTime.ShouldBe(world.Now);
        alert.Comments.ShouldBe([new AlertComment("noise", "soc1@example.test", world.Now)]);
        alert.Evidence.Count.ShouldBe(3);
        await using (var state = world.Open()) state.Machines.Single().RiskScore.ShouldBe(RiskScore.None);

        var again = (await alerts.UpdateAsync(DefenderWorld.Caller, id, new AlertUpdate { Status = "InProgress" }, default)).Value;
        again.ResolvedTime.ShouldBeNull();
        again.Classification.ShouldBe(AlertClassification.FalsePositive);
        again.Determination.ShouldBe(AlertDetermination.Malware);
        again.AssignedTo.ShouldBe("dana@example.test");
        await using (var state = world.Open()) state.Machines.Single().RiskScore.ShouldBe(RiskScore.Medium);
    }

    [Theory]
    [InlineData("ConfirmedActivity", AlertDetermination.ConfirmedUserActivity)]
    [InlineData("ConfirmedUserActivity", AlertDetermination.ConfirmedUserActivity)]
    [InlineData("NotMalicious", AlertDetermination.Clean)]
    [InlineData("NoEnoughDataToValidate", AlertDetermination.InsufficientData)]
    [InlineData("securitytesting", AlertDetermination.SecurityTesting)]
    public void Every_spelling_of_a_determination_is_taken(string word, AlertDetermination determination) =>
        AlertWords.Determinations[word].ShouldBe(determination);

    [Theory]
    [InlineData("Apt")]
    [InlineData("SecurityPersonnel")]
    public void Withdrawn_determinations_are_not(string word) => AlertWords.Determinations.ContainsKey(word).ShouldBeFalse();

    [Fact]
    public async Task A_batch_changes_all_or_none()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var intake = world.Get<AlertIntake>();
        var ids = new List<string>();
        for (var n = 0; n < 3; n++) ids.Add((await intake.RaiseAsync(AlertIntakeTests.Example(world), default)).Alert.Id);
        var alerts = world.Get<AlertService>();

        var refused = await alerts.UpdateManyAsync(DefenderWorld.Caller, [.. ids, "da1_1"], new AlertUpdate { Status = "Resolved" }, default);
        refused.Error!.Refusal.ShouldBe(Refusal.ResourceNotFound);
        refused.Error.Details.ShouldBe(["Alert", "da1_1"]);
        (await alerts.GetAsync(DefenderWorld.Caller, ids[0], default)).Value.Status.ShouldBe(AlertStatus.New);

        (await alerts.UpdateManyAsync(DefenderWorld.Caller, ids, new AlertUpdate { Comment = "all" }, default)).Value.Select(a => a.Id).ShouldBe(ids);
        (await alerts.GetAsync(DefenderWorld.Caller, ids[2], default)).Value.Comments.Single().Comment.ShouldBe("all");
    }

    [Fact]
    public async Task Wrong_words_and_empty_updates_are_refused()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var id = (await world.Get<AlertIntake>().RaiseAsync(AlertIntakeTests.Example(world), default)).Alert.Id;
        foreach (var update in new[] { new AlertUpdate(), new AlertUpdate { Status = "Closed" }, new AlertUpdate { Classification = "x" }, new AlertUpdate { Determination = "Apt" } })
        {
            (await world.Get<AlertService>().UpdateAsync(DefenderWorld.Caller, id, update, default)).Error!.Refusal.ShouldBe(Refusal.InvalidRequestBody);
        }
    }

    [Fact]
    public async Task Alerts_of_devices_out_of_sight_do_not_exist()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync(1, m => m.RbacGroupId = 5);
        var id = (await world.Get<AlertIntake>().RaiseAsync(AlertIntakeTests.Example(world), default)).Alert.Id;
        var outsider = DefenderWorld.Caller with { DeviceGroups = [6] };
        (await world.Get<AlertService>().GetAsync(outsider, id, default)).Error!.Refusal.ShouldBe(Refusal.ResourceNotFound);
        (await world.Get<AlertService>().GetAsync(outsider with { DeviceGroups = [5] }, id, default)).Error.ShouldBeNull();
        var stranger = new Caller(Guid.NewGuid(), "x");
        (await world.Get<AlertService>().UpdateAsync(stranger, id, new AlertUpdate { Comment = "x" }, default)).Error!.Refusal.ShouldBe(Refusal.ResourceNotFound);
    }

    [Fact]
    public async Task The_user_of_an_alert_is_told_or_not_found()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var intake = world.Get<AlertIntake>();
        var with = (await intake.RaiseAsync(AlertIntakeTests.Example(world), default)).Alert.Id;
        var without = (await intake.RaiseAsync(AlertIntakeTests.Example(world) with { Evidence = [] }, default)).Alert.Id;
        (await world.Get<AlertService>().RelatedUserAsync(DefenderWorld.Caller, with, default)).Value.AccountName.ShouldBe("dana");
        (await world.Get<AlertService>().RelatedUserAsync(DefenderWorld.Caller, without, default)).Error!.Refusal.ShouldBe(Refusal.ResourceNotFound);
    }
}
