using System.Text;
using Vedette.Foundation;

namespace Vedette.Defender.Tests;

/// <summary>Keeps secrets readable, so that tests can look at them.</summary>
internal sealed class PlainBox : ISecretBox
{
    public byte[] Close(string secret, string purpose) => Encoding.UTF8.GetBytes(purpose + "\n" + secret);

    public string Open(byte[] box, string purpose) => Encoding.UTF8.GetString(box)[(purpose.Length + 1)..];
}
