using Vedette.Server.Endpoint;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Http;

public sealed class RouteTableTests
{
    private static readonly RouteTable Routes = new([EndpointSurface.Create([new Everything()])]);

    [Theory]
    [InlineData("/api/alerts", "GET /api/alerts")]
    [InlineData("/API/Alerts", "GET /api/alerts")]
    [InlineData("/api/v1.0/alerts", "GET /api/alerts")]
    [InlineData("//api//alerts/", "GET /api/alerts")]
    [InlineData("/api/alerts/da1_-2", "GET /api/alerts/{id}")]
    [InlineData("/api/machines/findbytag", "GET /api/machines/findbytag")]
    [InlineData("/api/machines/FindByIp(ip='10.0.0.1',timestamp=2026-11-20T10:00:00Z)", "GET /api/machines/findbyip(ip='{ip}',timestamp={timestamp})")]
    [InlineData("/api/machines/softwareinventorybymachine", "GET /api/machines/SoftwareInventoryByMachine")]
    [InlineData("/api/machines/abc/alerts/$count", "GET /api/machines/{id}/alerts/$count")]
    [InlineData("/api/software/x/Distributions", "GET /api/Software/{id}/distributions")]
    public void Finds_the_row(string path, string key) =>
        Routes.Find(path, new RouteMatch()).ShouldNotBeNull()["GET"].Endpoint.Key.ShouldBe(key);

    [Theory]
    [InlineData("/api")]
    [InlineData("/api/nothing")]
    [InlineData("/api/alerts/a/b/c")]
    [InlineData("/api/v2.0/alerts")]
    [InlineData("/api/machines/findbyip(ip='10.0.0.1')/x")]
    [InlineData("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s")]
    public void Knows_no_other_path(string path) => Routes.Find(path, new RouteMatch()).ShouldBeNull();

    [Fact]
    public void Binds_function_arguments_in_any_order()
    {
        var match = new RouteMatch();
        Routes.Find("/api/machines/findbyip(timestamp=2026-11-20T10:00:00Z,ip='10.0.0.1')", match).ShouldNotBeNull();
        match["ip"].ShouldBe("10.0.0.1");
        match["timestamp"].ShouldBe("2026-11-20T10:00:00Z");
    }

    [Fact]
    public void Counts_a_collection_by_its_count_segment()
    {
        Routes.Find("/api/alerts/$count", new RouteMatch()).ShouldNotBeNull()["GET"].CountOnly.ShouldBeTrue();
        Routes.Find("/api/alerts", new RouteMatch()).ShouldNotBeNull()["GET"].CountOnly.ShouldBeFalse();
    }

    [Fact]
    public void Lists_the_verbs_of_a_path() =>
        Routes.Find("/api/alerts/1", new RouteMatch()).ShouldNotBeNull().Keys.ShouldBe(["GET", "PATCH"], ignoreOrder: true);

    /// <summary>Answers every row of the surface, so that the whole table is routed.</summary>
    private sealed class Everything : IApiHandlers
    {
        public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => EndpointSurface.Endpoints
            .Where(row => row.Surface is null)
            .Select(row => KeyValuePair.Create<string, ApiHandler>(row.Key, _ => new(EmptyResult.Instance)));
    }
}
