using System.Text.Json;
using Vedette.Defender.Demo;
using Vedette.Identity.Directory;

namespace Vedette.Server.Hosting;

/// <summary>The demo application, which holds every permission of the emulated APIs, and the demo user, who administers its tenant.</summary>
/// <param name="TenantId">Its tenant.</param>
/// <param name="ClientId">Its application (client) id.</param>
/// <param name="ClientSecret">Its secret, made at random on the first start.</param>
/// <param name="Expires">When the secret ends.</param>
/// <param name="UserName">Sign-in name of the demo user.</param>
/// <param name="Password">The user's password, made at random on the first start.</param>
internal sealed record DemoCredentials(Guid TenantId, Guid ClientId, string ClientSecret, DateTimeOffset Expires, string UserName = "", string Password = "")
{
    private const string User = "admin";
    private static readonly DemoRequest Request = new("Alderfinch", DemoTenant.Domain);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(7);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>
    /// Makes sure of the tenant, the application and the user, and of a secret and a password that are still good: those in the owner-only file, or
    /// new ones.
    /// </summary>
    public static async Task<DemoCredentials> EnsureAsync(IServiceProvider services, DataFolder folder, CancellationToken cancellationToken)
    {
        var known = Read(folder.DemoCredentials);
        var clock = services.GetRequiredService<TimeProvider>();
        var needSecret = known is null || known.Expires - RenewBefore < clock.GetUtcNow();
        var directory = services.GetRequiredService<DirectoryService>();
        var application = await directory.EnsureDemoApplicationAsync(Request, needSecret, cancellationToken);
        if (application.ClientSecret is null && known?.ClientId != application.ClientId)
        {
            // The file is another database's: it is of no use here.
            known = null;
            application = await directory.EnsureDemoApplicationAsync(Request, needSecret: true, cancellationToken);
        }

        var user = await directory.EnsureDemoUserAsync(application.TenantId, User, "Demo Administrator", string.IsNullOrEmpty(known?.Password), cancellationToken);
        if (application.ClientSecret is null && user.Password is null) return known!;
        var made = new DemoCredentials(
            application.TenantId, application.ClientId, application.ClientSecret ?? known!.ClientSecret, application.SecretExpires ?? known!.Expires,
            user.UserPrincipalName, user.Password ?? known!.Password);
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
