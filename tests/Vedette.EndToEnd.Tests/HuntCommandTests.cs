using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Vedette.EndToEnd.Tests;

/// <summary>Hunting as people and CI do it, by commands: against a running server, in throw-away stores, and checks without any data.</summary>
public sealed class HuntCommandTests(HuntCommandTests.Server server) : IClassFixture<HuntCommandTests.Server>
{
    private const string Everything =
        "print s = 'a,\"b\"\\nc', d = datetime(2026-01-02 03:04:05.1234567), t = timespan(1.02:03:04.5), b = true, l = 9223372036854775807, y = dynamic({'k':[1,'x']}), n = long(null), r = real(nan), i = real(+inf), e = ''";

    [Fact]
    public async Task A_query_prints_a_table_CSV_and_JSON()
    {
        var (code, output, error) = await server.HuntAsync(Everything);
        code.ShouldBe(0, error);
        error.ShouldStartWith("1 row, ");
        var lines = output.TrimEnd().Split('\n');
        lines.Length.ShouldBe(5);
        lines.ShouldAllBe(line => line.Length == lines[0].Length);
        lines[3].ShouldContain("| a,\"b\"⏎c | 2026-01-02T03:04:05.1234567Z | 1.02:03:04.5000000 | true | 9223372036854775807 | {\"k\":[1,\"x\"]} |   | NaN | Infinity |");

        (_, output, _) = await server.HuntAsync(Everything, "--csv");
        output.ShouldBe("s,d,t,b,l,y,n,r,i,e\r\n\"a,\"\"b\"\"\nc\",2026-01-02T03:04:05.1234567Z,1.02:03:04.5000000,true,9223372036854775807,\"{\"\"k\"\":[1,\"\"x\"\"]}\",,NaN,Infinity,\r\n");

        (_, output, _) = await server.HuntAsync(Everything, "--json");
        var json = JsonNode.Parse(output)!.AsObject();
        json.Select(member => member.Key).ShouldBe(["ok", "schema", "rows", "elapsedMs"]);
        json["schema"]!.AsArray().Select(column => (string)column!["type"]!).ShouldBe(["string", "datetime", "timespan", "bool", "long", "dynamic", "long", "real", "real", "string"]);
        json["rows"]!.ToJsonString().ShouldBe("""[["a,\u0022b\u0022\nc","2026-01-02T03:04:05.1234567Z","1.02:03:04.5000000",true,9223372036854775807,{"k":[1,"x"]},null,"NaN","Infinity",""]]""");
    }

    [Fact]
    public async Task Text_of_attackers_does_not_steer_the_terminal()
    {
        var (_, output, _) = await server.HuntAsync("print x = strcat('a', unicode_codepoints_to_string(27), '[2J', unicode_codepoints_to_string(8238), 'b')");
        output.ShouldNotContain("\u001b");
        output.ShouldNotContain("\u202e");
        output.ShouldContain("a␛[2J\ufffdb");
    }

    [Fact]
    public async Task Mistakes_are_shown_all_at_once_with_their_place()
    {
        var (code, output, error) = await server.HuntAsync("DeviceEvents\n| where FileNam == 'x'\n| extend y = strlenn(FolderPath)");
        code.ShouldBe(1);
        output.ShouldBeEmpty();
        error.ShouldContain("""
            vedette: line 2, column 9: 'where' operator: Failed to resolve scalar expression named 'FileNam'. Did you mean 'FileName'?
                | where FileNam == 'x'
                        ^^^^^^^
            vedette: line 3, column 14: 'extend' operator: Unknown function: 'strlenn'. Did you mean 'strlen'?
                | extend y = strlenn(FolderPath)
                             ^^^^^^^
            """);
        (_, _, error) = await server.HuntAsync("DeviceInfo | where TimeGenerated > ago(1d)");
        error.ShouldContain("hint: VEDETTE__TimeGenerated=true ");
        (code, _, error) = await server.HuntAsync("AADSignInEventsBeta | where RiskLevelDuringSignIn == 1 | count");
        code.ShouldBe(0, error);
        error.ShouldContain("warning: line 1, column 29: The column 'RiskLevelDuringSignIn' was renamed or retired; 'RiskLevelAggregated' is read in its place.\n");
    }

    [Fact]
    public async Task A_query_comes_from_a_file_or_standard_input_with_values_for_its_parameters()
    {
        var file = server.File("query.kql", "declare query_parameters(who:string, since:datetime, n:long = 7);\nprint w = who, s = since, n");
        var (code, output, error) = await server.HuntAsync("@" + file, "--csv", "-p", "who=1 or 1=1", "-p", "since=2026-02-03");
        code.ShouldBe(0, error);
        output.ShouldBe("w,s,print_2\r\n1 or 1=1,2026-02-03T00:00:00.0000000Z,7\r\n");

        (code, _, error) = await server.HuntAsync("@" + file, "-p", "since=tomorrow", "-p", "woh=x");
        code.ShouldBe(1);
        error.ShouldContain("The value given for the query parameter 'since' is not a literal of type datetime.");
        error.ShouldContain("A value is given for 'woh', but the query declares no such parameter.");

        using var process = VedetteProcess.Launch(["hunt", "-", "--csv", "--data", server.Data]);
        await process.StandardInput.WriteAsync("print x = 1\n| extend y = x + 1");
        process.StandardInput.Close();
        (await process.StandardOutput.ReadToEndAsync()).ShouldBe("x,y\r\n1,2\r\n");
        (await server.HuntAsync("@nowhere.kql")).ShouldBe((2, "", "vedette: There is no file 'nowhere.kql'.\n"));
    }

    [Fact]
    public async Task A_batch_answers_every_line_in_order()
    {
        var queries = server.File("queries.jsonl", "\ufeff" + """
            {"id":"first","query":"print x = 1","license":"MIT"}

            {"id":7,"query":"print x = dynamic(null)"}
            nonsense
            {"id":"first","query":"DeviceEvent | take 1"}
            {"id":"x","quer":"print 1"}
            {"query":"range x from 1 to 3 step 1"}
            """.ReplaceLineEndings("\r\n"));
        var answers = Path.Combine(server.Folder, "answers.jsonl");
        var (code, output, error) = await VedetteProcess.CommandAsync("hunt", "--in", queries, "--out", answers, "--data", server.Data);
        (code, output).ShouldBe((1, ""));
        error.ShouldContain("3 of 6 queries answered in ");
        var lines = System.IO.File.ReadAllLines(answers);
        lines.Select(Stable).ShouldBe([
            """{"id":"first","ok":true,"schema":[{"name":"x","type":"long"}],"rows":[[1]]}""",
            """{"id":7,"ok":true,"schema":[{"name":"x","type":"dynamic"}],"rows":[[null]]}""",
            """{"id":null,"ok":false,"error":{"code":"BadInput","message":"Line 4 is not JSON: 'nonsense' is an invalid JSON literal. Expected the literal 'null'.","line":null,"column":null}}""",
            """{"id":"first","ok":false,"error":{"code":"Semantic","message":"'take' operator: Failed to resolve table or column expression named 'DeviceEvent'. Did you mean 'DeviceEvents'?","line":1,"column":1}}""",
            """{"id":"x","ok":false,"error":{"code":"BadInput","message":"Line 6 has no member 'query'.","line":null,"column":null}}""",
            """{"id":null,"ok":true,"schema":[{"name":"x","type":"long"}],"rows":[[1],[2],[3]]}""",
        ]);

        (_, output, _) = await VedetteProcess.CommandAsync("hunt", "--in", queries, "--out", "-", "--data", server.Data);
        output.TrimEnd('\n').Split('\n').Select(Stable).ShouldBe(lines.Select(Stable));
    }

    [Fact]
    public async Task Files_of_a_batch_that_cannot_be_used_are_told_before_anything_runs()
    {
        var queries = server.File("one.jsonl", """{"id":1,"query":"print 1"}""");
        (await VedetteProcess.CommandAsync("hunt", "--in", queries, "--out", "/nowhere/x", "--empty")).ShouldBe((2, "", "vedette: There is no folder '/nowhere' for the answers.\n"));
        (await VedetteProcess.CommandAsync("hunt", "--in", "/nowhere/x", "--empty")).ShouldBe((2, "", "vedette: There is no file '/nowhere/x'.\n"));
        (await VedetteProcess.CommandAsync("hunt", "--in", queries, "--out", queries, "--empty")).ShouldBe((2, "", "vedette: --in and --out are the same file.\n"));
        System.IO.File.ReadAllText(queries).ShouldContain("print 1");
    }

    [Fact]
    public async Task An_interrupted_batch_keeps_whole_lines()
    {
        var queries = server.File("many.jsonl", string.Concat(Enumerable.Range(0, 50_000).Select(i => $$"""{"id":{{i}},"query":"range x from 1 to 200 step 1 | extend y = 'some text to write'"}""" + "\n")));
        var answers = Path.Combine(server.Folder, "interrupted.jsonl");
        using var process = VedetteProcess.Launch(["hunt", "--in", queries, "--out", answers, "--data", server.Data]);
        while (!System.IO.File.Exists(answers) || new FileInfo(answers).Length < 100_000) await Task.Delay(20);
        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(130);
        var lines = System.IO.File.ReadAllLines(answers);
        lines.Length.ShouldBeInRange(1, 49_999);
        lines.Select((line, i) => (int)JsonNode.Parse(line)!["id"]! == i).ShouldAllBe(same => same);
    }

    [Fact]
    public async Task Recordings_are_hunted_in_without_a_server_and_moved_to_now_when_asked()
    {
        var rows = server.File("DeviceProcessEvents.jsonl", """
            {"Timestamp":"2020-05-01T10:00:00Z","DeviceId":"d1","DeviceName":"pc1","FileName":"a.exe","ReportId":1}
            {"Timestamp":"2020-05-01T11:00:00Z","DeviceId":"d1","DeviceName":"pc1","FileName":"b.exe","ReportId":2}
            """);
        const string query = "DeviceProcessEvents | where Timestamp > ago(7d) | summarize files = make_list(FileName)";
        var old = VedetteProcess.CommandAsync("hunt", query, "--import", rows, "--csv");
        var rule = server.File("rule.yaml", $"title: A rule\nquery: {query}\n");
        var moved = await VedetteProcess.CommandAsync("hunt", "--csv", "--shift-to-now", "--import", rows, "@" + rule);
        moved.ExitCode.ShouldBe(0, moved.Error);
        moved.Output.ShouldBe("files\r\n\"[\"\"a.exe\"\",\"\"b.exe\"\"]\"\r\n");
        (await old).Output.ShouldBe("files\r\n[]\r\n");
        (await old).Error.ShouldContain("note: the imported events end on 2020-05-01");
        (await old).Error.ShouldContain("--shift-to-now");
        var odd = await VedetteProcess.CommandAsync("hunt", "--import", server.File("odd.log", string.Concat(Enumerable.Repeat("what is this\n", 9))), "print 1");
        odd.ExitCode.ShouldBe(0, odd.Error);
        odd.Error.ShouldContain("warning: odd.log(5): ");
        odd.Error.ShouldContain("warning: … and 4 more lines that could not be read; 'vedette import' lists them\nwarning: the files gave no rows\n");
    }

    [Fact]
    public async Task Queries_in_rule_files_are_checked_at_their_places()
    {
        var folder = Directory.CreateDirectory(Path.Combine(server.Folder, "rules", "deeper")).Parent!.FullName;
        System.IO.File.WriteAllText(Path.Combine(folder, "good.kql"), "DeviceEvents\n| take 1\n");
        System.IO.File.WriteAllText(Path.Combine(folder, "sentinel.yaml"), "id: 1\nname: Rule\nquery: |\n  DeviceEvents\n  | where Nope == 1\n  | count\n");
        System.IO.File.WriteAllText(Path.Combine(folder, "deeper", "notes.md"), "# Notes\n```kql\nDeviceInfo | counts\n```\n```kusto\nDeviceInfo | count\n```\n");
        System.IO.File.WriteAllText(Path.Combine(folder, "template.json"), "{\n \"resources\": [ { \"properties\": { \"query\": \"DeviceNetworkEvents | take 1\" } } ]\n}");
        var junit = Path.Combine(server.Folder, "new", "junit.xml");
        var (code, output, error) = await VedetteProcess.CommandAsync("kql", "check", folder, "--junit", junit);
        code.ShouldBe(1);
        error.ShouldBe("3 of 5 queries in 4 files are sound\n");
        output.ShouldContain($"{folder}/sentinel.yaml:5:11: error: 'where' operator: Failed to resolve scalar expression named 'Nope'");
        output.ShouldContain("    | where Nope == 1\n            ^^^^\n");
        output.ShouldContain($"{folder}/deeper/notes.md:3:14: error: ");
        var report = System.Xml.Linq.XDocument.Load(junit).Root!;
        ((string)report.Attribute("tests")!, (string)report.Attribute("failures")!).ShouldBe(("5", "2"));

        (code, output, _) = await VedetteProcess.CommandAsync("kql", "check", Path.Combine(folder, "sentinel.yaml"), "--json");
        code.ShouldBe(1);
        ((int)JsonNode.Parse(output)!["error"]!["line"]!).ShouldBe(5);
        (await VedetteProcess.CommandAsync("kql", "check", Path.Combine(folder, "none.kql"))).ExitCode.ShouldBe(2);
        (await VedetteProcess.CommandAsync("kql", "check", "DeviceInfo | where TimeGenerated > ago(1d)", "--time-generated")).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_folder_of_rules_is_begun_checked_and_tested()
    {
        var folder = Path.Combine(server.Folder, "begun");
        var (code, output, error) = await VedetteProcess.CommandAsync("rules", "init", folder);
        code.ShouldBe(0, error);
        output.ShouldContain($"wrote     {folder}/rules/hidden-powershell.yaml");
        (await VedetteProcess.CommandAsync("kql", "check", folder)).ExitCode.ShouldBe(0);

        // Rules of Sentinel are tested by their query.
        System.IO.File.WriteAllText(Path.Combine(folder, "sentinel.yaml"), "id: 1\nname: Rule\nquery: |\n  DeviceEvents\n  | summarize n = count() by DeviceName\n");
        System.IO.File.WriteAllText(Path.Combine(folder, "sentinel.test.yaml"), "queryFile: sentinel.yaml\ntests:\n  - name: \"counts <&> \\x01\"\n    tables: { DeviceEvents: [ { DeviceName: a }, { DeviceName: a } ] }\n    expect: { rows: [ { DeviceName: a, n: 3 } ] }\n");
        var junit = Path.Combine(folder, "out", "junit.xml");
        (code, output, error) = await VedetteProcess.CommandAsync("rules", "test", folder, "--junit", junit);
        code.ShouldBe(1, error);
        output.ShouldContain("3 passed, 1 failed");
        output.ShouldContain("n: expected 3, found 2");
        var report = System.Xml.Linq.XDocument.Load(junit).Root!;
        ((string)report.Attribute("tests")!, (string)report.Attribute("failures")!).ShouldBe(("4", "1"));
        ((string)report.Descendants("failure").Single().Parent!.Attribute("name")!).ShouldBe("counts <&> \ufffd");
        JsonNode.Parse((await VedetteProcess.CommandAsync("rules", "init", folder, "--json")).Output)!["files"]!.AsArray().Count(file => (bool)file!["written"]!).ShouldBe(0);
    }

    private static string Stable(string line)
    {
        var node = JsonNode.Parse(line)!.AsObject();
        node.Remove("elapsedMs").ShouldBeTrue();
        return node.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>One server for all of them, and a folder for files.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private VedetteProcess _process = null!;

        public string Folder { get; } = VedetteProcess.NewFolder();

        public string Data => _process.Data;

        public async Task InitializeAsync() => _process = await VedetteProcess.StartAsync(null, "--empty");

        public async Task DisposeAsync()
        {
            await _process.DisposeAsync();
            Directory.Delete(Folder, recursive: true);
        }

        public Task<(int ExitCode, string Output, string Error)> HuntAsync(string query, params string[] words) => _process.RunAsync(["hunt", query, .. words]);

        public string File(string name, string text)
        {
            var path = Path.Combine(Folder, name);
            System.IO.File.WriteAllText(path, text);
            return path;
        }
    }
}
