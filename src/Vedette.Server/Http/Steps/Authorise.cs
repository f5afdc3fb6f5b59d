namespace Vedette.Server.Http.Steps;

/// <summary>
/// Checks the permissions of the row: every group must be met by one of its members. A signed-in user needs the portal permission besides;
/// device groups then narrow what the handler may see.
/// </summary>
internal sealed class Authorise : IRequestStep
{
    /// <inheritdoc/>
    public ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        var caller = call.Caller;
        var groups = caller.IsUser ? call.Endpoint.Delegated : call.Endpoint.Application;
        if (groups.Count == 0) return new(Missing(call, []));
        foreach (var group in groups)
            if (!IsMet(group, caller)) return new(Missing(call, group));
        if (call.Endpoint.UserRole is { } role && caller.UserRoles is { } roles && !roles.Contains(role))
            return new(call.Error("MissingUserRole", role) with { Explanation = $"needed user permission {role}, had {(roles.Count == 0 ? "none" : string.Join(',', roles.Order(StringComparer.Ordinal)))}" });
        return default;
    }

    private static bool IsMet(IReadOnlyList<string> group, ApiCaller caller)
    {
        // An asterisk stands for any token of the API.
        foreach (var permission in group)
            if (permission == "*" || caller.Permissions.Contains(permission)) return true;
        return false;
    }

    private static ApiError Missing(ApiCall call, IReadOnlyList<string> group)
    {
        var caller = call.Caller;
        var needed = string.Join(',', group);
        var had = string.Join(',', caller.Permissions.Order(StringComparer.Ordinal));
        var severalGroups = !caller.IsUser && call.Endpoint.Application.Count > 1;
        var error = severalGroups
            ? call.Error("MissingOneOfSeveral", needed)
            : call.Error(caller.IsUser ? "MissingScopes" : "MissingRoles", needed, had);
        return error with { Explanation = $"needed one of {needed}, had {(had.Length == 0 ? "none" : had)}", Needed = group };
    }
}
