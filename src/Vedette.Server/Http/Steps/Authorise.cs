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
        if (call.Endpoint.UserRole is { } role && MissingRole(call, role.Split('|')) is { } refused) return new(refused);
        return default;
    }

    /// <summary>The refusal of a signed-in user whose roles give none of the portal permissions; null when one is given, and in application context.</summary>
    public static ApiError? MissingRole(ApiCall call, params ReadOnlySpan<string> permissions)
    {
        if (call.Caller.UserRoles is not { } roles) return null;
        foreach (var permission in permissions)
            if (roles.Contains(permission)) return null;
        var needed = string.Join(", ", permissions!);
        return call.Error("MissingUserRole", needed) with { Explanation = $"needed user permission {needed}, had {(roles.Count == 0 ? "none" : string.Join(',', roles.Order(StringComparer.Ordinal)))}" };
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
