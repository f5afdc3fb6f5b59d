using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Defender.Alerts;
using Vedette.Defender.Generation;
using Vedette.Defender.State;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint.Connectors;

/// <summary>A connector reads everything while the data changes, and loses or doubles nothing. bench/connector.sh runs it at full size.</summary>
public sealed class PagingConnectorTests : IAsyncLifetime
{
    /// <summary>Machines, alerts and pieces of evidence, as 20000x5000x50.</summary>
    private const string SizeVariable = "VEDETTE_CONNECTOR_SIZE";

    private static readonly LoadSize Size = Environment.GetEnvironmentVariable(SizeVariable)?.Split('x') is [var machines, var alerts, var evidence]
        ? new LoadSize(Number(machines), Number(alerts), Number(evidence))
        : new LoadSize(2_000, 500, 50);

    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await _host.Services.GetRequiredService<LoadGenerator>().MakeAsync(EndpointHost.Tenant, Size, (_, _, _) => { }, default);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Reads_everything_once_while_machines_and_alerts_change_and_come()
    {
        var before = await IdsAsync();
        var connector = new PagingConnector(_host, page: 100);
        var changes = ChangeAsync();
        await connector.ReadMachinesAsync();
        await connector.ReadAlertsAsync();
        var byPosition = await connector.ReadMachinesByPositionAsync();
        var made = await changes;

        // What came meanwhile comes with the next round, as with any connector that polls.
        await connector.ReadAlertsAsync();
        connector.Machines.ShouldBe(before.Machines);
        byPosition.ShouldBe(before.Machines);
        connector.Alerts.Select(a => a.Id).Distinct().Count().ShouldBe(connector.Alerts.Count, "an alert came twice");
        connector.Alerts.Select(a => a.Id).ShouldBe(before.Alerts.Concat(made), ignoreOrder: true);
        connector.Alerts.Where(a => before.Alerts.Contains(a.Id)).ShouldAllBe(a => a.Evidence == Size.Evidence);
    }

    // Machines are tagged, alerts updated, alerts raised: from several sides at once, until all of it is done.
    private async Task<IReadOnlyList<string>> ChangeAsync()
    {
        var intake = _host.Services.GetRequiredService<AlertIntake>();
        var raised = new List<string>();
        var ids = await IdsAsync();
        await Task.WhenAll(
            Task.Run(async () =>
            {
                for (var n = 0; n < 40; n++)
                {
                    raised.Add((await intake.RaiseAsync(
                        new NewAlert
                        {
                            TenantId = EndpointHost.Tenant, Title = $"Late {n}", Description = "d", Severity = AlertSeverity.Low, Category = "Execution", MachineId = ids.Machines[n],
                            FirstEventTime = DateTime.UtcNow, LastEventTime = DateTime.UtcNow, Evidence = [new AlertEvidence { EntityType = EvidenceKind.File, FileName = "a" }],
                        },
                        default)).Alert.Id);
                }
            }),
            Task.Run(async () =>
            {
                for (var n = 0; n < 40; n++)
                    (await _host.PostAsync($"/api/machines/{ids.Machines[^(1 + n)]}/tags", new { Value = "wave", Action = "Add" }, "Machine.ReadWrite.All")).Status.ShouldBe(200);
            }),
            Task.Run(async () =>
            {
                for (var n = 0; n < 40; n++)
                    (await _host.SendAsync(HttpMethod.Patch, $"/api/alerts/{ids.Alerts[n * 7 % ids.Alerts.Count]}", new { status = "InProgress" }, EndpointHost.Token("Alert.ReadWrite.All"))).Status.ShouldBe(200);
            }));
        return raised;
    }

    private async Task<(List<string> Machines, List<string> Alerts)> IdsAsync()
    {
        await using var state = _host.Context();
        return (await state.Machines.OrderBy(m => m.Id).Select(m => m.Id).ToListAsync(), await state.Alerts.OrderBy(a => a.AlertCreationTime).ThenBy(a => a.Id).Select(a => a.Id).ToListAsync());
    }

    private static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
