using Vedette.Identity.Directory;

namespace Vedette.Identity.Protocol;

/// <summary>What a request in user context asks for.</summary>
/// <param name="Resource">The API.</param>
/// <param name="AskedResource">The API as it was spelled.</param>
/// <param name="Names">Names of the scopes asked for; empty for everything that was consented to.</param>
/// <param name="AsksDefault">True for <c>/.default</c> or the v1 parameter: everything that was consented to.</param>
/// <param name="OpenId">True when an id token is wanted.</param>
/// <param name="OfflineAccess">True when a refresh token is wanted.</param>
public sealed record DelegatedScopes(Resource Resource, string AskedResource, IReadOnlyList<string> Names, bool AsksDefault, bool OpenId, bool OfflineAccess)
{
    private const string Default = ".default";
    private const string GraphUri = "https://graph.microsoft.com";
    private static readonly string[] OpenIdNames = ["openid", "profile", "email", "offline_access"];

    /// <summary>Reads the scope of a v2 request, or the resource of a v1 request.</summary>
    /// <returns>An error, or null.</returns>
    public static ProtocolError? Read(int version, string? scope, string? resource, DirectorySnapshot directory, string tenantName, out DelegatedScopes? result)
    {
        result = null;
        if (version == 1)
        {
            if (string.IsNullOrWhiteSpace(resource)) return ErrorCatalogue.Create(900144, "resource");
            if (directory.Resource(resource) is not { } api) return ErrorCatalogue.Create(500011, resource, tenantName);

            // v1 user grants always come with an id token and a refresh token.
            result = new DelegatedScopes(api, resource, [], AsksDefault: true, OpenId: true, OfflineAccess: true);
            return null;
        }

        var asked = (scope ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var wanted = SplitAll(scope ?? "").ToArray();
        var apis = wanted.Select(pair => pair.Resource).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        if (apis.Length > 1) return ErrorCatalogue.Create(700022, scope);
        if (wanted.Length > 1 && wanted.Any(pair => IsDefault(pair.Name))) return ErrorCatalogue.Create(70011, scope);
        var name = apis.Length == 0 ? GraphUri : apis[0];
        if (directory.Resource(name) is not { } found) return ErrorCatalogue.Create(500011, name, tenantName);
        result = new DelegatedScopes(
            found, name, [.. wanted.Where(pair => !IsDefault(pair.Name)).Select(pair => pair.Name)], wanted.Any(pair => IsDefault(pair.Name)),
            asked.Contains("openid", StringComparer.OrdinalIgnoreCase), asked.Contains("offline_access", StringComparer.OrdinalIgnoreCase));
        return null;
    }

    /// <summary>
    /// The scopes among those asked for that were consented to, for everybody or for this user.
    /// </summary>
    /// <returns>Null when something that was asked for lacks consent.</returns>
    public IReadOnlyList<string>? Granted(DirectorySnapshot directory, ServicePrincipal client, Guid tenantId, Guid userId)
    {
        var resource = directory.Principal(tenantId, Resource.AppId);
        var consented = directory.Grants(client.Id)
            .Where(grant => grant.ResourceId == resource?.Id && (grant.PrincipalId is null || grant.PrincipalId == userId))
            .SelectMany(grant => grant.Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        if (AsksDefault) return consented.Length > 0 ? [.. consented.Order(StringComparer.Ordinal)] : null;
        if (Names.Count == 0) return [];
        return Names.All(name => consented.Contains(name, StringComparer.OrdinalIgnoreCase)) ? [.. consented.Order(StringComparer.Ordinal)] : null;
    }

    /// <summary>The <c>scope</c> member of the answer: full names unless the API is Graph; v1 answers use short names.</summary>
    public string Describe(int version, IReadOnlyList<string> granted)
    {
        var isGraph = Resource.AppId == Resources.ResourceCatalogue.GraphAppId;
        if (version == 1) return string.Join(' ', granted);
        var names = isGraph ? granted.Concat(OpenId ? ["openid", "profile", "email"] : Array.Empty<string>()).Distinct(StringComparer.OrdinalIgnoreCase) : granted.Select(name => $"{AskedResource}/{name}");
        return string.Join(' ', AsksDefault ? names.Append($"{AskedResource}/{Default}") : names);
    }

    /// <summary>The API and the name of each scope in a list, those of OpenID Connect left out.</summary>
    internal static IEnumerable<(string Resource, string Name)> SplitAll(string scope) =>
        scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.OrdinalIgnoreCase)
            .Where(name => !OpenIdNames.Contains(name, StringComparer.OrdinalIgnoreCase)).Select(Split);

    private static bool IsDefault(string name) => string.Equals(name, Default, StringComparison.OrdinalIgnoreCase);

    // The part after the last slash is the scope's name; what stands before it names the API. A bare name belongs to Graph.
    private static (string Resource, string Name) Split(string scope)
    {
        var slash = scope.LastIndexOf('/');
        return slash <= 0 ? (GraphUri, scope) : (scope[..slash], scope[(slash + 1)..]);
    }
}
