using Vedette.Identity.Resources;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Applications as they stand in the caller's tenant.</summary>
internal sealed class ServicePrincipalHandlers(EntityReader reader, DirectoryObjects objects) : DirectoryHandlers
{
    private const string Collection = "servicePrincipals";

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("GET /servicePrincipals", call => ListAsync(call, reader, ServicePrincipalTable.Principals)),
        new("POST /servicePrincipals", CreateAsync),
        new("GET /servicePrincipals/{id}", call => OneAsync(call, reader, ServicePrincipalTable.Principals, objects.Principal(call).Id)),
        new("PATCH /servicePrincipals/{id}", UpdateAsync),
        new("DELETE /servicePrincipals/{id}", DeleteAsync),
    ];

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var directory = objects.For(call);
        var appId = DirectoryObjects.Body(call, "appId");

        // Who may only manage their own applications may bring in nothing else.
        if (DirectoryObjects.OnlyOwn(call)
            && (directory.Directory.Application(appId) is not { } application || !await directory.IsOwnerAsync(application.Id, DirectoryObjects.Self(call), call.Aborted)))
            throw DirectoryObjects.Denied(call, "needed ownership of the application");
        var principal = await directory.CreatePrincipalAsync(call.Caller.TenantId, appId, DirectoryObjects.FirstOwner(call), call.Aborted);
        await ChangeAsync(call, principal.Id);
        return await CreatedAsync(call, reader, ServicePrincipalTable.Principals, Collection, principal.Id);
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var principal = objects.Principal(call);
        await objects.MayChangeAsync(call, principal.Id);
        await ChangeAsync(call, principal.Id);
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call)
    {
        var principal = objects.Principal(call);
        await objects.MayChangeAsync(call, principal.Id);
        if (ResourceCatalogue.Default.TryGet(principal.AppId, out _)) throw DirectoryObjects.Denied(call, "the service principals of first-party APIs stay in every tenant");
        await objects.For(call).DeletePrincipalAsync(principal, call.Aborted);
        return EmptyResult.Instance;
    }

    private async ValueTask ChangeAsync(ApiCall call, Guid id)
    {
        var body = call.Body;
        if (!body.Has("accountEnabled") && !body.Has("appRoleAssignmentRequired") && !body.Has("notes") && !body.Has("tags")) return;
        var directory = objects.For(call);
        await directory.UpdatePrincipalAsync(
            directory.OwnPrincipal(call.Caller.TenantId, id), body.Flag("accountEnabled"), body.Flag("appRoleAssignmentRequired"), (body.Has("notes"), body.Text("notes")),
            body.Has("tags") ? body.Texts("tags") ?? [] : null, call.Aborted);
    }
}
