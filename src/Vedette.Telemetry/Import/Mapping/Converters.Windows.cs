using System.Globalization;
using System.Text.Json;
using System.Xml;

namespace Vedette.Telemetry.Import.Mapping;

/// <content>Vocabularies of Windows logs.</content>
internal static partial class Converters
{
    // Hives as the service spells them: keys of a signed-in user stand under HKEY_CURRENT_USER with the user's identifier.
    private static readonly (string Prefix, string Hive)[] Hives =
    [
        (@"HKLM\", @"HKEY_LOCAL_MACHINE\"), (@"HKU\S-1-5-21-", @"HKEY_CURRENT_USER\S-1-5-21-"),
        (@"HKU\S-1-12-1-", @"HKEY_CURRENT_USER\S-1-12-1-"), (@"HKU\", @"HKEY_USERS\"), (@"HKCR\", @"HKEY_CLASSES_ROOT\"),
        (@"HKCU\", @"HKEY_CURRENT_USER\"), (@"HKCC\", @"HKEY_CURRENT_CONFIG\"), (@"\REGISTRY\MACHINE\", @"HKEY_LOCAL_MACHINE\"),
        (@"\REGISTRY\USER\S-1-5-21-", @"HKEY_CURRENT_USER\S-1-5-21-"), (@"\REGISTRY\USER\", @"HKEY_USERS\"),
    ];

    private static readonly Dictionary<string, string> RegistryTypeCodes = new(StringComparer.Ordinal)
    {
        ["%%1872"] = "None", ["%%1873"] = "String", ["%%1874"] = "ExpandableString", ["%%1875"] = "Binary", ["%%1876"] = "Dword",
        ["%%1879"] = "MultiString", ["%%1883"] = "Qword",
    };

    private static readonly Dictionary<string, string> LogonTypes = new(StringComparer.Ordinal)
    {
        ["0"] = "System", ["2"] = "Interactive", ["3"] = "Network", ["4"] = "Batch", ["5"] = "Service", ["7"] = "Unlock",
        ["8"] = "NetworkCleartext", ["9"] = "NewCredentials", ["10"] = "RemoteInteractive", ["11"] = "CachedInteractive",
        ["12"] = "CachedRemoteInteractive", ["13"] = "CachedUnlock",
    };

    // Source: NTSTATUS values that Windows documents for its logon failures.
    private static readonly Dictionary<string, string> LogonFailures = new(StringComparer.Ordinal)
    {
        ["0xc0000064"] = "UnknownUser", ["0xc000006a"] = "InvalidUserNameOrPassword", ["0xc000006d"] = "InvalidUserNameOrPassword",
        ["0xc000006e"] = "AccountRestrictions", ["0xc000006f"] = "InvalidLogonHours", ["0xc0000070"] = "InvalidWorkstation",
        ["0xc0000071"] = "PasswordExpired", ["0xc0000072"] = "AccountDisabled", ["0xc00000dc"] = "InvalidServerState",
        ["0xc0000133"] = "ClockSkew", ["0xc000015b"] = "LogonTypeNotGranted", ["0xc000018c"] = "TrustRelationshipFailure",
        ["0xc0000192"] = "NetlogonNotStarted", ["0xc0000193"] = "AccountExpired", ["0xc0000224"] = "PasswordMustChange",
        ["0xc0000234"] = "AccountLockedOut", ["0xc0000413"] = "AuthenticationFirewall",
    };

    // Source: RFC 4120, section 7.5.9.
    private static readonly Dictionary<string, string> KerberosFailures = new(StringComparer.Ordinal)
    {
        ["0x6"] = "UnknownUser", ["0x7"] = "UnknownService", ["0xc"] = "AccountRestrictions", ["0x12"] = "AccountDisabled",
        ["0x17"] = "PasswordExpired", ["0x18"] = "WrongPassword", ["0x25"] = "ClockSkew",
    };

    private static readonly Dictionary<string, string> AccountChanges = new(StringComparer.Ordinal)
    {
        ["4722"] = "Enabled", ["4725"] = "Disabled", ["4738"] = "Changed", ["4740"] = "LockedOut", ["4767"] = "Unlocked",
        ["4781"] = "Renamed",
    };

    // Message numbers that appear as values. Source: Windows' own message table for security audits.
    private static readonly Dictionary<string, string> Messages = new(StringComparer.Ordinal)
    {
        ["%%1537"] = "DELETE", ["%%1538"] = "READ_CONTROL", ["%%1539"] = "WRITE_DAC", ["%%1540"] = "WRITE_OWNER",
        ["%%1541"] = "SYNCHRONIZE", ["%%4416"] = "ReadData", ["%%4417"] = "WriteData", ["%%4418"] = "AppendData", ["%%4419"] = "ReadEA",
        ["%%4420"] = "WriteEA", ["%%4421"] = "Execute", ["%%4423"] = "ReadAttributes", ["%%4424"] = "WriteAttributes",
        ["%%4432"] = "QueryKeyValue", ["%%4433"] = "SetKeyValue", ["%%4434"] = "CreateSubKey", ["%%4435"] = "EnumerateSubKeys",
        ["%%4436"] = "NotifyAboutChanges", ["%%4437"] = "CreateLink", ["%%4480"] = "TerminateProcess", ["%%4481"] = "CreateThread",
        ["%%4482"] = "SetSession", ["%%4483"] = "VmOperation", ["%%4484"] = "VmRead", ["%%4485"] = "VmWrite",
        ["%%4486"] = "DuplicateHandle", ["%%4487"] = "CreateProcess", ["%%4488"] = "SetQuota", ["%%4489"] = "SetInformation",
        ["%%4490"] = "QueryInformation", ["%%4491"] = "SetPort", ["%%4492"] = "SuspendResume", ["%%1831"] = "Anonymous",
        ["%%1832"] = "Identification", ["%%1833"] = "Impersonation", ["%%1840"] = "Delegation", ["%%1842"] = "Yes", ["%%1843"] = "No",
        ["%%2080"] = "AccountDisabled", ["%%2048"] = "AccountEnabled", ["%%2050"] = "PasswordNotRequiredDisabled",
        ["%%2082"] = "PasswordNotRequiredEnabled", ["%%2089"] = "DontExpirePasswordEnabled", ["%%2057"] = "DontExpirePasswordDisabled",
    };

    /// <summary>The service's word for a Windows logon type.</summary>
    public static string LogonTypeName(string number) => LogonTypes.GetValueOrDefault(number, number);

    private static string? RegistryKey(string? text)
    {
        if (text is null) return null;
        foreach (var (prefix, hive) in Hives)
        {
            if (text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return string.Concat(hive, text.AsSpan(prefix.Length));
        }

        return text;
    }

    // Sysmon writes the data without its type except for numbers and binary data.
    private static string? RegistryType(string? details) =>
        details is null ? null
        : details.StartsWith("DWORD (", StringComparison.Ordinal) ? "Dword"
        : details.StartsWith("QWORD (", StringComparison.Ordinal) ? "Qword"
        : details == "Binary Data" ? "Binary"
        : details.StartsWith('%') ? "ExpandableString"
        : "String";

    private static string? RegistryData(string? details)
    {
        if (details is null or "(Empty)" or "Binary Data") return details is null ? null : "";
        if (details.StartsWith("DWORD (0x", StringComparison.Ordinal) && details.EndsWith(')')
            && uint.TryParse(details.AsSpan(9, details.Length - 10), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number))
        {
            return number.ToString(CultureInfo.InvariantCulture);
        }

        if (details.StartsWith("QWORD (0x", StringComparison.Ordinal) && details.EndsWith(')')
            && details.IndexOf("-0x", StringComparison.Ordinal) is var dash and > 0
            && uint.TryParse(details.AsSpan(9, dash - 9), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            && uint.TryParse(details.AsSpan(dash + 3, details.Length - dash - 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low))
        {
            return (((ulong)high << 32) | low).ToString(CultureInfo.InvariantCulture);
        }

        return details;
    }

    private static string DistinguishedName(string text)
    {
        if (!text.StartsWith("CN=", StringComparison.OrdinalIgnoreCase)) return text[(text.LastIndexOf('\\') + 1)..].ToLowerInvariant();
        var comma = text.IndexOf(',', StringComparison.Ordinal);
        return text[3..(comma < 0 ? text.Length : comma)].ToLowerInvariant();
    }

    // Audit keywords or the event type of forwarders: bit 52 is a failure, bit 53 a success.
    private static object? Granted(string? text)
    {
        if (text is null) return null;
        if (text.Contains("FAILURE", StringComparison.OrdinalIgnoreCase)) return false;
        if (text.Contains("SUCCESS", StringComparison.OrdinalIgnoreCase)) return true;
        return LogNumbers.Parse(text) is { } keywords ? (keywords & (1L << 52)) == 0 : null;
    }

    private static string? TokenChange(string? enabled) =>
        enabled is null
            ? null
            : JsonSerializer.Serialize(new { tokenChangeDescription = "Privileges were added to the token", isChangedToSystemToken = false });

    private static string ClearedLog(string text)
    {
        const string lead = "The ";
        var end = text.IndexOf(" log file was cleared", StringComparison.Ordinal);
        return end > lead.Length && text.StartsWith(lead, StringComparison.Ordinal) ? text[lead.Length..end] : text;
    }

    // The first program that a task's definition runs.
    private static (string? Program, string? Command) TaskAction(string definition)
    {
        var xml = Unescape(definition);
        var start = xml.IndexOf("<Task", StringComparison.Ordinal);
        if (start < 0) return default;
        try
        {
            var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
            using var reader = XmlReader.Create(new StringReader(xml[start..]), settings);
            if (!reader.ReadToFollowing("Exec")) return default;
            string? command = null;
            string? arguments = null;
            using var exec = reader.ReadSubtree();
            exec.Read();
            while (!exec.EOF)
            {
                if (exec is { NodeType: XmlNodeType.Element, LocalName: "Command" }) command = exec.ReadElementContentAsString();
                else if (exec is { NodeType: XmlNodeType.Element, LocalName: "Arguments" }) arguments = exec.ReadElementContentAsString();
                else exec.Read();
            }

            return command is null ? default : (LogPaths.Normalise(command.Trim('"')), arguments is null ? command : $"{command} {arguments}");
        }
        catch (XmlException)
        {
            return default;
        }
    }
}
