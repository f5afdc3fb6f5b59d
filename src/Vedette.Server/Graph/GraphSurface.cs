using Vedette.Identity.Resources;
using Vedette.Server.Http;

namespace Vedette.Server.Graph;

/// <summary>Microsoft Graph: its table of calls, its catalogue of errors, and both versions at which it is served.</summary>
internal static class GraphSurface
{
    /// <summary>Name of the surface.</summary>
    public const string Name = "Graph";

    private static readonly Lazy<IReadOnlyList<ApiEndpoint>> Table = new(() => ApiEndpoint.Load("Vedette.Server.Graph.endpoints.json"));
    private static readonly Lazy<ErrorCatalogue> Catalogue = new(() => ErrorCatalogue.Load("Vedette.Server.Graph.errors.json"));

    /// <summary>The calls of the table, answered or not.</summary>
    public static IReadOnlyList<ApiEndpoint> Endpoints => Table.Value;

    /// <summary>Every error answer.</summary>
    public static ErrorCatalogue Errors => Catalogue.Value;

    /// <summary>Joins the table with the handlers.</summary>
    public static ApiSurface Create(IEnumerable<IApiHandlers> handlers) =>
        new(Name, "/v1.0", ResourceCatalogue.GraphAppId, Endpoints, Errors, GraphEntities.Tables, handlers)
        {
            Dialect = GraphDialect.Instance,
            Roots = ["/v1.0", "/beta"],
            AlternateKeys = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["applications"] = "appId",
                ["servicePrincipals"] = "appId",
                ["directoryRoles"] = "roleTemplateId",
            },
        };
}
