using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vedette.Identity.Resources;
using Vedette.Identity.Security;

namespace Vedette.Identity.Directory;

// Secrets, certificates and the demo application.
public sealed partial class DirectoryService
{
    private static readonly TimeSpan LongestSecretLife = TimeSpan.FromDays(731);
    private static readonly TimeSpan DemoSecretLife = TimeSpan.FromDays(730);

    /// <summary>Makes a client secret. Its value is in the answer and nowhere else.</summary>
    /// <param name="application">Application id, object id or unique display name.</param>
    /// <param name="displayName">What the secret is for.</param>
    /// <param name="life">How long it is valid; 180 days when null, two years at most.</param>
    /// <param name="tenant">Tenant of the application; any when null.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    public async Task<NewSecret> AddSecretAsync(string application, string? displayName = null, TimeSpan? life = null, string? tenant = null, CancellationToken cancellationToken = default)
    {
        var found = FindApplication(application, tenant);
        if (found.IsPublicClient) throw DirectoryException.BadInput($"{found.DisplayName} is a native application, which cannot keep a secret.");
        var duration = life ?? TimeSpan.FromDays(180);
        if (duration <= TimeSpan.Zero || duration > LongestSecretLife) throw DirectoryException.BadInput("A secret is valid for two years at most.");
        var now = clock.GetUtcNow();
        var value = ClientSecretValue.New();
        var secret = new NewSecret(identifiers.NewGuid(), value, displayName is null ? null : CheckName(displayName, "A secret"), ClientSecretValue.Hint(value), now, now + duration);
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    "INSERT INTO identity.client_secrets (key_id, application_id, display_name, hint, hash, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    secret.KeyId, found.Id, secret.DisplayName, secret.Hint, key.HashSecret(found.Id, value), secret.StartDateTime, secret.EndDateTime);
                await change.AuditAsync(Audit("Add secret to application", found.TenantId, found.AppId.ToString(), ("keyId", secret.KeyId.ToString())));
            },
            cancellationToken);
        return secret;
    }

    /// <summary>Removes a secret or certificate by its key id.</summary>
    public async Task RemoveCredentialAsync(string application, Guid keyId, string? tenant = null, CancellationToken cancellationToken = default)
    {
        var found = FindApplication(application, tenant);
        if (found.Secrets.All(secret => secret.KeyId != keyId) && found.Certificates.All(certificate => certificate.KeyId != keyId))
            throw DirectoryException.NotFound($"{found.DisplayName} has no secret or certificate with the id {keyId}.");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("DELETE FROM identity.client_secrets WHERE key_id = $1", keyId);
                await change.ExecuteAsync("DELETE FROM identity.client_certificates WHERE key_id = $1", keyId);
                await change.AuditAsync(Audit("Remove credential from application", found.TenantId, found.AppId.ToString(), ("keyId", keyId.ToString())));
            },
            cancellationToken);
    }

    /// <summary>Adds the certificate (public part) that a client signs its assertions with. Only RSA keys of 2048 bits or more are taken.</summary>
    public async Task<CertificateInfo> AddCertificateAsync(string application, X509Certificate2 certificate, string? displayName = null, string? tenant = null, CancellationToken cancellationToken = default)
    {
        var found = FindApplication(application, tenant);
        using (var rsa = certificate.GetRSAPublicKey())
        {
            if (rsa is null || rsa.KeySize < 2048) throw DirectoryException.BadInput("The certificate must hold an RSA key of 2048 bits or more.");
        }

        if (found.Certificates.Any(other => other.Certificate.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span)))
            throw DirectoryException.Conflict($"{found.DisplayName} has this certificate already.");
        var stored = new ClientCertificate(
            identifiers.NewGuid(), displayName is null ? null : CheckName(displayName, "A certificate"), X509CertificateLoader.LoadCertificate(certificate.RawData),
            certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    "INSERT INTO identity.client_certificates (key_id, application_id, display_name, certificate, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6)",
                    stored.KeyId, found.Id, stored.DisplayName, stored.Certificate.RawData, stored.StartsAt, stored.EndsAt);
                await change.AuditAsync(Audit("Add certificate to application", found.TenantId, found.AppId.ToString(), ("keyId", stored.KeyId.ToString())));
            },
            cancellationToken);
        return Describe(stored);
    }

    /// <summary>
    /// Makes sure that there is a tenant, and in it an application that holds every application permission of the first-party APIs. A secret
    /// is made for a new application, and for an old one when <paramref name="needSecret"/> says that nobody has the secret any more.
    /// </summary>
    public async Task<DemoApplication> EnsureDemoApplicationAsync(DemoRequest request, bool needSecret, CancellationToken cancellationToken = default)
    {
        var tenant = store.Current.TryGetTenant(request.Domain, out var existing)
            ? existing
            : await CreateTenantAsync(new CreateTenantRequest(request.TenantName, request.Domain, request.TenantId), cancellationToken);
        var application = store.Current.Applications.FirstOrDefault(app => app.TenantId == tenant.Id && app.DisplayName == request.ApplicationName);
        var isNew = application is null;
        var appId = application?.AppId ?? (await CreateApplicationAsync(new CreateApplicationRequest(request.ApplicationName) { Tenant = tenant.Id.ToString() }, cancellationToken)).AppId;
        var name = appId.ToString();
        var held = store.Current.Application(appId)!.RequiredPermissions.ToHashSet();
        var missing = ResourceCatalogue.Default.All
            .Select(api => (Api: api, Roles: api.AppRoles.Where(role => !held.Contains(new RequiredPermission(api.AppId, role.Id, PermissionKind.Role))).Select(role => role.Value).ToArray()))
            .Where(pair => pair.Roles.Length > 0)
            .ToArray();
        foreach (var (api, roles) in missing) await GrantAsync(new GrantRequest(name, roles, api.AppId.ToString()), cancellationToken);
        var principal = store.Current.Principal(tenant.Id, appId);
        if (missing.Length > 0 || principal is null || store.Current.Assignments(principal.Id).Count < store.Current.Application(appId)!.RequiredPermissions.Count(p => p.Kind == PermissionKind.Role))
            await ConsentAsync(name, tenant.Id.ToString(), cancellationToken);
        if (!isNew && !needSecret) return new DemoApplication(tenant.Id, appId, null, null);
        var secret = await AddSecretAsync(name, "demo", DemoSecretLife, null, cancellationToken);
        return new DemoApplication(tenant.Id, appId, secret.SecretText, secret.EndDateTime);
    }

    private static CertificateInfo Describe(ClientCertificate certificate) => new(
        certificate.KeyId, certificate.DisplayName, certificate.Certificate.Subject,
        certificate.Certificate.GetCertHashString(HashAlgorithmName.SHA1), certificate.StartsAt, certificate.EndsAt);
}
