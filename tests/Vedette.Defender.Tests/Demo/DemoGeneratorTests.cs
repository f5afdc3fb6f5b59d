using Vedette.Defender.Demo;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Xunit.Abstractions;

namespace Vedette.Defender.Tests.Demo;

public sealed class DemoGeneratorTests(ITestOutputHelper output)
{
    private static readonly Guid Tenant = Guid.Parse("5f0c1d52-6d0f-4c6e-9a44-2f8f6b1f3a10");
    private static readonly DateTime End = new(2026, 11, 20, 11, 30, 0, DateTimeKind.Utc);
    private static readonly Lazy<List<HuntingRow>> Rows = new(() => Generate(Tenant, 1, End));

    [Fact]
    public void Holds_forty_devices_and_sixty_people_in_a_history_of_modest_size()
    {
        var world = DemoWorld.Create(Tenant, 1);

        world.Devices.Count.ShouldBe(40);
        world.Users.Count.ShouldBe(60);
        world.Users.Select(user => user.Account.Upn).Distinct().Count().ShouldBe(60);
        world.Devices.Select(device => device.Ip).Distinct().Count().ShouldBe(40);
        Rows.Value.Count.ShouldBeInRange(60_000, 150_000);
        Rows.Value.All(row => PhysicalTable.All[row.Table.Name].TimeColumn is null || (Time(row) <= End && Time(row) > End.AddDays(-30))).ShouldBeTrue();
    }

    [Fact]
    public void The_same_seed_and_clock_give_the_same_rows()
    {
        Generate(Tenant, 1, End).Select(Text).SequenceEqual(Rows.Value.Select(Text)).ShouldBeTrue();
        Generate(Tenant, 2, End).Select(Text).SequenceEqual(Rows.Value.Select(Text)).ShouldBeFalse();
    }

    [Fact]
    public void Processes_follow_their_parents_and_keep_their_identity()
    {
        var created = Rows.Value.Where(row => row.Table.Name == "DeviceProcessEvents").ToDictionary(row => (row["DeviceId"], row["ProcessId"], row["ProcessCreationTime"]));
        var begin = Rows.Value.Min(Time);
        var orphans = 0;
        foreach (var row in Rows.Value.Where(row => row.Table.Name.StartsWith("Device", StringComparison.Ordinal) && row.Table.OrdinalOf("InitiatingProcessId") >= 0))
        {
            if (row["InitiatingProcessId"] is not { } id) continue;
            var start = (DateTime)row["InitiatingProcessCreationTime"]!;
            (start <= Time(row)).ShouldBeTrue();
            if (!created.TryGetValue((row["DeviceId"], id, start), out var parent))
            {
                // Only processes from before the history have no row of their own.
                start.ShouldBeLessThan(begin.AddHours(24));
                orphans++;
                continue;
            }

            row["InitiatingProcessFileName"].ShouldBe(parent["FileName"]);
            row["InitiatingProcessSHA256"].ShouldBe(parent["SHA256"]);
            row["InitiatingProcessCommandLine"].ShouldBe(parent["ProcessCommandLine"]);
        }

        orphans.ShouldBeLessThan(Rows.Value.Count / 4);
    }

    [Fact]
    public void No_placeholder_is_left()
    {
        var known = new HashSet<string>(StringComparer.Ordinal) { "{base64,-d}", "{bash,-i}", "{default}" };
        var left = Rows.Value.SelectMany(row => row.Values).OfType<string>()
            .SelectMany(text => System.Text.RegularExpressions.Regex.Matches(text, @"\{[a-z][a-z0-9]*\}").Select(match => match.Value))
            .Where(text => !known.Contains(text)).Distinct();
        left.ShouldBeEmpty();
    }

    [Fact]
    public void Every_table_holds_rows_that_no_other_part_of_the_product_writes()
    {
        var written = Rows.Value.GroupBy(row => row.Table.Name).ToDictionary(group => group.Key, group => group.Count());
        foreach (var (table, count) in written.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var never = HuntingSchema.Tables[table].Columns.Where(column => !Rows.Value.Any(row => row.Table.Name == table && row.Values[column.Ordinal] is not null and not "")).Select(column => column.Name);
            output.WriteLine($"{table} {count}, without values: {string.Join(' ', never)}");
        }

        HuntingSchema.Tables.Keys.Where(name => !written.ContainsKey(name) && !name.StartsWith("DeviceTvm", StringComparison.Ordinal) && !name.StartsWith("DeviceBaseline", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ShouldBe(["AlertEvidence", "AlertInfo"]);
    }

    [Fact]
    public void Working_hours_show()
    {
        var clients = Rows.Value.Where(row => row.Table.Name == "DeviceProcessEvents" && ((string)row["DeviceName"]!).StartsWith("sal-ws", StringComparison.Ordinal)).ToList();
        var office = clients.Count(row => Time(row).Hour is >= 7 and < 19);
        office.ShouldBeGreaterThan(clients.Count * 95 / 100);
        clients.Count(row => Time(row).DayOfWeek is DayOfWeek.Sunday).ShouldBeLessThan(clients.Count / 10);
    }

    internal static List<HuntingRow> Generate(Guid tenant, int seed, DateTime end) =>
        [.. new DemoGenerator(DemoWorld.Create(tenant, seed), end).Generate().SelectMany(batch => batch.Rows)];

    private static DateTime Time(HuntingRow row) => PhysicalTable.All[row.Table.Name].TimeColumn is { } column ? (DateTime)row[column]! : End;

    private static string Text(HuntingRow row) => row.Table.Name + "|" + string.Join('|', row.Values);
}
