using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Ingest.Sieve;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Ingest;

public sealed class QuerySieveTests
{
    private static readonly Guid Tenant = Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020101");

    private static readonly HuntingCatalogue Catalogue = new(new TelemetryOptions());

    // Letters that become others when case is taken away stand among them.
    private static readonly string[] Texts =
    [
        "", "powershell.exe", "POWERSHELL.EXE", "Power\u017Fhell.exe", "cmd.exe", "\u212Aernel32", "kernel32", "KERNEL32.dll", "\u0130stanbul", "istanbul", "I", "i",
        "stra\u00DFe", "STRASSE", "Stra\u00DFe 7", "na\u00EFve", "NA\u00CFVE", "a b", "a-b", "xa bx", "a", "  a", "vssadmin delete shadows /all", "delete", "undeleted",
        "\u65E5\u672C.exe", "x\u65E5\u672C.exe", "\uD83D\uDE00.exe", "tab\there", "new\nline", "C:\\Windows\\System32\\cmd.exe", "c:\\windows", "{\"a\":1}",
    ];

    private static readonly string[] Literals =
    [
        "powershell.exe", "PowerShell", "kernel32", "KERNEL", "istanbul", "I", "i", "stra\u00DFe", "STRASSE", "na\u00EFve", "\u00EF", "a", "a b", "delete", "", "\u65E5\u672C", ".exe",
        "C:\\WINDOWS",
    ];

    private static readonly string[] Operators =
    [
        "==", "!=", "=~", "!~", "has", "!has", "has_cs", "contains", "!contains", "contains_cs", "startswith", "!startswith", "startswith_cs", "endswith", "!endswith",
        "endswith_cs", "hasprefix", "hassuffix", "!hasprefix",
    ];

    private static readonly string[] Patterns =
    [
        "(?i)power.hell", "^power", "ern(el)?32", "(?i)KERNEL32|istanbul", "(cmd|power)(sh)?ell", "cmd[.]exe", "[Dd]elete", "a{0,3}b?", "(a|) b", "del+ete", "x{2}|a", "(?:a)-(?P<n>b)",
        "(?i)k", "(?i)s+ad", "de(le|x)te\\s+shadows", "[^a]dmin", "\\.exe$", "a*", "(?i)stra(ß|ss)e", "日本\\.exe", "\\Qcmd.\\Eexe", "c\\x6Dd", "[[:alpha:]]md", "[]a]b", "a{,2}", "(?i:CMD)\\.", "\\pLmd",
        "(?s)new.line", "nel3{1,2}2\\b", "(((un)?delete)|system32)",
    ];

    [Fact]
    public async Task Every_row_that_a_query_gives_passes_the_sieve()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        var options = new TelemetryOptions { Database = database, RetentionDays = 36_500 };
        await using var store = new HuntingStore(TestEngine.Shared, database, TimeProvider.System);
        using var hunting = new HuntingService(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System);
        var rows = Texts.Select(Row).ToArray();
        await store.AppendAsync(Tenant, rows, null, default);

        string[] conditions =
        [
            .. from column in new[] { "FileName", "ProcessCommandLine" } from op in Operators from literal in Literals select $"{column} {op} {Quoted(literal)}",
            .. Literals.Select(l => $"not(FileName =~ {Quoted(l)})"),
            .. Literals.Select(l => $"not(FileName contains {Quoted(l)} or ProcessId == 3)"),
            .. Literals.Select(l => $"not(FileName startswith {Quoted(l)} and ProcessId in (1, 2, 3, 4, 5, 6))"),
            .. Literals.Select(l => $"tolower(FileName) == tolower({Quoted(l)})"),
            .. Literals.Select(l => $"toupper(FileName) has {Quoted(l)} and ProcessId > 4"),
            $"FileName in ({All()})", $"FileName in~ ({All()})", $"FileName !in~ ({All()})", $"FileName !in ({All()})", $"not(FileName in~ ({All()}))",
            "FileName has_any (\"kernel32\", \"delete\")", "FileName has_all (\"delete\", \"shadows\")", "FileName has_any (dynamic([\"KERNEL32\", \"x\"]))",
            "not(FileName has_any (\"kernel32\", \"delete\"))", "isnotempty(FileName)", "isempty(FileName)", "not(isnotempty(FileName))",
            "ProcessId == 7", "7 == ProcessId", "ProcessId in (1, 3, 99)", "ProcessId != 7", "not(ProcessId == 7)", "ProcessId between (3 .. 5)",
            .. Patterns.Select(p => $"FileName matches regex {Quoted(p)}"), .. Patterns.Select(p => $"not(FileName matches regex {Quoted(p)})"), "FileName == ProcessCommandLine", "false", "true", "1 == 2",
            "(FileName =~ \"cmd.exe\" and ProcessId > 1) or (FileName has \"delete\" and ProcessCommandLine has \"shadows\")",
        ];
        var failures = new List<string>();
        foreach (var chunk in conditions.Chunk(40))
        {
            // One statement for many conditions: the numbers of those that hold for each row.
            var tests = string.Join(", ", chunk.Select((c, i) => $"iff({c}, \"{i},\", \"\")"));
            var answer = await hunting.RunAsync(new HuntingRequest(Tenant, $"DeviceProcessEvents | project ReportId, Held = strcat({tests}, \"\")"), default);
            var sieves = chunk.Select(c => Sieve($"DeviceProcessEvents | where {c}")).ToArray();
            foreach (var found in answer.Rows)
            {
                var row = rows[Convert.ToInt32(found[0], CultureInfo.InvariantCulture)];
                foreach (var held in ((string)found[1]!).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(h => int.Parse(h, CultureInfo.InvariantCulture)))
                    if (!Passes(sieves[held], row)) failures.Add($"{chunk[held]}: {row["FileName"]}");
            }

            answer.Rows.Count.ShouldBe(rows.Length);
        }

        failures.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("DeviceProcessEvents | where FileName =~ 'CMD.exe'", "cmd.exe", true)]
    [InlineData("DeviceProcessEvents | where FileName =~ 'cmd.exe'", "cmd.exe.txt", false)]
    [InlineData("DeviceProcessEvents | where FileName has 'delete' | summarize count() by DeviceId | where count_ > 3", "Delete", true)]
    [InlineData("DeviceProcessEvents | where FileName has 'delete' | summarize count() by DeviceId", "cmd.exe", false)]
    [InlineData("DeviceProcessEvents | extend Name = FileName | project Name, DeviceId | where Name == 'cmd.exe'", "power.exe", false)]
    [InlineData("DeviceProcessEvents | extend FileName = strcat(FileName, 'x') | where FileName == 'cmd.exex'", "cmd.exe", true)]
    [InlineData("DeviceProcessEvents | join kind=inner (DeviceLogonEvents | where AccountName == 'x') on DeviceId | where FileName == 'cmd.exe'", "cmd.exe", true)]
    [InlineData("DeviceProcessEvents | join kind=inner (DeviceLogonEvents | where AccountName == 'x') on DeviceId | where FileName == 'cmd.exe'", "power.exe", false)]
    [InlineData("DeviceLogonEvents | join kind=rightouter (DeviceProcessEvents | where FileName == 'cmd.exe') on DeviceId", "cmd.exe", true)]
    [InlineData("DeviceLogonEvents | join kind=rightouter (DeviceProcessEvents | where FileName == 'cmd.exe') on DeviceId", "power.exe", false)]
    [InlineData("DeviceLogonEvents | join kind=leftouter (DeviceProcessEvents | where FileName == 'cmd.exe') on DeviceId", "cmd.exe", false)]
    [InlineData("union DeviceFileEvents, DeviceProcessEvents | where FileName == 'cmd.exe'", "cmd.exe", true)]
    [InlineData("union DeviceFileEvents, DeviceProcessEvents | where FileName == 'cmd.exe'", "power.exe", false)]
    [InlineData("union withsource=Table DeviceFileEvents, DeviceProcessEvents | where FileName == 'cmd.exe' and Table startswith 'Device'", "cmd.exe", true)]
    [InlineData("union withsource=Table DeviceFileEvents, DeviceProcessEvents | where FileName == 'cmd.exe'", "power.exe", false)]
    [InlineData("let names = dynamic(['cmd.exe', 'a']); DeviceProcessEvents | where FileName in~ (names)", "CMD.EXE", true)]
    [InlineData("let names = dynamic(['cmd.exe', 'a']); DeviceProcessEvents | where FileName in~ (names)", "b", false)]
    [InlineData("let shells = DeviceProcessEvents | where FileName == 'cmd.exe'; shells | join kind=inner shells on DeviceId", "b", false)]
    [InlineData("DeviceProcessEvents | where FileName == 'cmd.exe' | count", "b", true)]
    [InlineData("DeviceProcessEvents | where DeviceId in ((DeviceInfo | project DeviceId))", "b", true)]
    [InlineData("DeviceFileEvents | where FileName == 'cmd.exe'", "cmd.exe", false)]
    [InlineData("DeviceFileEvents | where DeviceId in ((DeviceProcessEvents | project DeviceId))", "cmd.exe", false)]
    [InlineData(@"DeviceProcessEvents | where FileName matches regex '(?i)^lsass[^/]*[.](dmp|zip)$'", "lsass-1.ZIP", true)]
    [InlineData(@"DeviceProcessEvents | where FileName matches regex '(?i)^lsass[^/]*[.](dmp|zip)$'", "lsass.exe", false)]
    [InlineData(@"DeviceProcessEvents | where FileName matches regex '(save|export) +hk(lm|cu)'", "reg hklm", false)]
    [InlineData(@"DeviceProcessEvents | where FileName matches regex '[a-z]+(a|b?)'", "1", true)]
    [InlineData("print x = 1", "b", true)]
    [InlineData("nothing that binds", "b", true)]
    public void Queries_are_named_as_their_operators_allow(string query, string fileName, bool named) =>
        Passes(Sieve(query), Row(fileName, 0)).ShouldBe(named);

    [Fact]
    public void Of_a_thousand_queries_those_are_named_that_wait_for_the_rows()
    {
        var sieve = new QuerySieve([.. Enumerable.Range(0, 1_000).Select(n => Catalogue.Bind(
            $"DeviceProcessEvents | where FileName =~ 'powershell.exe' and ProcessCommandLine has_all ('marker{n:D4}', 'run')"))]);
        var found = new HashSet<int>();
        sieve.Sift([Command("go MARKER0007 and run"), Command("marker0123"), Command("amarker0999 run"), Command("run marker0500marker0501 run")], found);
        found.Order().ShouldBe([7, 500, 501, 999]);
        sieve.Count.ShouldBe(1_000);
        sieve.OnlyTable(0).ShouldBe("DeviceProcessEvents");
    }

    private static string All() => string.Join(", ", Literals.Select(Quoted));

    private static string Quoted(string text) => "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal) + "\"";

    private static QuerySieve Sieve(string query) => new([Catalogue.Bind(query)]);

    private static bool Passes(QuerySieve sieve, HuntingRow row)
    {
        var found = new HashSet<int>();
        sieve.Sift([row], found);
        return found.Count > 0;
    }

    private static HuntingRow Row(string text, int number)
    {
        var row = HuntingRow.For("DeviceProcessEvents");
        row["Timestamp"] = new DateTime(2026, 11, 5, 0, 0, 0, DateTimeKind.Utc);
        row["FileName"] = row["ProcessCommandLine"] = text;
        row["ProcessId"] = row["ReportId"] = (long)number;
        return row;
    }

    private static HuntingRow Command(string command)
    {
        var row = Row("PowerShell.exe", 1);
        row["ProcessCommandLine"] = command;
        return row;
    }
}
