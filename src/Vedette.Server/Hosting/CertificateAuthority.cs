using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Vedette.Server.Hosting;

/// <summary>
/// The server's own certificate authority, made at first start. It is name-constrained, so a client that trusts it trusts it for this
/// machine and the emulated hosts only. Keys are P-256: cheaper handshakes than RSA, and every client supports them.
/// </summary>
internal sealed class CertificateAuthority
{
    /// <summary>Host names, besides localhost, that the authority may certify: those of the real services.</summary>
    public static readonly string[] PermittedDomains =
    [
        "localhost",
        "microsoftonline.com", "microsoftonline.us", "login.windows.net", "sts.windows.net", "login.microsoft.com",
        "securitycenter.microsoft.com", "securitycenter.windows.com", "securitycenter.microsoft.us",
        "security.microsoft.com", "security.microsoft.us", "graph.microsoft.com", "graph.microsoft.us",
    ];

    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(5 * 365);

    // Public clients refuse server certificates that live longer than 398 days.
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(397);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    private readonly string _folder;
    private readonly TimeProvider _time;

    public CertificateAuthority(string folder, TimeProvider time)
    {
        _folder = folder;
        _time = time;
    }

    /// <summary>PEM file of the authority's certificate: what clients are told to trust.</summary>
    public string AuthorityFile => Path.Combine(_folder, "ca.pem");

    private string AuthorityKeyFile => Path.Combine(_folder, "ca.key");

    private string ServerFile => Path.Combine(_folder, "server.pem");

    private string ServerKeyFile => Path.Combine(_folder, "server.key");

    /// <summary>The server certificate, made or renewed when needed.</summary>
    public X509Certificate2 ServerCertificate()
    {
        if (Load(ServerFile, ServerKeyFile) is { } existing) return existing;

        using var authority = Load(AuthorityFile, AuthorityKeyFile) ?? MakeAuthority();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));

        var now = _time.GetUtcNow();
        using var certificate = request.Create(authority, now.AddDays(-1), now + ServerLife, RandomNumberGenerator.GetBytes(16));
        using var withKey = certificate.CopyWithPrivateKey(key);
        Save(withKey, key, ServerFile, ServerKeyFile);
        return Load(ServerFile, ServerKeyFile) ?? throw new InvalidOperationException("The new server certificate could not be read back.");
    }

    private X509Certificate2 MakeAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedName($"CN=Vedette local authority {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(NameConstraints());
        var now = _time.GetUtcNow();
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now + AuthorityLife);
        Save(certificate, key, AuthorityFile, AuthorityKeyFile);
        return certificate;
    }

    // RFC 5280 4.2.1.10. The framework has no builder for this extension.
    private static X509Extension NameConstraints()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            foreach (var domain in PermittedDomains)
            {
                using (writer.PushSequence()) writer.WriteCharacterString(UniversalTagNumber.IA5String, domain, new Asn1Tag(TagClass.ContextSpecific, 2));
            }

            foreach (var range in new[] { "7F000000FF000000", "00000000000000000000000000000001FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" })
            {
                using (writer.PushSequence()) writer.WriteOctetString(Convert.FromHexString(range), new Asn1Tag(TagClass.ContextSpecific, 7));
            }
        }

        return new X509Extension("2.5.29.30", writer.Encode(), critical: true);
    }

    private X509Certificate2? Load(string certificateFile, string keyFile)
    {
        if (!File.Exists(certificateFile) || !File.Exists(keyFile)) return null;
        var certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        if (certificate.NotAfter.ToUniversalTime() - RenewBefore > _time.GetUtcNow().UtcDateTime) return certificate;
        certificate.Dispose();
        return null;
    }

    private static void Save(X509Certificate2 certificate, ECDsa key, string certificateFile, string keyFile)
    {
        DataFolder.WriteSecret(keyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem() + "\n");
    }
}
