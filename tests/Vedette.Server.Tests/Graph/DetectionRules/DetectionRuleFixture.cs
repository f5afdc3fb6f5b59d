using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Detections;
using Vedette.Identity.Directory;
using Vedette.Server.Tests.Access;

namespace Vedette.Server.Tests.Graph.DetectionRules;

/// <summary>One host for a class of tests, with detections that run when a test says so and no rules in files.</summary>
public sealed class DetectionRuleFixture : IAsyncLifetime
{
    private readonly string _rules = System.IO.Directory.CreateTempSubdirectory("vedette-no-rules-").FullName;

    internal DirectoryHost Host { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync() => Host = await DirectoryHost.StartAsync(
        more: services => services.AddVedetteDetections(new DetectionOptions { ShippedRules = _rules, Interval = TimeSpan.FromDays(10) }));

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        System.IO.Directory.Delete(_rules, recursive: true);
    }

    /// <summary>A tenant of its own, with a token that may do everything with rules.</summary>
    internal async Task<(Tenant Tenant, string Token)> NewTenantAsync(params string[] permissions)
    {
        var tenant = await Host.AddTenantAsync($"Tenant {Guid.NewGuid():N}");
        var client = await Host.AddClientAsync(permissions.Length > 0 ? permissions : ["CustomDetection.ReadWrite.All"], "graph", tenant: tenant);
        return (tenant, await Host.TokenAsync(client, GraphFixture.Resource));
    }

    /// <summary>A rule in the older form.</summary>
    internal static JsonObject Rule(string name, Action<JsonObject>? change = null)
    {
        var rule = new JsonObject
        {
            ["displayName"] = name,
            ["isEnabled"] = true,
            ["queryCondition"] = new JsonObject { ["queryText"] = "DeviceProcessEvents\r\n| where FileName =~ \"odd.exe\"" },
            ["schedule"] = new JsonObject { ["period"] = "12H" },
            ["detectionAction"] = new JsonObject
            {
                ["alertTemplate"] = new JsonObject
                {
                    ["title"] = $"Alert of {name}",
                    ["description"] = "An odd program ran.",
                    ["severity"] = "medium",
                    ["category"] = "Execution",
                    ["recommendedActions"] = null,
                    ["mitreTechniques"] = new JsonArray("T1059.001"),
                    ["impactedAssets"] = new JsonArray(Typed("impactedDeviceAsset", "deviceId")),
                },
                ["organizationalScope"] = null,
                ["responseActions"] = new JsonArray(Isolation()),
            },
        };
        change?.Invoke(rule);
        return rule;
    }

    internal static JsonObject Typed(string type, string identifier) => new() { ["@odata.type"] = "#microsoft.graph.security." + type, ["identifier"] = identifier };

    internal static JsonObject Isolation(string type = "full") => new()
    {
        ["@odata.type"] = "#microsoft.graph.security.isolateDeviceResponseAction", ["isolationType"] = type, ["identifier"] = "deviceId",
    };
}
