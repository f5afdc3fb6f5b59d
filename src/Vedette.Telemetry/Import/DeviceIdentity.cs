using System.Security.Cryptography;
using System.Text;

namespace Vedette.Telemetry.Import;

/// <summary>The id of a device that logs know by name only.</summary>
public static class DeviceIdentity
{
    /// <summary>
    /// 40 lower-case hexadecimal digits: SHA-1 over the tenant id (with dashes, in lower case), a slash and the lower-cased host name, so the
    /// same host gets the same id in every import.
    /// </summary>
    public static string FromHostName(Guid tenantId, string hostName)
    {
        // The name of a thing, not a protection: the service's own ids are 160 bits long as well.
#pragma warning disable CA5350
        return Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes($"{tenantId:D}/{hostName.ToLowerInvariant()}")));
#pragma warning restore CA5350
    }
}
