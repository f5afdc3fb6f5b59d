using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Resources;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Directory;

/// <summary>Reads what the body of a create or an update says about an application into its draft; what it does not name stays.</summary>
internal sealed class ManifestReader(ApiCall call)
{
    private const string Resource = "Application";

    /// <summary>The draft with the body's values.</summary>
    /// <exception cref="ApiException">A value has no meaning; the text names its property.</exception>
    public ApplicationDraft Read(ApplicationDraft draft)
    {
        var body = call.Body;
        if (body.Has("displayName")) draft = draft with { DisplayName = body.Text("displayName") ?? throw Invalid("displayName") };
        if (body.Text("signInAudience") is { } audience) draft = draft with { SignInAudience = audience };
        if (body.Has("description")) draft = draft with { Description = body.Text("description") };
        if (body.Has("notes")) draft = draft with { Notes = body.Text("notes") };
        if (body.Has("tags")) draft = draft with { Tags = body.Texts("tags") ?? [] };
        if (body.Has("identifierUris")) draft = draft with { IdentifierUris = body.Texts("identifierUris") ?? [] };
        if (body.Has("isFallbackPublicClient")) draft = draft with { IsPublicClient = body.Flag("isFallbackPublicClient") ?? false };
        foreach (var (member, kind) in new[] { ("web", RedirectKind.Web), ("spa", RedirectKind.Spa), ("publicClient", RedirectKind.Native) })
            if (Member(member, "redirectUris") is { } uris) draft = draft with { RedirectUris = [.. draft.RedirectUris.Where(redirect => redirect.Kind != kind), .. Texts(uris, member).Select(uri => new RedirectUri(uri, kind))] };
        if (Member("web", "logoutUrl") is { } logout) draft = draft with { LogoutUrl = logout.ValueKind == JsonValueKind.String ? logout.GetString() : null };
        if (Member("api", "requestedAccessTokenVersion") is { } version) draft = draft with { RequestedAccessTokenVersion = Version(version) };
        if (Member("api", "oauth2PermissionScopes") is { } scopes) draft = draft with { Scopes = [.. Items(scopes, "api").Select(Scope)] };
        if (body.Value("appRoles") is { ValueKind: JsonValueKind.Array } roles) draft = draft with { AppRoles = [.. Items(roles, "appRoles").Select(Role)] };
        if (body.Value("requiredResourceAccess") is { ValueKind: JsonValueKind.Array } access) draft = draft with { RequiredPermissions = [.. Items(access, "requiredResourceAccess").SelectMany(Access)] };
        return draft;
    }

    private JsonElement? Member(string outer, string inner) =>
        call.Body.Value(outer) is { ValueKind: JsonValueKind.Object } value && value.TryGetProperty(inner, out var member) ? member : null;

    private int? Version(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number when value.TryGetInt32(out var number) => number,
        _ => throw Invalid("requestedAccessTokenVersion"),
    };

    private Permission Role(JsonElement item) => new(Id(item, "appRoles"), Text(item, "value") ?? "", Required(item, "displayName", "appRoles"), PermissionKind.Role, Derived: false)
    {
        Description = Required(item, "description", "appRoles"),
        IsEnabled = Flag(item, "isEnabled"),
        AllowedMemberTypes = AllowedMemberTypes(item),
    };

    private Permission Scope(JsonElement item)
    {
        var value = Required(item, "value", "oauth2PermissionScopes");
        return new Permission(Id(item, "oauth2PermissionScopes"), value, Text(item, "adminConsentDisplayName") ?? value, PermissionKind.Scope, Derived: false)
        {
            Description = Text(item, "adminConsentDescription"),
            IsEnabled = Flag(item, "isEnabled"),
            ConsentType = Text(item, "type") is { } type ? (type is "User" or "Admin" ? type : throw Invalid("type")) : "User",
            UserConsentDisplayName = Text(item, "userConsentDisplayName"),
            UserConsentDescription = Text(item, "userConsentDescription"),
        };
    }

    private IEnumerable<RequiredPermission> Access(JsonElement item)
    {
        var resource = Id(item, "requiredResourceAccess", "resourceAppId");
        if (!item.TryGetProperty("resourceAccess", out var list) || list.ValueKind != JsonValueKind.Array) throw Invalid("requiredResourceAccess");
        foreach (var access in Items(list, "requiredResourceAccess"))
            yield return new RequiredPermission(resource, Id(access, "requiredResourceAccess"), Kind(access));
    }

    private PermissionKind Kind(JsonElement access) => Text(access, "type") switch
    {
        "Role" => PermissionKind.Role,
        "Scope" => PermissionKind.Scope,
        _ => throw Invalid("requiredResourceAccess"),
    };

    private string[] AllowedMemberTypes(JsonElement item)
    {
        if (!item.TryGetProperty("allowedMemberTypes", out var list) || list.ValueKind != JsonValueKind.Array) throw Invalid("appRoles");
        var types = Texts(list, "appRoles");
        return types.Length > 0 && types.All(type => type is "User" or "Application") ? types : throw Invalid("appRoles");
    }

    private IEnumerable<JsonElement> Items(JsonElement list, string property)
    {
        if (list.ValueKind == JsonValueKind.Null) return [];
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object)) throw Invalid(property);
        return list.EnumerateArray();
    }

    private string[] Texts(JsonElement list, string property) => list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
        ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
        : throw Invalid(property);

    private Guid Id(JsonElement item, string property, string name = "id") =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetGuid(out var id) ? id : throw Invalid(property);

    private string Required(JsonElement item, string name, string property) => Text(item, name) is { Length: > 0 } text ? text : throw Invalid(property);

    private static string? Text(JsonElement item, string name) => item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement item, string name) => !item.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.False;

    private ApiException Invalid(string property) => call.Refuse("BadRequest", $"Invalid value specified for property '{property}' of resource '{Resource}'.");
}
