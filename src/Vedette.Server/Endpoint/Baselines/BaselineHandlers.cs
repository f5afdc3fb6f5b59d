using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Server.Endpoint.Software;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Baselines;

/// <summary>Reads security baselines.</summary>
internal sealed class BaselineHandlers(VulnerabilityAssessment assessment, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/baselineProfiles", assessment.BeforeReading(call => reader.CollectionAsync(call, BaselineTable.Profiles))),
        new("GET /api/baselineConfigurations", call => reader.CollectionAsync(call, BaselineTable.Configurations)),
    ];
}
