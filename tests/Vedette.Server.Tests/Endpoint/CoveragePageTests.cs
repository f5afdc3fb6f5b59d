using Microsoft.Extensions.DependencyInjection;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint;

public sealed class CoveragePageTests
{
    private const string Update = "VEDETTE_UPDATE_DOCS";

    [Fact]
    public async Task The_page_in_the_documentation_is_the_one_that_the_table_gives()
    {
        await using var host = await EndpointHost.StartAsync();
        await CompareAsync("coverage-endpoint.md", CoveragePage.Write(host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Endpoint")));
    }

    internal static async Task CompareAsync(string name, string page)
    {
        var file = Path.Combine(Root(), "docs", name);
        if (Environment.GetEnvironmentVariable(Update) == "1") await File.WriteAllTextAsync(file, page);
        (await File.ReadAllTextAsync(file)).ShouldBe(page, $"Run the tests with {Update}=1 to write the page anew.");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Vedette.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The solution's folder was not found above the tests.");
    }
}
