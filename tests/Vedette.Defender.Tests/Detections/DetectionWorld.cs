using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Vedette.Defender.Alerts;
using Vedette.Defender.Detections;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Testing;

namespace Vedette.Defender.Tests.Detections;

/// <summary>A domain with detections, over both engines, with rules of the test's own or the shipped ones.</summary>
internal sealed class DetectionWorld : IAsyncDisposable
{
    private DetectionWorld(DefenderWorld domain) => Domain = domain;

    public DefenderWorld Domain { get; }

    public static Guid Tenant => DefenderWorld.Tenant;

    public DetectionEngine Engine => Domain.Get<DetectionEngine>();

    public IHuntingStore Store => Domain.Get<IHuntingStore>();

    public IHuntingService Hunting => Domain.Get<IHuntingService>();

    /// <summary>Makes a world; null for the shipped rules.</summary>
    public static async Task<DetectionWorld> CreateAsync(
        IReadOnlyList<DetectionRule>? rules = null, DetectionOptions? options = null, Action<IServiceCollection>? more = null)
    {
        var telemetry = await TestEngine.NewDatabaseAsync();
        await new Telemetry.Schema.HuntingDatabase(TestEngine.Shared, telemetry).EnsureAsync();
        var domain = await DefenderWorld.CreateAsync(services =>
        {
            more?.Invoke(services);
            services.RemoveAll<IHuntingStore>().RemoveAll<IHuntingService>().AddSingleton(TestEngine.Shared);
            services.AddVedetteTelemetry(new TelemetryOptions { Database = telemetry, RetentionDays = 36_500 });
            services.AddVedetteDetections(options);
            if (rules is not null) services.AddSingleton(new RuleCatalogue(rules));
        });
        return new DetectionWorld(domain);
    }

    public static DetectionRule Rule(string query, string title = "Odd program", TimeSpan? frequency = null, params EntityKind[] kinds) => new()
    {
        Id = Guid.NewGuid(),
        Name = "test",
        File = "test.yaml",
        QueryLine = 10,
        Title = title,
        Description = "An odd program ran.",
        Finds = "Odd programs.",
        Severity = "Medium",
        Category = "Execution",
        Techniques = ["T1059"],
        Query = query,
        Entities = [.. (kinds.Length > 0 ? kinds : [EntityKind.Process, EntityKind.User]).Prepend(EntityKind.Device)
            .Select(kind => new EntityMapping(kind, EntityFields.Columns(kind, EntityFields.DefaultSource(kind))!))],
        Schedule = new DetectionSchedule(frequency, DetectionSchedule.DefaultLookBack(frequency)),
    };

    /// <summary>A process event of device 1.</summary>
    public HuntingRow Process(string command, DateTime? time = null, long id = 4711, int device = 1)
    {
        var row = HuntingRow.For("DeviceProcessEvents");
        var when = time ?? Domain.Now;
        row["Timestamp"] = when;
        row["DeviceId"] = DefenderWorld.MachineId(device);
        row["DeviceName"] = $"pc-{device}.example.test";
        row["ActionType"] = "ProcessCreated";
        row["FileName"] = "odd.exe";
        row["FolderPath"] = @"C:\Temp\odd.exe";
        row["SHA1"] = new string('1', 40);
        row["SHA256"] = new string('2', 64);
        row["ProcessId"] = id;
        row["ProcessCommandLine"] = command;
        row["ProcessCreationTime"] = when.AddTicks(7);
        row["AccountName"] = "dana";
        row["AccountDomain"] = "EXAMPLE";
        row["AccountSid"] = "S-1-5-21-1-2-3-1104";
        row["InitiatingProcessFileName"] = "cmd.exe";
        row["InitiatingProcessFolderPath"] = @"C:\Windows\System32\cmd.exe";
        row["InitiatingProcessId"] = 99L;
        row["ReportId"] = id;
        return row;
    }

    public Task AppendAsync(params HuntingRow[] rows) => Store.AppendAsync(Tenant, rows, null, CancellationToken.None);

    public Task<DetectionSummary> RunAsync() => Engine.RunNowAsync(Tenant, CancellationToken.None);

    /// <summary>Makes the engine forget how far it is, as a crash before the last step does.</summary>
    public async Task ForgetProgressAsync()
    {
        await using var command = Domain.Get<NpgsqlDataSource>().CreateCommand("DELETE FROM defender.detection_progress");
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync() => Domain.DisposeAsync();
}
