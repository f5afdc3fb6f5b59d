using System.Globalization;
using System.Security.Cryptography;

namespace Vedette.Identity.Security;

/// <summary>Slow, salted hashes of users' passwords (PBKDF2 with HMAC-SHA256), with the cost inside the text so that it can be raised.</summary>
public static class Passwords
{
    private const int Iterations = 210_000;
    private const int SaltLength = 16;
    private const int HashLength = 32;

    /// <summary>Hashes a password with a fresh salt.</summary>
    public static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        var hash = Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, HashAlgorithmName.SHA256, HashLength);
        return $"pbkdf2-sha256${Iterations.ToString(CultureInfo.InvariantCulture)}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}";
    }

    /// <summary>True when the password is the one that was hashed. Takes as long for an unreadable hash as for a wrong password.</summary>
    public static bool Verify(string password, string? stored)
    {
        var parts = stored?.Split('$') ?? [];
        var salt = new byte[SaltLength];
        var expected = new byte[HashLength];
        var iterations = Iterations;
        var readable = parts.Length == 4 && parts[0] == "pbkdf2-sha256"
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out iterations)
            && Convert.TryFromBase64String(parts[2], salt, out _) && Convert.TryFromBase64String(parts[3], expected, out _);
        var actual = Rfc2898DeriveBytes.Pbkdf2(password, salt, readable ? iterations : Iterations, HashAlgorithmName.SHA256, HashLength);
        return CryptographicOperations.FixedTimeEquals(actual, expected) & readable;
    }
}
