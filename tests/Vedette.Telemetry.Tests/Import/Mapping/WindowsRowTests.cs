using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Tests.Import.Mapping;

public sealed class WindowsRowTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData(@"HKLM\SOFTWARE\Run\Name", @"HKEY_LOCAL_MACHINE\SOFTWARE\Run", "Name")]
    [InlineData(@"HKLM\SOFTWARE\Run\(Default)", @"HKEY_LOCAL_MACHINE\SOFTWARE\Run", "")]
    [InlineData(@"HKU\S-1-5-21-1-2-3-1001\Environment\UserInitMprLogonScript", @"HKEY_CURRENT_USER\S-1-5-21-1-2-3-1001\Environment", "UserInitMprLogonScript")]
    [InlineData(@"HKU\.DEFAULT\Software\X", @"HKEY_USERS\.DEFAULT\Software", "X")]
    [InlineData(@"HKCR\.vbs\X", @"HKEY_CLASSES_ROOT\.vbs", "X")]
    public async Task Registry_keys_are_spelled_as_the_service_spells_them(string target, string key, string name)
    {
        var row = await OneAsync("DeviceRegistryEvents", Logs.Sysmon(13, "2026-11-01 10:00:00.000", ("EventType", "SetValue"), ("TargetObject", target), ("Details", "x"), ("ProcessId", "5"), ("Image", @"C:\a.exe")));
        (row["ActionType"], row["RegistryKey"], row["RegistryValueName"]).ShouldBe(("RegistryValueSet", key, name));
    }

    [Theory]
    [InlineData("DWORD (0x000000ff)", "Dword", "255")]
    [InlineData("QWORD (0x00000001-0x00000002)", "Qword", "4294967298")]
    [InlineData("Binary Data", "Binary", "")]
    [InlineData("(Empty)", "String", "")]
    [InlineData(@"%SystemRoot%\x", "ExpandableString", @"%SystemRoot%\x")]
    [InlineData("plain", "String", "plain")]
    public async Task Registry_data_come_with_their_type(string details, string type, string data)
    {
        var row = await OneAsync("DeviceRegistryEvents", Logs.Sysmon(13, "2026-11-01 10:00:00.000", ("TargetObject", @"HKLM\A\B"), ("Details", details)));
        (row["RegistryValueType"], row["RegistryValueData"]).ShouldBe((type, data));
    }

    [Theory]
    [InlineData("CreateKey", "RegistryKeyCreated")]
    [InlineData("DeleteKey", "RegistryKeyDeleted")]
    [InlineData("DeleteValue", "RegistryValueDeleted")]
    public async Task Changes_of_keys_have_their_actions(string type, string action) =>
        (await OneAsync("DeviceRegistryEvents", Logs.Sysmon(12, "2026-11-01 10:00:00.000", ("EventType", type), ("TargetObject", @"HKLM\A\B"))))["ActionType"].ShouldBe(action);

    [Fact]
    public async Task Connections_know_their_direction_and_the_kind_of_their_addresses()
    {
        var outward = await OneAsync("DeviceNetworkEvents", Connection("true", "10.1.2.3", "50000", "203.0.113.9", "443"));
        (outward["ActionType"], outward["LocalIP"], outward["LocalPort"], outward["RemoteIP"], outward["RemotePort"]).ShouldBe(("ConnectionSuccess", "10.1.2.3", 50000, "203.0.113.9", 443));
        (outward["Protocol"], outward["LocalIPType"], outward["RemoteIPType"], outward["RemoteUrl"]).ShouldBe(("Tcp", "Private", "Public", "www.example"));
        var inward = await OneAsync("DeviceNetworkEvents", Connection("false", "0:0:0:0:0:0:0:1", "50000", "0:0:0:0:0:0:0:1", "5985"));
        (inward["ActionType"], inward["RemoteIP"], inward["RemotePort"], inward["LocalPort"], inward["RemoteIPType"]).ShouldBe(("InboundConnectionAccepted", "::1", 50000, 5985, "Loopback"));
    }

    [Fact]
    public async Task A_connection_carries_the_name_that_the_device_had_asked_for()
    {
        var run = await RunAsync(
            Connection("true", "10.1.2.3", "50000", "203.0.113.9", "443"),
            Logs.Sysmon(22, "2026-11-01 10:00:00.950", ("QueryName", "C2.example."), ("QueryResults", "type:  5 edge.example;::ffff:203.0.113.9;"), ("Image", @"C:\a.exe")),
            Connection("true", "10.1.2.3", "50001", "203.0.113.9", "443"));
        run.Store.Of("DeviceNetworkEvents").Select(row => row["RemoteUrl"]).ShouldBe(["www.example", "c2.example"]);
    }

    [Fact]
    public async Task A_clipboard_that_a_remote_desktop_filled_tells_that_its_session_is_remote()
    {
        var run = await RunAsync(
            Logs.Start("2026-11-01 10:00:05.250", 200, @"C:\Windows\System32\cmd.exe", "cmd", 100, @"C:\Windows\explorer.exe", "explorer", "2026-11-01 09:00:00"),
            Logs.Sysmon(24, "2026-11-01 10:00:06.000", ("Session", "2"), ("ClientInfo", @"user: CONTOSO\alice hostname: Roberts-Mac"), ("Image", @"C:\Windows\System32\rdpclip.exe"), ("ProcessId", "9")));
        var row = run.Store.Of("DeviceProcessEvents").ShouldHaveSingleItem();
        (row["IsProcessRemoteSession"], row["ProcessRemoteSessionDeviceName"]).ShouldBe((true, "roberts-mac"));
    }

    [Fact]
    public async Task A_connection_that_sysmon_tells_is_not_told_again_by_the_filtering_platform()
    {
        string Permitted(string port) => Logs.Security(5156, "2026-11-01T10:00:01.000Z", ("Direction", "%%14593"), ("SourceAddress", "10.1.2.3"), ("SourcePort", port), ("DestAddress", "203.0.113.9"),
            ("DestPort", "443"), ("Protocol", "6"), ("ProcessId", "77"), ("Application", @"\device\harddiskvolume3\windows\system32\curl.exe"));
        var run = await RunAsync(Permitted("50000"), Permitted("50001"), Connection("true", "10.1.2.3", "50000", "203.0.113.9", "443"));
        var rows = run.Store.Of("DeviceNetworkEvents").ToList();
        rows.Select(row => row["LocalPort"]).ShouldBe([50001, 50000]);
        rows[0]["InitiatingProcessFolderPath"].ShouldBe(@"c:\windows\system32\curl.exe");
        run.Report.Devices.ShouldHaveSingleItem().IpAddresses.ShouldBe(["10.1.2.3"]);
    }

    [Fact]
    public async Task Logons_tell_type_origin_and_administrators_and_mark_remote_sessions()
    {
        var run = await RunAsync(
            Logs.Security(4624, "2026-11-01T10:00:00Z", ("LogonType", "10"), ("TargetUserName", "Bob"), ("TargetDomainName", "CONTOSO"), ("TargetUserSid", "S-1-5-21-1-2-3-1002"), ("TargetLogonId", "0x77"),
                ("AuthenticationPackageName", "Negotiate"), ("IpAddress", "198.51.100.4"), ("IpPort", "0"), ("WorkstationName", "DESK9"), ("ProcessId", "0x310"), ("ProcessName", @"C:\Windows\System32\svchost.exe")),
            Logs.Security(4627, "2026-11-01T10:00:00Z", ("TargetLogonId", "0x77"), ("GroupMembership", "\r\n\t\t%{S-1-1-0}\r\n\t\t%{S-1-5-32-544}\r\n")),
            Logs.Security(4688, "2026-11-01T10:00:05Z", ("NewProcessId", "0x400"), ("NewProcessName", @"C:\Windows\System32\cmd.exe"), ("SubjectUserName", "Bob"), ("SubjectDomainName", "CONTOSO"), ("SubjectLogonId", "0x77")),
            Logs.Security(4625, "2026-11-01T10:01:00Z", ("LogonType", "3"), ("TargetUserName", "admin"), ("SubStatus", "0xC000006A"), ("Status", "0xC000006D"), ("IpAddress", "::ffff:198.51.100.5")));
        var logons = run.Store.Of("DeviceLogonEvents").ToList();
        var success = logons[0];
        (success["ActionType"], success["LogonType"], success["AccountName"], success["AccountSid"], success["LogonId"]).ShouldBe(("LogonSuccess", "RemoteInteractive", "bob", "S-1-5-21-1-2-3-1002", 0x77L));
        (success["RemoteIP"], success["RemotePort"], success["RemoteDeviceName"], success["IsLocalAdmin"], success["RemoteIPType"]).ShouldBe(("198.51.100.4", null, "desk9", true, "Public"));
        ((string)success["AdditionalFields"]!).ShouldContain("\"IsLocalLogon\":false");
        (success["InitiatingProcessFileName"], success["InitiatingProcessCommandLine"], success["InitiatingProcessAccountName"]).ShouldBe(("lsass.exe", "lsass.exe", "system"));
        ((string)success["AdditionalFields"]!).ShouldContain(@"C:\\Windows\\System32\\svchost.exe");
        var failure = logons[1];
        (failure["ActionType"], failure["FailureReason"], failure["RemoteIP"], failure["AccountName"]).ShouldBe(("LogonFailed", "InvalidUserNameOrPassword", "198.51.100.5", "admin"));
        var process = run.Store.Of("DeviceProcessEvents").ShouldHaveSingleItem();
        (process["IsProcessRemoteSession"], process["ProcessRemoteSessionIP"], process["ProcessRemoteSessionDeviceName"], process["AccountSid"]).ShouldBe((true, "198.51.100.4", "desk9", "S-1-5-21-1-2-3-1002"));
        var user = run.Report.Devices.ShouldHaveSingleItem().LoggedOnUsers.ShouldHaveSingleItem();
        (user.UserName, user.DomainName, user.Sid).ShouldBe(("bob", "contoso", "S-1-5-21-1-2-3-1002"));
        user.LogonTypes.ShouldBe(["RemoteInteractive"]);
        ((string)run.Store.Of("DeviceInfo").ShouldHaveSingleItem()["LoggedOnUsers"]!).ShouldBe("""[{"UserName":"bob","DomainName":"contoso","Sid":"S-1-5-21-1-2-3-1002"}]""");
    }

    [Fact]
    public async Task Each_powershell_command_is_a_row_of_exactly_the_services_form()
    {
        var run = await RunAsync(Logs.Event("Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational", 4103, "2026-11-01T10:00:00Z", ("ExecutionProcessID", "900"),
            ("ContextInfo", "        Severity = Informational\r\n        Host Application = C:\\ps\\powershell.exe -enc QQ==\r\n        User = CONTOSO\\alice\r\n        Script Name = C:\\s.ps1\r\n"),
            ("Payload", "CommandInvocation(Get-Item): \"Get-Item\"\r\nParameterBinding(Get-Item): name=\"Path\"; value=\"quoting CommandInvocation(Fake)\"\r\nCommandInvocation(Out-Null): \"Out-Null\"\r\n")));
        var commands = run.Store.Of("DeviceEvents").Where(row => (string)row["ActionType"]! == "PowerShellCommand").ToList();
        commands.Select(row => (string)row["AdditionalFields"]!).ShouldBe(["{\"Command\":\"Get-Item\"}", "{\"Command\":\"Out-Null\"}"]);
        (commands[0]["InitiatingProcessCommandLine"], commands[0]["InitiatingProcessAccountName"], commands[0]["InitiatingProcessId"]).ShouldBe((@"C:\ps\powershell.exe -enc QQ==", "alice", 900L));
    }

    [Fact]
    public async Task Tasks_and_services_carry_what_they_run()
    {
        const string xml = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Task xmlns=\"x\"><Actions><Exec><Command>C:\\Windows\\system32\\cmd.exe</Command><Arguments>/C calc</Arguments></Exec></Actions></Task>";
        var run = await RunAsync(
            Logs.Security(4698, "2026-11-01T10:00:00Z", ("TaskName", @"\Evil"), ("TaskContent", System.Net.WebUtility.HtmlEncode(xml)), ("SubjectUserName", "alice"), ("SubjectUserSid", "S-1-5-21-1-2-3-1001")),
            Logs.Event("Microsoft-Windows-TaskScheduler", "Microsoft-Windows-TaskScheduler/Operational", 106, "2026-11-01T10:00:00Z", ("TaskName", @"\Evil"), ("UserContext", @"CONTOSO\alice")),
            Logs.Event("Microsoft-Windows-TaskScheduler", "Microsoft-Windows-TaskScheduler/Operational", 106, "2026-11-01T10:00:00Z", ("TaskName", @"\Other"), ("UserContext", @"CONTOSO\alice")),
            Logs.Event("Service Control Manager", "System", 7045, "2026-11-01T10:01:00Z", ("ServiceName", "svc"), ("ImagePath", "\"C:\\Program Files\\x\\s.exe\" -run"), ("AccountName", "LocalSystem")));
        var rows = run.Store.Of("DeviceEvents").ToList();
        rows.Select(row => (string)row["ActionType"]!).ShouldBe(["ScheduledTaskCreated", "ScheduledTaskCreated", "ServiceInstalled"]);
        (rows[0]["FileName"], rows[0]["ProcessCommandLine"], rows[0]["InitiatingProcessAccountSid"]).ShouldBe(("cmd.exe", @"C:\Windows\system32\cmd.exe /C calc", "S-1-5-21-1-2-3-1001"));
        ((string)rows[1]["AdditionalFields"]!).ShouldContain(@"\\Other");
        (rows[2]["FileName"], rows[2]["FolderPath"]).ShouldBe(("s.exe", @"C:\Program Files\x\s.exe"));
    }

    [Theory]
    [InlineData(4720, "UserAccountCreated")]
    [InlineData(4726, "UserAccountDeleted")]
    [InlineData(4738, "UserAccountModified")]
    [InlineData(4724, "PasswordChangeAttempt")]
    [InlineData(4732, "UserAccountAddedToLocalGroup")]
    [InlineData(4733, "UserAccountRemovedFromLocalGroup")]
    [InlineData(4697, "ServiceInstalled")]
    [InlineData(4699, "ScheduledTaskDeleted")]
    [InlineData(4719, "AuditPolicyModification")]
    [InlineData(5145, "NetworkShareObjectAccessChecked")]
    [InlineData(5376, "CredentialsBackup")]
    public async Task Audit_events_have_the_services_actions(int id, string action) =>
        (await OneAsync("DeviceEvents", Logs.Security(id, "2026-11-01T10:00:00Z", ("TargetUserName", "Administrators"), ("MemberSid", "S-1-5-21-1-2-3-1009"), ("SubjectUserName", "alice"))))["ActionType"].ShouldBe(action);

    [Fact]
    public async Task Members_added_to_a_group_are_found_by_group_name_and_sid()
    {
        var row = await OneAsync("DeviceEvents", Logs.Security(4732, "2026-11-01T10:00:00Z", ("TargetUserName", "Administrators"), ("TargetDomainName", "Builtin"), ("TargetSid", "S-1-5-32-544"),
            ("MemberSid", "S-1-5-21-1-2-3-1009"), ("MemberName", "CN=Mallory,CN=Users,DC=contoso"), ("SubjectUserName", "alice"), ("SubjectUserSid", "S-1-5-21-1-2-3-1001")));
        (row["AccountSid"], row["AccountName"], row["InitiatingProcessAccountSid"]).ShouldBe(("S-1-5-21-1-2-3-1009", "mallory", "S-1-5-21-1-2-3-1001"));
        System.Text.Json.Nodes.JsonNode.Parse((string)row["AdditionalFields"]!)!["GroupName"]!.GetValue<string>().ShouldBe("Administrators");
    }

    [Fact]
    public async Task A_cleared_log_names_who_cleared_it_in_both_forms()
    {
        foreach (var line in new[]
        {
            Logs.Event("Microsoft-Windows-Eventlog", "Security", 1102, "2026-11-01T10:00:00Z", ("Message", "The audit log was cleared.\r\nSubject:\r\n\tSecurity ID:\tS-1-5-21-1-2-3-1001\r\n\tAccount Name:\tAlice\r\n\tDomain Name:\tPC1\r\n\tLogon ID:\t0xC61D9")),
            """{"winlog":{"provider_name":"Microsoft-Windows-Eventlog","channel":"Security","event_id":1102,"computer_name":"PC1.contoso.example","user_data":{"SubjectUserSid":"S-1-5-21-1-2-3-1001","SubjectUserName":"Alice","SubjectDomainName":"PC1","SubjectLogonId":"0xc61d9"}},"@timestamp":"2026-11-01T10:00:00Z"}""",
            """{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Eventlog"}},"EventID":1102,"Channel":"Security","Computer":"PC1.contoso.example","TimeCreated":{"#attributes":{"SystemTime":"2026-11-01T10:00:00Z"}}},"UserData":{"LogFileCleared":{"#attributes":{"xmlns":"x"},"SubjectUserSid":"S-1-5-21-1-2-3-1001","SubjectUserName":"Alice","SubjectDomainName":"PC1","SubjectLogonId":"0xc61d9"}}}}""",
        })
        {
            var row = await OneAsync("DeviceEvents", line);
            (row["ActionType"], row["InitiatingProcessAccountName"], row["InitiatingProcessAccountDomain"], row["InitiatingProcessLogonId"]).ShouldBe(("SecurityLogCleared", "alice", "pc1", 0xC61D9L));
        }
    }

    [Fact]
    public async Task Dns_answers_are_found_by_their_question()
    {
        var row = await OneAsync("DeviceEvents", Logs.Sysmon(22, "2026-11-01 10:00:00.000", ("QueryName", "c2.example"), ("QueryStatus", "0"), ("QueryResults", "type:  5 edge.example;::ffff:203.0.113.9;"), ("Image", @"C:\a.exe"), ("ProcessId", "5")));
        row["ActionType"].ShouldBe("DnsQueryResponse");
        var fields = System.Text.Json.Nodes.JsonNode.Parse((string)row["AdditionalFields"]!)!;
        fields["DnsQueryString"]!.GetValue<string>().ShouldBe("c2.example");
        fields["DnsQueryResult"]!.GetValue<string>().ShouldBe("""[{"DnsQueryType":"5","Result":"edge.example"},{"Result":"203.0.113.9"}]""");
    }

    [Fact]
    public async Task A_downloaded_file_knows_where_it_came_from()
    {
        var row = await OneAsync("DeviceFileEvents", Logs.Sysmon(15, "2026-11-01 10:00:00.000", ("TargetFilename", @"C:\Users\a\Downloads\x.exe"), ("Hash", "MD5=BB000000000000000000000000000001"), ("Image", @"C:\b.exe"),
            ("Contents", "[ZoneTransfer]  ZoneId=3  ReferrerUrl=https://site.example/  HostUrl=https://cdn.example/x.exe  ")));
        (row["FileOriginUrl"], row["FileOriginReferrerUrl"], row["MD5"], row["SHA1"]).ShouldBe(("https://cdn.example/x.exe", "https://site.example/", "bb000000000000000000000000000001", null));
    }

    [Fact]
    public async Task A_loaded_image_gives_its_certificate_once()
    {
        string Load(string name) => Logs.Sysmon(7, "2026-11-01 10:00:00.000", ("ImageLoaded", $@"C:\Windows\System32\{name}"), ("Image", @"C:\a.exe"), ("ProcessId", "5"), ("Hashes", "SHA1=AA00000000000000000000000000000000000001"),
            ("Signed", "true"), ("Signature", "Microsoft Windows"), ("SignatureStatus", "Valid"), ("FileVersion", "10.0.19041.1 (WinBuild.160101.0800)"));
        var run = await RunAsync(Load("ntdll.dll"), Load("ntdll.dll"));
        run.Store.Of("DeviceImageLoadEvents").Count().ShouldBe(2);
        var certificate = run.Store.Of("DeviceFileCertificateInfo").ShouldHaveSingleItem();
        (certificate["SHA1"], certificate["IsSigned"], certificate["IsTrusted"], certificate["Signer"]).ShouldBe(("aa00000000000000000000000000000000000001", true, true, "Microsoft Windows"));
        var info = run.Store.Of("DeviceInfo").ShouldHaveSingleItem();
        (info["OSPlatform"], info["OSVersion"], info["OSBuild"]).ShouldBe(("Windows10", "10.0", 19041L));
    }

    public void Dispose() => _folder.Dispose();

    private static string Connection(string initiated, string source, string sourcePort, string destination, string destinationPort) =>
        Logs.Sysmon(3, "2026-11-01 10:00:00.900", ("ProcessGuid", Logs.Guid("2026-11-01 09:00:00", 77)), ("ProcessId", "77"), ("Image", @"C:\Windows\System32\curl.exe"), ("Protocol", "tcp"), ("Initiated", initiated),
            ("SourceIp", source), ("SourcePort", sourcePort), ("DestinationIp", destination), ("DestinationPort", destinationPort), ("DestinationHostname", "WWW.example"));

    private Task<ImportRun> RunAsync(params string[] lines) => ImportRun.OfAsync([_folder.Text("log.json", lines)]);

    private async Task<HuntingRow> OneAsync(string table, string line) => (await RunAsync(line)).Store.Of(table).ShouldHaveSingleItem();
}
