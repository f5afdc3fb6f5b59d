using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Demo;
using Vedette.Defender.Import;
using Vedette.Defender.State;
using Vedette.Defender.Streaming;
using Vedette.Defender.Tests.Detections;
using Vedette.Foundation;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Tables;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Tests.Streaming;

public sealed class RoundTripTests
{
    private static readonly Guid Other = Guid.Parse("99999999-2222-4333-8444-555555555555");

    [Fact]
    public async Task What_is_streamed_of_any_table_and_imported_elsewhere_is_the_same()
    {
        await using var world = await DetectionWorld.CreateAsync(rules: [], more: services => services.AddVedetteStreaming().AddSingleton<ISecretBox, PlainBox>());
        var folder = Directory.CreateTempSubdirectory("vedette-export-").FullName;
        await world.AppendAsync([.. Rows()]);
        await world.Domain.Get<DataExportStore>().AddAsync(
            new NewDataExport(DetectionWorld.Tenant, "all", ExportKind.Folder, folder, [.. HuntingSchema.Tables.Keys], FromStart: true), CancellationToken.None);
        await world.Domain.Get<DataExporter>().DeliverAsync(CancellationToken.None);

        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        var report = await new ImportService(world.Store, world.Domain.Get<IImportJournal>(), world.Domain.Get<IDeviceObserver>(), world.Domain.Get<StoredRows>(), TimeProvider.System)
            .ImportAsync(Other, files, new ImportOptions(), null, CancellationToken.None);

        report.Problems.ShouldBeEmpty();
        report.UnknownColumns.ShouldBeEmpty();
        report.RowsPerTable.Count.ShouldBe(HuntingSchema.Tables.Count);
        foreach (var table in HuntingSchema.Tables.Keys) (await TextsAsync(world, Other, table)).ShouldBe(await TextsAsync(world, DetectionWorld.Tenant, table), table);

        // What the rows tell of is there in the other tenant too.
        (await world.Domain.Get<ImportedAlerts>().RaiseAsync(Other, report.Alerts, CancellationToken.None)).ShouldBe(2);
        (await world.Domain.Get<ImportedAlerts>().RaiseAsync(Other, report.Alerts, CancellationToken.None)).ShouldBe(0);
        await using var state = world.Domain.Open();
        (await state.Machines.CountAsync(machine => machine.TenantId == Other)).ShouldBeGreaterThan(5);
        var alert = await state.Alerts.AsNoTracking().Include(found => found.Evidence).SingleAsync(found => found.TenantId == Other && found.Id == "da638000000000000000_1");
        (alert.Title, alert.Severity, alert.Category, alert.DetectionSource).ShouldBe(("Odd mail", AlertSeverity.High, "InitialAccess", "WindowsDefenderAtp"));
        alert.MitreTechniques.ShouldBe(["T1566.002"]);
        alert.IncidentId.ShouldNotBeNull();
        alert.Evidence.Select(item => item.EntityType).Order().ShouldBe([EvidenceKind.User, EvidenceKind.MailMessage]);
        (await TextsAsync(world, Other, "AlertInfo")).Count.ShouldBe(2);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Rows of every table: the demo's where it has some, and else values of each column's type.</summary>
    private static IEnumerable<HuntingRow> Rows()
    {
        var now = DateTime.UtcNow;
        var rows = new DemoGenerator(DemoWorld.Create(DetectionWorld.Tenant, 1), now).Generate().SelectMany(batch => batch.Rows).GroupBy(row => row.Table.Name).SelectMany(group => group.TakeLast(20)).ToList();
        rows.AddRange(Alerts(now));
        var there = rows.Select(row => row.Table.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var table in HuntingSchema.Tables.Values.Where(table => !there.Contains(table.Name)))
        {
            var row = new HuntingRow(table);
            foreach (var column in table.Columns) row.Values[column.Ordinal] = Value(column, now);
            rows.Add(row);
        }

        return rows;
    }

    private static IEnumerable<HuntingRow> Alerts(DateTime now)
    {
        foreach (var number in new[] { 1, 2 })
        {
            var info = HuntingRow.For("AlertInfo");
            (info["Timestamp"], info["AlertId"], info["Title"], info["Category"], info["Severity"]) = (now.AddHours(-number), $"da638000000000000000_{number}", "Odd mail", "InitialAccess", "High");
            (info["ServiceSource"], info["DetectionSource"], info["AttackTechniques"]) = ("Microsoft Defender for Office 365", "EDR", "[\"Spearphishing Link (T1566.002)\"]");
            yield return info;
            foreach (var kind in new[] { "User", "MailMessage", "SomethingNew" })
            {
                var evidence = HuntingRow.For("AlertEvidence");
                (evidence["Timestamp"], evidence["AlertId"], evidence["EntityType"], evidence["AccountName"], evidence["NetworkMessageId"]) = (now.AddHours(-number), info["AlertId"], kind, "bo", "m-1");
                yield return evidence;
            }
        }
    }

    private static object? Value(HuntingColumn column, DateTime now) => column.Type switch
    {
        KqlType.Bool => true,
        KqlType.Int => 7,
        KqlType.Long => 4294967296L,
        KqlType.Real => 1.5,
        KqlType.Decimal => 2.25m,
        KqlType.DateTime => now.AddTicks(-column.Ordinal),
        KqlType.TimeSpan => TimeSpan.FromSeconds(90.5),
        KqlType.Guid => Other,
        KqlType.Dynamic => "{\"a\":[1,null,\"b\"]}",
        _ => column.Name + " \"quoted\"\n",
    };

    private static async Task<List<string>> TextsAsync(DetectionWorld world, Guid tenant, string table)
    {
        var answer = await world.Hunting.RunAsync(new HuntingRequest(tenant, table), CancellationToken.None);
        return [.. answer.Rows.Select(row => string.Join('|', row.Select(value => value is DateTime time ? HuntingJson.Text(time) : Convert.ToString(value, CultureInfo.InvariantCulture)))).Order(StringComparer.Ordinal)];
    }
}
