using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vedette.Server.Http;

/// <summary>
/// Links that carry their own right: whoever holds one may read one file until it expires, without a token. The key lives as long as the
/// process, so a link does not survive a restart; links are short-lived and can be asked for again.
/// </summary>
internal sealed class SignedLinks(TimeProvider clock)
{
    /// <summary>Path under which the links lead.</summary>
    public const string Prefix = "/downloads/";

    // Version of the storage service's links, whose parameters these have.
    private const string Version = "2020-06-12";

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>The path and query of a link to a stored file.</summary>
    public string Make(string file, TimeSpan lifetime)
    {
        var now = clock.GetUtcNow();
        var expiry = Text(now + lifetime);
        return $"{Prefix}{file}?sv={Version}&st={Uri.EscapeDataString(Text(now))}&se={Uri.EscapeDataString(expiry)}&sr=b&sp=r&sig={Uri.EscapeDataString(Sign(file, expiry))}";
    }

    /// <summary>Whether a link is whole and not expired.</summary>
    public bool IsGood(string file, string expiry, string signature) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(signature), Encoding.ASCII.GetBytes(Sign(file, expiry)))
        && DateTime.TryParse(expiry, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var end)
        && clock.GetUtcNow().UtcDateTime < end;

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private string Sign(string file, string expiry) => Convert.ToBase64String(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"r\n{file}\n{expiry}")));
}
