using Vedette.Telemetry.Tests.Coverage;

namespace Vedette.Telemetry.Tests.Conformance;

/// <summary>The list of the language's features against the surveyed one.</summary>
[Trait("Category", "Conformance")]
public sealed class KqlSurfaceTests
{
    [Fact]
    public void The_list_of_features_is_complete()
    {
        var listed = new KqlCoverage().Features.Where(f => f.IsDocumented).Select(f => $"{f.Kind} {f.Name}").ToHashSet();
        var surveyed = ConformanceData.Json("kql_surface.json").EnumerateArray().Where(f => f.GetProperty("documented").GetBoolean())
            .Select(f => $"{f.GetProperty("kind").GetString()} {f.GetProperty("name").GetString()}").ToHashSet();
        listed.ShouldBe(surveyed, ignoreOrder: true);
    }
}
