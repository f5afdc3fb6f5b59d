using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Vedette.Identity.Tokens;

/// <summary>
/// One RSA key that signs tokens, with the self-signed certificate that the key set publishes. Safe for use by many threads: each
/// operation borrows a key object of its own, because <see cref="RSA"/> promises no thread safety.
/// </summary>
public sealed class SigningKey : IDisposable
{
    private readonly ConcurrentBag<RSA> _pool = [];
    private readonly RSAParameters _parameters;

    private SigningKey(RSAParameters parameters, byte[] certificate, DateTimeOffset signsFrom)
    {
        _parameters = parameters;
        Certificate = certificate;
        SignsFrom = signsFrom;
        Id = Base64Url.EncodeToString(SHA1.HashData(certificate));
        HeaderV1 = Encode($$"""{"typ":"JWT","alg":"RS256","x5t":"{{Id}}","kid":"{{Id}}"}""");
        HeaderV2 = Encode($$"""{"typ":"JWT","alg":"RS256","kid":"{{Id}}"}""");
    }

    /// <summary>Key id: the base64url SHA-1 thumbprint of the certificate, used as <c>kid</c> and <c>x5t</c>.</summary>
    public string Id { get; }

    /// <summary>When the key begins to sign. It may be published earlier, so that those who cache the key set know it in time.</summary>
    public DateTimeOffset SignsFrom { get; }

    /// <summary>The certificate in DER form.</summary>
    public byte[] Certificate { get; }

    /// <summary>The modulus, big-endian.</summary>
    public byte[] Modulus => _parameters.Modulus!;

    /// <summary>The public exponent, big-endian.</summary>
    public byte[] Exponent => _parameters.Exponent!;

    /// <summary>Encoded header of v1 access tokens (with <c>x5t</c>).</summary>
    internal byte[] HeaderV1 { get; }

    /// <summary>Encoded header of v2 access tokens and id tokens.</summary>
    internal byte[] HeaderV2 { get; }

    /// <summary>Makes a new 2048-bit key with a self-signed certificate.</summary>
    public static SigningKey Create(DateTimeOffset signsFrom)
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=accounts.accesscontrol.vedette", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(signsFrom.AddDays(-1), signsFrom.AddYears(5));
        return new SigningKey(rsa.ExportParameters(true), certificate.RawData, signsFrom);
    }

    /// <summary>Restores a key from what <see cref="ExportPrivateKey"/> gave.</summary>
    public static SigningKey Import(ReadOnlySpan<byte> privateKey, byte[] certificate, DateTimeOffset signsFrom)
    {
        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(privateKey, out _);
        return new SigningKey(rsa.ExportParameters(true), certificate, signsFrom);
    }

    /// <summary>The private key in PKCS#8 form. To be stored encrypted only.</summary>
    public byte[] ExportPrivateKey() => Use(static rsa => rsa.ExportPkcs8PrivateKey());

    /// <summary>Signs claims and returns the compact token.</summary>
    public string Sign(ReadOnlySpan<byte> payload, bool version1)
    {
        var rsa = Borrow();
        try
        {
            return JsonWebToken.Sign(version1 ? HeaderV1 : HeaderV2, payload, rsa);
        }
        finally
        {
            _pool.Add(rsa);
        }
    }

    /// <summary>True when this key signed the token with RS256.</summary>
    public bool Verify(JsonWebToken token) => Use(rsa => token.Verify(rsa));

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_pool.TryTake(out var rsa)) rsa.Dispose();
    }

    private T Use<T>(Func<RSA, T> action)
    {
        var rsa = Borrow();
        try
        {
            return action(rsa);
        }
        finally
        {
            _pool.Add(rsa);
        }
    }

    private RSA Borrow() => _pool.TryTake(out var rsa) ? rsa : RSA.Create(_parameters);

    private static byte[] Encode(string json) => Encoding.ASCII.GetBytes(Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json)));
}
