namespace Vedette.Identity.Protocol;

/// <summary>How the value of <c>scope</c> is read.</summary>
internal static class ScopeRules
{
    private const string Default = "/.default";
    private static readonly string[] OpenIdScopes = ["openid", "profile", "email", "offline_access"];

    /// <summary>
    /// Reads the scope of an application's own request: <c>{resource}/.default</c> for exactly one resource. The resource keeps a slash of
    /// its own, so <c>https://x.example//.default</c> means <c>https://x.example/</c>.
    /// </summary>
    public static ProtocolError? ApplicationResource(string? scope, out string resource)
    {
        resource = "";
        if (string.IsNullOrWhiteSpace(scope)) return ErrorCatalogue.Create(900144, "scope");
        var names = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Where(name => !OpenIdScopes.Contains(name, StringComparer.OrdinalIgnoreCase)).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var defaults = names.Where(name => name.EndsWith(Default, StringComparison.OrdinalIgnoreCase)).ToArray();
        if (defaults.Length == 0) return ErrorCatalogue.Create(1002012, scope);
        if (defaults.Length > 1) return ErrorCatalogue.Create(700022, scope);
        if (names.Length > 1) return ErrorCatalogue.Create(70011, scope);
        resource = defaults[0][..^Default.Length];
        return resource.Length == 0 ? ErrorCatalogue.Create(700023, scope) : null;
    }
}
