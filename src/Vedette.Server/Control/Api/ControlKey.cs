using System.Security.Cryptography;
using System.Text;
using Vedette.Server.Hosting;

namespace Vedette.Server.Control.Api;

/// <summary>The key of the control API: made at random at the first start with it and kept in a file that only the owner can read.</summary>
internal sealed class ControlKey
{
    private readonly byte[] _hash;

    private ControlKey(string value)
    {
        Value = value;
        _hash = SHA256.HashData(Encoding.UTF8.GetBytes(value));
    }

    /// <summary>The key.</summary>
    public string Value { get; }

    /// <summary>Reads the key of a data folder, or makes it.</summary>
    public static ControlKey Ensure(DataFolder folder)
    {
        if (!File.Exists(folder.ControlKey)) DataFolder.WriteSecret(folder.ControlKey, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        return new ControlKey(File.ReadAllText(folder.ControlKey).Trim());
    }

    /// <summary>Whether a request carries the key as its bearer token. Takes the same time whatever the key is.</summary>
    public bool IsIn(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return false;
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[scheme.Length..].Trim())), _hash);
    }
}
