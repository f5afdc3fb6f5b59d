using System.Security.Cryptography;

namespace Vedette.Identity.Security;

/// <summary>
/// The authority's own key, kept in a file that only its owner can read. It encrypts the private signing keys and keys the hashes of
/// client secrets, so that a copy of the database alone gives neither away.
/// </summary>
public sealed class IdentityKey
{
    private const int Length = 32;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly byte[] _encryption;
    private readonly byte[] _secrets;
    private readonly byte[] _tickets;

    /// <summary>Takes 32 bytes of key material.</summary>
    public IdentityKey(ReadOnlySpan<byte> material)
    {
        if (material.Length != Length) throw new ArgumentException($"The key must be {Length} bytes long.", nameof(material));
        _encryption = Derive(material, "signing keys");
        _secrets = Derive(material, "client secrets");
        _tickets = Derive(material, "codes and refresh tokens");
    }

    /// <summary>Reads the key file, or makes it with a random key when it is missing.</summary>
    /// <exception cref="InvalidDataException">The file holds no key.</exception>
    public static IdentityKey OpenOrCreate(string path)
    {
        if (!File.Exists(path))
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var temporary = $"{path}.{Environment.ProcessId}.new";
            using (var file = new FileStream(temporary, options))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Length)) + "\n"));
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }

        Span<byte> material = stackalloc byte[64];
        if (!Convert.TryFromBase64String(File.ReadAllText(path).Trim(), material, out var length) || length != Length)
            throw new InvalidDataException($"The file {path} does not hold the authority's key: 32 bytes in base64 were expected.");
        return new IdentityKey(material[..length]);
    }

    /// <summary>Keyed hash of a client secret, bound to its application.</summary>
    public byte[] HashSecret(Guid applicationId, string secret) => Hash(_secrets, applicationId, secret);

    /// <summary>Keyed hash of a code or refresh token, bound to a purpose.</summary>
    public byte[] HashTicket(Guid purpose, string ticket) => Hash(_tickets, purpose, ticket);

    /// <summary>Encrypts and authenticates.</summary>
    /// <param name="plain">What is to be kept secret.</param>
    /// <param name="purpose">What it is for: it can be read back for the same purpose only.</param>
    public byte[] Protect(ReadOnlySpan<byte> plain, string purpose = "")
    {
        var result = new byte[NonceLength + plain.Length + TagLength];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceLength));
        using var aes = new AesGcm(_encryption, TagLength);
        aes.Encrypt(result.AsSpan(0, NonceLength), plain, result.AsSpan(NonceLength, plain.Length), result.AsSpan(NonceLength + plain.Length), System.Text.Encoding.ASCII.GetBytes(purpose));
        return result;
    }

    /// <summary>Reverses <see cref="Protect"/>.</summary>
    /// <exception cref="CryptographicException">The data was made with another key, or changed.</exception>
    public byte[] Unprotect(ReadOnlySpan<byte> data, string purpose = "")
    {
        if (data.Length < NonceLength + TagLength) throw new CryptographicException("The data is too short.");
        var plain = new byte[data.Length - NonceLength - TagLength];
        using var aes = new AesGcm(_encryption, TagLength);
        aes.Decrypt(data[..NonceLength], data.Slice(NonceLength, plain.Length), data[(NonceLength + plain.Length)..], plain, System.Text.Encoding.ASCII.GetBytes(purpose));
        return plain;
    }

    private static byte[] Derive(ReadOnlySpan<byte> material, string purpose)
    {
        var key = new byte[Length];
        HKDF.Expand(HashAlgorithmName.SHA256, material, key, System.Text.Encoding.ASCII.GetBytes("vedette identity " + purpose));
        return key;
    }

    private static byte[] Hash(byte[] key, Guid scope, string value)
    {
        var length = System.Text.Encoding.UTF8.GetByteCount(value);
        var data = length <= 480 ? stackalloc byte[16 + length] : new byte[16 + length];
        scope.TryWriteBytes(data);
        System.Text.Encoding.UTF8.GetBytes(value, data[16..]);
        return HMACSHA256.HashData(key, data);
    }
}
