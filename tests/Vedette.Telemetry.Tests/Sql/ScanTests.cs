using System.Globalization;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;
using Vedette.Telemetry.Tests.Conformance;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Sql;

/// <summary>What a query may see of the tables, and how much of them it reads.</summary>
public sealed class ScanTests
{
    private static readonly Guid Tenant = Guid.Parse("11111111-1111-1111-1111-111111111111");
    private static readonly Guid Other = Guid.Parse("22222222-2222-2222-2222-222222222222");
    private static readonly DateTime Now = new(2026, 11, 20, 12, 0, 0, DateTimeKind.Utc);

    private static readonly Lazy<Task<string>> Database = new(async () =>
    {
        var name = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, name).EnsureAsync();
        for (var day = 0; day < 6; day++)
        {
            var time = Now.AddDays(-day).AddHours(-1).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            await TestEngine.Shared.ExecuteAsync(
                $"INSERT INTO {name}.DeviceProcessEvents (Timestamp, DeviceId, FileName, ProcessCommandLine, _TenantId, _IngestTime) VALUES "
                + $"('{time}', 'd1', 'own{day}.exe', 'cmd /c own', '{Tenant}', '{time}'), ('{time}', 'd2', 'own{day}.exe', 'x', '{Tenant}', '{time}'), ('{time}', 'd1', 'foreign.exe', 'x', '{Other}', '{time}')");
            await TestEngine.Shared.ExecuteAsync(
                $"INSERT INTO {name}.DeviceNetworkEvents (Timestamp, DeviceId, RemoteIP, _TenantId, _IngestTime) VALUES ('{time}', 'd1', '10.0.0.{day}', '{Tenant}', '{time}')");
        }

        return name;
    });

    [Theory]
    [InlineData("DeviceProcessEvents | count", 12)]
    [InlineData("DeviceProcessEvents | where FileName == 'foreign.exe' or true | count", 12)]
    [InlineData("DeviceProcessEvents | where FileName == \"x' OR 1=1 --\" | count", 0)]
    [InlineData("let t = DeviceProcessEvents; t | join kind=fullouter t on DeviceId, Timestamp | where FileName == 'foreign.exe' or FileName1 == 'foreign.exe' | count", 0)]
    [InlineData("union DeviceProcessEvents, DeviceNetworkEvents | count", 18)]
    [InlineData("DeviceProcessEvents | summarize arg_max(Timestamp, *) by DeviceId | where FileName == 'own0.exe' | count", 2)]
    [InlineData("DeviceProcessEvents | summarize arg_min(Timestamp, *) by DeviceId, ActionType | where FileName == 'own5.exe' | count", 2)]
    [InlineData("search 'foreign.exe' | count", 0)]
    [InlineData("find in (DeviceProcessEvents) where FileName has 'foreign' | count", 0)]
    [InlineData("print n = toscalar(DeviceProcessEvents | where FileName == 'foreign.exe' | count)", 0)]
    [InlineData("DeviceNetworkEvents | where DeviceId in ((DeviceProcessEvents | where FileName == 'foreign.exe' | project DeviceId)) | count", 0)]
    public async Task A_tenant_sees_its_own_rows_only(string query, long expected) => (await RunAsync(query)).ShouldBe(expected);

    [Fact]
    public async Task Windows_and_devices_narrow_every_scan()
    {
        const string both = "union DeviceProcessEvents, DeviceNetworkEvents | count";
        (await RunAsync(both, c => c with { Window = (Now.AddDays(-2), Now) })).ShouldBe(6L);
        (await RunAsync(both, c => c with { IngestionWindow = (Now.AddDays(-1), Now) })).ShouldBe(3L);
        (await RunAsync(both, c => c with { VisibleDevices = ["d2"] })).ShouldBe(6L);
        (await RunAsync(both, c => c with { VisibleDevices = [] })).ShouldBe(0L);
    }

    [Theory]
    [InlineData("DeviceProcessEvents | extend x = tolower(FileName) | where Timestamp > ago(1d) | project x")]
    [InlineData("DeviceProcessEvents | extend t = Timestamp | project-rename u = t | where u > ago(1d) | summarize count() by FileName")]
    [InlineData("union (DeviceProcessEvents | extend a = 1), (DeviceProcessEvents | extend b = 2) | where Timestamp > ago(1d) | count")]
    [InlineData("DeviceProcessEvents | where Timestamp > ago(1d) | join kind=inner (DeviceNetworkEvents | where Timestamp > ago(1d)) on DeviceId | project FileName, RemoteIP")]
    [InlineData("let recent = DeviceProcessEvents | where Timestamp > ago(1d); recent | where FileName in ((recent | project FileName)) | count")]
    [InlineData("DeviceProcessEvents | where Timestamp > ago(1d) | summarize arg_max(Timestamp, *) by DeviceId | project FileName")]
    public async Task Days_outside_the_asked_time_are_not_read(string query)
    {
        var statement = Compile(query, await Database.Value, c => c);
        var prepared = await statement.PrepareAsync(TestEngine.Shared);
        var plan = await TestEngine.Shared.RowsAsync(prepared.Statement with { Sql = $"SELECT * FROM (EXPLAIN indexes = 1 {prepared.Statement.Sql})" });
        var lines = plan.Select(r => ((string)r[0]!).Trim(' ', '│', '├', '└', '─')).ToList();
        var reads = lines.Where(l => l.StartsWith("Parts:", StringComparison.Ordinal)).ToList();
        reads.ShouldNotBeEmpty(string.Join('\n', lines));
        // Each table has one part a day; the last filter of each read leaves that of today.
        lines.Count(l => l.Contains("ReadFromMergeTree")).ShouldBe(reads.Count(l => l is "Parts: 1/6"), string.Join('\n', lines));
    }

    [Fact]
    public async Task Terms_use_the_index()
    {
        var prepared = await Compile("DeviceProcessEvents | where ProcessCommandLine has 'own' | count", await Database.Value, c => c).PrepareAsync(TestEngine.Shared);
        var plan = await TestEngine.Shared.RowsAsync(prepared.Statement with { Sql = $"SELECT * FROM (EXPLAIN indexes = 1 {prepared.Statement.Sql})" });
        plan.Select(r => (string)r[0]!).ShouldContain(l => l.Contains("terms_ProcessCommandLine"));
    }

    [Fact]
    public async Task Literals_of_any_characters_stay_literals()
    {
        var random = new Random(7);
        for (var i = 0; i < 40; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 24)).Select(_ => "'\"\\`{}();-/*%_\t\n\0é€aZ0".ElementAt(random.Next(22))));
            var literal = System.Text.Json.JsonSerializer.Serialize(text);
            var compilation = KqlCompiler.Bind($"print x = tostring(parse_json({System.Text.Json.JsonSerializer.Serialize(literal)})) | extend y = strcat(x, '')", KqlSchema.Empty);
            compilation.Succeeded.ShouldBeTrue();
            var (_, rows) = await HuntingRuns.RunAsync(TestEngine.Shared, SqlCompiler.Compile(compilation.Root!, Context("none")));
            rows[0][1].ShouldBe(text);
        }
    }

    private static SqlContext Context(string database) => new() { TenantId = Tenant, FindTable = SqlTables.In(database), Now = Now };

    private static SqlStatement Compile(string query, string database, Func<SqlContext, SqlContext> change)
    {
        var compilation = KqlCompiler.Bind(query, new KqlSchema(SqlTables.Schema));
        compilation.Succeeded.ShouldBeTrue(string.Join("; ", compilation.Diagnostics.Select(d => d.Message)));
        return SqlCompiler.Compile(compilation.Root!, change(Context(database)));
    }

    private static async Task<object?> RunAsync(string query, Func<SqlContext, SqlContext>? change = null)
    {
        var (_, rows) = await HuntingRuns.RunAsync(TestEngine.Shared, Compile(query, await Database.Value, change ?? (c => c)));
        return rows[0][0];
    }
}
