using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Vedette.Identity.Directory;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>
/// A client's proof by a JSON Web Token that it signed with its certificate's key (RFC 7523). Takes all the forms in which client libraries
/// write it: key ids in several headers, padded or not; certificates as a string or an array; times as integers, floats or strings.
/// </summary>
internal static class ClientAssertion
{
    private const string NotRegistered = "The certificate with identifier used to sign the client assertion is not registered on application.";
    private const string BadSignature = "Client assertion failed signature validation.";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private static readonly string[] AudiencePaths = ["/oauth2/token", "/oauth2/v2.0/token", "/v2.0", ""];

    /// <summary>Checks an assertion of the context's client.</summary>
    public static ProtocolError? Check(string text, TokenContext context)
    {
        if (!JsonWebToken.TryParse(text, out var assertion)) return Malformed("The client assertion is not a JSON Web Token.");
        if (JsonWebToken.GetString(assertion.Header, "typ") is { } type
            && !string.Equals(type, "JWT", StringComparison.OrdinalIgnoreCase) && type != "http://openid.net/specs/jwt/1.0") return ErrorCatalogue.Create(5002727);
        return CheckSignature(assertion, context)
            ?? CheckSubject(assertion, context)
            ?? CheckAudience(assertion, context)
            ?? CheckLifetime(assertion, context.Now);
    }

    private static ProtocolError? CheckSignature(JsonWebToken assertion, TokenContext context)
    {
        var thumbprint = "";
        if (FindCertificate(assertion.Header, CertificatesOf(context), ref thumbprint) is not { } credential) return Refuse(NotRegistered, "The key was not found.");
        if (context.Now >= credential.EndsAt || context.Now < credential.StartsAt) return Refuse(NotRegistered, "The key used is expired.");
        using var key = credential.Certificate.GetRSAPublicKey();
        return key is not null && assertion.Verify(key, allowPss: true) ? null : Refuse(BadSignature, "The provided signature value did not match the expected signature value.");

        ProtocolError Refuse(string sentence, string reason) => ErrorCatalogue.Create(700027, sentence, reason, thumbprint, context.Client.AppId);
    }

    private static ClientCertificate[] CertificatesOf(TokenContext context) =>
        [.. context.Client.Certificates, .. context.Principal is { } principal ? principal.Certificates : []];

    private static ClientCertificate? FindCertificate(JsonElement header, ClientCertificate[] certificates, ref string thumbprint)
    {
        foreach (var (name, algorithm) in new[] { ("x5t#S256", HashAlgorithmName.SHA256), ("x5t", HashAlgorithmName.SHA1), ("kid", HashAlgorithmName.SHA1) })
        {
            if (JsonWebToken.GetString(header, name) is not { Length: > 0 } value) continue;
            var hash = Thumbprint(value);
            thumbprint = hash.Length > 0 ? Convert.ToHexString(hash) : value;
            if (Find(hash, algorithm) is { } byHash) return byHash;
        }

        if (!header.TryGetProperty("x5c", out var chain)) return null;
        var first = chain.ValueKind == JsonValueKind.Array && chain.GetArrayLength() > 0 ? chain[0] : chain;
        if (first.ValueKind != JsonValueKind.String) return null;
        var base64 = string.Concat(first.GetString()!.Where(c => !char.IsWhiteSpace(c)));
        var der = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, der, out var length)) return null;
        var digest = SHA1.HashData(der.AsSpan(0, length));
        thumbprint = Convert.ToHexString(digest);
        return Find(digest, HashAlgorithmName.SHA1);

        ClientCertificate? Find(byte[] hash, HashAlgorithmName algorithm) =>
            certificates.FirstOrDefault(credential => hash.AsSpan().SequenceEqual(credential.Certificate.GetCertHash(algorithm)));
    }

    // Base64url with or without padding, plain base64, or hexadecimal.
    private static byte[] Thumbprint(string value)
    {
        if (value.Length is 40 or 64 && value.All(char.IsAsciiHexDigit)) return Convert.FromHexString(value);
        var text = value.TrimEnd('=').Replace('+', '-').Replace('/', '_');
        return text.Length is > 0 and < 100 && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : [];
    }

    private static ProtocolError? CheckSubject(JsonWebToken assertion, TokenContext context)
    {
        var subject = assertion.Claim("sub");
        var issuer = assertion.Claim("iss");
        if (subject is null || issuer is null) return Malformed("The client assertion has no 'sub' or no 'iss' claim.");
        if (!string.Equals(subject, issuer, StringComparison.OrdinalIgnoreCase)) return ErrorCatalogue.Create(50048);
        if (!Guid.TryParse(subject, out var id) || id != context.Client.AppId) return ErrorCatalogue.Create(50012);
        return assertion.Claim("jti") is { Length: > 0 } ? null : Malformed("The client assertion has no 'jti' claim.");
    }

    private static ProtocolError? CheckAudience(JsonWebToken assertion, TokenContext context)
    {
        if (!assertion.Payload.TryGetProperty("aud", out var audience)) return Malformed("The client assertion has no 'aud' claim.");
        var names = audience.ValueKind == JsonValueKind.Array ? audience.EnumerateArray() : Enumerable.Repeat(audience, 1);
        return names.Any(name => name.ValueKind == JsonValueKind.String && IsThisAuthority(name.GetString()!, context))
            ? null
            : Malformed("The client assertion was made for another audience.");
    }

    private static bool IsThisAuthority(string audience, TokenContext context)
    {
        if (!Uri.TryCreate(audience, UriKind.Absolute, out var uri)) return false;
        var own = new Uri(context.Call.Authority);

        // A client may have written another name of the authority into the audience than the one by which it reaches this server.
        var known = (string.Equals(uri.Host, own.Host, StringComparison.OrdinalIgnoreCase) && uri.Port == own.Port)
            || AuthorityClouds.Find(uri.Host) is not null;
        if (!known) return false;
        var segments = uri.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (segments.Length == 0) return false;
        var rest = string.Concat(segments.Skip(1).Select(segment => "/" + segment));
        if (!AudiencePaths.Contains(rest, StringComparer.OrdinalIgnoreCase)) return false;
        return TenantSegment.Resolve(segments[0], context.Directory, out var named) is null
            && (named.Alias != TenantAlias.None || context.Segment.Tenant is null || named.Tenant!.Id == context.Segment.Tenant.Id);
    }

    private static ProtocolError? CheckLifetime(JsonWebToken assertion, DateTimeOffset now)
    {
        if (!assertion.TryGetTime("exp", out var expires, out _)) return Malformed("The client assertion has no readable 'exp' claim.");
        var hasStart = assertion.TryGetTime("nbf", out var start, out var present);
        if (present && !hasStart) return Malformed("The client assertion has no readable 'nbf' claim.");
        if (expires + ClockSkew <= now || (hasStart && start - ClockSkew > now))
            return ErrorCatalogue.Create(700024, Format(now), hasStart ? Format(start) : "-", Format(expires));
        return null;
    }

    private static string Format(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    private static ProtocolError Malformed(string text) => ErrorCatalogue.Create(50027, text);
}
