using Vedette.Identity.Directory;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Directory;

/// <summary>Finds what a path names, within the caller's tenant only, and checks who may change it.</summary>
internal sealed class DirectoryObjects(DirectoryService directory)
{
    // Delegated permissions that reach nobody but the signed-in user.
    private static readonly string[] OwnOnly = ["User.Read", "User.ReadWrite"];
    private static readonly string[] Everywhere = ["Application.ReadWrite.All", "Directory.ReadWrite.All"];

    /// <summary>The directory, on behalf of the caller.</summary>
    public DirectoryService For(ApiCall call) => directory.By(call.Caller.Requestor);

    /// <summary>The application that the path names by object id or by application id.</summary>
    /// <exception cref="ApiException">There is none in the caller's tenant.</exception>
    public Application Application(ApiCall call)
    {
        var (application, key) = call.Route.Find("appId") is { } appId
            ? (directory.Directory.Application(Id(call, appId)), appId)
            : (directory.Directory.ApplicationByObjectId(Id(call, call.Route["id"])), call.Route["id"]);
        return application?.TenantId == call.Caller.TenantId ? application : throw call.Refuse("ResourceNotFound", key);
    }

    /// <summary>The service principal that the path names by object id or by application id.</summary>
    /// <exception cref="ApiException">There is none in the caller's tenant.</exception>
    public ServicePrincipal Principal(ApiCall call)
    {
        var (principal, key) = call.Route.Find("appId") is { } appId
            ? (directory.Directory.Principal(call.Caller.TenantId, Id(call, appId)), appId)
            : (directory.Directory.Principal(Id(call, call.Route["id"])), call.Route["id"]);
        return principal?.TenantId == call.Caller.TenantId ? principal : throw call.Refuse("ResourceNotFound", key);
    }

    /// <summary>The user that the path names by object id or sign-in name.</summary>
    /// <exception cref="ApiException">There is none in the caller's tenant.</exception>
    public async ValueTask<User> UserAsync(ApiCall call)
    {
        var key = call.Route["id"];
        var user = Guid.TryParse(key, out var id) ? await directory.FindUserAsync(id, call.Aborted) : await directory.FindUserAsync(key, call.Aborted);
        return user?.TenantId == call.Caller.TenantId ? user : throw call.Refuse("ResourceNotFound", key);
    }

    /// <summary>The user that the path names, if the caller may read more than the signed-in user, or this is the signed-in user.</summary>
    /// <exception cref="ApiException">There is none in the caller's tenant, or it is out of the caller's reach.</exception>
    public async ValueTask<User> ReadableUserAsync(ApiCall call)
    {
        var user = await UserAsync(call);
        var wider = call.Endpoint.Delegated.SelectMany(group => group).Where(permission => !OwnOnly.Contains(permission));
        if (call.Caller.IsUser && user.Id != call.Caller.ObjectId && !wider.Any(call.Caller.Permissions.Contains)) throw Denied(call, "the token's permissions reach the signed-in user only");
        return user;
    }

    /// <summary>The signed-in user.</summary>
    /// <exception cref="ApiException">Nobody is signed in, or the user is gone.</exception>
    public async ValueTask<User> MeAsync(ApiCall call)
    {
        if (!call.Caller.IsUser) throw call.Refuse("OnlyDelegated");
        var user = await directory.FindUserAsync(call.Caller.ObjectId, call.Aborted);
        return user?.TenantId == call.Caller.TenantId ? user : throw call.Refuse("ResourceNotFound", call.Caller.ObjectId);
    }

    /// <summary>The group that the path names.</summary>
    /// <exception cref="ApiException">There is none in the caller's tenant.</exception>
    public async ValueTask<Group> GroupAsync(ApiCall call)
    {
        var id = Id(call, call.Route["id"]);
        return await directory.FindGroupAsync(call.Caller.TenantId, id, call.Aborted) ?? throw call.Refuse("ResourceNotFound", id);
    }

    /// <summary>Reads an object id.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static Guid Id(ApiCall call, string text) =>
        Guid.TryParse(text, out var id) ? id : throw call.Refuse("BadRequest", $"Invalid object identifier '{text}'.");

    /// <summary>The object id at the end of a reference, whatever host it names.</summary>
    /// <exception cref="ApiException">The reference names none.</exception>
    public static Guid Reference(ApiCall call, string? text)
    {
        var last = (text ?? "").TrimEnd('/').Split('/')[^1];
        var open = last.IndexOf('(', StringComparison.Ordinal);
        if (open > 0 && last.EndsWith(')')) last = last[(open + 1)..^1].Trim('\'');
        return Guid.TryParse(last, out var id) ? id : throw call.Refuse("BadRequest", $"Invalid entity reference '{text}'.");
    }

    /// <summary>A GUID of the body.</summary>
    /// <exception cref="ApiException">It is none.</exception>
    public static Guid Body(ApiCall call, string key) =>
        Guid.TryParse(call.Body.Text(key), out var id) ? id : throw call.Refuse("BadRequest", $"Invalid value specified for property '{key}'.");

    /// <summary>The ids by which the caller may own an object: the user's, or the calling service principal's.</summary>
    public static Guid Self(ApiCall call) => call.Caller.ObjectId;

    /// <summary>True when the caller may only change what it owns.</summary>
    public static bool OnlyOwn(ApiCall call) => call.Caller.IsUser
        ? call.Caller.UserRoles?.Contains(GraphUserAccess.ManageApplications) is false
        : !Everywhere.Any(call.Caller.Permissions.Contains);

    /// <summary>Who becomes the first owner of what the caller makes: a user, or an application that may only manage its own.</summary>
    public static Guid? FirstOwner(ApiCall call) => call.Caller.IsUser || OnlyOwn(call) ? Self(call) : null;

    /// <summary>Checks that the caller may change an application or service principal.</summary>
    /// <exception cref="ApiException">It may change its own only, and this is not one of them.</exception>
    public async ValueTask MayChangeAsync(ApiCall call, Guid objectId)
    {
        if (OnlyOwn(call) && !await directory.IsOwnerAsync(objectId, Self(call), call.Aborted)) throw Denied(call, "needed ownership of the object, or a role that manages all applications");
    }

    /// <summary>Checks that the caller may change a group.</summary>
    /// <exception cref="ApiException">A user who neither manages groups nor owns this one.</exception>
    public async ValueTask MayChangeGroupAsync(ApiCall call, Group group)
    {
        if (call.Caller is { IsUser: true, UserRoles: { } roles } && !roles.Contains(GraphUserAccess.ManageGroups) && !await directory.IsOwnerAsync(group.Id, Self(call), call.Aborted))
            throw Denied(call, "needed ownership of the group, or a role that manages all groups");
    }

    /// <summary>The refusal of a caller who lacks a right that the table cannot tell.</summary>
    public static ApiException Denied(ApiCall call, string why) => new(call.Error("Denied") with { Explanation = why });
}
