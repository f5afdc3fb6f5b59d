using System.Globalization;
using Vedette.Telemetry.Ingest;

namespace Vedette.Rates.Bench;

/// <summary>Made-up events of a Windows fleet, and rules and indicators that go with them. The same seed always gives the same.</summary>
internal sealed class EventSource(int seed)
{
    private static readonly string[] Programs =
    [
        "svchost.exe", "chrome.exe", "msedge.exe", "explorer.exe", "cmd.exe", "powershell.exe", "conhost.exe", "RuntimeBroker.exe", "taskhostw.exe", "WmiPrvSE.exe", "OUTLOOK.EXE",
        "WINWORD.EXE", "Teams.exe", "OneDrive.exe", "rundll32.exe", "msiexec.exe", "MsMpEng.exe", "dllhost.exe", "schtasks.exe", "wscript.exe", "reg.exe", "net.exe", "certutil.exe",
    ];

    private readonly Random _random = new(seed);

    /// <summary>Batches as devices send them: processes, connections, files and registry values.</summary>
    public IReadOnlyList<HuntingRow[]> Batches(int batches, int events) =>
        [.. Enumerable.Range(0, batches).Select(batch => Enumerable.Range(0, events).Select(_ => Event(batch)).OrderBy(row => row.Table.Name, StringComparer.Ordinal).ToArray())];

    /// <summary>A process event that one rule waits for.</summary>
    public static HuntingRow Marker(string name)
    {
        var row = HuntingRow.For("DeviceProcessEvents");
        (row["Timestamp"], row["DeviceId"], row["ActionType"], row["FileName"]) = (DateTime.UtcNow, "d0", "ProcessCreated", "marker.exe");
        (row["ProcessCommandLine"], row["AccountName"], row["ReportId"]) = ($"marker.exe --latency-marker {name}", name, 1L);
        return row;
    }

    /// <summary>The text of a rule file: mostly rules that wait for rare words, some that many events make run.</summary>
    public static string Rule(int number)
    {
        var word = string.Create(CultureInfo.InvariantCulture, $"rareword{number:D5}");
        var query = number == 0
            ? "DeviceProcessEvents | where ProcessCommandLine has \"latency-marker\""
            : (number % 50) switch
            {
                7 => $"DeviceProcessEvents | where FileName =~ \"powershell.exe\" | where ProcessCommandLine matches regex @\"never{number}x+y\"",
                _ => (number % 6) switch
                {
                    0 => $"DeviceProcessEvents | where FileName in~ (\"powershell.exe\", \"cmd.exe\") and ProcessCommandLine has_any (\"{word}\", \"other{word}\")",
                    1 => $"DeviceProcessEvents | where InitiatingProcessFileName =~ \"winword.exe\" and ProcessCommandLine contains \"-{word}-\" and not(AccountName in~ (\"system\"))",
                    2 => $"DeviceNetworkEvents | where RemoteUrl has \"{word}.example\" or RemoteIP == \"203.0.113.{number % 250}\"",
                    3 => $"DeviceFileEvents | where FileName endswith \".{word}\" and FolderPath startswith @\"C:\\Users\"",
                    4 => $"DeviceRegistryEvents | where RegistryKey contains @\"\\{word}\\Run\" and ActionType == \"RegistryValueSet\"",
                    _ => $"DeviceProcessEvents | where (FileName =~ \"reg.exe\" and ProcessCommandLine has_all (\"save\", \"{word}\")) or ProcessCommandLine has \"{word}x\"",
                },
            };
        return string.Create(
            CultureInfo.InvariantCulture,
            $$$"""
            id: {{{new Guid(number + 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)}}}
            title: "Rule {{{number}}}{{{(number == 0 ? " {{AccountName}}" : "")}}}"
            description: A rule of the measurement.
            finds: What it names.
            severity: Low
            category: Execution
            techniques: [T1059]
            frequency: Continuous
            query: |
              {{{query}}}
            entities:
              - { type: Device }
              - { type: Process, from: {{{(query.StartsWith("DeviceProcess", StringComparison.Ordinal) ? "created" : "initiating")}}} }
            """);
    }

    private HuntingRow Event(int device)
    {
        var kind = _random.Next(10);
        var program = Programs[(int)(Math.Pow(_random.NextDouble(), 2) * Programs.Length)];
        var parent = Programs[_random.Next(Programs.Length)];
        var row = HuntingRow.For(kind < 4 ? "DeviceProcessEvents" : kind < 7 ? "DeviceNetworkEvents" : kind < 9 ? "DeviceFileEvents" : "DeviceRegistryEvents");
        (row["Timestamp"], row["DeviceId"], row["DeviceName"], row["ReportId"]) = (DateTime.UtcNow, Text("d{0}", device), Text("pc-{0}.contoso.example", device), (long)_random.Next());
        (row["InitiatingProcessFileName"], row["InitiatingProcessFolderPath"]) = (parent, @"c:\windows\system32\" + parent.ToLowerInvariant());
        row["InitiatingProcessCommandLine"] = Text("\"C:\\Windows\\System32\\{0}\" -parent {1} -session {2}", parent, _random.Next(20_000), _random.Next(300));
        (row["InitiatingProcessId"], row["InitiatingProcessSHA1"], row["InitiatingProcessSHA256"]) = ((long)_random.Next(65_536), Hash(parent, 40), Hash(parent, 64));
        (row["InitiatingProcessAccountName"], row["InitiatingProcessAccountDomain"]) = (Text("user{0}", device % 3_000), "contoso");
        switch (row.Table.Name)
        {
            case "DeviceProcessEvents":
                (row["ActionType"], row["FileName"], row["FolderPath"], row["SHA1"], row["SHA256"]) = ("ProcessCreated", program, @"C:\Windows\System32\" + program, Hash(program, 40), Hash(program, 64));
                row["ProcessCommandLine"] = Text(
                    "\"C:\\Windows\\System32\\{0}\" --type=renderer --field-trial-handle={1},i,{2} --lang=en-US /run /task \"\\Vendor\\Job {3}\" --trace C:\\ProgramData\\Logs\\{4}.log",
                    program, _random.Next(), _random.Next(), _random.Next(3_000), _random.Next(10_000));
                (row["ProcessId"], row["AccountName"], row["AccountDomain"]) = ((long)_random.Next(65_536), Text("user{0}", device % 3_000), "contoso");
                break;
            case "DeviceNetworkEvents":
                (row["ActionType"], row["RemotePort"], row["Protocol"], row["RemoteIPType"]) = ("ConnectionSuccess", 443, "Tcp", "Public");
                row["RemoteIP"] = Text("{0}.{1}.{2}.7", 20 + _random.Next(180), _random.Next(250), _random.Next(250));
                row["RemoteUrl"] = Text("https://host{0}.service{1}.example/api/{2}", _random.Next(4_000), _random.Next(300), _random.Next(50));
                break;
            case "DeviceFileEvents":
                (row["ActionType"], row["FileName"]) = ("FileCreated", Text("document{0}.docx", _random.Next(10_000)));
                (row["FolderPath"], row["SHA1"]) = (Text("C:\\Users\\user{0}\\Documents\\document.docx", device), Hash("file" + _random.Next(5_000), 40));
                break;
            default:
                (row["ActionType"], row["RegistryKey"]) = ("RegistryValueSet", Text("HKEY_CURRENT_USER\\S-1-5-21-1-2-3-{0}\\Software\\Vendor {1}\\Settings", device, _random.Next(200)));
                (row["RegistryValueName"], row["RegistryValueData"]) = ("LastUsed", Text("{0}", _random.Next()));
                break;
        }

        return row;
    }

    private static string Text(string format, params object[] values) => string.Format(CultureInfo.InvariantCulture, format, values);

    private static string Hash(string of, int digits) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(of)))[..digits];
}
