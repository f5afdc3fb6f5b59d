using Vedette.Defender.Detections;

namespace Vedette.Defender.Tests.Detections;

public class RuleFileParserTests
{
    private const string Sound =
        """
        id: 433e58b1-970c-55e3-a2cf-4f4203b16361
        title: Encoded command by {{AccountName}}
        description: Why it matters.
        finds: What it finds.
        severity: Medium
        category: Execution
        techniques: [T1059.001]
        frequency: 1h
        query: |
          DeviceProcessEvents
          | where FileName =~ "powershell.exe"
        entities:
          - { type: Device }
          - { type: Process, from: created }
          - { type: User, columns: { name: InitiatingProcessAccountName } }
        """;

    [Fact]
    public void Reads_a_sound_rule()
    {
        var problems = new List<RuleProblem>();
        var rule = RuleFileParser.Parse(Sound, "encoded.yaml", shipped: false, problems).ShouldNotBeNull();

        problems.ShouldBeEmpty();
        rule.Name.ShouldBe("encoded");
        rule.DetectionSource.ShouldBe("CustomDetection");
        rule.QueryLine.ShouldBe(10);
        rule.Query.ShouldStartWith("DeviceProcessEvents\n| where");
        rule.Schedule.ShouldBe(new DetectionSchedule(TimeSpan.FromHours(1), TimeSpan.FromHours(4)));
        rule.Entities.Select(entity => entity.Kind).ShouldBe([EntityKind.Device, EntityKind.Process, EntityKind.User]);
        rule.Entities[1].Columns["commandLine"].ShouldBe("ProcessCommandLine");
        rule.Entities[2].Columns.ShouldBe(new Dictionary<string, string> { ["name"] = "InitiatingProcessAccountName" });
    }

    [Theory]
    [InlineData("severity: Medium", "severity: Grave", 5, 11, "'Grave' is not a severity; use one of Informational, Low, Medium, High")]
    [InlineData("title: Encoded command by {{AccountName}}", "titel: x", 2, 1, "a rule has no key 'titel'")]
    [InlineData("techniques: [T1059.001]", "techniques: [1059]", 7, 13, "'1059' is not a technique id such as T1003 or T1003.001")]
    [InlineData("frequency: 1h", "frequency: 1s", 8, 12, "'1s' is not a frequency")]
    [InlineData("frequency: 1h", "frequency: 1h\nlookBack: 30m", 9, 11, "lookBack is shorter than the frequency")]
    [InlineData("from: created", "from: elsewhere", 14, 28, "'elsewhere' is not known for Process; use created or initiating")]
    [InlineData("{ name: Init", "{ nam: Init", 15, 30, "User has no field 'nam'; it has domain, name, objectId, sid, upn")]
    [InlineData("  - { type: Device }\n", "  - { type: Device }\n  - { type: Device }\n", 13, 3, "a rule maps at most one Device; this one maps 2")]
    [InlineData(
        "  - { type: Device }\n  - { type: Process, from: created }\n  - { type: User, columns: { name: InitiatingProcessAccountName } }", "  - { type: Process, from: created }", 13, 3,
        "a rule maps a Device, a User or a Mailbox, so that its alerts are about something")]
    [InlineData("id: 433e", "id: zzze", 1, 5, "is not a GUID")]
    [InlineData("description: Why it matters.", "description: [", 3, 14, "not YAML")]
    public void Names_the_place_of_a_mistake(string original, string replacement, int line, int column, string message)
    {
        var problems = new List<RuleProblem>();
        RuleFileParser.Parse(Sound.Replace(original, replacement, StringComparison.Ordinal), "r.yaml", false, problems).ShouldBeNull();

        var found = problems.FirstOrDefault(problem => problem.Message.Contains(message, StringComparison.Ordinal))
            .ShouldNotBeNull(string.Join('\n', problems));
        if (!message.StartsWith("not YAML", StringComparison.Ordinal)) (found.Line, found.Column).ShouldBe((line, column));
    }

    [Fact]
    public void Reports_all_mistakes_of_a_file_at_once()
    {
        var problems = new List<RuleProblem>();
        RuleFileParser.Parse("title: x\nseverity: y\n", "r.yaml", false, problems).ShouldBeNull();
        problems.Count.ShouldBeGreaterThan(5);
        problems.ShouldContain(problem => problem.Message == "the key 'query' is missing");
    }

    [Fact]
    public void Refuses_a_hostile_depth_and_length()
    {
        var problems = new List<RuleProblem>();
        RuleFileParser.Parse("a: " + new string('[', 100_000), "deep.yaml", false, problems).ShouldBeNull();
        problems.ShouldHaveSingleItem().Message.ShouldContain("nested deeper");
        RuleFileParser.Parse(new string('a', RuleFileParser.MaxLength + 1), "long.yaml", false, problems).ShouldBeNull();
        problems[^1].Message.ShouldContain("longer than 256 KiB");
    }
}
