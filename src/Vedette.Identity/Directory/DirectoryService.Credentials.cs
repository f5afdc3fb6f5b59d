using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vedette.Identity.Security;

namespace Vedette.Identity.Directory;

// Secrets and certificates.
public sealed partial class DirectoryService
{
    private static readonly TimeSpan LongestSecretLife = TimeSpan.FromDays(731);

    /// <summary>Makes a client secret. Its value is in the answer and nowhere else.</summary>
    /// <param name="application">Application id, object id or unique display name.</param>
    /// <param name="displayName">What the secret is for.</param>
    /// <param name="life">How long it is valid; 180 days when null, two years at most.</param>
    /// <param name="tenant">Tenant of the application; any when null.</param>
    /// <param name="cancellationToken">Stops the operation.</param>
    public Task<NewSecret> AddSecretAsync(string application, string? displayName = null, TimeSpan? life = null, string? tenant = null, CancellationToken cancellationToken = default)
    {
        var duration = life ?? TimeSpan.FromDays(180);
        if (duration <= TimeSpan.Zero || duration > LongestSecretLife) throw DirectoryException.BadInput("A secret is valid for two years at most.");
        var now = clock.GetUtcNow();
        return AddSecretAsync(CredentialHolder.Of(FindApplication(application, tenant)), displayName, now, now + duration, cancellationToken);
    }

    /// <summary>Makes a secret for an application or a service principal.</summary>
    /// <exception cref="DirectoryException">The holder is a public client, or the time is no time.</exception>
    public async Task<NewSecret> AddSecretAsync(CredentialHolder holder, string? displayName, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken = default)
    {
        if (holder.IsPublicClient) throw DirectoryException.BadInput($"{holder.DisplayName} is a native application, which cannot keep a secret.");
        if (until <= from) throw DirectoryException.BadInput("The end date of a secret must be later than its start date.");
        var value = ClientSecretValue.New();
        var secret = new NewSecret(
            identifiers.NewGuid(), value, string.IsNullOrWhiteSpace(displayName) ? null : CheckName(displayName, "A secret"), ClientSecretValue.Hint(value), from, until);
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    $"INSERT INTO identity.client_secrets (key_id, {holder.Column}, display_name, hint, hash, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    secret.KeyId, holder.Id, secret.DisplayName, secret.Hint, key.HashSecret(holder.Id, value), secret.StartDateTime, secret.EndDateTime);
                await change.AuditAsync(Audit($"Add secret to {holder.Noun}", holder.TenantId, holder.AppId.ToString(), ("keyId", secret.KeyId.ToString())));
            },
            cancellationToken);
        return secret;
    }

    /// <summary>Removes a secret or certificate by its key id.</summary>
    public Task RemoveCredentialAsync(string application, Guid keyId, string? tenant = null, CancellationToken cancellationToken = default) =>
        RemoveCredentialAsync(CredentialHolder.Of(FindApplication(application, tenant)), keyId, cancellationToken);

    /// <summary>Removes a secret or certificate of an application or a service principal by its key id.</summary>
    /// <exception cref="DirectoryException">The holder has none with this id.</exception>
    public async Task RemoveCredentialAsync(CredentialHolder holder, Guid keyId, CancellationToken cancellationToken = default)
    {
        if (holder.Secrets.All(secret => secret.KeyId != keyId) && holder.Certificates.All(certificate => certificate.KeyId != keyId))
            throw DirectoryException.NotFound($"{holder.DisplayName} has no secret or certificate with the id {keyId}.");
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync("DELETE FROM identity.client_secrets WHERE key_id = $1", keyId);
                await change.ExecuteAsync("DELETE FROM identity.client_certificates WHERE key_id = $1", keyId);
                await change.AuditAsync(Audit($"Remove credential from {holder.Noun}", holder.TenantId, holder.AppId.ToString(), ("keyId", keyId.ToString())));
            },
            cancellationToken);
    }

    /// <summary>Adds the certificate (public part) that a client signs its assertions with. Only RSA keys of 2048 bits or more are taken.</summary>
    public Task<CertificateInfo> AddCertificateAsync(string application, X509Certificate2 certificate, string? displayName = null, string? tenant = null, CancellationToken cancellationToken = default) =>
        AddCertificateAsync(CredentialHolder.Of(FindApplication(application, tenant)), certificate, displayName, cancellationToken);

    /// <summary>Adds a certificate to an application or a service principal.</summary>
    /// <exception cref="DirectoryException">Its key is no RSA key of 2048 bits or more, or the holder has it already.</exception>
    public async Task<CertificateInfo> AddCertificateAsync(CredentialHolder holder, X509Certificate2 certificate, string? displayName, CancellationToken cancellationToken = default)
    {
        using (var rsa = certificate.GetRSAPublicKey())
        {
            if (rsa is null || rsa.KeySize < 2048) throw DirectoryException.BadInput("The certificate must hold an RSA key of 2048 bits or more.");
        }

        if (holder.Certificates.Any(other => other.Certificate.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span)))
            throw DirectoryException.Conflict($"{holder.DisplayName} has this certificate already.");
        var stored = new ClientCertificate(
            identifiers.NewGuid(), string.IsNullOrWhiteSpace(displayName) ? null : CheckName(displayName, "A certificate"), X509CertificateLoader.LoadCertificate(certificate.RawData),
            certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        await store.WriteAsync(
            async change =>
            {
                await change.ExecuteAsync(
                    $"INSERT INTO identity.client_certificates (key_id, {holder.Column}, display_name, certificate, starts_at, ends_at, thumbprint) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    stored.KeyId, holder.Id, stored.DisplayName, stored.Certificate.RawData, stored.StartsAt, stored.EndsAt, stored.Certificate.GetCertHashString(HashAlgorithmName.SHA1));
                await change.AuditAsync(Audit($"Add certificate to {holder.Noun}", holder.TenantId, holder.AppId.ToString(), ("keyId", stored.KeyId.ToString())));
            },
            cancellationToken);
        return Describe(stored);
    }

    private static CertificateInfo Describe(ClientCertificate certificate) => new(
        certificate.KeyId, certificate.DisplayName, certificate.Certificate.Subject,
        certificate.Certificate.GetCertHashString(HashAlgorithmName.SHA1), certificate.StartsAt, certificate.EndsAt);
}
