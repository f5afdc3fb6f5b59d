using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.Detections;
using Vedette.Kql;
using Vedette.Telemetry.Ingest;
using YamlDotNet.Serialization;

namespace Vedette.Defender.Tests.Detections;

/// <summary>Each shipped rule against events that it must find and look-alikes that it must not: see <c>rule-examples.yaml</c>.</summary>
public sealed class ShippedRuleTests
{
    private static readonly Dictionary<string, string> Short = new()
    {
        ["F"] = "FileName", ["C"] = "ProcessCommandLine", ["P"] = "InitiatingProcessFileName",
    };

    [Fact]
    public async Task Every_shipped_rule_finds_its_examples_and_leaves_look_alikes_alone()
    {
        await using var world = await DetectionWorld.CreateAsync();
        var rules = world.Domain.Get<RuleCatalogue>().Current.Rules.OrderBy(rule => rule.Name, StringComparer.Ordinal).ToArray();
        var examples = Read();
        examples.Keys.Order(StringComparer.Ordinal).ShouldBe(rules.Select(rule => rule.Name));
        var (attacks, peace) = (Guid.NewGuid(), Guid.NewGuid());
        for (var number = 0; number < rules.Length; number++)
        {
            await world.Store.AppendAsync(attacks, [.. Rows(examples[rules[number].Name]["raises"], number, world.Domain.Now)], null, CancellationToken.None);
            await world.Store.AppendAsync(peace, [.. Rows(examples[rules[number].Name]["quiet"], number, world.Domain.Now)], null, CancellationToken.None);
        }

        var found = await world.Engine.RunNowAsync(attacks, CancellationToken.None);
        var silent = await world.Engine.RunNowAsync(peace, CancellationToken.None);

        found.Runs.Where(run => run.Status == RunStatus.Failed).Select(run => run.Failure).ShouldBeEmpty();
        await using var state = world.Domain.Open();
        var alerts = await state.Alerts.AsNoTracking().Include(alert => alert.Evidence).Where(alert => alert.TenantId == attacks).ToListAsync();
        var missed = rules.Where((rule, number) => !alerts.Any(alert => alert.DetectorId == rule.Id && (alert.MachineId == Device(number) || (alert.MachineId is null && alert.RelatedUser is not null)) && alert.Evidence.Count > 0));
        missed.Select(rule => rule.Name).ShouldBeEmpty();
        silent.Runs.Where(run => run.Alerts > 0).Select(run => run.RuleTitle).ShouldBeEmpty();
    }

    private static IEnumerable<HuntingRow> Rows(List<Dictionary<string, string>> events, int number, DateTime now)
    {
        var report = 0L;
        foreach (var (example, place) in events.Select((example, place) => (example, place)))
        {
            for (var turn = 0; turn < int.Parse(example.GetValueOrDefault("times", "1"), CultureInfo.InvariantCulture); turn++)
            {
                var row = HuntingRow.For(example.GetValueOrDefault("table", "DeviceProcessEvents"));
                Put(row, "Timestamp", now);
                Put(row, "DeviceId", Device(number));
                Put(row, "ReportId", ++report);
                Put(row, "AccountName", "dana");
                Put(row, "InitiatingProcessId", 100L + place);
                foreach (var (column, value) in example.Where(pair => pair.Key is not ("table" or "times")))
                    Put(row, Short.GetValueOrDefault(column, column), value.Replace("{0}", turn.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
                yield return row;
            }
        }
    }

    private static void Put(HuntingRow row, string column, object value)
    {
        var ordinal = row.Table.OrdinalOf(column);
        if (ordinal < 0) return;
        row.Values[ordinal] = row.Table.Columns[ordinal].Type switch
        {
            KqlType.Int => Convert.ToInt32(value, CultureInfo.InvariantCulture),
            KqlType.Long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
            _ => value,
        };
    }

    private static string Device(int number) => DefenderWorld.MachineId(number + 1);

    private static Dictionary<string, Dictionary<string, List<Dictionary<string, string>>>> Read()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root!.FullName, "Vedette.slnx"))) root = root.Parent;
        var text = File.ReadAllText(Path.Combine(root.FullName, "tests", "Vedette.Defender.Tests", "Detections", "rule-examples.yaml"));
        return new DeserializerBuilder().Build().Deserialize<Dictionary<string, Dictionary<string, List<Dictionary<string, string>>>>>(text);
    }
}
