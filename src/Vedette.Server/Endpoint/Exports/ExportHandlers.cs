using System.Globalization;
using System.Text;
using System.Text.Json;
using Vedette.Defender.Vulnerabilities.Exports;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.Exports;

/// <summary>
/// The exports, as pages of JSON and as links to files. Both read one picture of the state; a page's link names the picture and the line to go
/// on with, so that paging neither loses nor doubles a row while the state changes.
/// </summary>
internal sealed class ExportHandlers(ExportSnapshots snapshots, SignedLinks links, TimeProvider clock) : IEndpointHandlers
{
    private const int DefaultPage = 50_000;
    private const int LargestPage = 200_000;
    private const int MostDays = 14;

    // Path of the JSON form and of the file form, where there is one, and the lifetime of the links: usual and longest hours.
    private static readonly (string Json, string Files, ExportKind Kind, int Hours, int MostHours)[] Exports =
    [
        ("SecureConfigurationsAssessmentByMachine", "SecureConfigurationsAssessmentExport", ExportKinds.SecureConfiguration, 1, 6),
        ("SoftwareInventoryByMachine", "SoftwareInventoryExport", ExportKinds.Software, 1, 6),
        ("SoftwareInventoryNoProductCodeByMachine", "SoftwareInventoryNonCpeExport", ExportKinds.SoftwareWithoutCode, 1, 6),
        ("SoftwareVulnerabilitiesByMachine", "SoftwareVulnerabilitiesExport", ExportKinds.Vulnerabilities, 1, 6),
        ("BrowserExtensionsInventoryByMachine", "browserextensionsinventoryExport", ExportKinds.BrowserExtensions, 1, 6),
        ("certificateAssessmentByMachine", "certificateAssessmentExport", ExportKinds.Certificates, 3, 24),
        ("HardwareFirmwareInventoryByMachine", "HardwareFirmwareInventoryExport", ExportKinds.Hardware, 1, 6),
        ("baselineComplianceAssessmentByMachine", "BaselineComplianceAssessmentExport", ExportKinds.Baselines, 1, 6),
        ("", "InfoGatheringExport", ExportKinds.Gathered, 1, 6),
    ];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        .. Exports.Where(e => e.Json.Length > 0).Select(e => new KeyValuePair<string, ApiHandler>(Row(e.Json), call => PageAsync(call, e.Kind, null))),
        .. Exports.Select(e => new KeyValuePair<string, ApiHandler>(Row(e.Files), call => FilesAsync(call, e.Kind, e.Hours, e.MostHours))),
        new(Row("SoftwareVulnerabilityChangesByMachine"), ChangesAsync),
    ];

    // The table spells one folder with a capital letter.
    private static string Row(string name) => name == "BrowserExtensionsInventoryByMachine" ? $"GET /api/Machines/{name}" : $"GET /api/machines/{name}";

    private ValueTask<ApiResult> ChangesAsync(ApiCall call)
    {
        if (call.Http.Request.Query["sinceTime"].ToString() is not { Length: > 0 } text) return new(call.Error("MissingRequiredParameter", "sinceTime"));
        if (!RequestBody.TryTime(text, out var since)) return new(call.Error("InvalidInput", "sinceTime"));
        var now = clock.GetUtcNow().UtcDateTime;
        if (since > now) return new(call.Error("InvalidInput", "sinceTime: it lies in the future"));
        if (since < now.AddDays(-MostDays)) return new(call.Error("InvalidInput", $"sinceTime: it must be within the past {MostDays} days"));
        return PageAsync(call, ExportKinds.Changes, ExportSnapshots.BucketOf(since));
    }

    private async ValueTask<ApiResult> PageAsync(ApiCall call, ExportKind kind, DateTime? since)
    {
        var query = call.Http.Request.Query;
        var size = DefaultPage;
        if (query.TryGetValue("pageSize", out var given) && (!int.TryParse(given.ToString().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out size) || size is < 1 or > LargestPage))
            return call.Error("InvalidInput", $"pageSize: it must be a whole number from 1 to {LargestPage}");
        int? top = null;
        if (query.TryGetValue("$top", out var most))
        {
            if (!int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return call.Error("ODataError", $"Invalid value '{most}' for $top query option found. The $top query option requires a non-negative integer value.");
            top = number;
        }

        var at = new SkipToken("", 0, 0);
        ExportSnapshot? snapshot;
        if (query.TryGetValue("$skiptoken", out var token))
        {
            if (SkipToken.Read(token.ToString()) is not { } read) return call.Error("InvalidInput", "$skiptoken");
            at = read;
            snapshot = await snapshots.FindAsync(call.Caller.TenantId, kind, since, at.TimePath, call.Aborted);
            if (snapshot is null) return call.Error("BadRequest", "The $skiptoken has expired. Start again without it.");
        }
        else
        {
            snapshot = await snapshots.CurrentAsync(call.Caller.TenantId, kind, since, call.Aborted);
        }

        var files = Visible(call, snapshot);
        return new JsonResult((json, flow) => WriteAsync(call, kind, snapshot, files, at, top, Math.Min(top ?? size, size), json, flow));
    }

    private async ValueTask WriteAsync(
        ApiCall call, ExportKind kind, ExportSnapshot snapshot, List<ExportFile> files, SkipToken at, int? top, int take, Utf8JsonWriter json, AnswerFlow flow)
    {
        var writer = new ExportRowWriter(kind);
        json.WriteStartObject();
        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
        json.WriteStartArray("value"u8);
        var (file, line, written) = (at.FileIndex, at.Line, 0);
        for (; file < files.Count && written < take; file++, line = 0)
        {
            await foreach (var text in snapshots.LinesAsync(files[file], line, flow.Cancel))
            {
                if (written == take) break;
                writer.Write(json, text);
                written++;
                line++;
                await flow.SendIfLargeAsync();
            }

            if (line < files[file].Rows) break;
        }

        json.WriteEndArray();
        var isMore = file < files.Count && (line < files[file].Rows || file + 1 < files.Count);
        if (isMore && top is null) json.WriteString("@odata.nextLink"u8, NextLink(call, new SkipToken(snapshot.TimePath, file, line)));
        json.WriteEndObject();
    }

    private async ValueTask<ApiResult> FilesAsync(ApiCall call, ExportKind kind, int usual, int longest)
    {
        var hours = usual;
        var query = call.Http.Request.Query;
        var given = query["sasValidHours"].ToString() is { Length: > 0 } plain ? plain : query["$sasValidHours"].ToString();
        if (given.Length > 0 && (!int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out hours) || hours < 1 || hours > longest))
            return call.Error("InvalidInput", $"sasValidHours: it must be a whole number from 1 to {longest}");
        var snapshot = await snapshots.CurrentAsync(call.Caller.TenantId, kind, null, call.Aborted);
        var request = call.Http.Request;
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
            json.WriteStartArray("exportFiles"u8);
            foreach (var file in Visible(call, snapshot)) json.WriteStringValue($"{request.Scheme}://{request.Host.Value}{links.Make(file.Path, TimeSpan.FromHours(hours))}");
            json.WriteEndArray();
            json.WriteString("generatedTime"u8, snapshot.GeneratedAt);
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    // A user's device groups bound what the user sees; the picture is the same for all.
    private static List<ExportFile> Visible(ApiCall call, ExportSnapshot snapshot) =>
        [.. snapshot.Files.Where(file => call.Caller.DeviceGroups is not { } groups || groups.Contains(file.Group))];

    // The client's own parameters come back in lower case.
    private static string NextLink(ApiCall call, SkipToken token)
    {
        var options = call.Http.Request.Query.Where(pair => !pair.Key.StartsWith('$'))
            .SelectMany(pair => pair.Value.Select(value => $"{Uri.EscapeDataString(pair.Key.ToLowerInvariant())}={Uri.EscapeDataString(value ?? "")}"))
            .Append($"$skiptoken={Uri.EscapeDataString(token.ToString())}");
        return $"{call.ServiceRoot}/{call.RelativePath}?{string.Join('&', options)}";
    }

    /// <summary>Where the next page begins, in the form of the service: base64 of a JSON object.</summary>
    internal sealed record SkipToken(string TimePath, int FileIndex, int Line)
    {
        private const int Longest = 1024;

        public static SkipToken? Read(string text)
        {
            try
            {
                if (text.Length > Longest) return null;
                using var document = JsonDocument.Parse(Convert.FromBase64String(text));
                var root = document.RootElement;
                var token = new SkipToken(
                    root.GetProperty("ExportDefinition").GetProperty("TimePath").GetString() ?? "", root.GetProperty("ExportFileIndex").GetInt32(), root.GetProperty("LineStoppedAt").GetInt32());
                return token.FileIndex >= 0 && token.Line >= 0 ? token : null;
            }
            catch (Exception malformed) when (malformed is FormatException or JsonException or InvalidOperationException or KeyNotFoundException)
            {
                return null;
            }
        }

        public override string ToString() => Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $$"""{"ExportDefinition":{"TimePath":"{{TimePath}}"},"ExportFileIndex":{{FileIndex}},"LineStoppedAt":{{Line}}}""")));
    }
}
