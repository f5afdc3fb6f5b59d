using Vedette.Defender.Detections;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Tests.Detections;

public sealed class RuleLoaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-rules-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void Shipped_rules_are_all_sound()
    {
        var set = RuleLoader.Load(RuleLoader.ShippedFolder(), null);

        set.Problems.ShouldBeEmpty();
        set.Rules.Count.ShouldBeGreaterThanOrEqualTo(15);
        set.Rules.ShouldAllBe(rule => rule.Shipped && rule.DetectionSource == "WindowsDefenderAtp" && rule.FalsePositives.Count > 0);
    }

    [Fact]
    public void A_faulty_file_costs_its_own_rule_only()
    {
        Write("good.yaml", Rule(Guid.NewGuid(), "Good"));
        Write("bad.yaml", "title: [");
        var set = RuleLoader.Load(null, _folder);

        set.Rules.ShouldHaveSingleItem().Title.ShouldBe("Good");
        set.Problems.ShouldHaveSingleItem().File.ShouldBe("bad.yaml");
    }

    [Fact]
    public void Two_rules_cannot_share_an_id_or_a_title()
    {
        var id = Guid.NewGuid();
        Write("a.yaml", Rule(id, "First"));
        Write("b.yaml", Rule(id, "Second"));
        Write("c.yaml", Rule(Guid.NewGuid(), "first"));
        var set = RuleLoader.Load(null, _folder);

        set.Rules.ShouldHaveSingleItem().Name.ShouldBe("a");
        set.Problems.Select(problem => problem.ToString()).ShouldBe(
        [
            $"b.yaml(1,1): the id {id} is already taken by a.yaml",
            "c.yaml(1,1): the title 'first' is already taken by a.yaml",
        ]);
    }

    [Fact]
    public void An_own_rule_replaces_the_shipped_rule_with_its_id()
    {
        var shipped = RuleLoader.Load(RuleLoader.ShippedFolder(), null).Rules[0];
        Write("mine.yaml", Rule(shipped.Id, "Mine"));
        var rule = RuleLoader.Load(RuleLoader.ShippedFolder(), _folder).Rules.Single(rule => rule.Id == shipped.Id);

        rule.Title.ShouldBe("Mine");
        rule.DetectionSource.ShouldBe("CustomDetection");
    }

    [Fact]
    public void A_wrong_query_is_told_with_its_place_in_the_file()
    {
        Write("a.yaml", Rule(Guid.NewGuid(), "A").Replace("query: DeviceProcessEvents", "query: |\n  DeviceProcessEvents\n  | where ProcesName == 1", StringComparison.Ordinal));
        Write("b.yaml", Rule(Guid.NewGuid(), "B").Replace("query: DeviceProcessEvents", "query: DeviceProcessEvents | project Timestamp", StringComparison.Ordinal));
        var names = new HuntingCatalogue(new TelemetryOptions());
        var catalogue = new RuleCatalogue(new DetectionOptions { ShippedRules = RuleLoader.ShippedFolder(), OwnRules = _folder }, names, null);
        var set = catalogue.Current;

        set.Rules.ShouldAllBe(rule => rule.Shipped);
        set.Rules.Count.ShouldBeGreaterThanOrEqualTo(30);
        set.Rules.Count(rule => rule.NarrowQuery is null).ShouldBe(0);
        set.Problems.Count.ShouldBe(2);
        set.Problems[0].ToString().ShouldStartWith("a.yaml(11,11): ");
        set.Problems[0].Message.ShouldContain("ProcesName");
        set.Problems[1].ToString().ShouldBe("b.yaml(9,8): the result has none of the columns of the entity Device: DeviceId, DeviceName");
        catalogue.Current.ShouldBeSameAs(set);

        Write("c.yaml", Rule(Guid.NewGuid(), "C"));
        catalogue.Current.Rules.ShouldContain(rule => rule.Title == "C");
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private static string Rule(Guid id, string title) =>
        $$"""
        id: {{id}}
        title: {{title}}
        description: d
        finds: f
        severity: Low
        category: Discovery
        techniques: [T1016]
        frequency: Continuous
        query: DeviceProcessEvents
        entities:
          - { type: Device }
        """;
}
