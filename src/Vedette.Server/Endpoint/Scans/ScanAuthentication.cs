using System.Text;
using System.Text.Json;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.Scans;

/// <summary>
/// How a scanner signs in to its targets, as callers send it. Secrets are checked and then dropped: nobody here needs them, so they are
/// neither stored nor given back.
/// </summary>
internal static class ScanAuthentication
{
    private const string Prefix = "#microsoft.windowsDefenderATP.api.";

    private static readonly string[] Snmp = ["CommunityString", "NoAuthNoPriv", "AuthNoPriv", "AuthPriv"];
    private static readonly string[] Windows = ["Kerberos", "Negotiate"];

    // Members in the order of the reference; those that are secrets stay null.
    private static readonly (string Name, bool IsSecret)[] Members =
    [
        ("type", false), ("keyVaultUrl", false), ("keyVaultSecretName", false), ("domain", false), ("username", false), ("isGmsaUser", false),
        ("communityString", true), ("authProtocol", false), ("authPassword", true), ("privProtocol", false), ("privPassword", true),
    ];

    /// <summary>The parameters without secrets, as JSON.</summary>
    /// <param name="call">The call, for its errors.</param>
    /// <param name="given">What the caller sent.</param>
    /// <param name="scanType">The kind of scan when it is known; the parameters must fit it.</param>
    /// <exception cref="ApiException">Something does not fit; the explanation names it.</exception>
    public static string Read(ApiCall call, JsonElement given, string? scanType)
    {
        var members = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        foreach (var member in given.EnumerateObject()) members[member.Name] = member.Value;
        var kind = Text("@odata.type") ?? throw Wrong("'@odata.type' is missing in scanAuthenticationParams");
        var isWindows = kind.Equals(Prefix + "WindowsAuthParams", StringComparison.OrdinalIgnoreCase);
        if (!isWindows && !kind.Equals(Prefix + "SnmpAuthParams", StringComparison.OrdinalIgnoreCase)) throw Wrong($"'@odata.type' must be {Prefix}SnmpAuthParams or {Prefix}WindowsAuthParams");
        if (scanType is not null && isWindows != scanType.Equals("Windows", StringComparison.OrdinalIgnoreCase)) throw Wrong($"parameters of type {kind} do not fit a {scanType} scan");
        var type = Text("type");
        if (type is null || !(isWindows ? Windows : Snmp).Contains(type, StringComparer.OrdinalIgnoreCase)) throw Wrong($"'type' must be one of {string.Join(", ", isWindows ? Windows : Snmp)}");
        if (isWindows && !(members.TryGetValue("isGmsaUser", out var flag) && flag.ValueKind == JsonValueKind.True)) throw Wrong("'isGmsaUser' must be true for a Windows scan");
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("@odata.type", isWindows ? Prefix + "WindowsAuthParams" : Prefix + "SnmpAuthParams");
            foreach (var (name, isSecret) in Members)
            {
                json.WritePropertyName(name);
                if (isSecret || !members.TryGetValue(name, out var value) || value.ValueKind is not (JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)) json.WriteNullValue();
                else value.WriteTo(json);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());

        string? Text(string name) => members.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

        ApiException Wrong(string why) => new(call.Error("InvalidRequestBody") with { Explanation = why });
    }
}
