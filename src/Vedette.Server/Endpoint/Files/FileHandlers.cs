using System.Globalization;
using System.Text.Json;
using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Endpoint.Telemetry;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Files;

/// <summary>Files by hash: what telemetry tells of them, and the alerts and machines that name them.</summary>
internal sealed class FileHandlers(EntityReader reader, Observations observations) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/files/{id}", GetAsync),
        new("GET /api/files/{id}/stats", StatisticsAsync),
        new("GET /api/files/{id}/alerts", AlertsAsync),
        new("GET /api/files/{id}/machines", MachinesAsync),
        new("GET /api/alerts/{id}/files", OfAlertAsync),
    ];

    private async ValueTask<ApiResult> GetAsync(ApiCall call)
    {
        var (hash, column) = Observations.Hash(call);
        if (await FileAsync(call, hash, column) is not { } file) return call.Error("ResourceNotFound", "File", call.Route["id"]);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
            file.Write(json);
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async ValueTask<ApiResult> StatisticsAsync(ApiCall call)
    {
        var (hash, column) = Observations.Hash(call);
        if (await FileAsync(call, hash, column) is not { } file) return call.Error("ResourceNotFound", "File", call.Route["id"]);
        var seen = await observations.FileAsync(call, hash, column);
        var names = await observations.FileNamesAsync(call, hash, column);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
            json.WriteString("sha1"u8, file.Sha1);
            json.WriteNumber("organizationPrevalence"u8, seen.Devices);
            json.WriteString("orgFirstSeen"u8, seen.First ?? file.First);
            json.WriteString("orgLastSeen"u8, seen.Last ?? file.Last);
            json.WriteNumber("globallyPrevalence"u8, file.Devices);
            json.WriteString("globalFirstObserved"u8, file.First);
            json.WriteString("globalLastObserved"u8, file.Last);
            json.WriteStartArray("topFileNames"u8);
            foreach (var name in names) json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private ValueTask<ApiResult> AlertsAsync(ApiCall call)
    {
        var (hash, _) = Observations.Hash(call, onlySha1: true);
        return reader.CollectionAsync(call, AlertTable.Alerts, sql => sql
            .Add(" AND EXISTS (SELECT 1 FROM defender.alert_evidence e WHERE e.tenant_id = a.tenant_id AND e.alert_id = a.id")
            .Add(Where.Equals("e.sha1", hash).Invoke).Add(")"));
    }

    private async ValueTask<ApiResult> MachinesAsync(ApiCall call)
    {
        var (hash, _) = Observations.Hash(call, onlySha1: true);
        return await reader.CollectionAsync(call, MachineTable.Machines, Where.In("m.id", await observations.FileMachinesAsync(call, hash)));
    }

    private async ValueTask<ApiResult> OfAlertAsync(ApiCall call)
    {
        var id = call.Route["id"];
        if (!await reader.ExistsAsync(call, AlertTable.Alerts, Where.Equals("a.id", id))) return call.Error("ResourceNotFound", "Alert", id);
        var files = new List<FileFacts>();
        foreach (var named in await reader.TextsAsync(call, AlertTable.Files, Where.Equals("e.alert_id", id)))
        {
            var time = DateTime.Parse(named[2]!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
            files.Add(await FileAsync(call, named[0]!, "SHA1") ?? FileFacts.Unseen(named[0]!, named[1], time));
        }

        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
            json.WriteStartArray("value"u8);
            foreach (var file in files)
            {
                json.WriteStartObject();
                file.Write(json);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async Task<FileFacts?> FileAsync(ApiCall call, string hash, string column)
    {
        if (await observations.FileFactsAsync(call, hash, column) is not { } seen) return null;
        var sha1 = Text(seen, "SHA1") ?? "";
        var certificate = sha1.Length > 0 ? await observations.CertificateAsync(call, sha1) : null;
        return new FileFacts(sha1, Text(seen, "SHA256"))
        {
            Md5 = Text(seen, "MD5"),
            Devices = Convert.ToInt64(seen["Devices"], CultureInfo.InvariantCulture),
            First = (DateTime)seen["First"]!,
            Last = (DateTime)seen["Last"]!,
            Size = seen["FileSize"] is { } size ? Convert.ToInt64(size, CultureInfo.InvariantCulture) : null,
            IsPortableExecutable = Convert.ToInt64(seen["Run"], CultureInfo.InvariantCulture) > 0 && Convert.ToInt64(seen["Windows"], CultureInfo.InvariantCulture) > 0,
            Publisher = Text(seen, "Publisher"),
            Product = Text(seen, "Product"),
            Threat = sha1.Length > 0 ? await observations.ThreatAsync(call, sha1) : null,
            Signer = certificate is null ? null : Text(certificate, "Signer"),
            Issuer = certificate is null ? null : Text(certificate, "Issuer"),
            SignerHash = certificate is null ? null : Text(certificate, "SignerHash"),
            IsTrusted = certificate?["IsTrusted"] as bool?,
        };
    }

    private static string? Text(IReadOnlyDictionary<string, object?> row, string column) => row[column] is string { Length: > 0 } text ? text : null;
}

/// <summary>A file as the API shows it.</summary>
internal sealed record FileFacts(string Sha1, string? Sha256)
{
    /// <summary>MD5, when some event told it.</summary>
    public string? Md5 { get; init; }

    /// <summary>Devices that saw it.</summary>
    public long Devices { get; init; }

    /// <summary>First sight, UTC.</summary>
    public DateTime First { get; init; }

    /// <summary>Last sight, UTC.</summary>
    public DateTime Last { get; init; }

    /// <summary>Bytes, when some event told them.</summary>
    public long? Size { get; init; }

    /// <summary>True when it ran or was loaded on Windows: nothing else runs there.</summary>
    public bool IsPortableExecutable { get; init; }

    /// <summary>Company in its version information.</summary>
    public string? Publisher { get; init; }

    /// <summary>Product in its version information.</summary>
    public string? Product { get; init; }

    /// <summary>What antivirus found it to be.</summary>
    public string? Threat { get; init; }

    /// <summary>Who signed it.</summary>
    public string? Signer { get; init; }

    /// <summary>Who certified the signer.</summary>
    public string? Issuer { get; init; }

    /// <summary>Hash of the signer's certificate.</summary>
    public string? SignerHash { get; init; }

    /// <summary>Whether a device trusted the signature; null for files without one.</summary>
    public bool? IsTrusted { get; init; }

    /// <summary>A file that an alert names and that no event in the retention period tells of: the alert's time is all there is.</summary>
    public static FileFacts Unseen(string sha1, string? sha256, DateTime time) => new(sha1, sha256) { First = time, Last = time };

    /// <summary>Writes the properties into an object that is open.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("sha1"u8, Sha1);
        json.WriteString("sha256"u8, Sha256);
        json.WriteString("md5"u8, Md5);
        json.WriteNumber("globalPrevalence"u8, Devices);
        json.WriteString("globalFirstObserved"u8, First);
        json.WriteString("globalLastObserved"u8, Last);
        if (Size is { } size) json.WriteNumber("size"u8, size);
        else json.WriteNull("size"u8);
        json.WriteNull("fileType"u8);
        json.WriteBoolean("isPeFile"u8, IsPortableExecutable);
        json.WriteString("filePublisher"u8, Publisher);
        json.WriteString("fileProductName"u8, Product);
        json.WriteString("signer"u8, Signer);
        json.WriteString("issuer"u8, Issuer);
        json.WriteString("signerHash"u8, SignerHash);
        if (IsTrusted is { } trusted) json.WriteBoolean("isValidCertificate"u8, trusted);
        else json.WriteNull("isValidCertificate"u8);
        json.WriteString("determinationType"u8, Threat is null ? "Unknown" : Threat.StartsWith("PUA", StringComparison.OrdinalIgnoreCase) ? "Pua" : "Malware");
        json.WriteString("determinationValue"u8, Threat);
    }
}
