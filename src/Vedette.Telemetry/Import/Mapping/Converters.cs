using System.Collections.Frozen;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>The converters that the mapping table may name, gathered from the files beside this one.</summary>
internal static partial class Converters
{
    private static readonly FrozenDictionary<string, ValueConverter> All = Build();

    /// <summary>A converter by name; null when there is none.</summary>
    public static ValueConverter? Find(string name) => All.GetValueOrDefault(name);

    private static FrozenDictionary<string, ValueConverter> Build() => new Dictionary<string, ValueConverter>(StringComparer.Ordinal)
    {
        // Plain values
        ["long"] = (text, _) => LogNumbers.Parse(text) is { } number ? number : null,
        ["int"] = (text, _) => LogNumbers.Parse(text) is { } number and >= 0 and <= int.MaxValue ? (int)number : null,
        ["bool"] = (text, _) => text is null ? null : bool.TryParse(text, out var value) ? value : null,
        ["time"] = (text, scope) => text is not null && Reading.EventTimes.Parse(text) is { } time ? scope.Moved(time) : null,
        ["trim"] = (text, _) => text?.Trim(),
        ["host"] = (_, scope) => scope.Device.Name,
        ["unescape"] = (text, _) => text is null ? null : Unescape(text),

        // Files
        ["path"] = (text, _) => LogPaths.Normalise(text),
        ["fileName"] = (text, _) => text is null ? null : LogPaths.FileName(text),
        ["joined"] = Joined,
        ["sha1"] = (text, _) => text is null ? null : LogTexts.Hash(text, "SHA1"),
        ["sha256"] = (text, _) => text is null ? null : LogTexts.Hash(text, "SHA256"),
        ["md5"] = (text, _) => text is null ? null : LogTexts.Hash(text, "MD5"),
        ["imphash"] = (text, _) => text is null ? null : LogTexts.Hash(text, "IMPHASH"),
        ["isValid"] = (text, _) => text is null ? null : text.Equals("Valid", StringComparison.OrdinalIgnoreCase),
        ["isMicrosoft"] = (text, _) => text is null ? null : text.StartsWith("Microsoft ", StringComparison.Ordinal),
        ["zoneHost"] = (text, _) => ZoneValue(text, "HostUrl="),
        ["zoneReferrer"] = (text, _) => ZoneValue(text, "ReferrerUrl="),
        ["pipe"] = (text, _) => text is null ? null : text.StartsWith('\\') ? @"\Device\NamedPipe" + text : Unescape(text),
        ["commandFile"] = (text, _) => text is not null && LogPaths.ProgramOf(text) is { } program ? LogPaths.FileName(program) : null,
        ["commandPath"] = (text, _) => text is null ? null : LogPaths.ProgramOf(text),

        // Registry
        ["registryKey"] = (text, _) => RegistryKey(text),
        ["registryParent"] = (text, _) => RegistryKey(text) is { } key ? key[..Math.Max(0, key.LastIndexOf('\\'))] : null,
        ["registryValue"] = (text, _) => text is null ? null : LogPaths.FileName(text) is "(Default)" ? "" : text[(text.LastIndexOf('\\') + 1)..],
        ["registryType"] = (text, _) => RegistryType(text),
        ["registryData"] = (text, _) => RegistryData(text),
        ["registryTypeCode"] = (text, _) => text is null ? null : RegistryTypeCodes.GetValueOrDefault(text, text),

        // Accounts and logons
        ["account"] = (text, _) => text?.ToLowerInvariant(),
        ["sid"] = (text, _) => text is "S-1-0-0" ? null : text,
        ["principalName"] = (text, _) => text is null ? null : text.Split('@')[0].ToLowerInvariant(),
        ["distinguishedName"] = (text, _) => text is null ? null : DistinguishedName(text),
        ["logonType"] = (text, _) => text is null ? null : LogonTypeName(text),
        ["linuxLogon"] = (text, _) => text is null ? null : IsRemoteTerminal(text) ? "RemoteInteractive" : "Interactive",
        ["logonFailure"] = (text, _) => text is null ? null : LogonFailures.GetValueOrDefault(text.ToLowerInvariant(), text),
        ["kerberosFailure"] = (text, _) => text is null ? null : KerberosFailures.GetValueOrDefault(text.ToLowerInvariant(), text),
        ["isLocalAdmin"] = (text, scope) => LogNumbers.Parse(text) is { } logon ? scope.Device.Sessions.Find(logon)?.IsAdministrator : null,
        ["isLocalLogon"] = (text, _) => text is null || IpKinds.IsLoopback(text),
        ["auditUser"] = (text, _) => text is "unset" or "4294967295" ? null : text,
        ["auditSession"] = (text, _) => LogNumbers.Parse(text) is { } number and >= 0 and < uint.MaxValue ? number : null,
        ["deviceName"] = (text, _) => text?.TrimStart('\\').ToLowerInvariant(),
        ["serviceHost"] = (text, _) => text is null ? null : text.TrimEnd('$').ToLowerInvariant(),
        ["otherHost"] = (text, scope) => text is null || scope.Device.IsNamed(text) ? null : text.ToLowerInvariant(),
        ["accountChange"] = (text, _) => text is null ? null : AccountChanges.GetValueOrDefault(text),

        // Network
        ["ip"] = (text, _) => IpKinds.Normalise(text),
        ["ipType"] = (text, _) => IpKinds.Kind(text),
        ["port"] = (text, _) => LogNumbers.Parse(text) is { } port and > 0 and <= 65535 ? (int)port : null,
        ["protocol"] = (text, _) => text is null ? null : Protocols.GetValueOrDefault(text.ToLowerInvariant(), text),
        ["hostName"] = (text, _) => text?.TrimEnd('.').ToLowerInvariant(),
        ["resolved"] = (text, scope) => IpKinds.Normalise(text) is { } address ? scope.Device.Names.Find(address) : null,
        ["dnsResult"] = (text, _) => text is null ? null : DnsResult(text),

        // Audit details
        ["list"] = (text, _) => text is null ? null : string.Join(", ", Words(text)),
        ["accessList"] = (text, _) => text is null ? null : string.Join(", ", Words(text)),
        ["hasAccess"] = (text, _) => LogNumbers.Parse(text) is { } mask ? mask : null,
        ["granted"] = (text, _) => Granted(text),
        ["message"] = (text, _) => text is null ? null : Messages.GetValueOrDefault(text.Trim(), text.Trim()),
        ["yes"] = (text, _) => text is null ? null : text is "%%1842" or "Yes" or "true",
        ["tokenChange"] = (text, _) => TokenChange(text),
        ["clearedLog"] = (text, _) => text is null ? null : ClearedLog(text),

        // Scheduled tasks
        ["taskCommand"] = (text, _) => text is null ? null : TaskAction(text).Command,
        ["taskPath"] = (text, _) => text is null ? null : TaskAction(text).Program,
        ["taskFile"] = (text, _) => text is not null && TaskAction(text).Program is { } program ? LogPaths.FileName(program) : null,

        // PowerShell and WMI
        ["powerShellCommands"] = (text, _) => text is null ? null : PowerShellText.Commands(text),
        ["commandNames"] = (text, _) =>
            text is not null && PowerShellText.Commands(text) is { Count: > 0 } names ? string.Join(", ", names.Distinct()) : null,
        ["pipelineText"] = (text, _) => text is null ? null : PowerShellText.Pipeline(text),
        ["pipelineDetails"] = (text, _) => text is null ? null : PowerShellText.Details(text),
        ["wmiProvider"] = (text, _) => text?.Split(" provider started")[0],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static bool IsRemoteTerminal(string terminal) =>
        terminal is "ssh" or "sshd" || terminal.StartsWith("/dev/pts", StringComparison.Ordinal);

    private static object? Joined(string? path, MappingScope scope) =>
        path is null ? null
        : path.StartsWith('/') || scope.Event.Text(scope.WorkingDirectory) is not { } folder ? path
        : folder.TrimEnd('/') + "/" + path;

    private static string? ZoneValue(string? contents, string name)
    {
        var at = contents?.IndexOf(name, StringComparison.OrdinalIgnoreCase) ?? -1;
        if (at < 0) return null;
        var value = contents.AsSpan(at + name.Length);
        var end = value.IndexOfAny(" \r\n\t");
        return (end < 0 ? value : value[..end]).ToString();
    }

    private static string Unescape(string text) =>
        text.Contains("&lt;", StringComparison.Ordinal) ? System.Net.WebUtility.HtmlDecode(text) : text;

    private static IEnumerable<string> Words(string text)
    {
        foreach (var word in text.Split((char[])['\r', '\n', '\t', ' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            yield return Messages.GetValueOrDefault(word, word);
        }
    }
}
