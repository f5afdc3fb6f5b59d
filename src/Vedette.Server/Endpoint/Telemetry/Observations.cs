using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.Telemetry;

/// <summary>How often and when the organisation saw something.</summary>
/// <param name="Devices">Distinct devices.</param>
/// <param name="First">First sight, UTC; null when there was none.</param>
/// <param name="Last">Last sight, UTC; null when there was none.</param>
internal sealed record Sighting(long Devices, DateTime? First, DateTime? Last);

/// <summary>What the organisation's devices saw of files, domains and addresses, computed from telemetry.</summary>
internal sealed partial class Observations(TelemetryReader telemetry, TimeProvider clock)
{
    /// <summary>Devices that the service lists for a domain, at most. Source: its reference page.</summary>
    public const int MaxDomainMachines = 500;

    private const int MaxLookBackHours = 720;

    /// <summary>SHA-1 or SHA-256 of a path parameter, lower case, with the column that holds it.</summary>
    /// <exception cref="ApiException">It is neither.</exception>
    public static (string Hash, string Column) Hash(ApiCall call, bool onlySha1 = false)
    {
        var text = call.Route["id"];
        var column = text.Length switch
        {
            40 => "SHA1",
            64 when !onlySha1 => "SHA256",
            32 when !onlySha1 => "MD5",
            _ => null,
        };
        return column is not null && text.All(char.IsAsciiHexDigit) ? (text.ToLowerInvariant(), column) : throw call.Refuse("InvalidHashValue", text);
    }

    /// <summary>The domain of a path parameter, lower case.</summary>
    /// <exception cref="ApiException">It is no domain name.</exception>
    public static string Domain(ApiCall call)
    {
        var text = call.Route["domain"];
        return DomainName().IsMatch(text) ? text.ToLowerInvariant() : throw call.Refuse("InvalidDomainName", text);
    }

    /// <summary>The address of a path parameter.</summary>
    /// <exception cref="ApiException">It is no address.</exception>
    public static string Address(ApiCall call)
    {
        var text = call.Route["ip"];
        return IsAddress(text) ? text : throw call.Refuse("InvalidIpAddress", text);
    }

    /// <summary>Whether a text is an address with all its parts: <c>10.1</c>, which some libraries read as 10.0.0.1, is none.</summary>
    public static bool IsAddress(string text) =>
        IPAddress.TryParse(text, out var address) && (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork || text.Count(c => c == '.') == 3);

    /// <summary>Devices with connections to a domain, and when.</summary>
    public Task<Sighting> DomainAsync(ApiCall call, string domain) => SightAsync(call, $"DeviceNetworkEvents {Contacts(domain)}");

    /// <summary>Devices with connections to an address, and when.</summary>
    public Task<Sighting> AddressAsync(ApiCall call, string address) =>
        SightAsync(call, $"DeviceNetworkEvents | where RemoteIP == {TelemetryReader.Quote(address)}");

    /// <summary>Devices that saw a file, and when, within the look-back.</summary>
    public Task<Sighting> FileAsync(ApiCall call, string hash, string column) => SightAsync(call, FileRows(hash, column));

    /// <summary>Ids of devices with connections to a domain.</summary>
    public async Task<IReadOnlyList<string>> DomainMachinesAsync(ApiCall call, string domain) =>
        await DevicesAsync(call, $"DeviceNetworkEvents {Contacts(domain)} | distinct DeviceId | take {MaxDomainMachines}");

    /// <summary>Ids of devices that saw a file.</summary>
    public async Task<IReadOnlyList<string>> FileMachinesAsync(ApiCall call, string hash) =>
        await DevicesAsync(call, $"{FileRows(hash, "SHA1")} | distinct DeviceId");

    /// <summary>Everything that telemetry tells of a file; null when no device saw it.</summary>
    public Task<IReadOnlyDictionary<string, object?>?> FileFactsAsync(ApiCall call, string hash, string column) => telemetry.OneAsync(
        call,
        $"""
        {FileRows(hash, column)}
        | summarize Devices = dcount(DeviceId), First = min(Timestamp), Last = max(Timestamp), SHA1 = max(SHA1), SHA256 = max(SHA256), MD5 = max(MD5),
            FileSize = max(FileSize), FileName = max(FileName), Run = max(Run), Publisher = max(Publisher), Product = max(Product), Windows = countif(FolderPath contains "\\")
        | where Devices > 0
        """);

    /// <summary>The names under which a file was seen, most frequent first.</summary>
    public async Task<IReadOnlyList<string>> FileNamesAsync(ApiCall call, string hash, string column)
    {
        var query = $"{FileRows(hash, column)} | where isnotempty(FileName) | summarize Seen = count() by FileName | top 5 by Seen desc | project FileName";
        var result = await telemetry.RunAsync(call, query, null, Window(call));
        return [.. result.Rows.Select(row => (string)row[0]!)];
    }

    /// <summary>What a signature check on some device told of a file; null when there was none.</summary>
    public Task<IReadOnlyDictionary<string, object?>?> CertificateAsync(ApiCall call, string sha1) => telemetry.OneAsync(
        call,
        $"DeviceFileCertificateInfo | where SHA1 == {TelemetryReader.Quote(sha1)} | top 1 by Timestamp desc | project IsSigned, Signer, SignerHash, Issuer, IsTrusted");

    /// <summary>The name of the threat that antivirus on some device found a file to be; null when none did.</summary>
    public async Task<string?> ThreatAsync(ApiCall call, string sha1)
    {
        var found = await telemetry.OneAsync(
            call,
            $"DeviceEvents | where ActionType == 'AntivirusDetection' and SHA1 == {TelemetryReader.Quote(sha1)} | top 1 by Timestamp desc "
                + "| project ThreatName = tostring(parse_json(AdditionalFields).ThreatName)");
        return found?["ThreatName"] is string { Length: > 0 } name ? name : null;
    }

    private async Task<Sighting> SightAsync(ApiCall call, string rows)
    {
        var found = await telemetry.OneAsync(call, $"{rows} | summarize Devices = dcount(DeviceId), First = min(Timestamp), Last = max(Timestamp)", Window(call));
        var devices = Convert.ToInt64(found?["Devices"] ?? 0L, CultureInfo.InvariantCulture);
        return devices == 0 ? new Sighting(0, null, null) : new Sighting(devices, (DateTime?)found!["First"], (DateTime?)found["Last"]);
    }

    private async Task<IReadOnlyList<string>> DevicesAsync(ApiCall call, string query)
    {
        var result = await telemetry.RunAsync(call, query);
        return [.. result.Rows.Select(row => (string)row[0]!)];
    }

    // lookBackHours: 720 at most, which is also what counts when it is absent.
    private (DateTime From, DateTime To)? Window(ApiCall call)
    {
        var hours = MaxLookBackHours;
        if (call.Http.Request.Query.TryGetValue("lookBackHours", out var text)
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out hours) || hours is < 1 or > MaxLookBackHours))
        {
            throw call.Refuse("InvalidInput", "lookBackHours");
        }

        var now = clock.GetUtcNow().UtcDateTime;
        return (now.AddHours(-hours), now.AddMinutes(5));
    }

    // A domain stands alone or as the host of a web address; its subdomains are other domains.
    private static string Contacts(string domain)
    {
        var text = TelemetryReader.Quote(domain);
        return $"| where RemoteUrl has {text} | extend Host = tolower(extract(@'^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/@]*@)?([^/:?#]+)', 1, RemoteUrl)) | where Host == {text}";
    }

    private static string FileRows(string hash, string column)
    {
        var text = TelemetryReader.Quote(hash);
        string Rows(string table, string run, string publisher, string product) =>
            $"({table} | where {column} == {text} | project Timestamp, DeviceId, FileName, FolderPath, SHA1, SHA256, MD5, FileSize, Run = {run}, Publisher = {publisher}, Product = {product})";
        return $"union {Rows("DeviceProcessEvents", "1", "ProcessVersionInfoCompanyName", "ProcessVersionInfoProductName")}, "
            + $"{Rows("DeviceImageLoadEvents", "1", "''", "''")}, {Rows("DeviceFileEvents", "0", "''", "''")}";
    }

    [GeneratedRegex(@"^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$")]
    private static partial Regex DomainName();
}
