using System.Security.Cryptography;

namespace Vedette.Identity.Security;

/// <summary>Makes client secrets of the form that Entra ID gives out: 40 characters, a tilde in the sixth place.</summary>
public static class ClientSecretValue
{
    private const string Plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const string Full = Plain + "-._~";

    /// <summary>A new random secret: over 200 bits from the system's generator.</summary>
    public static string New() => RandomNumberGenerator.GetString(Plain, 3) + "8Q~" + RandomNumberGenerator.GetString(Full, 33) + RandomNumberGenerator.GetString(Plain, 1);

    /// <summary>The part of a secret that listings may show.</summary>
    public static string Hint(string secret) => secret[..3];
}
