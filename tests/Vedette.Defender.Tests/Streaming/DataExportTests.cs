using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Streaming;
using Vedette.Foundation;
using Vedette.Foundation.Storage;
using Vedette.Telemetry;
using Vedette.Telemetry.Ingest;
using Vedette.Testing;

namespace Vedette.Defender.Tests.Streaming;

public sealed class DataExportTests
{
    [Fact]
    public async Task A_folder_gets_each_row_once_in_the_documented_form()
    {
        await using var world = await OpenAsync();
        var folder = Directory.CreateTempSubdirectory("vedette-export-").FullName;
        await world.AddMachineAsync(1, machine => machine.RbacGroupName = "Servers");
        await AddAsync(world, ExportKind.Folder, folder, "DeviceProcessEvents", "DeviceInfo");
        await AppendAsync(world, "DeviceProcessEvents", 3);
        await DeliverAsync(world);
        await AppendAsync(world, "DeviceProcessEvents", 2, first: 3);
        await DeliverAsync(world);
        await DeliverAsync(world);

        // Two files when the hour ended meanwhile.
        var files = Directory.EnumerateFiles(folder, "PT1H.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        Path.GetRelativePath(folder, files[0]).ShouldMatch($"^insights-logs-advancedhunting-deviceprocessevents/tenantId={DefenderWorld.Tenant}/y=\\d{{4}}/m=\\d\\d/d=\\d\\d/h=\\d\\d/m=00/PT1H\\.json$");
        var records = files.SelectMany(File.ReadAllLines).Select(line => JsonNode.Parse(line)!).ToArray();
        records.Select(record => (int)record["properties"]!["ProcessId"]!).ShouldBe([0, 1, 2, 3, 4]);
        var record = records[0];
        ((string)record["category"]!).ShouldBe("AdvancedHunting-DeviceProcessEvents");
        ((string)record["tenantId"]!).ShouldBe(DefenderWorld.Tenant.ToString());
        ((string)record["time"]!).ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$");
        ((string)record["properties"]!["MachineGroup"]!).ShouldBe("Servers");
        ((string)record["properties"]!["FileName"]!).ShouldBe("tool \"0\".exe");
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Half_a_line_that_a_crash_left_is_replaced()
    {
        await using var world = await OpenAsync();
        var folder = Directory.CreateTempSubdirectory("vedette-export-").FullName;
        await AddAsync(world, ExportKind.Folder, folder, "DeviceProcessEvents");
        await AppendAsync(world, "DeviceProcessEvents", 1);
        await DeliverAsync(world);
        var file = Directory.EnumerateFiles(folder, "PT1H.json", SearchOption.AllDirectories).Single();
        await File.AppendAllTextAsync(file, "{\"time\":\"20");
        await AppendAsync(world, "DeviceProcessEvents", 1, first: 1);
        await DeliverAsync(world);
        var lines = Directory.EnumerateFiles(folder, "PT1H.json", SearchOption.AllDirectories).SelectMany(File.ReadAllLines).ToArray();
        lines.Where(line => JsonNode.Parse(line) is not null).Count().ShouldBeGreaterThanOrEqualTo(2);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_webhook_that_refuses_gets_the_same_records_again_and_knows_who_sends()
    {
        await using var world = await OpenAsync();
        using var receiver = new WebhookReceiver(503, 429);
        var secret = await AddAsync(world, ExportKind.Webhook, receiver.Address, "DeviceProcessEvents");
        await AppendAsync(world, "DeviceProcessEvents", 5);
        (await DeliverAsync(world)).ShouldBe(0);
        (await ListAsync(world)).Single().LastError.ShouldBe("The address answered 503.");
        (await DeliverAsync(world)).ShouldBe(0);
        (await DeliverAsync(world)).ShouldBe(5);

        receiver.Records.Select(record => (int)record["properties"]!["ProcessId"]!).ShouldBe([0, 1, 2, 3, 4]);
        var (body, signature) = receiver.Taken.Single();
        signature.ShouldBe("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret!), Encoding.UTF8.GetBytes(body))));
        var export = (await ListAsync(world)).Single();
        export.LastError.ShouldBeNull();
        export.Records.ShouldBe(5);
    }

    [Fact]
    public async Task Large_windows_go_in_several_deliveries_without_loss()
    {
        await using var world = await OpenAsync();
        using var receiver = new WebhookReceiver();
        await AddAsync(world, ExportKind.Webhook, receiver.Address, "DeviceProcessEvents");
        await AppendAsync(world, "DeviceProcessEvents", 6_000);
        (await DeliverAsync(world)).ShouldBe(6_000);
        receiver.Taken.Count.ShouldBeGreaterThan(1);
        receiver.Records.Select(record => (int)record["properties"]!["ProcessId"]!).Order().ShouldBe(Enumerable.Range(0, 6_000));
    }

    [Fact]
    public async Task A_paused_export_goes_on_where_it_stood_and_a_new_one_may_begin_at_the_start()
    {
        await using var world = await OpenAsync();
        using var receiver = new WebhookReceiver();
        var store = world.Get<DataExportStore>();
        await AppendAsync(world, "DeviceProcessEvents", 2);
        await store.AddAsync(new NewDataExport(DefenderWorld.Tenant, "all", ExportKind.Webhook, receiver.Address, ["DeviceProcessEvents"], FromStart: true), default);
        (await DeliverAsync(world)).ShouldBe(2);
        (await store.EnableAsync(DefenderWorld.Tenant, "all", false, default)).ShouldBeTrue();
        await AppendAsync(world, "DeviceProcessEvents", 3, first: 2);
        (await DeliverAsync(world)).ShouldBe(0);
        await store.EnableAsync(DefenderWorld.Tenant, "all", true, default);
        (await DeliverAsync(world)).ShouldBe(3);
        (await store.RemoveAsync(DefenderWorld.Tenant, "all", default)).ShouldBeTrue();
        (await ListAsync(world)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_storage_account_gets_append_blobs()
    {
        await using var world = await OpenAsync();
        using var storage = await StorageEmulator.StartAsync();
        await AddAsync(world, ExportKind.Storage, storage.ConnectionString, "DeviceProcessEvents");
        await AppendAsync(world, "DeviceProcessEvents", 3);
        (await DeliverAsync(world)).ShouldBe(3);
        await AppendAsync(world, "DeviceProcessEvents", 2, first: 3);
        (await DeliverAsync(world)).ShouldBe(2);

        var account = StorageAccount.Parse(storage.ConnectionString);
        var ids = new List<int>();
        using var client = new HttpClient();
        foreach (var hour in new[] { DateTime.UtcNow.AddHours(-1), DateTime.UtcNow })
        {
            var path = $"{StreamedTables.Container("DeviceProcessEvents")}/{StreamedTables.HourPath(DefenderWorld.Tenant, hour)}";
            using var request = account.Request(HttpMethod.Get, path, [], [], null, onlyNew: false, DateTime.UtcNow);
            using var response = await client.SendAsync(request);
            if (!response.IsSuccessStatusCode) continue;
            var text = await response.Content.ReadAsStringAsync();
            ids.AddRange(text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (int)JsonNode.Parse(line)!["properties"]!["ProcessId"]!));
        }

        ids.ShouldBe([0, 1, 2, 3, 4]);
        (await ListAsync(world)).Single().Target.ShouldNotContain("AccountKey");
    }

    [Theory]
    [InlineData(ExportKind.Folder, "relative/folder", "DeviceInfo")]
    [InlineData(ExportKind.Webhook, "http://hooks.example/x", "DeviceInfo")]
    [InlineData(ExportKind.Webhook, "https://user:word@hooks.example/x", "DeviceInfo")]
    [InlineData(ExportKind.Storage, "AccountName=x", "DeviceInfo")]
    [InlineData(ExportKind.Folder, "/tmp/x", "NoSuchTable")]
    public async Task An_export_that_cannot_work_is_refused(ExportKind kind, string target, string table)
    {
        await using var world = await OpenAsync();
        await Should.ThrowAsync<ArgumentException>(world.Get<DataExportStore>().AddAsync(new NewDataExport(DefenderWorld.Tenant, "x", kind, target, [table], false), default));
    }

    private static Task<DefenderWorld> OpenAsync() => DefenderWorld.CreateAsync(
        services => services
            .AddVedetteStreaming()
            .AddSingleton<ISecretBox, PlainBox>()
            .AddSingleton(provider => new ArrivalReader(TestEngine.Shared, provider.GetRequiredService<TelemetryOptions>()))
            .AddSingleton(provider => new TelemetryOptions { Database = TelemetryName.Value!() }));

    private static readonly AsyncLocal<Func<string>?> TelemetryName = new();

    private static async Task<string?> AddAsync(DefenderWorld world, ExportKind kind, string target, params string[] tables)
    {
        var (_, secret) = await world.Get<DataExportStore>().AddAsync(new NewDataExport(DefenderWorld.Tenant, "export", kind, target, tables, FromStart: true), default);
        return secret;
    }

    private static Task<int> DeliverAsync(DefenderWorld world)
    {
        TelemetryName.Value = () => world.Telemetry;
        return world.Get<DataExporter>().DeliverAsync(default);
    }

    private static Task<IReadOnlyList<DataExport>> ListAsync(DefenderWorld world) => world.Get<DataExportStore>().ListAsync(DefenderWorld.Tenant, default);

    private static Task AppendAsync(DefenderWorld world, string table, int count, int first = 0) => world.Get<IHuntingStore>().AppendAsync(
        DefenderWorld.Tenant,
        [.. Enumerable.Range(first, count).Select(number =>
        {
            var row = HuntingRow.For(table);
            row["Timestamp"] = DateTime.UtcNow;
            row["DeviceId"] = DefenderWorld.MachineId(1);
            row["ProcessId"] = (long)number;
            row["FileName"] = $"tool \"{number}\".exe";
            return row;
        })],
        null,
        default);
}
