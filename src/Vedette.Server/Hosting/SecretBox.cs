using System.Text;
using Vedette.Foundation;
using Vedette.Identity.Security;

namespace Vedette.Server.Hosting;

/// <summary>Keeps secrets under the authority's own key, whose file only the owner can read.</summary>
internal sealed class SecretBox(IdentityKey key) : ISecretBox
{
    /// <inheritdoc/>
    public byte[] Close(string secret, string purpose) => key.Protect(Encoding.UTF8.GetBytes(secret), purpose);

    /// <inheritdoc/>
    public string Open(byte[] box, string purpose) => Encoding.UTF8.GetString(key.Unprotect(box, purpose));
}
