using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Demo.Office;

/// <summary>Signatures of the programs that ran, told once a device and file.</summary>
internal sealed class DemoCertificates(DemoOffice office, DemoSheet sheet)
{
    public void Write(IReadOnlyList<HuntingRow> devices)
    {
        var told = new HashSet<(object?, object?)>();
        foreach (var row in devices)
        {
            if (row.Table.Name != "DeviceProcessEvents" || row["ProcessVersionInfoCompanyName"] is not string { Length: > 0 } company || !told.Add((row["DeviceId"], row["SHA1"]))) continue;
            var microsoft = company == "Microsoft Corporation";
            var (signer, issuer) = microsoft ? ("Microsoft Windows", "Microsoft Windows Production PCA 2011") : (company, "DigiCert Trusted G4 Code Signing RSA4096 SHA384 2021 CA1");
            var made = office.Since("certificate/" + company);
            sheet.Add("DeviceFileCertificateInfo", ((DateTime)row["Timestamp"]!).AddSeconds(1), new
            {
                DeviceId = row["DeviceId"]!, DeviceName = row["DeviceName"]!, SHA1 = row["SHA1"]!, IsSigned = true, SignatureType = microsoft ? "Catalog" : "Embedded", Signer = signer, SignerHash = DemoHashes.Of("signer/" + signer).Sha1,
                Issuer = issuer, IssuerHash = DemoHashes.Of("issuer/" + issuer).Sha1, CertificateSerialNumber = "33" + DemoHashes.Of("serial/" + signer).Sha1[..36],
                CrlDistributionPointUrls = DemoSheet.ToJson(new[] { microsoft ? "http://www.microsoft.com/pkiops/crl/MicWinProPCA2011_2011-10-19.crl" : "http://crl3.digicert.com/DigiCertTrustedG4CodeSigningRSA4096SHA3842021CA1.crl" }),
                CertificateCreationTime = made, CertificateExpirationTime = made.AddYears(3), CertificateCountersignatureTime = made.AddDays(20), IsTrusted = true, IsRootSignerMicrosoft = microsoft,
            });
        }
    }
}
