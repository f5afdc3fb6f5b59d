using System.Security.Cryptography.X509Certificates;

namespace Vedette.Server.Hosting;

/// <summary>The certificates a running server shows, chosen by the name that a client asks for.</summary>
internal sealed class ServerCertificates
{
    private readonly X509Certificate2 _own;
    private readonly X509Certificate2? _emulated;

    private ServerCertificates(X509Certificate2 own, X509Certificate2? emulated)
    {
        _own = own;
        _emulated = emulated;
    }

    /// <summary>Opens or makes what the options call for.</summary>
    public static ServerCertificates Open(CertificateAuthority authority, ServerOptions options) =>
        new(authority.ServerCertificate(), options.Hosts || options.ProxyPort is not null ? authority.EmulatedHostsCertificate() : null);

    /// <summary>For the server's own port: the local certificate, unless a client that was led here asks for an emulated name.</summary>
    public X509Certificate2 Choose(string? name) => _emulated is not null && EmulatedHosts.Find(name) is not null ? _emulated : _own;

    /// <summary>For the real services' names: only these are answered; null ends the handshake.</summary>
    public X509Certificate2? ChooseEmulated(string? name) => EmulatedHosts.Find(name) is not null ? _emulated : null;

    /// <summary>For the real services' port: as well by the server's own name, since some clients drop the port of an address.</summary>
    public X509Certificate2? ChooseOnStandardPort(string? name) => EmulatedHosts.IsOwnName(name) ? _own : ChooseEmulated(name);
}
