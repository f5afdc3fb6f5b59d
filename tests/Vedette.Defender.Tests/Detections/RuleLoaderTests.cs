using Vedette.Defender.Detections;

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
