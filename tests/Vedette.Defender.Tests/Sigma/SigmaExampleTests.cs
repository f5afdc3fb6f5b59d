using System.Globalization;
using System.Text;
using System.Text.Json;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Testing;
using Vedette.Defender.Sigma;
using Vedette.Kql;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;
using Vedette.Testing;
using YamlDotNet.Serialization;

namespace Vedette.Defender.Tests.Sigma;

/// <summary>
/// Every modifier, condition and correlation: the query that comes out (<c>sigma-examples.kql</c>, written anew when VEDETTE_UPDATE_GOLDEN is 1),
/// and what it finds among rows in the real engine.
/// </summary>
public sealed class SigmaExampleTests : IDisposable
{
    private static readonly Lazy<KqlSchema> Schema = new(() => new HuntingCatalogue(new TelemetryOptions()).Schema);

    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-sigma-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_queries_are_the_recorded_ones()
    {
        var text = new StringBuilder();
        foreach (var example in Examples())
        {
            var rule = Convert(example);
            text.Append("// ").Append(example.Name).Append('\n');
            foreach (var note in rule.Notes) text.Append("// note: ").Append(note).Append('\n');
            text.Append(Parse(rule).Query).Append("\n\n");
        }

        var file = Path.Combine(Folder(), "sigma-examples.kql");
        if (Environment.GetEnvironmentVariable("VEDETTE_UPDATE_GOLDEN") == "1") File.WriteAllText(file, text.ToString());
        text.ToString().ShouldBe(File.ReadAllText(file).ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task The_rules_find_what_they_must_and_pass_the_rest()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        var tests = Path.Combine(_folder, "tests");
        Directory.CreateDirectory(tests);
        var number = 0;
        foreach (var example in Examples())
            File.WriteAllText(Path.Combine(tests, $"{++number:000}.yaml"), TestFile(example, Convert(example).Rule));

        await using var runner = new RuleTestRunner(TestEngine.Shared, database);
        var results = await runner.RunAsync(RuleTestParser.Load(tests, null));

        results.Count.ShouldBe(number);
        results.Where(result => !result.Passed).Select(result => $"{result.Name}: {result.Failure}").ShouldBeEmpty();
    }

    private SigmaConverted Convert(Example example)
    {
        var file = Path.Combine(_folder, "example.yml");
        File.WriteAllText(file, example.Documents ?? $"title: {JsonSerializer.Serialize(example.Name)}\nlogsource: {LogSource(example)}\ndetection: {JsonSerializer.Serialize(Typed(example.Detection!))}\n");
        var report = SigmaImporter.Import(
            file, Schema.Value,
            new SigmaOptions { Placeholders = example.Placeholders.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<string>)pair.Value) }, null, CancellationToken.None);
        report.Refused.ShouldBeEmpty(example.Name);
        return report.Converted.ShouldHaveSingleItem();
    }

    private static DetectionRule Parse(SigmaConverted converted)
    {
        var problems = new List<RuleProblem>();
        return RuleFileParser.Parse(converted.Rule, "r.yaml", shipped: false, problems).ShouldNotBeNull(string.Join('\n', problems));
    }

    private static string LogSource(Example example)
    {
        var words = example.Logsource.Split('/');
        return $"{{ product: {words[0]}, {(example.Service ? "service" : "category")}: {words[1]} }}";
    }

    // The reader of the examples gives every scalar as text; JSON would quote what must stay a null or a number.
    private static object? Typed(object? value) => value switch
    {
        Dictionary<object, object?> map => map.ToDictionary(pair => (string)pair.Key, pair => Typed(pair.Value)),
        List<object?> list => list.Select(Typed).ToArray(),
        _ => value,
    };

    private static string TestFile(Example example, string rule)
    {
        var rows = (example.Rows ?? [.. example.Found, .. example.Passed]).Select((row, at) => Row(row, at + 1)).ToArray();
        var tables = rows.GroupBy(row => row.Table).ToDictionary(group => group.Key, group => group.Select(row => row.Values).ToArray());
        var expected = example.Expect ?? [.. example.Found.Select((_, at) => new Dictionary<string, string> { ["ReportId"] = (at + 1).ToString(CultureInfo.InvariantCulture) })];
        var test = JsonSerializer.Serialize(new[] { new { name = example.Name, tables, expect = new { rows = expected } } });
        return $"rule:\n  {rule.Replace("\n", "\n  ", StringComparison.Ordinal).TrimEnd()}\nnow: 2026-04-02T12:00:00Z\ntests: {test}\n";
    }

    private static (string Table, Dictionary<string, string> Values) Row(Dictionary<string, string> row, int number)
    {
        var table = row.GetValueOrDefault("table", "DeviceProcessEvents");
        var values = new Dictionary<string, string> { ["ReportId"] = number.ToString(CultureInfo.InvariantCulture) };
        if (table == "DeviceProcessEvents") values["ActionType"] = "ProcessCreated";
        foreach (var (key, value) in row)
        {
            switch (key)
            {
                case "table": break;
                case "C": values["ProcessCommandLine"] = value; break;
                case "F": values["AdditionalFields"] = value; break;
                case "I" or "P":
                    var prefix = key == "I" ? "" : "InitiatingProcess";
                    values[prefix + "FolderPath"] = value;
                    values[prefix + "FileName"] = value[(value.LastIndexOfAny(['\\', '/']) + 1)..];
                    break;
                default: values[key] = value; break;
            }
        }

        return (table, values);
    }

    private static List<Example> Examples() =>
    [
        .. new[] { "sigma-examples.yaml", "sigma-correlations.yaml" }.SelectMany(file =>
            new DeserializerBuilder().WithNamingConvention(YamlDotNet.Serialization.NamingConventions.CamelCaseNamingConvention.Instance).Build()
                .Deserialize<List<Example>>(File.ReadAllText(Path.Combine(Folder(), file)))),
    ];

    private static string Folder()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Vedette.slnx"))) root = root.Parent;
        return Path.Combine(root.FullName, "tests", "Vedette.Defender.Tests", "Sigma");
    }

    private sealed class Example
    {
        public string Name { get; set; } = "";

        public string Logsource { get; set; } = "windows/process_creation";

        public bool Service { get; set; }

        public Dictionary<object, object?>? Detection { get; set; }

        public string? Documents { get; set; }

        public Dictionary<string, List<string>> Placeholders { get; set; } = [];

        public List<Dictionary<string, string>> Found { get; set; } = [];

        public List<Dictionary<string, string>> Passed { get; set; } = [];

        public List<Dictionary<string, string>>? Rows { get; set; }

        public List<Dictionary<string, string>>? Expect { get; set; }
    }
}
