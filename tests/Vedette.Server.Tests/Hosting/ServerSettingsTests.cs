using Vedette.Server.Hosting;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Hosting;

/// <summary>The settings file of a data folder.</summary>
public sealed class ServerSettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Without_a_file_the_published_limits_hold()
    {
        var settings = Read(null);
        var endpoint = settings.Hunting.Endpoint;
        (endpoint.MaxRows, endpoint.MaxBytes, endpoint.Timeout, endpoint.LookBack).ShouldBe((100_000, 124L << 20, TimeSpan.FromSeconds(200), TimeSpan.FromDays(30)));
        (endpoint.RunTimePerHour, endpoint.RunTimePerDay).ShouldBe((TimeSpan.FromMinutes(10), TimeSpan.FromHours(3)));
        settings.Hunting.ThreatProtection.Timeout.ShouldBe(TimeSpan.FromMinutes(3));
        settings.Hunting.Portal.Timeout.ShouldBe(TimeSpan.FromMinutes(10));
        settings.Hunting.CpuWindow.ShouldBe(TimeSpan.FromMinutes(15));
        settings.ExternalData.AllowedHosts.ShouldBeEmpty();
    }

    [Fact]
    public void Each_value_can_be_set_and_the_others_stay()
    {
        var settings = Read("""
            {
              // Older limits.
              "TimeGenerated": true,
              "Hunting": { "Endpoint": { "MaxRows": 10000, "Timeout": "00:10:00", "RunTimePerDay": "04:00:00" }, "CpuShare": 0.25 },
              "Detections": { "RequireEventColumns": false, "FailuresUntilDisabled": 0, "RuleTimeout": "00:02:00" },
              "ExternalData": { "AllowedHosts": [ "feeds.example.com", "10.0.0.0/8" ], "MaxBytes": 1000 },
              "Calls": { "POST /api/advancedqueries/run": { "PerMinute": 15, "PerTenant": true } }
            }
            """);
        var endpoint = settings.Hunting.Endpoint;
        (endpoint.MaxRows, endpoint.Timeout, endpoint.RunTimePerHour, endpoint.RunTimePerDay).ShouldBe((10_000, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10), TimeSpan.FromHours(4)));
        endpoint.Limits.MaxRows.ShouldBe(10_000);
        settings.Hunting.CpuShare.ShouldBe(0.25);
        var detections = settings.Detections.ToOptions("rules");
        (detections.OwnRules, detections.RequireEventColumns, detections.FailuresUntilDisabled, detections.RuleTimeout, detections.MaxAlertsPerRun).ShouldBe(
            ("rules", false, 0, TimeSpan.FromMinutes(2), 150));
        settings.TimeGenerated.ShouldBeTrue();
        settings.ExternalData.AllowedHosts.ShouldBe(["feeds.example.com", "10.0.0.0/8"]);
        settings.Calls.ShouldHaveSingleItem().Value.ShouldBe(new CallLimits { PerMinute = 15, PerTenant = true });
    }

    [Theory]
    [InlineData("{ \"Hunting\": { \"Endpoint\": { \"MaxRow\": 1 } } }", "'MaxRow'")]
    [InlineData("{ \"Hunting\": { \"Endpoint\": { \"MaxRows\": \"many\" } } }", "Hunting:Endpoint:MaxRows")]
    [InlineData("{ \"Hunting\": { \"Endpoint\": { \"MaxRows\": 0 } } }", "Hunting:Endpoint:MaxRows is a number from 1 to 10000000.")]
    [InlineData("{ \"Hunting\": { \"Graph\": { \"Timeout\": \"-00:00:01\" } } }", "Hunting:Graph:Timeout is a time above 0")]
    [InlineData("{ \"Hunting\": { \"CpuShare\": 2 } }", "Hunting:CpuShare")]
    [InlineData("{ \"ExternalData\": { \"AllowedHosts\": [ \"https://x.example\" ] } }", "'https://x.example' is not a host")]
    [InlineData("{ \"Calls\": { \"POST /api/nothing\": { \"PerMinute\": 1 } } }", "there is no call 'POST /api/nothing'")]
    [InlineData("{ \"Detections\": { \"MaxAlertsPerRun\": 0 } }", "Detections:MaxAlertsPerRun is a number from 1 to 10000.")]
    [InlineData("{ \"Hunting\": ", "settings.json")]
    public void What_cannot_be_used_is_named(string text, string reason)
    {
        var message = Should.Throw<InvalidOperationException>(() => Read(text)).Message;
        message.ShouldContain(reason);
        message.ShouldContain(Path.Combine(_folder, "settings.json"));
    }

    private ServerSettings Read(string? text)
    {
        if (text is not null) File.WriteAllText(Path.Combine(_folder, "settings.json"), text);
        return ServerSettings.Read(DataFolder.At(_folder));
    }
}
