using Vedette.Identity.Resources;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Security;

/// <summary>
/// The security part of Microsoft Graph. Its tables are spread: every folder below <c>Graph/</c> may bring an <c>endpoints.json</c>, and an
/// <c>errors.json</c> that adds to the catalogue of Graph or words one of its entries otherwise.
/// </summary>
internal static class GraphSecuritySurface
{
    /// <summary>Name of the surface.</summary>
    public const string Name = "Graph Security";

    private const string Folder = "Vedette.Server.Graph/";

    private static readonly Lazy<IReadOnlyList<ApiEndpoint>> Table = new(() => [.. Resources("endpoints.json").SelectMany(ApiEndpoint.Load)]);
    private static readonly Lazy<ErrorCatalogue> Catalogue = new(() => ErrorCatalogue.Load(Resources("errors.json").Prepend("Vedette.Server.Graph.errors.json")));

    /// <summary>The calls of all folders, answered or not.</summary>
    public static IReadOnlyList<ApiEndpoint> Endpoints => Table.Value;

    /// <summary>Every error answer.</summary>
    public static ErrorCatalogue Errors => Catalogue.Value;

    /// <summary>Joins the tables with the handlers.</summary>
    public static ApiSurface Create(IEnumerable<IGraphSecurityHandlers> handlers)
    {
        var all = handlers.ToArray();
        return new(Name, "/v1.0", ResourceCatalogue.GraphAppId, Endpoints, Errors, all.SelectMany(h => h.Tables), all)
        {
            Dialect = GraphSecurityDialect.Instance,
            Roots = ["/v1.0", "/beta"],
        };
    }

    // Security goes first, so that the other folders can word its errors otherwise.
    private static IEnumerable<string> Resources(string file) => typeof(GraphSecuritySurface).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Folder, StringComparison.Ordinal) && name.EndsWith("/" + file, StringComparison.Ordinal))
        .OrderByDescending(name => name.StartsWith(Folder + "Security/", StringComparison.Ordinal)).ThenBy(name => name, StringComparer.Ordinal);
}
