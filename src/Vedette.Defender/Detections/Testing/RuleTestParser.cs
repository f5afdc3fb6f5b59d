using System.Globalization;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Detections.Testing;

/// <summary>
/// Reads test files: YAML with a <c>rule</c> or a <c>query</c> and <c>tests</c>. Every key is checked, and each finding names its line and column.
/// </summary>
public static class RuleTestParser
{
    private const int MaxLength = 4 * 1024 * 1024;
    private const int MaxDepth = 40;
    private const string DeviceId = "0000000000000000000000000000000000000001";

    private static readonly HashSet<string> FileKeys = ["rule", "query", "queryFile", "now", "tests"];
    private static readonly HashSet<string> TestKeys = ["name", "now", "tables", "import", "expect"];
    private static readonly HashSet<string> ExpectKeys = ["rows", "includes", "columns", "ordered", "alerts", "error"];

    /// <summary>Whether a YAML document is a test file rather than a rule.</summary>
    internal static bool IsTestFile(YamlMappingNode root) => root.Children.ContainsKey("tests");

    /// <summary>Reads every test file of a folder and those below it, or one file.</summary>
    /// <param name="path">A folder or a file.</param>
    /// <param name="shipped">Folder of the shipped rules, for tests that name a rule; null when there is none.</param>
    public static IReadOnlyList<RuleTestFile> Load(string path, string? shipped)
    {
        IEnumerable<string> files = File.Exists(path)
            ? [path]
            : Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".yaml" or ".yml").Order(StringComparer.Ordinal);
        var root = File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path))! : path;
        return [.. files.Select(file => Read(file, Path.GetRelativePath(root, file), shipped)).OfType<RuleTestFile>()];
    }

    private static RuleTestFile? Read(string file, string name, string? shipped)
    {
        var problems = new List<RuleProblem>();
        if (YamlText.Root(File.ReadAllText(file), name, MaxLength, MaxDepth, problems) is not { } root) return new RuleTestFile(name, [], problems);
        if (!IsTestFile(root)) return null;
        var reader = new YamlReader(name, root, problems);
        reader.RefuseOtherKeys(FileKeys, "a test file");
        var subject = Subject(reader, root, file, shipped);
        var now = reader.Has("now") ? Time(reader, "now", DateTime.UtcNow) : DateTime.UtcNow;
        var tests = new List<RuleTest>();
        foreach (var item in reader.Items("tests"))
        {
            if (item is not YamlMappingNode node) reader.Report(item, "a test is a mapping such as { name: …, tables: …, expect: … }");
            else if (Test(new YamlReader(name, node, problems), node, file, subject, now) is { } test) tests.Add(test);
        }

        foreach (var twice in tests.GroupBy(test => test.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            reader.Report("tests", $"two tests are called '{twice.Key}'");
        return new RuleTestFile(name, problems.Count > 0 ? [] : tests, problems);
    }

    private static (DetectionRule? Rule, string Query) Subject(YamlReader reader, YamlMappingNode root, string file, string? shipped)
    {
        var given = new[] { "rule", "query", "queryFile" }.Count(reader.Has);
        if (given != 1) reader.Report(root, "a test file has one of the keys rule, query and queryFile");
        if (given != 1) return (null, "");
        if (reader.Has("query")) return (null, reader.Text("query", 100_000));
        if (reader.Has("queryFile"))
        {
            var path = Beside(file, reader.Text("queryFile", 1000));
            if (!File.Exists(path)) reader.Report("queryFile", $"there is no file '{path}'");
            else if (QueryFiles.Read(path, reader.Problems) is [var stored]) return (null, stored.Text);
            else reader.Report("queryFile", $"'{path}' does not hold one query");
            return (null, "");
        }

        var node = root.Children["rule"];
        if (node is YamlMappingNode inline)
        {
            var own = RuleFileParser.Parse(inline, reader.File, shipped: false, reader.Problems);
            return (own, own?.Query ?? "");
        }

        var words = reader.Text("rule", 1000);
        var found = new[] { Beside(file, words), shipped is null ? null : Path.Combine(shipped, words + ".yaml") }.FirstOrDefault(File.Exists);
        if (found is null)
        {
            reader.Report("rule", $"there is neither a file '{words}' nor a shipped rule of that name");
            return (null, "");
        }

        var rule = RuleFileParser.Parse(File.ReadAllText(found), Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(file))!, found), shipped: false, reader.Problems);
        return (rule, rule?.Query ?? "");
    }

    private static RuleTest? Test(YamlReader reader, YamlMappingNode node, string file, (DetectionRule? Rule, string Query) subject, DateTime fileNow)
    {
        var before = reader.Problems.Count;
        reader.RefuseOtherKeys(TestKeys, "a test");
        var name = reader.Text("name", 300);
        var now = reader.Has("now") ? Time(reader, "now", fileNow) : fileNow;
        var rows = Tables(reader, node, file, now);
        var imports = Imports(reader, node, file);
        if (!reader.Has("expect")) reader.Report(node, "the key 'expect' is missing");
        else if (node.Children["expect"] is not YamlMappingNode expect) reader.Report("expect", "expect is a mapping such as { alerts: 1 }");
        else
        {
            var expected = Expectation(new YamlReader(reader.File, expect, reader.Problems), expect, subject.Rule is not null);
            if (reader.Problems.Count == before)
                return new RuleTest { Name = name, Rule = subject.Rule, Query = subject.Query, Now = now, Rows = rows, Imports = imports, Expected = expected };
        }

        return null;
    }

    private static List<HuntingRow> Tables(YamlReader reader, YamlMappingNode node, string file, DateTime now)
    {
        var rows = new List<HuntingRow>();
        if (!node.Children.TryGetValue("tables", out var tables)) return rows;
        if (tables is not YamlMappingNode mapping)
        {
            reader.Report("tables", "tables maps names of hunting tables to rows or to a file");
            return rows;
        }

        foreach (var (key, value) in mapping)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!HuntingSchema.Tables.TryGetValue(name, out var table)) reader.Report(key, $"there is no hunting table '{name}'");
            else if (value is YamlSequenceNode list)
            {
                foreach (var item in list)
                {
                    if (TestValues.Of(item).Fields is { } fields) Add(table, fields, item);
                    else reader.Report(item, "a row is a mapping such as { FileName: cmd.exe }");
                }
            }
            else if (value is YamlScalarNode { Value: { Length: > 0 } path }) AddFile(table, Beside(file, path), value);
            else reader.Report(value, $"'{name}' has a list of rows, or the name of a .csv or .json file");
        }

        return rows;

        void AddFile(HuntingTable table, string path, YamlNode place)
        {
            try
            {
                foreach (var fields in TestTables.Read(path)) Add(table, fields, place);
            }
            catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
            {
                reader.Report(place, $"the table cannot be read: {exception.Message}");
            }
        }

        void Add(HuntingTable table, IReadOnlyDictionary<string, TestValue> fields, YamlNode place)
        {
            var row = new HuntingRow(table);
            Default("Timestamp", now.AddMinutes(-5));
            Default("DeviceId", DeviceId);
            Default("DeviceName", "test-device");
            if (table.OrdinalOf("ReportId") is >= 0 and var report)
                row.Values[report] = table.Columns[report].Type == Kql.KqlType.String ? (rows.Count + 1).ToString(CultureInfo.InvariantCulture) : (long)(rows.Count + 1);
            foreach (var (column, value) in fields)
            {
                var ordinal = table.OrdinalOf(column);
                if (ordinal < 0)
                {
                    reader.Report(place, $"{table.Name} has no column '{column}'");
                    continue;
                }

                try
                {
                    row.Values[ordinal] = TestValues.To(value, table.Columns[ordinal].Type, now);
                }
                catch (FormatException exception)
                {
                    reader.Report(place, $"{column}: {exception.Message}");
                }
            }

            rows.Add(row);

            void Default(string column, object value)
            {
                if (table.OrdinalOf(column) is >= 0 and var ordinal) row.Values[ordinal] = value;
            }
        }
    }

    private static List<string> Imports(YamlReader reader, YamlMappingNode node, string file)
    {
        var imports = new List<string>();
        if (!node.Children.TryGetValue("import", out var value)) return imports;
        foreach (var item in value is YamlSequenceNode list ? list.Children : [value])
        {
            var path = item is YamlScalarNode { Value: { Length: > 0 } text } ? Beside(file, text) : "";
            if (File.Exists(path)) imports.Add(path);
            else reader.Report(item, $"there is no recording '{path}'");
        }

        return imports;
    }

    private static RuleExpectation Expectation(YamlReader reader, YamlMappingNode node, bool hasRule)
    {
        reader.RefuseOtherKeys(ExpectKeys, "expect");
        if (node.Children.Count == 0) reader.Report(node, "expect says nothing");
        if (reader.Has("alerts") && !hasRule) reader.Report("alerts", "only a rule raises alerts; a query has rows");
        var (rowCount, rows) = Items(reader, node, "rows");
        var (alertCount, alerts) = Items(reader, node, "alerts");
        return new RuleExpectation
        {
            Columns = reader.Has("columns") ? reader.List("columns", required: true) : null,
            RowCount = rowCount,
            Rows = rows,
            Includes = Items(reader, node, "includes").Items,
            IsOrdered = reader.Flag("ordered", false),
            AlertCount = alertCount,
            Alerts = alerts,
            Error = reader.Has("error") ? reader.Text("error", 1000) : null,
        };
    }

    private static (int? Count, IReadOnlyList<ExpectedItem>? Items) Items(YamlReader reader, YamlMappingNode node, string key)
    {
        if (!node.Children.TryGetValue(key, out var value)) return (null, null);
        if (value is YamlScalarNode { Value: { } text } && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && key != "includes") return (count, null);
        if (value is not YamlSequenceNode list)
        {
            reader.Report(value, key == "includes" ? "includes is a list of rows" : $"'{key}' is a number or a list");
            return (null, null);
        }

        var items = new List<ExpectedItem>();
        foreach (var item in list)
        {
            if (TestValues.Of(item).Fields is { } fields) items.Add(new ExpectedItem(fields, (int)item.Start.Line));
            else reader.Report(item, $"an item of '{key}' is a mapping of names to values");
        }

        return (null, items);
    }

    private static DateTime Time(YamlReader reader, string key, DateTime now)
    {
        try
        {
            return (DateTime)(TestValues.To(new TestValue { Text = reader.Text(key, 64) }, Kql.KqlType.DateTime, now) ?? now);
        }
        catch (FormatException exception)
        {
            reader.Report(key, exception.Message);
            return now;
        }
    }

    private static string Beside(string file, string path) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, path));
}
