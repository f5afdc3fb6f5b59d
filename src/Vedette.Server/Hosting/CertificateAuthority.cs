using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Vedette.Server.Hosting;

/// <summary>
/// The server's own certificate authority, made at first start. It is name-constrained, so a client that trusts it trusts it for this
/// machine (localhost and the loopback addresses) and the emulated hosts only. Keys are P-256: cheaper handshakes than RSA, and every client
/// supports them.
/// </summary>
internal sealed class CertificateAuthority
{
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(5 * 365);

    // Public clients refuse server certificates that live longer than 398 days.
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(397);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    private const string NameConstraintsId = "2.5.29.30";

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

    /// <summary>The authority's certificate with its key, made when it is missing.</summary>
    public X509Certificate2 Authority()
    {
        // A release that emulates other hosts needs other constraints: an authority that lacks them could not certify the names.
        if (Load(AuthorityFile, AuthorityKeyFile) is { } existing)
        {
            var constraints = NameConstraints().RawData;
            if (existing.Extensions.Any(extension => extension.Oid?.Value == NameConstraintsId && extension.RawData.AsSpan().SequenceEqual(constraints))) return existing;
            existing.Dispose();
        }

        return MakeAuthority();
    }

    /// <summary>The certificate for localhost and the loopback addresses, made or renewed when needed.</summary>
    public X509Certificate2 ServerCertificate() => Certificate("server", "localhost", names =>
    {
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
    });

    /// <summary>The certificate for the emulated hosts, made or renewed when needed. Only asked for when the server is to stand in for them.</summary>
    public X509Certificate2 EmulatedHostsCertificate() => Certificate("hosts", "login.microsoftonline.com", names =>
    {
        foreach (var host in EmulatedHosts.All) names.AddDnsName(host.Name);
    });

    /// <summary>The certificates there are by now, without their keys.</summary>
    public IReadOnlyList<(string Kind, X509Certificate2 Certificate)> Existing() =>
    [
        .. new[] { ("certificate authority", "ca"), ("server (localhost)", "server"), ("server (emulated hosts)", "hosts") }
            .Select(known => (Kind: known.Item1, File: Path.Combine(_folder, known.Item2 + ".pem"))).Where(known => File.Exists(known.File))
            .Select(known => (known.Kind, X509CertificateLoader.LoadCertificateFromFile(known.File))),
    ];

    private X509Certificate2 Certificate(string file, string commonName, Action<SubjectAlternativeNameBuilder> addNames)
    {
        var (certificateFile, keyFile) = (Path.Combine(_folder, file + ".pem"), Path.Combine(_folder, file + ".key"));
        using var authority = Authority();
        if (Load(certificateFile, keyFile) is { } existing)
        {
            if (existing.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData)) return existing;
            existing.Dispose();
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        addNames(names);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));

        var now = _time.GetUtcNow();
        using var certificate = request.Create(authority, now.AddDays(-1), now + ServerLife, RandomNumberGenerator.GetBytes(16));
        using var withKey = certificate.CopyWithPrivateKey(key);
        Save(withKey, key, certificateFile, keyFile);
        return Load(certificateFile, keyFile) ?? throw new InvalidOperationException("The new server certificate could not be read back.");
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
            foreach (var domain in EmulatedHosts.All.Select(host => host.Name).Prepend("localhost"))
            {
                using (writer.PushSequence()) writer.WriteCharacterString(UniversalTagNumber.IA5String, domain, new Asn1Tag(TagClass.ContextSpecific, 2));
            }

            foreach (var range in new[] { "7F000000FF000000", "00000000000000000000000000000001FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" })
            {
                using (writer.PushSequence()) writer.WriteOctetString(Convert.FromHexString(range), new Asn1Tag(TagClass.ContextSpecific, 7));
            }
        }

        return new X509Extension(NameConstraintsId, writer.Encode(), critical: true);
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
