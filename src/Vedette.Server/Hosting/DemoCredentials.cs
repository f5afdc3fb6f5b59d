using System.Text.Json;
using Vedette.Defender.Demo;
using Vedette.Identity.Directory;

namespace Vedette.Server.Hosting;

/// <summary>The demo application: it holds every application permission of the emulated APIs.</summary>
/// <param name="TenantId">Its tenant.</param>
/// <param name="ClientId">Its application (client) id.</param>
/// <param name="ClientSecret">Its secret, made at random on the first start.</param>
/// <param name="Expires">When the secret ends.</param>
internal sealed record DemoCredentials(Guid TenantId, Guid ClientId, string ClientSecret, DateTimeOffset Expires)
{
    private static readonly DemoRequest Request = new("Alderfinch", DemoTenant.Domain);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(7);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>
    /// Makes sure of the tenant and the application, and of a secret that is still good: the one in the owner-only file, or a new one.
    /// </summary>
    public static async Task<DemoCredentials> EnsureAsync(IServiceProvider services, DataFolder folder, CancellationToken cancellationToken)
    {
        var known = Read(folder.DemoCredentials);
        var clock = services.GetRequiredService<TimeProvider>();
        var needSecret = known is null || known.Expires - RenewBefore < clock.GetUtcNow();
        var application = await services.GetRequiredService<DirectoryService>()
            .EnsureDemoApplicationAsync(Request, needSecret, cancellationToken);
        if (application.ClientSecret is null && known?.ClientId != application.ClientId)
        {
            // The file is another database's: it is of no use here.
            application = await services.GetRequiredService<DirectoryService>().EnsureDemoApplicationAsync(Request, needSecret: true, cancellationToken);
        }

        if (application.ClientSecret is not { } secret) return known!;
        var made = new DemoCredentials(application.TenantId, application.ClientId, secret, application.SecretExpires!.Value);
        DataFolder.WriteSecret(folder.DemoCredentials, JsonSerializer.Serialize(made, Json) + "\n");
        return made;
    }

    private static DemoCredentials? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<DemoCredentials>(File.ReadAllText(path), Json) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
