using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary><c>vedette rules import-sigma</c> as a user calls it.</summary>
public sealed class SigmaTests : IDisposable
{
    private readonly string _folder = VedetteProcess.NewFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Rules_are_written_and_the_exit_code_tells_whether_all_were()
    {
        var rules = Directory.CreateDirectory(Path.Combine(_folder, "in")).FullName;
        File.WriteAllText(Path.Combine(rules, "good.yml"), """
            title: Odd program
            id: 6f3e2987-db24-4c78-a860-b4f4095a7095
            level: high
            logsource: { category: process_creation, product: windows }
            detection: { s: { User|expand: '%Admins%' }, condition: s }
            """);
        var (code, output, error) = await VedetteProcess.CommandAsync("rules", "import-sigma", rules, "--data", _folder, "--placeholder", "Admins=dana,eve");
        code.ShouldBe(0, error);
        output.ShouldContain("1 rules converted from 1 files");
        File.ReadAllText(Path.Combine(_folder, "rules", "sigma", "good.yaml")).ShouldContain("AccountName in~ (\"dana\", \"eve\")");

        File.WriteAllText(Path.Combine(rules, "bad.yml"), "title: Cloud\nlogsource: { product: aws }\ndetection: { s: { a: b }, condition: s }\n");
        (code, output, error) = await VedetteProcess.CommandAsync("rules", "import-sigma", rules, "--out", Path.Combine(_folder, "out"), "--dry-run");
        code.ShouldBe(1);
        error.ShouldContain("bad.yml(1): no hunting table holds the events of the log source aws");
        error.ShouldContain("good.yml(5): no values are given for the placeholder %Admins%");
        output.ShouldContain("2 refused:");
        Directory.Exists(Path.Combine(_folder, "out")).ShouldBeFalse();

        (code, output, _) = await VedetteProcess.CommandAsync("rules", "import-sigma", rules, "--dry-run", "--json", "--min-level", "low", "--status", "test,stable");
        code.ShouldBe(1);
        var report = JsonNode.Parse(output)!;
        ((int)report["files"]!, (bool)report["ok"]!).ShouldBe((2, false));
        report["refused"]!.AsArray().Select(item => (string)item!["reason"]!).Order().ShouldBe(["LogSource", "Placeholder"]);

        (await VedetteProcess.CommandAsync("rules", "import-sigma", rules, "--min-level", "worst")).ExitCode.ShouldBe(2);
        (await VedetteProcess.CommandAsync("rules", "import-sigma", Path.Combine(_folder, "none"))).ExitCode.ShouldBe(2);
    }
}
