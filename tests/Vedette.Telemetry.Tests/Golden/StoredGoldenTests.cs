using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests.Golden;

/// <summary>As <see cref="GoldenTests"/>, over stored tables.</summary>
public sealed class StoredGoldenTests
{
    internal const string File = "Vedette.Telemetry.Tests.Golden.stored.golden";

    [Fact]
    public async Task Queries_give_the_recorded_answers()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        await using var services = new ServiceCollection().AddSingleton(TestEngine.Shared).AddVedetteTelemetry(new TelemetryOptions { Database = database }).BuildServiceProvider();
        var tenant = Guid.NewGuid();
        await services.GetRequiredService<IHuntingStore>().AppendAsync(tenant,
        [
            Row("DeviceProcessEvents", ("DeviceId", "d1"), ("SHA1", new string('a', 40)), ("FileName", "tool.exe")),
            Row("DeviceFileEvents", ("DeviceId", "d2"), ("SHA1", new string('a', 40)), ("FileName", "tool.exe")),
            Row("DeviceFileEvents", ("DeviceId", "d2"), ("FileName", "note.txt")),
            Row("DeviceNetworkInfo", ("DeviceId", "d1"), ("DeviceName", "PC1"), ("MacAddress", "01"), ("IPAddresses", "[{\"IPAddress\":\"10.0.0.5\"}]"), ("ConnectedNetworks", "[]")),
        ], null, default);
        var failures = new StringBuilder();
        foreach (var block in GoldenBlock.Read(File))
            block.Compare(await AnswerAsync(services.GetRequiredService<IHuntingService>(), tenant, block.Query), failures);
        failures.ToString().ShouldBeEmpty();
    }

    private static async Task<string> AnswerAsync(IHuntingService hunting, Guid tenant, string query)
    {
        try
        {
            var result = await hunting.RunAsync(new HuntingRequest(tenant, query), default);
            return string.Join('\n', result.Rows.Select(r => string.Join(" | ", r.Select(v => v is null ? "null" : Convert.ToString(v, CultureInfo.InvariantCulture)))));
        }
        catch (HuntingException error)
        {
            return "error: " + error.Message;
        }
    }

    private static HuntingRow Row(string table, params (string Column, object Value)[] values)
    {
        var row = HuntingRow.For(table);
        row["Timestamp"] = DateTime.UtcNow.AddMinutes(-5);
        foreach (var (column, value) in values)
            row[column] = value;
        return row;
    }
}
