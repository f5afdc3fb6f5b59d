using System.Security.Cryptography;

namespace Vedette.Foundation;

/// <summary>Where new identifiers come from, so that a seeded run can be repeated exactly. Never used for secrets.</summary>
public interface IIdentifierSource
{
    /// <summary>A new GUID.</summary>
    Guid NewGuid();

    /// <summary>Lower-case hexadecimal text of the given number of bytes (20 bytes make a device id).</summary>
    string NewHex(int bytes);
}

/// <summary>Identifiers from the system's random generator.</summary>
public sealed class RandomIdentifierSource : IIdentifierSource
{
    /// <inheritdoc/>
    public Guid NewGuid() => Guid.NewGuid();

    /// <inheritdoc/>
    public string NewHex(int bytes) => RandomNumberGenerator.GetHexString(bytes * 2, lowercase: true);
}

/// <summary>Identifiers that follow from a seed: the same seed and the same calls give the same identifiers.</summary>
public sealed class SeededIdentifierSource(int seed) : IIdentifierSource
{
    private readonly Random _random = new(seed);
    private readonly Lock _lock = new();

    /// <inheritdoc/>
    public Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        lock (_lock) _random.NextBytes(bytes);
        bytes[7] = (byte)((bytes[7] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes);
    }

    /// <inheritdoc/>
    public string NewHex(int bytes)
    {
        var buffer = new byte[bytes];
        lock (_lock) _random.NextBytes(buffer);
        return Convert.ToHexStringLower(buffer);
    }
}
