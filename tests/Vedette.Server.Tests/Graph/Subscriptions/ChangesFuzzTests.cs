using System.Buffers.Text;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Subscriptions;

/// <summary>Throws rubbish at subscriptions and delta queries: whatever comes back, it must not be a fault of the server.</summary>
public sealed class ChangesFuzzTests(ChangesFixture changes) : IClassFixture<ChangesFixture>
{
    [Fact]
    public async Task Never_fails_on_rubbish()
    {
        var alert = await changes.AlertAsync();
        var surface = changes.Host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Graph Security");
        var rows = surface.Handlers.Keys.Where(row => row.Path.StartsWith("/subscriptions", StringComparison.Ordinal) || row.Path.EndsWith("/delta", StringComparison.Ordinal));
        var token = EndpointHost.Write(d => d with { Audience = "https://graph.microsoft.com", Roles = ["SecurityAlert.Read.All", "SecurityIncident.Read.All"], GraphClaims = true });
        var failures = await FuzzTests.AttackAsync(changes.Host.Client, surface, rows, "/v1.0", _ => token, [alert.Id, $"{alert.IncidentId}", Guid.NewGuid().ToString()]);
        failures.ShouldBeEmpty(string.Join('\n', failures));
    }

    [Theory]
    [InlineData("""{"epoch":1,"made":0,"seen":"1:1:"}""")]
    [InlineData("""{"epoch":1,"made":9223372036854775807,"seen":"9:1:"}""")]
    [InlineData("""{"epoch":1,"made":-1,"seen":"99999999999999999999999:1:"}""")]
    [InlineData("""{"epoch":2,"made":4000000000,"seen":"5:9:7,6","since":"5:9:","after":"no number"}""")]
    [InlineData("""{"epoch":2,"made":4000000000,"seen":"5:9:","since":"9:5:,,","gone":true}""")]
    [InlineData("""{"epoch":2,"seen":null}""")]
    [InlineData("""{"epoch":"x"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    public async Task A_token_that_somebody_made_up_is_refused_or_answered(string token)
    {
        var text = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(token));
        foreach (var option in new[] { "$skiptoken", "$deltatoken" })
        {
            foreach (var collection in new[] { "alerts_v2", "incidents" })
                (await changes.GetAsync($"/v1.0/security/{collection}/delta?{option}={text}")).Status.ShouldBeLessThan(500, $"{collection} {option} {token}");
        }
    }

    [Theory]
    [InlineData("?")]
    [InlineData("/")]
    [InlineData("security/alerts_v2?")]
    [InlineData("security/alerts_v2('')")]
    [InlineData("security/alerts_v2(')")]
    [InlineData("security/alerts_v2/?$filter=")]
    [InlineData("security/alerts_v2?$filter=((((((((((")]
    [InlineData("security/alerts_v2?$filter=severity eq 'high'&$filter=severity eq 'low'")]
    [InlineData("security/alerts_v2?$filter=createdDateTime ge 99999-01-01")]
    [InlineData("security/alerts_v2?$filter=severity eq 5")]
    [InlineData("security/incidents/../alerts_v2")]
    [InlineData("security/incidents/'; DROP TABLE x; --")]
    public async Task An_odd_resource_is_refused_or_taken(string resource)
    {
        using var receiver = new NotificationReceiver();
        var answer = await changes.SendAsync(
            HttpMethod.Post, "/v1.0/subscriptions",
            new { changeType = "updated", notificationUrl = receiver.Address, resource, expirationDateTime = DateTime.UtcNow.AddHours(1) }, ChangesFixture.Readers);
        answer.Status.ShouldBeOneOf(201, 400);
        if (answer.Status == 400) answer.Code.ShouldBe("InvalidRequest", answer.Body);
    }
}
