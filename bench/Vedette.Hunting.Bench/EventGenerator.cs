using System.Diagnostics;
using System.Globalization;
using Vedette.Telemetry.Engine;

namespace Vedette.Hunting.Bench;

/// <summary>
/// Fills the process and network tables with made-up events inside the engine, which is far faster than sending them. The same sizes always
/// give the same rows. Thirty days, program names and command lines with the skew of real fleets, about 160 characters a command line;
/// 0.3 % of the command lines hold the term "enc", 2 % hold it inside a longer word.
/// </summary>
internal sealed class EventGenerator(IClickHouse engine, string database, Guid tenant)
{
    /// <summary>The instant that the events end at.</summary>
    public static DateTime End { get; } = new(2026, 11, 20, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>The columns that are filled, by table.</summary>
    public static IReadOnlyDictionary<string, string> Columns { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["DeviceProcessEvents"] = """
            Timestamp, DeviceId, DeviceName, ActionType, FileName, FolderPath, SHA1, SHA256, MD5, FileSize, ProcessVersionInfoCompanyName,
            ProcessVersionInfoProductName, ProcessId, ProcessCommandLine, ProcessIntegrityLevel, ProcessTokenElevation, ProcessCreationTime,
            AccountDomain, AccountName, AccountSid, AccountUpn, LogonId, InitiatingProcessAccountDomain, InitiatingProcessAccountName,
            InitiatingProcessAccountSid, InitiatingProcessFileName, InitiatingProcessFolderPath, InitiatingProcessSHA1, InitiatingProcessSHA256,
            InitiatingProcessId, InitiatingProcessCommandLine, InitiatingProcessCreationTime, InitiatingProcessParentId,
            InitiatingProcessParentFileName, ReportId, AdditionalFields
            """,
        ["DeviceNetworkEvents"] = """
            Timestamp, DeviceId, DeviceName, ActionType, RemoteIP, RemotePort, RemoteUrl, LocalIP, LocalPort, Protocol, RemoteIPType,
            InitiatingProcessSHA256, InitiatingProcessFileName, InitiatingProcessFolderPath, InitiatingProcessId, InitiatingProcessCommandLine,
            InitiatingProcessCreationTime, InitiatingProcessAccountName, InitiatingProcessAccountDomain, InitiatingProcessParentFileName, ReportId
            """,
    };

    private const int RowsPerInsert = 500_000;

    // Shared by both tables: device, time, account and the process at work, from the row's number.
    private const string Common = """
        number AS n,
        toUInt32(sqrt(sipHash64(n, 1) % ({devices:UInt64} * {devices:UInt64}))) AS device,
        sipHash64(n, 2) AS a, sipHash64(n, 3) AS b, sipHash64(n, 4) AS c,
        toDateTime64({end:DateTime64(7, 'UTC')}, 7, 'UTC') - toIntervalMillisecond(toUInt64(a % ({days:UInt64} * 86400000))) AS time,
        lower(hex(SHA1(concat('device ', toString(device))))) AS deviceId,
        concat('pc-', leftPad(toString(device), 5, '0'), '.contoso.example') AS deviceName,
        ['svchost.exe','chrome.exe','msedge.exe','explorer.exe','cmd.exe','powershell.exe','conhost.exe','RuntimeBroker.exe','SearchIndexer.exe',
         'taskhostw.exe','WmiPrvSE.exe','OUTLOOK.EXE','WINWORD.EXE','EXCEL.EXE','Teams.exe','OneDrive.exe','rundll32.exe','msiexec.exe',
         'MsMpEng.exe','sihost.exe','dllhost.exe','backgroundTaskHost.exe','schtasks.exe','wscript.exe','reg.exe','net.exe','bitsadmin.exe',
         'mshta.exe','certutil.exe','whoami.exe'] AS names,
        if(b % 100 < 92, names[1 + toUInt32(sqrt(sqrt(b % 810000)))], concat('tool', toString(b % 5000), '.exe')) AS program,
        if(c % 100 < 92, names[1 + toUInt32(sqrt(sqrt(c % 810000)))], concat('tool', toString(c % 5000), '.exe')) AS parent,
        if(b % 100 < 60, 'C:\\Windows\\System32\\', concat('C:\\Program Files\\Vendor ', toString(b % 211), '\\bin\\')) AS folder,
        concat('user', toString(device % 3000)) AS account
        """;

    /// <summary>Generates both tables.</summary>
    public async Task RunAsync(long processes, long connections, int devices, int days)
    {
        await FillAsync("DeviceProcessEvents", processes, devices, days, """
            time, deviceId, deviceName, 'ProcessCreated', program, concat(folder, program), lower(hex(SHA1(program))), lower(hex(SHA256(program))),
            lower(hex(MD5(program))), 10000 + b % 5000000, if(b % 100 < 60, 'Microsoft Corporation', concat('Vendor ', toString(b % 211))),
            concat('Product ', toString(b % 500)), a % 65536,
            concat('"', folder, program, '" ',
                multiIf(
                    c % 1000 < 3, concat('-NoProfile -W Hidden -Enc ', base64Encode(substring(hex(SHA256(toString(n))), 1, 48))),
                    c % 1000 < 23, concat('--encoding utf8 --encoder x', toString(c % 977)),
                    c % 1000 < 300, concat('-k netsvcs -p -s Service', toString(c % 400)),
                    c % 1000 < 600, concat('--type=renderer --field-trial-handle=', toString(c % 100000), ',i,', toString(a), ' --lang=en-US'),
                    concat('/run /task "\\Vendor\\Job ', toString(c % 3000), '" /session ', toString(b % 1000000))),
                ' --id ', hex(a), ' --trace C:\\ProgramData\\Logs\\', toString(toYYYYMMDD(time)), '\\', toString(c % 10000), '.log'),
            ['System','High','Medium','Low'][1 + b % 4], 'TokenElevationTypeDefault', time - toIntervalMillisecond(20),
            'CONTOSO', account, concat('S-1-5-21-1004336348-1177238915-682003330-', toString(device % 3000)), concat(account, '@contoso.example'), a % 1000000,
            'CONTOSO', account, concat('S-1-5-21-1004336348-1177238915-682003330-', toString(device % 3000)),
            parent, concat('C:\\Windows\\System32\\', parent), lower(hex(SHA1(parent))), lower(hex(SHA256(parent))), b % 65536,
            concat('"C:\\Windows\\System32\\', parent, '" -parent ', toString(c % 20000), ' -session ', toString(b % 300)),
            time - toIntervalSecond(30), c % 65536, names[1 + a % 30], n,
            if(a % 10 < 3, concat('{"Source":"sensor","Score":', toString(a % 100), ',"Tags":["t', toString(a % 7), '","t', toString(b % 7), '"],"Depth":{"Level":', toString(c % 5), '}}'), ''),
            {tenant:UUID}, now64(7)
            """);
        await FillAsync("DeviceNetworkEvents", connections, devices, days, """
            time, deviceId, deviceName, if(c % 10 < 7, 'ConnectionSuccess', 'ConnectionFailed'),
            if(c % 3 = 0, concat('10.', toString(c % 256), '.', toString(a % 256), '.', toString(b % 256)),
               concat(toString(20 + c % 180), '.', toString(a % 200), '.', toString(b % 50), '.', toString(c % 50))),
            [443, 80, 53, 445, 3389, 8080, 22][1 + toUInt32(sqrt(a % 49))],
            multiIf(c % 10 < 4, '', c % 1000 < 405, concat('http://', toString(a % 223), '.', toString(b % 255), '.', toString(c % 255), '.7/payload'),
                concat('https://host', toString(b % 4000), '.service', toString(c % 300), '.example/api/', toString(a % 50))),
            concat('10.1.', toString(device % 256), '.', toString(device % 200)), 49152 + b % 16000, 'Tcp', if(c % 3 = 0, 'Private', 'Public'),
            lower(hex(SHA256(program))), program, concat(folder, program), a % 65536,
            concat('"', folder, program, '" --type=utility --utility-sub-type=network.mojom.NetworkService --id ', toString(c % 50000)),
            time - toIntervalSecond(60), account, 'CONTOSO', parent, n, {tenant:UUID}, now64(7)
            """);
    }

    private async Task FillAsync(string table, long rows, int devices, int days, string values)
    {
        var clock = Stopwatch.StartNew();
        for (long start = 0; start < rows; start += RowsPerInsert)
        {
            var count = Math.Min(RowsPerInsert, rows - start);
            await engine.ExecuteAsync(new ClickHouseStatement(
                $"INSERT INTO {database}.{table} ({Columns[table].ReplaceLineEndings(" ")}, _TenantId, _IngestTime) WITH {Common.ReplaceLineEndings(" ")} SELECT {values} FROM numbers({start}, {count})")
            {
                Parameters = [new("devices", devices), new("days", days), new("end", End), new("tenant", tenant)],
                Settings = new Dictionary<string, string> { ["max_partitions_per_insert_block"] = "0" },
            });
            Console.Error.Write(string.Create(CultureInfo.InvariantCulture, $"\r{table} {start + count:N0} rows, {(start + count) / clock.Elapsed.TotalSeconds:N0}/s   "));
        }

        Console.Error.WriteLine();
    }
}
