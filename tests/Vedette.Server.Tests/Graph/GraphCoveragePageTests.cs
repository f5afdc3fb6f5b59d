using Microsoft.Extensions.DependencyInjection;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph;

public sealed class GraphCoveragePageTests(GraphFixture graph) : IClassFixture<GraphFixture>
{
    [Fact]
    public async Task The_page_in_the_documentation_is_the_one_that_the_table_gives()
    {
        var surface = graph.Host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Graph");
        await CoveragePageTests.CompareAsync("coverage-graph-directory.md", CoveragePage.Write(surface, "Microsoft Graph", "400 `BadRequest`, like any unknown segment"));
    }

    [Fact]
    public async Task The_page_of_Graph_security_is_the_one_that_the_tables_give()
    {
        var surface = graph.Host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Graph Security");
        await CoveragePageTests.CompareAsync(
            "coverage-graph-security.md",
            CoveragePage.Write(surface, "Microsoft Graph security", "400 `BadRequest`, like any unknown segment", "endpoints.json` of each folder below `src/Vedette.Server/Graph"));
    }

    [Fact]
    public void Every_call_of_the_tables_is_answered()
    {
        foreach (var surface in graph.Host.Services.GetServices<ApiSurface>().Where(s => s.Name.StartsWith("Graph", StringComparison.Ordinal)))
            surface.Endpoints.Where(row => !surface.Handlers.ContainsKey(row)).Select(row => row.Key).ShouldBeEmpty(surface.Name);
    }

    [Fact]
    public void Every_permission_that_the_table_names_can_be_granted()
    {
        var api = Vedette.Identity.Resources.ResourceCatalogue.Default.Graph;
        foreach (var row in graph.Host.Services.GetServices<ApiSurface>().Where(s => s.Name.StartsWith("Graph", StringComparison.Ordinal)).SelectMany(s => s.Endpoints))
        {
            foreach (var name in row.Application.SelectMany(group => group).Where(name => name != "*")) api.AppRoles.ShouldContain(role => role.Value == name, $"{row.Key} {name}");
            foreach (var name in row.Delegated.SelectMany(group => group).Where(name => name != "*")) api.Scopes.ShouldContain(scope => scope.Value == name, $"{row.Key} {name}");
        }
    }
}
