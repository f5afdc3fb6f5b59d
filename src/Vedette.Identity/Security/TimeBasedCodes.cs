using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Vedette.Identity.Security;

/// <summary>The six-digit codes of authenticator apps (RFC 6238): HMAC-SHA1 over steps of 30 seconds.</summary>
public static class TimeBasedCodes
{
    /// <summary>Bytes of a secret.</summary>
    public const int SecretLength = 20;

    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int StepSeconds = 30;
    private const int Digits = 6;

    /// <summary>A secret from the system's random generator.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(SecretLength);

    /// <summary>The time step that a moment lies in.</summary>
    public static long StepOf(DateTimeOffset time) => time.ToUnixTimeSeconds() / StepSeconds;

    /// <summary>The code of a step.</summary>
    public static string Code(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> message = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(message, step);
        Span<byte> hash = stackalloc byte[20];
        HMACSHA1.HashData(secret, message, hash);
        var number = BinaryPrimitives.ReadInt32BigEndian(hash[(hash[^1] & 0xF)..]) & int.MaxValue;
        return (number % 1_000_000).ToString("D6", System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Finds the step that a code belongs to: the present one, or a neighbour of it for clocks that differ. Every candidate is compared, in
    /// constant time.
    /// </summary>
    /// <returns>The step, or null when the code is wrong.</returns>
    public static long? FindStep(ReadOnlySpan<byte> secret, string code, DateTimeOffset now)
    {
        var typed = Encoding.UTF8.GetBytes(string.Concat(code.Where(c => !char.IsWhiteSpace(c)).Take(Digits + 1)));
        long? found = null;
        foreach (var offset in (ReadOnlySpan<int>)[-1, 0, 1])
        {
            var step = StepOf(now) + offset;
            if (CryptographicOperations.FixedTimeEquals(typed, Encoding.ASCII.GetBytes(Code(secret, step)))) found = step;
        }

        return found;
    }

    /// <summary>A secret as people type it: Base32 without padding.</summary>
    public static string ToText(ReadOnlySpan<byte> secret)
    {
        var text = new StringBuilder((secret.Length * 8 + 4) / 5);
        int bits = 0, value = 0;
        foreach (var octet in secret)
        {
            value = (value << 8) | octet;
            for (bits += 8; bits >= 5; bits -= 5) text.Append(Base32[(value >> (bits - 5)) & 31]);
            value &= (1 << bits) - 1;
        }

        if (bits > 0) text.Append(Base32[(value << (5 - bits)) & 31]);
        return text.ToString();
    }

    /// <summary>The address that a QR code gives to an authenticator app.</summary>
    public static string ToAddress(ReadOnlySpan<byte> secret, string issuer, string account) =>
        $"otpauth://totp/{Uri.EscapeDataString(issuer)}:{Uri.EscapeDataString(account)}?secret={ToText(secret)}&issuer={Uri.EscapeDataString(issuer)}";
}
