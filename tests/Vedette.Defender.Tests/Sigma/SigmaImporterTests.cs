using Vedette.Defender.Detections;
using Vedette.Defender.Sigma;
using Vedette.Kql;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Tests.Sigma;

/// <summary>What an import takes, refuses and writes.</summary>
public sealed class SigmaImporterTests : IDisposable
{
    private const string Sound =
        """
        title: Odd program
        id: 6f3e2987-db24-4c78-a860-b4f4095a7095
        status: test
        description: An odd program, told "so" at C:\x.
        references: [https://example.org/a]
        author: Dana, Eve
        license: DRL-1.1
        tags: [attack.defense-evasion, attack.t1218.011, attack.T1036, cve.2021-1234]
        falsepositives: [Odd people]
        level: critical
        logsource: { category: process_creation, product: windows }
        detection: { s: { Image|endswith: '\odd.exe' }, condition: s }
        """;

    private static readonly Lazy<KqlSchema> Schema = new(() => new HuntingCatalogue(new TelemetryOptions()).Schema);

    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-sigma-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_rule_file_keeps_what_the_rule_says()
    {
        var output = Path.Combine(_folder, "out");
        Put("rules/windows/odd.yml", Sound);
        var converted = Import(new SigmaOptions { Output = output }, "rules").Converted.ShouldHaveSingleItem();
        (converted.File, converted.Output, converted.LogSource).ShouldBe((Path.Combine("windows", "odd.yml"), Path.Combine("windows", "odd.yaml"), "windows/process_creation"));

        var set = RuleLoader.Load(null, output);
        set.Problems.ShouldBeEmpty();
        var rule = set.Rules.ShouldHaveSingleItem();
        rule.Id.ShouldBe(Guid.Parse("6f3e2987-db24-4c78-a860-b4f4095a7095"));
        (rule.Title, rule.Severity, rule.Category).ShouldBe(("Odd program", "High", "DefenseEvasion"));
        rule.Description.ShouldBe("An odd program, told \"so\" at C:\\x.");
        rule.Techniques.ShouldBe(["T1218.011", "T1036"]);
        rule.FalsePositives.ShouldBe(["Odd people"]);
        rule.References.ShouldBe(["https://example.org/a"]);
        (rule.Author, rule.License, rule.Source).ShouldBe(("Dana, Eve", "DRL-1.1", "Sigma rule 6f3e2987-db24-4c78-a860-b4f4095a7095, status test"));
        rule.Schedule.IsContinuous.ShouldBeTrue();
        rule.Entities.Select(entity => entity.Kind).ShouldBe([EntityKind.Device, EntityKind.Process, EntityKind.User]);
        rule.Query.ShouldEndWith("| where FileName =~ \"odd.exe\"");
    }

    [Theory]
    [InlineData("title: [", SigmaReason.Syntax, 2, "not YAML")]
    [InlineData("- a", SigmaReason.Syntax, 1, "a document holds keys and values")]
    [InlineData("detection: {}", SigmaReason.Syntax, 1, "the key 'title' is missing")]
    [InlineData("title: x\nlogsource: { category: process_creation }", SigmaReason.Syntax, 1, "the key 'detection' is missing")]
    [InlineData("title: x\ndetection: { s: { Image: a }, condition: s }", SigmaReason.Syntax, 1, "the key 'logsource' is missing")]
    [InlineData("title: x\nlogsource: { category: process_creation }\ndetection: { s: { Image: a } }", SigmaReason.Condition, 1, "the key 'condition' is missing")]
    [InlineData("condition: s and", SigmaReason.Condition, 6, "it ends where a search is expected")]
    [InlineData("condition: (s", SigmaReason.Condition, 6, "a ')' is missing")]
    [InlineData("condition: s s", SigmaReason.Condition, 6, "'s' is not expected there")]
    [InlineData("condition: t", SigmaReason.Condition, 1, "names 't', which is not a search of the rule")]
    [InlineData("condition: 1 of t*", SigmaReason.Condition, 1, "no search has a name like 't*'")]
    [InlineData("condition: some of s*", SigmaReason.Condition, 6, "'some of' is not known")]
    [InlineData("condition: s | median(x) > 3", SigmaReason.Condition, 6, "is of neither form")]
    [InlineData("condition: s | near t and not s", SigmaReason.Condition, 6, "is of neither form")]
    [InlineData("Image|begins: a", SigmaReason.Modifier, 5, "the modifier 'begins' is not known")]
    [InlineData("Image|contains: null", SigmaReason.Modifier, 5, "null takes no modifier 'contains'")]
    [InlineData("Image|base64: a*", SigmaReason.Modifier, 5, "takes no wildcards")]
    [InlineData("Image|cidr: a", SigmaReason.Modifier, 5, "is not a network")]
    [InlineData("ProcessId|gt: a", SigmaReason.Modifier, 5, "'a' is not a number")]
    [InlineData("Image|exists: maybe", SigmaReason.Modifier, 5, "'exists' takes true or false")]
    [InlineData("Image|expand: '%Servers%'", SigmaReason.Placeholder, 5, "no values are given for the placeholder %Servers%")]
    [InlineData("Image|re: '(?<!a)b'", SigmaReason.RegularExpression, 5, "looks around or refers back")]
    [InlineData("Image|re: '(a'", SigmaReason.RegularExpression, 5, "Not enough )'s")]
    [InlineData("EventID|re: '('", SigmaReason.RegularExpression, 5, "Not enough )'s")]
    [InlineData("title: x\nlogsource: { category: process_creation }\ndetection: { s: &s [{ Image: a }, *s], condition: s }", SigmaReason.Syntax, 0, "")]
    [InlineData("title: x\nlogsource: { category: process_creation }\na: &a [q, q, q, q, q, q, q, q, q, q]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\ndetection: { s: *e, condition: s }", SigmaReason.Syntax, 0, "more than 50000 values")]
    [InlineData("Nonsense: a", SigmaReason.Field, 1, "the hunting tables do not record Nonsense")]
    [InlineData("EventID: 1234", SigmaReason.Event, 1, "no hunting table holds event 1234")]
    [InlineData("title: x\nlogsource: { product: aws, service: cloudtrail }\ndetection: { s: { eventName: a }, condition: s }", SigmaReason.LogSource, 1, "the log source aws/cloudtrail")]
    [InlineData("title: x\ncorrelation: { type: event_count, rules: [y], timespan: 5m, condition: { gte: 2 } }", SigmaReason.Correlation, 1, "the rule 'y' is not among the imported ones")]
    [InlineData("title: x\nname: x\ncorrelation: { type: event_count, rules: [x], generate: true, timespan: 5m, condition: { gte: 2 } }", SigmaReason.Correlation, 1, "in a circle")]
    [InlineData("title: x\ncorrelation: { type: event_count, rules: [y], timespan: 5, condition: { gte: 2 } }", SigmaReason.Correlation, 2, "'5' is not a time")]
    [InlineData("title: x\ncorrelation: { type: value_percentile, rules: [y], timespan: 5m, condition: { gte: 2 } }", SigmaReason.Correlation, 2, "'value_percentile' is not supported")]
    [InlineData("title: x\nlogsource: { product: windows }\nfilter: { rules: [y], selection: { User: a }, condition: selection }", SigmaReason.Correlation, 1, "concerns none of the imported rules")]
    public void What_cannot_be_turned_is_named_with_its_line(string text, SigmaReason reason, int line, string message)
    {
        var isWhole = text.StartsWith("title", StringComparison.Ordinal) || text is "- a" or "detection: {}";
        var isCondition = text.StartsWith("condition", StringComparison.Ordinal);
        Put("r.yml", isWhole ? text : $"title: x\nlogsource: {{ category: process_creation }}\ndetection:\n  s:\n    {(isCondition ? "Image: a" : text)}\n  {(isCondition ? text : "condition: s")}\n");
        var refused = Import(new SigmaOptions()).Refused.ShouldHaveSingleItem();
        refused.Message.ShouldContain(message);
        refused.Reason.ShouldBe(reason);
        if (line > 0) refused.Line.ShouldBe(line);
    }

    [Fact]
    public void A_file_that_is_wrong_costs_its_own_documents_only()
    {
        Put("a.yml", "title: [");
        Put("b.yml", Sound + "\n---\ntitle: y\n---\n" + Sound.Replace("6f3e2987", "6f3e2988", StringComparison.Ordinal).Replace("Odd program", "Odder program", StringComparison.Ordinal));
        Put("deep.yml", "a: " + new string('[', 100_000));
        Put("none.txt", "title: z");
        var report = Import(new SigmaOptions());
        report.Files.ShouldBe(3);
        report.Converted.Select(rule => (rule.Title, rule.Output)).ShouldBe([("Odd program", "b.yaml"), ("Odder program", "b-2.yaml")]);
        report.Refused.Select(refused => (refused.File, refused.Title)).ShouldBe([("a.yml", null), ("b.yml", "y"), ("deep.yml", null)]);
    }

    [Fact]
    public void Status_and_level_choose()
    {
        Put("a.yml", Sound);
        Put("b.yml", Sound.Replace("6f3e2987", "6f3e2988", StringComparison.Ordinal).Replace("title: Odd", "title: Low", StringComparison.Ordinal).Replace("critical", "low", StringComparison.Ordinal));
        Put("c.yml", Sound.Replace("6f3e2987", "6f3e2989", StringComparison.Ordinal).Replace("title: Odd", "title: Old", StringComparison.Ordinal).Replace("status: test", "status: deprecated", StringComparison.Ordinal));
        var all = Import(new SigmaOptions());
        (all.Converted.Count, all.Skipped).ShouldBe((2, 1));
        Import(new SigmaOptions { MinLevel = "medium" }).Converted.Select(rule => rule.Title).ShouldBe(["Odd program"]);
        Import(new SigmaOptions { Statuses = ["deprecated"] }).Converted.Select(rule => rule.Title).ShouldBe(["Old program"]);
    }

    [Fact]
    public void Ids_are_unique_and_stable_and_titles_become_unique()
    {
        Put("a.yml", Sound);
        Put("b.yml", Sound);
        Put("c.yml", Sound.Replace("id: 6f3e2987-db24-4c78-a860-b4f4095a7095\n", "", StringComparison.Ordinal));
        Put("d.yml", Sound.Replace("6f3e2987", "6f3e2988", StringComparison.Ordinal).Replace("Odd program", "Reverse shell", StringComparison.Ordinal));
        var (first, second) = (Import(new SigmaOptions()), Import(new SigmaOptions()));
        first.Refused.ShouldHaveSingleItem().Message.ShouldBe("the id 6f3e2987-db24-4c78-a860-b4f4095a7095 is already taken by a.yml");
        // One title is taken by another file, one by a rule that ships with the product.
        first.Converted.Select(rule => rule.Title).ShouldBe(["Odd program", "Odd program (Sigma)", "Reverse shell (Sigma)"]);
        first.Converted.Select(rule => rule.Id).ShouldBe(second.Converted.Select(rule => rule.Id));
    }

    [Fact]
    public void Rules_below_a_global_document_get_ids_of_their_own()
    {
        Put("a.yml", "action: global\n" + Sound[..Sound.IndexOf("logsource", StringComparison.Ordinal)]
            + "---\nlogsource: { category: process_creation }\ndetection: { s: { Image: a }, condition: s }\n---\nlogsource: { category: file_event }\ndetection: { s: { Image: a }, condition: s }\n");
        var report = Import(new SigmaOptions());
        report.Refused.ShouldBeEmpty();
        report.Converted.Select(rule => rule.LogSource).ShouldBe(["process_creation", "file_event"]);
        report.Converted[0].Id.ShouldBe(Guid.Parse("6f3e2987-db24-4c78-a860-b4f4095a7095"));
        report.Converted[1].Id.ShouldNotBe(report.Converted[0].Id);
    }

    [Fact]
    public void Rules_of_a_correlation_serve_it_alone_unless_it_says_otherwise()
    {
        const string text = "\n---\ntitle: Many\nlevel: low\ncorrelation: { type: event_count, rules: [6f3e2987-db24-4c78-a860-b4f4095a7095], group-by: [User], timespan: 90m, condition: { gte: 5 }GENERATE }\n";
        Put("a.yml", Sound + text.Replace("GENERATE", "", StringComparison.Ordinal));
        var report = Import(new SigmaOptions());
        report.Building.ShouldBe(1);
        var problems = new List<RuleProblem>();
        var rule = RuleFileParser.Parse(report.Converted.ShouldHaveSingleItem().Rule, "r.yaml", false, problems).ShouldNotBeNull();
        (rule.Title, rule.Severity, rule.Category).ShouldBe(("Many", "Low", "DefenseEvasion"));
        rule.Schedule.ShouldBe(new DetectionSchedule(TimeSpan.FromHours(1), TimeSpan.FromMinutes(150)));
        rule.Entities[0].Kind.ShouldBe(EntityKind.Device);

        Put("a.yml", Sound + text.Replace("GENERATE", ", generate: true", StringComparison.Ordinal));
        Import(new SigmaOptions()).Converted.Select(item => item.Title).ShouldBe(["Odd program", "Many"]);
    }

    [Fact]
    public void Every_field_of_the_mapping_binds()
    {
        var failures = new List<string>();
        var names = SigmaMapping.Shared.Sources.SelectMany(source => source.Variants).DistinctBy(variant => variant.Name).ToList();
        foreach (var variant in names)
        {
            HuntingSchema.Tables.ShouldContainKey(variant.Table);
            foreach (var (name, field) in variant.Fields)
            {
                var scope = new QueryScope(variant, new QueryNames());
                var expression = FieldTests.Expression(name, scope, SigmaMapping.Shared)!;
                var lookups = string.Concat(scope.Lookups.Select(lookup => "\n| " + SigmaMapping.Shared.Lookup(lookup)));
                var compilation = KqlCompiler.Bind($"{variant.Table}{(variant.Where is { } where ? "\n| where " + where : "")}{lookups}\n| project Value = {expression}", Schema.Value);
                if (!compilation.Succeeded) failures.Add($"{variant.Name}.{name} ({field.Kind}): {compilation.Diagnostics[0].Message}");
            }
        }

        failures.ShouldBeEmpty();
        names.Count.ShouldBeGreaterThan(100);
    }

    [Theory]
    [InlineData(@"\\\\", @"\\")]
    [InlineData(@"\\\", @"\\")]
    [InlineData(@"a\", @"a\")]
    [InlineData(@"a\b", @"a\b")]
    public void Backslashes_are_read_as_the_specification_says(string text, string literal)
    {
        var pattern = SigmaPattern.Parse(text);
        pattern.IsLiteral.ShouldBeTrue();
        pattern.Parts[0].Text.ShouldBe(literal);
    }

    [Theory]
    [InlineData("a*b?d", "axxBcd", true)]
    [InlineData("*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    [InlineData("*", "", true)]
    [InlineData("?", "", false)]
    [InlineData("ab*", "a", false)]
    public void Patterns_match_words(string pattern, string text, bool expected) => SigmaPattern.Parse(pattern).Matches(text).ShouldBe(expected);

    private SigmaReport Import(SigmaOptions options, string folder = "") => SigmaImporter.Import(Path.Combine(_folder, folder), Schema.Value, options, null, CancellationToken.None);

    private void Put(string file, string text)
    {
        var path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
