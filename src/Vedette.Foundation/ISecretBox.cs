namespace Vedette.Foundation;

/// <summary>Keeps secrets that the server itself must read again, so that a copy of the database alone does not give them away.</summary>
public interface ISecretBox
{
    /// <summary>Encrypts and authenticates.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="purpose">What it is for; it can be read back for the same purpose only.</param>
    byte[] Close(string secret, string purpose);

    /// <summary>Reads a secret back.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It was made with another key, or changed.</exception>
    string Open(byte[] box, string purpose);
}
