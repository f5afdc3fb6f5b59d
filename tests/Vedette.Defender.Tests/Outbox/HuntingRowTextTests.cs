using Vedette.Agent.Contract;
using Vedette.Defender.Outbox;
using Vedette.Kql;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Tests.Outbox;

public sealed class HuntingRowTextTests
{
    [Fact]
    public void Rows_of_every_table_come_back_to_the_last_digit()
    {
        var rows = HuntingSchema.Tables.Values.Select(table =>
        {
            var row = new HuntingRow(table);
            foreach (var column in table.Columns) row.Values[column.Ordinal] = Example(column.Type);
            return row;
        }).ToList();
        var again = HuntingRowText.Read(HuntingRowText.Write(rows), strict: true);
        again.Select(r => r.Table.Name).ShouldBe(rows.Select(r => r.Table.Name));
        for (var at = 0; at < rows.Count; at++) again[at].Values.ShouldBe(rows[at].Values);
    }

    [Fact]
    public void Nulls_stay_null() =>
        HuntingRowText.Read(HuntingRowText.Write([HuntingRow.For("DeviceEvents")])).Single().Values.ShouldAllBe(v => v == null);

    [Fact]
    public void What_the_schema_lost_is_dropped()
    {
        const string text = """[["NoSuchTable",{"A":1}],["DeviceEvents",{"NoSuchColumn":1,"ReportId":7}]]""";
        HuntingRowText.Read(text).Single()["ReportId"].ShouldBe(7L);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("[[]]")]
    [InlineData("[[7,{}]]")]
    [InlineData("""[["NoSuchTable",{}]]""")]
    [InlineData("""[["DeviceEvents",{"NoSuchColumn":1}]]""")]
    [InlineData("""[["DeviceEvents",{"ReportId":"x"}]]""")]
    [InlineData("""[["DeviceEvents",{"Timestamp":-1}]]""")]
    [InlineData("""[["AlertInfo",{}]]""")]
    public async Task A_device_that_sends_something_else_is_refused(string text)
    {
        await using var world = await DefenderWorld.CreateAsync();
        var device = new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1));
        await Should.ThrowAsync<InvalidDataException>(() => world.Get<IDeviceChannel>().SendTelemetryAsync(device, new TelemetryBatch("1", text), default));
    }

    [Fact]
    public async Task A_device_speaks_for_itself_only_and_a_repeated_batch_counts_once()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var channel = world.Get<IDeviceChannel>();
        var device = new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1));
        var row = HuntingRow.For("DeviceEvents");
        row["Timestamp"] = DateTime.UtcNow;
        row["DeviceId"] = DefenderWorld.MachineId(2);
        var batch = new TelemetryBatch("b1", HuntingRowText.Write([row]));
        await channel.SendTelemetryAsync(device, batch, default);
        await channel.SendTelemetryAsync(device, batch, default);
        (await world.HuntAsync("SELECT DeviceId FROM hunting.DeviceEvents")).ShouldBe([DefenderWorld.MachineId(1)]);
    }

    private static object Example(KqlType type) => type switch
    {
        KqlType.String => "tëxt \"quoted\" \u0001",
        KqlType.Dynamic => """{"a":[1,2.5,null]}""",
        KqlType.Bool => true,
        KqlType.Int => int.MinValue,
        KqlType.Long => long.MaxValue,
        KqlType.Real => 0.1 + 0.2,
        KqlType.Decimal => 79228162514264.337593543950335m,
        KqlType.DateTime => new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(1234567),
        KqlType.TimeSpan => TimeSpan.FromTicks(-12345678901),
        _ => Guid.Parse("11111111-2222-4333-8444-555555555555"),
    };
}
