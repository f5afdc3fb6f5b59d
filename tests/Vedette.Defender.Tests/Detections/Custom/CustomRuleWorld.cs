using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Custom;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Tests.Detections.Custom;

/// <summary>A domain with detections and no rules in files, in which a test makes rules of its tenant.</summary>
internal sealed class CustomRuleWorld : IAsyncDisposable
{
    private readonly string _rules = Directory.CreateTempSubdirectory("vedette-no-rules-").FullName;

    private CustomRuleWorld()
    {
    }

    public DetectionWorld Detections { get; private set; } = null!;

    public DefenderWorld Domain => Detections.Domain;

    public CustomRuleService Rules => Domain.Get<CustomRuleService>();

    public static async Task<CustomRuleWorld> CreateAsync(Func<DetectionOptions, DetectionOptions>? options = null, Action<IServiceCollection>? more = null)
    {
        var world = new CustomRuleWorld();
        var settings = new DetectionOptions { ShippedRules = world._rules };
        world.Detections = await DetectionWorld.CreateAsync(options: options?.Invoke(settings) ?? settings, more: more);
        return world;
    }

    /// <summary>Makes a rule in the newer form.</summary>
    public async Task<CustomRule> AddAsync(string name, string query, Action<JsonObject>? change = null, string frequency = "PT1H", Guid? tenant = null)
    {
        var rule = new JsonObject
        {
            ["displayName"] = name,
            ["status"] = "enabled",
            ["queryCondition"] = new JsonObject { ["queryText"] = query },
            ["schedule"] = new JsonObject { ["frequency"] = frequency },
            ["detectionAction"] = new JsonObject
            {
                ["alertTemplate"] = new JsonObject { ["title"] = name, ["description"] = "It happened.", ["severity"] = "high", ["category"] = "Execution" },
            },
        };
        change?.Invoke(rule);
        var outcome = await Rules.CreateAsync(DefenderWorld.Caller with { TenantId = tenant ?? DefenderWorld.Tenant }, Parse(rule), default);
        outcome.Faults.ShouldBeEmpty();
        return outcome.Rule!;
    }

    public static JsonElement Parse(JsonNode node) => JsonDocument.Parse(node.ToJsonString()).RootElement;

    public static JsonObject Template(JsonObject rule) => (JsonObject)rule["detectionAction"]!["alertTemplate"]!;

    public static JsonNode Json(string text) => JsonNode.Parse(text)!;

    public Task AppendAsync(params HuntingRow[] rows) => Detections.AppendAsync(rows);

    public Task<DetectionSummary> RunAsync(Guid? tenant = null) => Detections.Engine.RunNowAsync(tenant ?? DefenderWorld.Tenant, default);

    public async Task<List<Alert>> AlertsAsync()
    {
        await using var state = Domain.Open();
        return await state.Alerts.AsNoTracking().Include(alert => alert.Evidence).OrderBy(alert => alert.FirstEventTime).ThenBy(alert => alert.Title).ToListAsync();
    }

    public Task<IReadOnlyList<RuleAction>> ActionsAsync(CustomRule rule) => Domain.Get<ResponseJournal>().ListAsync(rule.TenantId, rule.DetectorId, 100, default);

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Domain.Get<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Detections.DisposeAsync();
        Directory.Delete(_rules, recursive: true);
    }
}
