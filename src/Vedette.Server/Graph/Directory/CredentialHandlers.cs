using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Tokens;
using Vedette.Server.Http;

namespace Vedette.Server.Graph.Directory;

/// <summary>Secrets and certificates of applications and service principals.</summary>
internal sealed class CredentialHandlers(DirectoryObjects objects, TimeProvider clock) : DirectoryHandlers
{
    // What a proof of possession has to be addressed to.
    private const string ProofAudience = "00000002-0000-0000-c000-000000000000";
    private const int LargestCertificate = 64 * 1024;
    private static readonly TimeSpan LongestProof = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, ApiHandler>> Rows =>
    [
        new("POST /applications/{id}/addPassword", call => AddPasswordAsync(call, Application(call))),
        new("POST /applications/{id}/removePassword", call => RemovePasswordAsync(call, Application(call))),
        new("POST /applications/{id}/addKey", call => AddKeyAsync(call, Application(call))),
        new("POST /applications/{id}/removeKey", call => RemoveKeyAsync(call, Application(call))),
        new("POST /servicePrincipals/{id}/addPassword", call => AddPasswordAsync(call, Principal(call))),
        new("POST /servicePrincipals/{id}/removePassword", call => RemovePasswordAsync(call, Principal(call))),
        new("POST /servicePrincipals/{id}/addKey", call => AddKeyAsync(call, Principal(call))),
        new("POST /servicePrincipals/{id}/removeKey", call => RemoveKeyAsync(call, Principal(call))),
    ];

    /// <summary>The new certificates that a list of key credentials brings.</summary>
    /// <exception cref="ApiException">One of them cannot be read.</exception>
    public IReadOnlyList<(X509Certificate2 Certificate, string? Name)> KeysOf(ApiCall call, string property)
    {
        if (call.Body.Value(property) is not { ValueKind: JsonValueKind.Array } list) return [];
        return [.. list.EnumerateArray().Where(item => Text(item, "key") is not null).Select(item => (Certificate(call, item), Text(item, "displayName")))];
    }

    /// <summary>Makes the certificates of a holder be those of the body: new ones by their contents, old ones by their id.</summary>
    public async ValueTask ReplaceKeysAsync(ApiCall call, CredentialHolder holder)
    {
        var added = KeysOf(call, "keyCredentials");
        var kept = call.Body.Value("keyCredentials") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(item => Guid.TryParse(Text(item, "keyId"), out var id) ? id : Guid.Empty).ToHashSet()
            : [];
        var directory = objects.For(call);
        var isThere = holder.Certificates.Select(known => known.Certificate.Thumbprint).ToHashSet(StringComparer.Ordinal);
        foreach (var (certificate, name) in added.Where(pair => !isThere.Contains(pair.Certificate.Thumbprint))) await directory.AddCertificateAsync(holder, certificate, name, call.Aborted);
        var named = added.Select(pair => pair.Certificate.Thumbprint).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in holder.Certificates.Where(known => !kept.Contains(known.KeyId) && !named.Contains(known.Certificate.Thumbprint)))
            await directory.RemoveCredentialAsync(holder, gone.KeyId, call.Aborted);
    }

    private CredentialHolder Application(ApiCall call) => CredentialHolder.Of(objects.Application(call));

    private CredentialHolder Principal(ApiCall call)
    {
        var principal = objects.Principal(call);
        var application = objects.For(call).Directory.Application(principal.AppId) ?? throw call.Refuse("BadRequest", "Credentials of a first-party service principal cannot be changed.");
        return CredentialHolder.Of(principal, application);
    }

    private async ValueTask<ApiResult> AddPasswordAsync(ApiCall call, CredentialHolder holder)
    {
        await objects.MayChangeAsync(call, holder.Id);
        var asked = call.Body.Value("passwordCredential") is { ValueKind: JsonValueKind.Object } given ? given : default;
        var from = Time(call, asked, "startDateTime") ?? clock.GetUtcNow();
        var until = Time(call, asked, "endDateTime") ?? from.AddYears(2);
        var secret = await objects.For(call).AddSecretAsync(holder, Text(asked, "displayName"), from, until, call.Aborted);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#microsoft.graph.passwordCredential");
            json.WriteNull("customKeyIdentifier"u8);
            json.WriteString("displayName"u8, secret.DisplayName);
            json.WriteString("endDateTime"u8, secret.EndDateTime.UtcDateTime);
            json.WriteString("hint"u8, secret.Hint);
            json.WriteString("keyId"u8, secret.KeyId);
            json.WriteString("secretText"u8, secret.SecretText);
            json.WriteString("startDateTime"u8, secret.StartDateTime.UtcDateTime);
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async ValueTask<ApiResult> RemovePasswordAsync(ApiCall call, CredentialHolder holder)
    {
        await objects.MayChangeAsync(call, holder.Id);
        var id = DirectoryObjects.Body(call, "keyId");
        if (holder.Secrets.All(secret => secret.KeyId != id)) return call.Error("BadRequest", $"No password credential found with keyId '{id}'.");
        await objects.For(call).RemoveCredentialAsync(holder, id, call.Aborted);
        return EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> AddKeyAsync(ApiCall call, CredentialHolder holder)
    {
        await objects.MayChangeAsync(call, holder.Id);
        CheckProof(call, holder);
        var asked = call.Body.Value("keyCredential")!.Value;
        var certificate = Certificate(call, asked);
        var key = await objects.For(call).AddCertificateAsync(holder, certificate, Text(asked, "displayName"), call.Aborted);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#microsoft.graph.keyCredential");
            json.WriteString("customKeyIdentifier"u8, key.Thumbprint);
            json.WriteString("displayName"u8, key.DisplayName);
            json.WriteString("endDateTime"u8, key.EndDateTime.UtcDateTime);
            json.WriteNull("key"u8);
            json.WriteString("keyId"u8, key.KeyId);
            json.WriteString("startDateTime"u8, key.StartDateTime.UtcDateTime);
            json.WriteString("type"u8, "AsymmetricX509Cert"u8);
            json.WriteString("usage"u8, "Verify"u8);
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async ValueTask<ApiResult> RemoveKeyAsync(ApiCall call, CredentialHolder holder)
    {
        await objects.MayChangeAsync(call, holder.Id);
        CheckProof(call, holder);
        var id = DirectoryObjects.Body(call, "keyId");
        if (holder.Certificates.All(certificate => certificate.KeyId != id)) return call.Error("BadRequest", $"No key credential found with keyId '{id}'.");
        await objects.For(call).RemoveCredentialAsync(holder, id, call.Aborted);
        return EmptyResult.Instance;
    }

    // The proof is a token that the caller signed with a key that the holder has already.
    private void CheckProof(ApiCall call, CredentialHolder holder)
    {
        if (holder.Certificates.Count == 0) throw call.Refuse("BadRequest", "The object has no key credential that could prove possession. Use update to add the first one.");
        var now = clock.GetUtcNow();
        var isGood = JsonWebToken.TryParse(call.Body.Text("proof")!, out var proof)
            && proof.Claim("aud") == ProofAudience
            && (proof.Claim("iss") == holder.Id.ToString() || proof.Claim("iss") == holder.AppId.ToString())
            && proof.TryGetTime("exp", out var expires, out _) && expires > now && expires <= now + LongestProof + LongestProof
            && holder.Certificates.Any(known => known.StartsAt <= now && now < known.EndsAt && IsSignedBy(proof, known.Certificate));
        if (!isGood) throw call.Refuse("BadRequest", "The proof of possession is not a valid token signed with an existing key of the object.");
    }

    private static bool IsSignedBy(JsonWebToken proof, X509Certificate2 certificate)
    {
        using var key = certificate.GetRSAPublicKey();
        return key is not null && proof.Verify(key, allowPss: true);
    }

    private static X509Certificate2 Certificate(ApiCall call, JsonElement item)
    {
        var bytes = new byte[LargestCertificate];
        if (Text(item, "key") is { Length: < LargestCertificate } text && Convert.TryFromBase64String(text, bytes, out var length))
        {
            try
            {
                return X509CertificateLoader.LoadCertificate(bytes.AsSpan(0, length));
            }
            catch (CryptographicException)
            {
                // Answered below, like any other text that holds no certificate.
            }
        }

        throw call.Refuse("BadRequest", "Key credential value is not a valid certificate.");
    }

    private static DateTimeOffset? Time(ApiCall call, JsonElement item, string name)
    {
        if (Text(item, name) is not { } text) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : throw call.Refuse("BadRequest", $"Invalid value specified for property '{name}' of resource 'PasswordCredential'.");
    }

    private static string? Text(JsonElement item, string name) =>
        item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
