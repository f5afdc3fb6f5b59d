using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>Registered applications.</summary>
internal sealed class ApplicationHandlers(EntityReader reader, DirectoryObjects objects, CredentialHandlers credentials) : DirectoryHandlers
{
    private const string Collection = "applications";

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("GET /applications", call => ListAsync(call, reader, ApplicationTable.Applications)),
        new("POST /applications", CreateAsync),
        new("GET /applications/{id}", call => OneAsync(call, reader, ApplicationTable.Applications, objects.Application(call).Id)),
        new("PATCH /applications/{id}", UpdateAsync),
        new("DELETE /applications/{id}", DeleteAsync),
    ];

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        if (call.Body.Value("passwordCredentials") is { } list && list.ValueKind == System.Text.Json.JsonValueKind.Array && list.GetArrayLength() > 0)
            return call.Error("BadRequest", "Updates to passwordCredentials are not allowed in this request. Use addPassword.");
        var keys = credentials.KeysOf(call, "keyCredentials");
        var draft = new ManifestReader(call).Read(new ApplicationDraft(call.Body.Text("displayName")!));
        var directory = objects.For(call);
        var application = await directory.RegisterAsync(call.Caller.TenantId, draft, new RegisterOptions { Owner = DirectoryObjects.FirstOwner(call) }, call.Aborted);
        foreach (var (certificate, name) in keys) await directory.AddCertificateAsync(CredentialHolder.Of(application), certificate, name, call.Aborted);
        return await CreatedAsync(call, reader, ApplicationTable.Applications, Collection, application.Id);
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var application = objects.Application(call);
        await objects.MayChangeAsync(call, application.Id);
        var directory = objects.For(call);
        await directory.UpdateApplicationAsync(application, new ManifestReader(call).Read(ApplicationDraft.Of(application)), call.Aborted);
        if (call.Body.Has("keyCredentials")) await credentials.ReplaceKeysAsync(call, CredentialHolder.Of(application));
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call)
    {
        var application = objects.Application(call);
        await objects.MayChangeAsync(call, application.Id);
        await objects.For(call).DeleteApplicationAsync(application, call.Aborted);
        return EmptyResult.Instance;
    }
}
