using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Tests.ThreatProtection.Conformance;

/// <summary>Holds incidents at the published description of their shape.</summary>
[Trait("Category", "Conformance")]
public sealed class IncidentShapeTests
{
    // Absent from every sample of the service.
    private static readonly string[] NeverSent = ["Incident.detectionSource"];

    [Fact]
    public async Task Every_described_property_is_there_and_no_other()
    {
        var folder = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE") ?? throw new InvalidOperationException("Set VEDETTE_CONFORMANCE to the folder of the shared reference data.");
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "spec", "xdr-graph", "xdr_entities.json")));
        var shapes = document.RootElement.EnumerateArray().ToDictionary(
            entity => entity.GetProperty("entity").GetString()!,
            entity => entity.GetProperty("properties").EnumerateArray().Select(property => property.GetProperty("name").GetString()!).ToArray());

        await using var host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services.AddVedetteThreatProtection());
        await host.SeedAsync(Seed.Machine(1), new Incident { Id = 7, TenantId = EndpointHost.Tenant, Name = "x", Comments = [new AlertComment("c", "d", Seed.Start)] });
        var alert = Seed.Alert(1, a => (a.IncidentId, a.MachineId) = (7, Seed.MachineId(1)));
        alert.Evidence.Add(Seed.Evidence(alert, EvidenceKind.File));
        await host.SeedAsync(alert);
        var answer = await host.SendAsync(HttpMethod.Get, "/api/incidents", null, EndpointHost.TokenFor(EndpointHost.ThreatProtection, "Incident.Read.All"));
        var incident = answer.Value.Single();
        Compare("Incident", incident);
        Compare("IncidentComment", incident.GetProperty("comments")[0]);
        var sent = incident.GetProperty("alerts")[0];
        Compare("Alert", sent);
        Compare("Device", sent.GetProperty("devices")[0]);
        Compare("Entity", sent.GetProperty("entities")[0]);

        void Compare(string shape, JsonElement value) => value.EnumerateObject().Select(property => property.Name).Order()
            .ShouldBe(shapes[shape].Where(name => !NeverSent.Contains($"{shape}.{name}")).Order(), shape);
    }
}
