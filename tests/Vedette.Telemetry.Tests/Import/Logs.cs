using System.Text.Json.Nodes;

namespace Vedette.Telemetry.Tests.Import;

/// <summary>Writes events as an exporter of flattened JSON does.</summary>
internal static class Logs
{
    public const string Host = "PC1.contoso.example";

    public static string Sysmon(int id, string utc, params (string Name, string Value)[] fields) =>
        Event("Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/Operational", id, utc.Replace(' ', 'T') + "Z", [("UtcTime", utc), .. fields]);

    public static string Security(int id, string time, params (string Name, string Value)[] fields) =>
        Event("Microsoft-Windows-Security-Auditing", "Security", id, time, fields);

    public static string Event(string provider, string channel, int id, string time, params (string Name, string Value)[] fields)
    {
        var node = new JsonObject { ["SourceName"] = provider, ["Channel"] = channel, ["EventID"] = id, ["Hostname"] = Host, ["TimeCreated"] = time };
        foreach (var (name, value) in fields) node[name] = value;
        return node.ToJsonString();
    }

    /// <summary>Sysmon's identity of a process that began at a time, with a number to tell it from others.</summary>
    public static string Guid(string utc, int number)
    {
        var seconds = (uint)(DateTime.Parse(utc + "Z", null, System.Globalization.DateTimeStyles.AdjustToUniversal) - DateTime.UnixEpoch).TotalSeconds;
        return $"{{0a0b0c0d-{seconds & 0xFFFF:x4}-{seconds >> 16:x4}-{number:x4}-000000000400}}";
    }

    public static string Start(string utc, int pid, string image, string commandLine, int parentPid, string parentImage, string parentCommandLine, string parentUtc, string user = @"CONTOSO\alice") =>
        Sysmon(1, utc,
            ("ProcessGuid", Guid(utc, pid)), ("ProcessId", $"{pid}"), ("Image", image), ("CommandLine", commandLine), ("User", user), ("LogonId", "0x5a1f"),
            ("TerminalSessionId", "2"), ("IntegrityLevel", "Medium"), ("Hashes", "SHA1=AA00000000000000000000000000000000000001,MD5=BB000000000000000000000000000001,SHA256=CC00000000000000000000000000000000000000000000000000000000000001"),
            ("Company", "Contoso"), ("Product", "Suite"), ("FileVersion", "1.2"), ("OriginalFileName", "orig.exe"), ("Description", "A program"), ("CurrentDirectory", @"C:\Temp\"),
            ("ParentProcessGuid", Guid(parentUtc, parentPid)), ("ParentProcessId", $"{parentPid}"), ("ParentImage", parentImage), ("ParentCommandLine", parentCommandLine));
}
