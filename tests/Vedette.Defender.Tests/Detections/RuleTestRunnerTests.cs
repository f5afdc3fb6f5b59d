using System.Text;
using System.Xml.Linq;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Testing;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Defender.Tests.Detections;

/// <summary>Tests of rules, as users write them.</summary>
public sealed class RuleTestRunnerTests : IDisposable
{
    private static readonly Lazy<Task<string>> Database = new(async () =>
    {
        var name = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, name).EnsureAsync();
        return name;
    });

    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-rule-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_shipped_tests_pass()
    {
        var results = await RunAsync(SourceTests());
        results.Count.ShouldBeGreaterThanOrEqualTo(8);
        results.Where(result => !result.Passed).Select(result => $"{result.File}: {result.Name}: {result.Failure}").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("rows: 2", "rows: expected 2, found 3")]
    [InlineData("rows: 3", null)]
    [InlineData("rows: [{ n: 1 }, { n: 2 }, { s: c }]", null)]
    [InlineData("rows: [{ s: c }, { n: 1 }, { n: 2 }]\nordered: true", "3 missing, 3 unexpected")]
    [InlineData("rows: [{ n: 1, s: b }, { n: 2 }, { n: 3 }]", "- line 5: { n: 1, s: b }\n  + { n: 1, s: a }\n      s: expected b, found a")]
    [InlineData("rows: [{ n: 1 }, { n: 2 }]", "rows: expected 2, found 3; 0 missing, 1 unexpected\n  + { n: 3 }")]
    [InlineData("includes: [{ s: b }]", null)]
    [InlineData("includes: [{ s: z }]", "rows: expected at least 1, found 3; 1 missing")]
    [InlineData("rows: [{ x: 1 }]", "rows: there is no column x; there are n, s, t, d, r, b, g")]
    [InlineData("columns: [n, s]", "columns: expected n, s; found n, s, t, d, r, b, g")]
    [InlineData("includes: [{ t: 2026-01-02T00:00:00Z, d: { a: [1, x] }, r: 0.3, b: true, g: 74be27de-1e4e-49d9-b579-fe0b331d3642 }]", null)]
    [InlineData("includes: [{ t: -1d, d: '{\"a\":[1,\"x\"]}', r: null, b: null }]", "r: expected null, found 0.30000000000000004")]
    [InlineData("error: recognition", "an error with 'recognition' was expected, but the query gave 3 rows")]
    public async Task Rows_are_compared(string expect, string? failure)
    {
        var query = "datatable(n:long, s:string)[1, 'a', 2, 'b', 3, 'c'] | extend t = ago(1d), d = dynamic({'a':[1,'x']}), r = 0.1 + 0.2, b = true, "
            + "g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642)";
        var result = (await RunTextAsync($"query: \"{query}\"\nnow: 2026-01-03\ntests:\n- name: x\n  expect: {{ {expect.Replace("\n", ", ")} }}")).ShouldHaveSingleItem();
        if (failure is null) result.Failure.ShouldBeNull();
        else result.Failure.ShouldNotBeNull().ReplaceLineEndings("\n").ShouldContain(failure);
    }

    [Fact]
    public async Task Rows_that_fit_several_expectations_find_the_right_partner()
    {
        var results = await RunTextAsync("""
            query: datatable(a:long, b:long)[1, 1, 1, 2]
            tests:
            - { name: x, expect: { rows: [{ a: 1 }, { a: 1, b: 1 }] } }
            """);
        results.ShouldHaveSingleItem().Failure.ShouldBeNull();
    }

    [Fact]
    public async Task Tables_come_from_csv_and_json_and_each_test_sees_its_own()
    {
        File.WriteAllText(Path.Combine(_folder, "a.csv"), "FileName,ProcessCommandLine,ProcessId,AdditionalFields\r\n\"a,b.exe\",\"say \"\"hi\"\"\nthere\",12,\"{\"\"k\"\":1}\"\r\nc.exe,,,\r\n");
        File.WriteAllText(Path.Combine(_folder, "b.json"), "[{\"DeviceId\":\"d9\",\"OSPlatform\":\"Linux\",\"IsAzureADJoined\":true,\"LoggedOnUsers\":[{\"UserName\":\"x\"}]}]");
        File.WriteAllText(Path.Combine(_folder, "c.jsonl"), "{\"DeviceId\":\"d8\"}\n\n{\"DeviceId\":\"d7\"}\n");
        var results = await RunTextAsync("""
            query: union withsource=T DeviceProcessEvents, DeviceInfo | project T, DeviceId, FileName, ProcessCommandLine, ProcessId, IsAzureADJoined, LoggedOnUsers
            tests:
            - name: files
              tables: { DeviceProcessEvents: a.csv, DeviceInfo: b.json }
              expect:
                rows:
                - { FileName: "a,b.exe", ProcessCommandLine: "say \"hi\"\nthere", ProcessId: 12 }
                - { FileName: c.exe, ProcessCommandLine: "", ProcessId: null, DeviceId: "0000000000000000000000000000000000000001" }
                - { T: DeviceInfo, DeviceId: d9, IsAzureADJoined: true, LoggedOnUsers: [{ UserName: x }] }
            - { name: lines, tables: { DeviceInfo: c.jsonl }, expect: { rows: [{ DeviceId: d7 }, { DeviceId: d8 }] } }
            - { name: none, expect: { rows: 0 } }
            """);
        results.Select(result => result.Failure).ShouldBe([null, null, null]);
    }

    [Fact]
    public async Task A_rule_may_stand_in_the_test_file_and_alerts_are_compared()
    {
        var results = await RunTextAsync("""
            rule:
              id: 433e58b1-970c-55e3-a2cf-4f4203b16361
              title: Odd program {{FileName}}
              description: d
              finds: f
              severity: High
              category: Execution
              techniques: [T1059]
              frequency: Continuous
              query: DeviceProcessEvents | where FileName startswith "odd"
              entities: [{ type: Device }, { type: Process }]
            tests:
            - name: right
              tables: { DeviceProcessEvents: [{ FileName: odd1, ProcessCommandLine: a }, { FileName: odd2 }, { FileName: even }] }
              expect: { alerts: [{ title: Odd program odd2 }, { title: Odd program odd1, evidence: [Process] }] }
            - name: wrong
              tables: { DeviceProcessEvents: [{ FileName: odd1 }] }
              expect: { alerts: [{ severity: Low, evidence: [User] }] }
            """);
        results[0].Failure.ShouldBeNull();
        results[1].Failure.ShouldNotBeNull().ShouldContain("severity: expected Low, found High");
    }

    [Theory]
    [InlineData("query: print 1\ntests:\n- { name: x }", "t.yaml(3,3): the key 'expect' is missing")]
    [InlineData("tests: [{ name: x, expect: { rows: 0 } }]", "t.yaml(1,1): a test file has one of the keys rule, query and queryFile")]
    [InlineData("query: print 1\ntests:\n- { name: x, tables: { DeviceProcesEvents: [] }, expect: { rows: 1 } }", "there is no hunting table 'DeviceProcesEvents'")]
    [InlineData("query: print 1\ntests:\n- { name: x, tables: { DeviceInfo: [{ Foo: 1 }] }, expect: { rows: 1 } }", "DeviceInfo has no column 'Foo'")]
    [InlineData("query: print 1\ntests:\n- { name: x, tables: { DeviceInfo: [{ ReportId: many }] }, expect: { rows: 1 } }", "ReportId: many is not a long")]
    [InlineData("query: print 1\ntests:\n- { name: x, tables: { DeviceInfo: none.csv }, expect: { rows: 1 } }", "the table cannot be read")]
    [InlineData("query: print 1\ntests:\n- { name: x, import: none.zip, expect: { rows: 1 } }", "there is no recording")]
    [InlineData("query: print 1\ntests:\n- { name: x, expect: { alerts: 1 } }", "only a rule raises alerts")]
    [InlineData("query: print 1\ntests:\n- { name: x, expects: { rows: 1 } }", "a test has no key 'expects'; the keys are name, now, tables, import, expect")]
    [InlineData("rule: nothing\ntests:\n- { name: x, expect: { rows: 1 } }", "there is neither a file 'nothing' nor a shipped rule of that name")]
    [InlineData("query: print x\ntests:\n- { name: x, expect: { rows: 1 } }", "the query failed: line 1, column 7: ")]
    public async Task Mistakes_are_told_with_their_place(string text, string message) =>
        (await RunTextAsync(text)).ShouldHaveSingleItem().Failure.ShouldNotBeNull().ShouldContain(message);

    [Fact]
    public async Task An_expected_error_passes_and_the_report_is_junit()
    {
        var results = await RunTextAsync("""
            query: print x = foo
            tests:
            - { name: "told <well> \u0001", expect: { error: Failed to resolve } }
            - { name: other, expect: { error: division } }
            """);
        results.Select(result => result.Passed).ShouldBe([true, false]);
        using var report = new MemoryStream();
        JUnitReport.Write(report, results);
        var suite = XDocument.Parse(Encoding.UTF8.GetString(report.ToArray())).Root!.Element("testsuite")!;
        (suite.Attribute("tests")!.Value, suite.Attribute("failures")!.Value, suite.Attribute("name")!.Value).ShouldBe(("2", "1", "t.yaml"));
        suite.Elements("testcase").Last().Element("failure")!.Value.ShouldContain("division");
    }

    [Fact]
    public void Test_files_beside_rules_are_no_rules()
    {
        File.WriteAllText(Path.Combine(_folder, "t.yaml"), "query: print 1\ntests: [{ name: x, expect: { rows: 1 } }]");
        var set = RuleLoader.Load(null, _folder);
        (set.Rules.Count, set.Problems.Count).ShouldBe((0, 0));
    }

    private static string SourceTests()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Vedette.slnx"))) root = root.Parent;
        return Path.Combine(root.FullName, "rules", "tests");
    }

    private static async Task<IReadOnlyList<RuleTestResult>> RunAsync(string path)
    {
        await using var runner = new RuleTestRunner(TestEngine.Shared, await Database.Value);
        return await runner.RunAsync(RuleTestParser.Load(path, RuleLoader.ShippedFolder()));
    }

    private Task<IReadOnlyList<RuleTestResult>> RunTextAsync(string text)
    {
        File.WriteAllText(Path.Combine(_folder, "t.yaml"), text);
        return RunAsync(_folder);
    }
}
