using System.Globalization;
using Vedette.Identity.Tokens;

namespace Vedette.Server.Tests.Endpoint.Conformance;

/// <summary>A request for each call of the reference: its path filled in, a body that it takes, tokens.</summary>
internal static class ContractRequest
{
    /// <summary>The permissions side by side in the reference of which the service wants one of each kind, by the end of the path.</summary>
    private const string TwoPermissions = "/StopAndQuarantineFile";

    private static readonly TokenUser User = new(
        new Guid("cccccccc-0000-4000-8000-000000000001"), "soc1@contoso.example", "Soc One", null, null, ["pwd"], null);

    /// <summary>Sends the call.</summary>
    public static Task<Answer> SendAsync(EndpointHost host, SpecifiedCall call, string? token, string? path = null) =>
        call.Path.EndsWith("/libraryfiles", StringComparison.Ordinal) && call.Method == "POST"
            ? UploadAsync(host, path ?? Path(call), token)
            : host.SendAsync(new HttpMethod(call.Method), path ?? Path(call), Body(call), token);

    /// <summary>An application token.</summary>
    public static string Application(SpecifiedCall call, IEnumerable<string> roles) => EndpointHost.TokenFor(Audience(call), [.. roles]);

    /// <summary>A user's token.</summary>
    public static string Delegated(SpecifiedCall call, params string[] scopes) =>
        EndpointHost.Write(d => d with { Audience = Audience(call), User = User, Scopes = scopes });

    /// <summary>A token with all that the call takes.</summary>
    public static string Full(SpecifiedCall call) => Application(call, call.Application.Count > 0 ? call.Application : ["SecurityBaselinesAssessment.Read.All"]);

    /// <summary>For each documented permission the set of permissions that must be enough.</summary>
    public static IEnumerable<string[]> Sufficient(SpecifiedCall call, bool delegated)
    {
        foreach (var permission in delegated ? call.Delegated : call.Application)
        {
            yield return !delegated && NeedsTwo(call) ? ["Machine.StopAndQuarantine", "Machine.Read.All", permission] : [permission];
        }
    }

    /// <summary>The text that refuses a caller who has only <c>Nothing.Read.All</c>.</summary>
    public static string Refusal(SpecifiedCall call, bool delegated)
    {
        if (!delegated && NeedsTwo(call)) return "The application does not have any of the required application permissions (Machine.StopAndQuarantine) to access the resource.";
        var (kind, needed) = delegated ? ("scopes", call.Delegated) : ("roles", call.Application);
        return $"Missing application {kind}. API required {kind}: {string.Join(',', needed)}, application {kind}: Nothing.Read.All.";
    }

    /// <summary>The path with its parameters filled in so that something is found.</summary>
    public static string Path(SpecifiedCall call)
    {
        var path = call.Path.Replace("{IP}", "10.0.0.1", StringComparison.Ordinal).Replace("{ip}", "203.0.113.9", StringComparison.Ordinal)
            .Replace("{TimeStamp}", ContractFixture.Now, StringComparison.Ordinal).Replace("{time}", ContractFixture.Now, StringComparison.Ordinal)
            .Replace("{index}", "0", StringComparison.Ordinal).Replace("{domain}", "bad.example.test", StringComparison.Ordinal)
            .Replace("{fileName}", "probe.ps1", StringComparison.Ordinal).Replace("{cveId}", ContractFixture.Vulnerability, StringComparison.Ordinal);
        var id = path.Split('/') is { Length: >= 3 } parts ? IdOf(parts[2].ToLowerInvariant(), path) : "";
        path = path.Replace("{id}", id, StringComparison.Ordinal).Replace("{Id}", id, StringComparison.Ordinal).Replace("{machineId}", id, StringComparison.Ordinal);
        if (path.EndsWith("findbytag", StringComparison.Ordinal)) return path + "?tag=all";
        if (path.EndsWith("SoftwareVulnerabilityChangesByMachine", StringComparison.Ordinal)) return $"{path}?sinceTime={ContractFixture.Yesterday}";
        return path.EndsWith("advancedqueries", StringComparison.Ordinal) ? path + "?key=DeviceInfo" : path;
    }

    private static bool NeedsTwo(SpecifiedCall call) => call.Path.EndsWith(TwoPermissions, StringComparison.Ordinal);

    private static string Audience(SpecifiedCall call) =>
        call.Path.StartsWith("/api/advancedhunting", StringComparison.Ordinal) ? EndpointHost.ThreatProtection : EndpointHost.Audience;

    private static string IdOf(string resource, string path) => resource switch
    {
        "alerts" => Seed.Alert(1).Id,
        "machines" => Seed.MachineId(2),
        "machineactions" when path.Contains("getPackageUri", StringComparison.OrdinalIgnoreCase) => ContractFixture.Package.ToString(),
        "machineactions" when path.Contains("GetLiveResponseResult", StringComparison.OrdinalIgnoreCase) => ContractFixture.Session.ToString(),
        "machineactions" => ContractFixture.Action.ToString(),
        "users" => "dana",
        "files" => new string('a', 40),
        "software" => ContractFixture.Software,
        "recommendations" => ContractFixture.Recommendation,
        "remediationtasks" => TvmSeed.Task.ToString(),
        "deviceauthenticatedscandefinitions" => TvmSeed.Scan.ToString(),
        "deviceauthenticatedscanagents" => Seed.MachineId(1),
        _ => "1",
    };

    private static object? Body(SpecifiedCall call)
    {
        var required = call.Body.Where(field => field.Required && !field.Name.Contains('[', StringComparison.Ordinal)).ToArray();
        if (required.Length == 0) return call.Method == "GET" ? null : """{"status":"New","machineTags":["x"],"comment":"c"}""";
        var body = required.ToDictionary(field => field.Name, field => Value(field.Name, field.Values));
        if (call.Path.EndsWith("BatchDelete", StringComparison.Ordinal) && body.ContainsKey("ScanDefinitionIds")) body["ScanDefinitionIds"] = new[] { TvmSeed.SpareScan.ToString() };
        if (call.Path.EndsWith("batchUpdate", StringComparison.Ordinal)) body["status"] = "Resolved";
        return body;
    }

    private static object Value(string name, IReadOnlyList<string> values) => name switch
    {
        "alertIds" => new[] { Seed.Alert(1).Id },
        "MachineIds" => new[] { Seed.MachineId(1) },
        "machineId" => Seed.MachineId(2),
        "Sha1" => new string('b', 40),
        "eventTime" => ContractFixture.Now,
        "reportId" => "1",
        "Query" => "DeviceInfo | take 1",
        "indicatorValue" => "203.0.113.44",
        "indicatorType" => "IpAddress",
        "action" => "Block",
        "Indicators" => new[] { new { indicatorValue = "203.0.113.45", indicatorType = "IpAddress", action = "Block", title = "t", description = "d" } },
        "IndicatorIds" => new[] { "2" },
        "ScanDefinitionIds" => new[] { TvmSeed.Scan.ToString() },
        "SessionIds" => new[] { TvmSeed.Session },
        "Commands" => new[] { new { type = "GetFile", @params = new[] { new { key = "Path", value = @"C:\a.txt" } } } },
        "isActive" => true,
        "intervalInHours" => 4,
        "target" => "192.0.2.0/28",
        "targetType" => "Ip",
        "scannerAgent" => new { machineId = Seed.MachineId(2), id = Seed.MachineId(2) },
        "scanAuthenticationParams" => new Dictionary<string, object> { ["@odata.type"] = "#microsoft.windowsDefenderATP.api.WindowsAuthParams", ["type"] = "Kerberos", ["username"] = "scan", ["domain"] = "contoso", ["isGmsaUser"] = true },
        _ when values.Count > 0 => values[0],
        _ => "text",
    };

    private static async Task<Answer> UploadAsync(EndpointHost host, string path, string? token)
    {
        using var form = new MultipartFormDataContent { { new StringContent("a probe"), "Description" } };
        form.Add(new ByteArrayContent("Write-Output hello"u8.ToArray()), "file", "new.ps1");
        return await host.SendAsync(HttpMethod.Post, path, form, token);
    }
}
