using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Security;

/// <summary>Throws rubbish at every call of Graph security: whatever comes back, it must not be a fault of the server.</summary>
public sealed class SecurityFuzzTests(SecurityFixture graph) : IClassFixture<SecurityFixture>
{
    [Fact]
    public async Task Never_fails_on_rubbish()
    {
        var (incident, alerts) = await graph.IncidentAsync();
        var surface = graph.Host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Graph Security");
        var failures = await FuzzTests.AttackAsync(
            graph.Host.Client, surface, surface.Handlers.Keys.Where(row => row.Path.StartsWith("/security/alerts_v2", StringComparison.Ordinal) || row.Path.StartsWith("/security/incidents", StringComparison.Ordinal) || row.Path.Contains("tiIndicators", StringComparison.Ordinal)),
            "/beta", row => SecurityFixture.Token([.. row.Application.SelectMany(group => group)]), [alerts[0].Id, incident.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        failures.ShouldBeEmpty(string.Join('\n', failures));
    }

    [Theory]
    [InlineData("s[\"x\",\"y\"]")]
    [InlineData("s[\"2026-11-01\"]")]
    [InlineData("s[null,null]")]
    [InlineData("s{")]
    [InlineData("k\u0001")]
    [InlineData("n999999999999")]
    public async Task A_page_token_of_ones_own_is_refused(string token)
    {
        var text = Convert.ToBase64String(Encoding.UTF8.GetBytes(token)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        foreach (var list in new[] { "alerts_v2", "incidents" })
            (await graph.GetAsync($"/v1.0/security/{list}?$skiptoken={text}", "SecurityIncident.Read.All")).Status.ShouldBe(400);
    }
}
