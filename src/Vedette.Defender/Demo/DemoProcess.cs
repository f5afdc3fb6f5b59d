using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Vedette.Defender.Demo;

/// <summary>Hashes of a file, lower-case hexadecimal. The demo's files have no content, so the hashes stand for path and version.</summary>
internal sealed record DemoHashes(string Sha1, string Sha256, string Md5)
{
    private static readonly ConcurrentDictionary<string, DemoHashes> Known = new(StringComparer.Ordinal);

    /// <summary>Hashes of a program, which is the same file on every device.</summary>
    public static DemoHashes OfProgram(string identity) => Known.GetOrAdd(identity, Of);

    /// <summary>Hashes of a one-off file.</summary>
    public static DemoHashes Of(string identity)
    {
        var bytes = Encoding.UTF8.GetBytes(identity);
        // Names of made-up files, not a protection.
#pragma warning disable CA5350, CA5351
        return new DemoHashes(Convert.ToHexStringLower(SHA1.HashData(bytes)), Convert.ToHexStringLower(SHA256.HashData(bytes)), Convert.ToHexStringLower(MD5.HashData(bytes)));
#pragma warning restore CA5350, CA5351
    }
}

/// <summary>A program as it lies on a device.</summary>
internal sealed record DemoImage(string FileName, string Path, DemoHashes Hashes, long Size, string Company, string Product, string Version, string Description);

/// <summary>A process of a device.</summary>
internal sealed class DemoProcess
{
    public required DemoImage Image { get; init; }

    public required long Id { get; init; }

    public required DateTime Created { get; init; }

    public required string CommandLine { get; init; }

    public required DemoAccount Account { get; init; }

    public required DemoProcess? Parent { get; init; }

    public required string Integrity { get; init; }

    public required string Elevation { get; init; }

    public required long LogonId { get; init; }
}
