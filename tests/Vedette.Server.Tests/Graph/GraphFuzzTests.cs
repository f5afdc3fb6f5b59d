using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph;

/// <summary>Throws rubbish at every call of the directory: whatever comes back, it must not be a fault of the server.</summary>
public sealed class GraphFuzzTests(GraphFixture graph) : IClassFixture<GraphFixture>
{
    [Fact]
    public async Task Never_fails_on_rubbish()
    {
        var host = graph.Host;
        var surface = host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Graph");
        var tenant = host.Tenant.Id;
        var application = await host.Directory.CreateApplicationAsync(new CreateApplicationRequest("Attacked"));
        var user = await host.AddUserAsync("attacked");
        var group = await host.Directory.CreateGroupAsync(tenant, new GroupDraft("Attacked"));
        string[] ids =
        [
            application.Id.ToString(), application.ServicePrincipalId.ToString()!, user.Id.ToString(), group.Id.ToString(), tenant.ToString(),
            DirectoryRole.SecurityReader.ObjectId(tenant).ToString(), host.Directory.Directory.Principal(tenant, ResourceCatalogue.GraphAppId)!.Id.ToString(),
        ];
        var failures = await FuzzTests.AttackAsync(host.Client, surface, surface.Handlers.Keys, "/v1.0", _ => graph.Token, ids);
        failures.ShouldBeEmpty(string.Join('\n', failures));
    }

    [Theory]
    [InlineData("/v1.0/applications(")]
    [InlineData("/v1.0/applications()")]
    [InlineData("/v1.0/applications(appId=)")]
    [InlineData("/v1.0/applications(appId='')")]
    [InlineData("/v1.0/applications(a=b,c=d)")]
    [InlineData("/v1.0/applications('')/owners/$count")]
    [InlineData("/v1.0/$batch")]
    [InlineData("/v1.0/users/%00")]
    [InlineData("/v1.0/users/a%2Fb")]
    [InlineData("/v1.0")]
    [InlineData("/beta/")]
    [InlineData("/v1.0//////applications")]
    [InlineData("/v1.0/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z")]
    public async Task Odd_addresses_are_refused_in_the_envelope_of_errors(string path)
    {
        var answer = await graph.Host.GetAsync(path, graph.Token);
        answer.Status.ShouldBeLessThan(500, answer.Body);
        if (answer.Status >= 400 && answer.Body.Length > 0) answer.Code.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task A_deep_or_large_body_is_refused()
    {
        var deep = $"{{\"displayName\":\"x\",\"web\":{string.Concat(Enumerable.Repeat("{\"a\":", 200))}1{new string('}', 200)}}}";
        (await graph.Host.SendAsync(HttpMethod.Post, "/v1.0/applications", graph.Token, deep)).Status.ShouldBe(400);
        var large = JsonSerializer.Serialize(new { displayName = "x", tags = new[] { new string('t', 40 * 1024 * 1024) } });
        try
        {
            (await graph.Host.SendAsync(HttpMethod.Post, "/v1.0/applications", graph.Token, large)).Status.ShouldBe(413);
        }
        catch (HttpRequestException)
        {
            // The server may close the connection before it has read so much.
        }
    }
}
