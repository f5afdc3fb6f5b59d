using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Vedette.Testing;

/// <summary>A certificate that a server of the tests shows; nobody but the test trusts it.</summary>
public sealed class TestCertificate : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vedette-test-");

    /// <summary>Makes one.</summary>
    /// <param name="name">The host that it is for; it is good for localhost and any name below it as well.</param>
    public TestCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddDnsName("*." + name);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        Certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        Key = key.ExportPkcs8PrivateKeyPem();
        File.WriteAllText(CertificateFile, Certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, Key);
    }

    /// <summary>The certificate with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The key as PEM text.</summary>
    public string Key { get; }

    /// <summary>A file that holds the certificate.</summary>
    public string CertificateFile => Path.Combine(_folder.FullName, "certificate.pem");

    /// <summary>A file that holds the key.</summary>
    public string KeyFile => Path.Combine(_folder.FullName, "key.pem");

    /// <inheritdoc/>
    public void Dispose()
    {
        Certificate.Dispose();
        _folder.Delete(recursive: true);
    }
}
