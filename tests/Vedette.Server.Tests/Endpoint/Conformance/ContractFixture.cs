using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender;
using Vedette.Defender.Actions;
using Vedette.Defender.LiveResponse;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Telemetry.Ingest;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>One server with something of every kind.</summary>
public sealed class ContractFixture : IAsyncLifetime
{
    internal const string Software = "microsoft-_-windows_11";
    internal const string Vulnerability = TvmSeed.Cve;
    internal const string Recommendation = TvmSeed.Recommendation;
    internal static readonly Guid Action = new("33333333-4444-4555-8666-777777777777");
    internal static readonly Guid Package = new("33333333-4444-4555-8666-777777777778");
    internal static readonly Guid Session = new("33333333-4444-4555-8666-777777777779");
    internal static readonly string Now = Text(DateTime.UtcNow);
    internal static readonly string Yesterday = Text(DateTime.UtcNow.AddDays(-1));

    internal EndpointHost Host { get; private set; } = null!;

    public async Task InitializeAsync() => Host = await StartAsync();

    public async Task DisposeAsync() => await Host.DisposeAsync();

    /// <summary>Starts a server and fills it.</summary>
    internal static async Task<EndpointHost> StartAsync()
    {
        var host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await host.Services.GetRequiredService<TenantSettingsStore>().SetAsync(
            EndpointHost.Tenant, settings => settings.ActionTiming = new ActionTiming(ActionTimingMode.Never, 0, 0), default);
        await SeedStateAsync(host);
        await SeedActionsAsync(host);
        await host.Services.GetRequiredService<LibraryService>().UploadAsync(
            new Caller(EndpointHost.Tenant, "x"), new LibraryUpload("probe.ps1", "Write-Output ok"u8.ToArray()) { Description = "d", ParametersDescription = "-x n" }, default);
        await SeedTelemetryAsync(host);
        await TvmSeed.FillAsync(host, Seed.MachineId(1), Seed.MachineId(2));
        return host;
    }

    private static async Task SeedStateAsync(EndpointHost host)
    {
        var alert = Seed.Alert(1);
        alert.Comments = [new AlertComment("c", "x", Seed.Start)];
        var now = DateTime.UtcNow;
        void Fresh(Machine machine)
        {
            (machine.FirstSeen, machine.LastSeen) = (now.AddDays(-1), now);
            TvmSeed.AsWindows(machine);
            machine.VmMetadata = new VmMetadata("6f9619ff-8b86-d011-b42d-00c04fc964ff", "Azure", "/subscriptions/x", "7f9619ff-8b86-d011-b42d-00c04fc964ff");
        }

        Indicator Address(string value) => new()
        {
            TenantId = EndpointHost.Tenant, IndicatorValue = value, IndicatorType = IndicatorType.IpAddress, Action = IndicatorAction.Block, CreatedBy = "x", CreatedByDisplayName = "x",
            Title = "t", Description = "d", CreationTimeDateTimeUtc = now, LastUpdateTime = now,
        };
        await host.SeedAsync(
            alert,
            Seed.Machine(1, Fresh),
            Seed.Machine(2, Fresh),
            new Investigation { Id = 1, TenantId = EndpointHost.Tenant, StartTime = now, State = InvestigationState.Running, MachineId = Seed.MachineId(2), ComputerDnsName = "pc-02", TriggeringAlertId = alert.Id },
            new LogonUser { TenantId = EndpointHost.Tenant, MachineId = Seed.MachineId(2), AccountDomain = "contoso", AccountName = "dana", FirstSeen = now, LastSeen = now, LogonTypes = ["Interactive"] },
            Address("203.0.113.1"));
        await host.SeedAsync(Address("203.0.113.2"));
        await host.SeedAsync(
            Seed.Evidence(alert, EvidenceKind.Ip, e => e.IpAddress = "203.0.113.9"),
            Seed.Evidence(alert, EvidenceKind.File, e => (e.Sha1, e.FileName) = (new string('a', 40), "a.exe")),
            Seed.Evidence(alert, EvidenceKind.Url, e => e.Url = "https://bad.example.test/x"));
    }

    private static async Task SeedActionsAsync(EndpointHost host)
    {
        var now = DateTime.UtcNow;
        MachineAction Of(Guid id, MachineActionType type, MachineActionStatus status) => new()
        {
            Id = id, TenantId = EndpointHost.Tenant, Type = type, Status = status, MachineId = Seed.MachineId(1), ComputerDnsName = "pc-01", Requestor = "x",
            RequestorComment = "c", CreationDateTimeUtc = now, LastUpdateDateTimeUtc = now, ExpiresAt = now.AddDays(3),
        };
        var files = host.Services.GetRequiredService<FileStore>();
        var package = Of(Package, MachineActionType.CollectInvestigationPackage, MachineActionStatus.Succeeded);
        package.ResultFile = (await files.SaveAsync(EndpointHost.Tenant, Package, "package.zip", new MemoryStream([1]), default)).Name;
        var session = Of(Session, MachineActionType.LiveResponse, MachineActionStatus.Succeeded);
        session.Commands =
        [
            new LiveResponseCommandStatus
            {
                Command = new LiveResponseCommand("GetFile", [new LiveResponseParameter("Path", "/a")]), CommandStatus = "Completed", StartTime = now, EndTime = now,
                ResultFile = (await files.SaveAsync(EndpointHost.Tenant, Session, "a", new MemoryStream([1]), default)).Name,
            },
        ];
        var open = Of(Action, MachineActionType.StopAndQuarantineFile, MachineActionStatus.Pending);
        open.RelatedFileSha1 = new string('a', 40);
        await host.SeedAsync(package);
        await host.SeedAsync(session);
        await host.SeedAsync(open);
    }

    private static async Task SeedTelemetryAsync(EndpointHost host)
    {
        static HuntingRow Row(string table, params (string Column, object Value)[] values)
        {
            var row = HuntingRow.For(table);
            row["Timestamp"] = DateTime.Parse(Now, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
            row["DeviceId"] = Seed.MachineId(2);
            foreach (var (column, value) in values) row[column] = value;
            return row;
        }

        await host.AppendAsync(
            Row("DeviceProcessEvents", ("ActionType", "ProcessCreated"), ("FileName", "a.exe"), ("SHA1", new string('a', 40)), ("ReportId", 1L)),
            Row("DeviceNetworkEvents", ("ActionType", "ConnectionSuccess"), ("RemoteUrl", "https://bad.example.test/x"), ("RemoteIP", "203.0.113.9"), ("ReportId", 2L)));
    }

    private static string Text(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
