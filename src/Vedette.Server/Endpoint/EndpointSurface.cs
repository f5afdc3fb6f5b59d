using Vedette.Identity.Resources;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint;

/// <summary>The Defender for Endpoint API: its table of calls and its catalogue of errors.</summary>
internal static class EndpointSurface
{
    /// <summary>First path segment of the API.</summary>
    public const string Prefix = "/api";

    private static readonly Lazy<IReadOnlyList<ApiEndpoint>> Table = new(() => ApiEndpoint.Load("Vedette.Server.Endpoint.endpoints.json"));
    private static readonly Lazy<ErrorCatalogue> Catalogue = new(() => ErrorCatalogue.Load("Vedette.Server.Endpoint.errors.json"));

    /// <summary>Every documented call, answered or not.</summary>
    public static IReadOnlyList<ApiEndpoint> Endpoints => Table.Value;

    /// <summary>Every error answer.</summary>
    public static ErrorCatalogue Errors => Catalogue.Value;

    /// <summary>Joins the table with the handlers.</summary>
    public static ApiSurface Create(IEnumerable<IApiHandlers> handlers) =>
        new("Endpoint", Prefix, ResourceCatalogue.EndpointAppId, Endpoints, Errors, EndpointEntities.Tables, handlers);
}
