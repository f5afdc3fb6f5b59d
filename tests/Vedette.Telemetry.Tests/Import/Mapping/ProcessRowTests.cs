using Vedette.Telemetry.Import;

namespace Vedette.Telemetry.Tests.Import.Mapping;

public sealed class ProcessRowTests : IDisposable
{
    private const string Shell = @"C:\Windows\System32\cmd.exe";
    private const string Explorer = @"C:\Windows\explorer.exe";
    private static readonly string StartOfShell = Logs.Start("2026-11-01 10:00:05.250", 200, Shell, "cmd.exe /c whoami", 100, Explorer, "explorer.exe /lite", "2026-11-01 09:00:00");
    private static readonly string StartOfTool = Logs.Start("2026-11-01 10:00:06.500", 300, @"C:\Windows\System32\whoami.exe", "whoami", 200, Shell, "cmd.exe /c whoami", "2026-11-01 10:00:05");
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_creation_carries_the_process_its_parent_and_its_grandparent()
    {
        var run = await RunAsync(StartOfShell, StartOfTool);
        var row = run.Store.Of("DeviceProcessEvents").Last();
        row["ActionType"].ShouldBe("ProcessCreated");
        (row["FileName"], row["FolderPath"], row["ProcessId"], row["ProcessCommandLine"]).ShouldBe(("whoami.exe", @"C:\Windows\System32\whoami.exe", 300L, "whoami"));
        row["ProcessCreationTime"].ShouldBe(At("10:00:06.5"));
        (row["AccountDomain"], row["AccountName"], row["LogonId"], row["ProcessIntegrityLevel"]).ShouldBe(("contoso", "alice", 0x5a1fL, "Medium"));
        (row["SHA1"], row["MD5"]).ShouldBe(("aa00000000000000000000000000000000000001", "bb000000000000000000000000000001"));
        (row["ProcessVersionInfoCompanyName"], row["ProcessVersionInfoOriginalFileName"], row["CreatedProcessSessionId"]).ShouldBe(("Contoso", "orig.exe", 2L));
        (row["InitiatingProcessFileName"], row["InitiatingProcessId"], row["InitiatingProcessCommandLine"]).ShouldBe(("cmd.exe", 200L, "cmd.exe /c whoami"));
        (row["InitiatingProcessFolderPath"], row["InitiatingProcessCreationTime"]).ShouldBe((@"c:\windows\system32\cmd.exe", At("10:00:05.25")));
        (row["InitiatingProcessAccountName"], row["InitiatingProcessSHA256"]).ShouldBe(("alice", "cc00000000000000000000000000000000000000000000000000000000000001"));
        (row["InitiatingProcessParentFileName"], row["InitiatingProcessParentId"], row["InitiatingProcessParentCreationTime"]).ShouldBe(("explorer.exe", 100L, At("09:00:00")));
        row["InitiatingProcessUniqueId"].ShouldBe(run.Store.Of("DeviceProcessEvents").First()["ProcessUniqueId"]);
    }

    [Fact]
    public async Task Events_of_a_process_carry_what_its_creation_told_even_when_it_comes_later()
    {
        var file = Logs.Sysmon(11, "2026-11-01 10:00:05.300", ("ProcessGuid", Logs.Guid("2026-11-01 10:00:05", 200)), ("ProcessId", "200"), ("Image", Shell), ("TargetFilename", @"C:\x.txt"));
        foreach (var order in new[] { new[] { StartOfShell, file }, [file, StartOfShell] })
        {
            var row = (await RunAsync(order)).Store.Of("DeviceFileEvents").ShouldHaveSingleItem();
            row["InitiatingProcessCommandLine"].ShouldBe("cmd.exe /c whoami");
            row["InitiatingProcessCreationTime"].ShouldBe(At("10:00:05.25"));
            row["InitiatingProcessParentFileName"].ShouldBe("explorer.exe");
            row["InitiatingProcessAccountName"].ShouldBe("alice");
        }
    }

    [Fact]
    public async Task One_creation_told_by_sysmon_and_by_the_security_log_is_one_row_with_the_details_of_both()
    {
        var security = Logs.Security(4688, "2026-11-01T10:00:05.240Z", ("NewProcessId", "0xc8"), ("NewProcessName", Shell), ("TokenElevationType", "%%1938"), ("CommandLine", "cmd.exe /c whoami"),
            ("ProcessId", "0x64"), ("ParentProcessName", Explorer), ("SubjectUserName", "alice"), ("SubjectDomainName", "CONTOSO"), ("SubjectUserSid", "S-1-5-21-1-2-3-1001"), ("SubjectLogonId", "0x5a1f"));
        foreach (var order in new[] { new[] { StartOfShell, security }, [security, StartOfShell] })
        {
            var run = await RunAsync(order);
            var row = run.Store.Of("DeviceProcessEvents").ShouldHaveSingleItem();
            (row["ProcessTokenElevation"], row["AccountSid"], row["SHA1"]).ShouldBe(("TokenElevationTypeLimited", "S-1-5-21-1-2-3-1001", "aa00000000000000000000000000000000000001"));
            var kind = run.Report.EventTypes.Single(type => type.Type == "security/4688");
            (kind.Events, kind.Duplicates, kind.Unmapped).ShouldBe((1, 1, 0));
        }
    }

    [Fact]
    public async Task One_creation_is_one_row_even_when_the_forwarder_lost_sysmons_process_ids()
    {
        var sysmon = System.Text.Json.Nodes.JsonNode.Parse(StartOfShell)!.AsObject();
        sysmon.Remove("ProcessId");
        sysmon.Remove("ParentProcessId");
        var security = Security4688("10:00:05", 0xc8, Shell, "cmd.exe /c whoami", 0x64, Explorer);
        foreach (var order in new[] { new[] { sysmon.ToJsonString(), security }, [security, sysmon.ToJsonString()] })
        {
            var row = (await RunAsync(order)).Store.Of("DeviceProcessEvents").ShouldHaveSingleItem();
            (row["ProcessId"], row["InitiatingProcessId"], row["InitiatingProcessCommandLine"], row["ProcessTokenElevation"]).ShouldBe((0xc8L, 0x64L, "explorer.exe /lite", "TokenElevationTypeFull"));
            (row["SHA1"], row["InitiatingProcessCreationTime"]).ShouldBe(("aa00000000000000000000000000000000000001", At("09:00:00")));
        }
    }

    [Fact]
    public async Task A_process_that_runs_as_another_account_has_that_accounts_identity_or_none()
    {
        var run = await RunAsync(Logs.Security(4688, "2026-11-01T10:00:05Z", ("NewProcessId", "0xc8"), ("NewProcessName", Shell), ("SubjectUserName", "PC1$"), ("SubjectDomainName", "CONTOSO"), ("SubjectUserSid", "S-1-5-20"),
            ("TargetUserName", "bob"), ("TargetDomainName", "CONTOSO"), ("TargetUserSid", "S-1-0-0"), ("ProcessId", "0x64"), ("ParentProcessName", Explorer)));
        var row = run.Store.Of("DeviceProcessEvents").ShouldHaveSingleItem();
        (row["AccountName"], row["AccountSid"], row["InitiatingProcessAccountName"]).ShouldBe(("bob", null, "network service"));
    }

    [Fact]
    public async Task The_security_log_alone_gives_processes_and_their_chain()
    {
        var run = await RunAsync(
            Security4688("10:00:00.100", 0x200, @"C:\Windows\System32\cmd.exe", "cmd", 0x100, @"C:\Windows\explorer.exe"),
            Security4688("10:00:01.100", 0x300, @"C:\Windows\System32\net.exe", "net user", 0x200, @"C:\Windows\System32\cmd.exe"));
        var row = run.Store.Of("DeviceProcessEvents").Last();
        (row["FileName"], row["ProcessId"], row["ProcessCommandLine"], row["ProcessTokenElevation"]).ShouldBe(("net.exe", 0x300L, "net user", "TokenElevationTypeFull"));
        (row["ProcessIntegrityLevel"], row["AccountName"]).ShouldBe(("High", "alice"));
        (row["InitiatingProcessCommandLine"], row["InitiatingProcessParentFileName"], row["InitiatingProcessCreationTime"]).ShouldBe(("cmd", "explorer.exe", At("10:00:00.1")));
    }

    [Fact]
    public async Task A_process_id_that_is_used_again_is_another_process()
    {
        var run = await RunAsync(
            Security4688("10:00:00", 0x200, @"C:\a.exe", "first", 0x100, @"C:\p.exe"),
            Logs.Security(4689, "2026-11-01T10:05:00Z", ("ProcessId", "0x200"), ("ProcessName", @"C:\a.exe")),
            Security4688("11:00:00", 0x200, @"C:\a.exe", "second", 0x100, @"C:\p.exe"),
            Logs.Security(4673, "2026-11-01T10:04:00Z", ("ProcessId", "0x200"), ("ProcessName", @"C:\a.exe"), ("PrivilegeList", "SeDebugPrivilege")),
            Logs.Security(4673, "2026-11-01T11:04:00Z", ("ProcessId", "0x200"), ("ProcessName", @"C:\a.exe"), ("PrivilegeList", "SeDebugPrivilege")),
            Logs.Security(4673, "2026-11-01T11:05:00Z", ("ProcessId", "0x200"), ("ProcessName", @"C:\other.exe"), ("PrivilegeList", "SeDebugPrivilege")));
        run.Store.Of("DeviceEvents").Select(row => row["InitiatingProcessCommandLine"]).ShouldBe(["first", "second", null]);
        run.Store.Of("DeviceProcessEvents").Select(row => row["ProcessUniqueId"]).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task The_computer_account_of_the_security_log_is_the_system_account()
    {
        var run = await RunAsync(Logs.Security(4673, "2026-11-01T10:04:00Z", ("ProcessId", "0x200"), ("ProcessName", @"C:\Windows\System32\svchost.exe"), ("PrivilegeList", "SeTcbPrivilege"),
            ("SubjectUserSid", "S-1-5-18"), ("SubjectUserName", "PC1$"), ("SubjectDomainName", "CONTOSO"), ("SubjectLogonId", "0x3e7")));
        var row = run.Store.Of("DeviceEvents").ShouldHaveSingleItem();
        (row["InitiatingProcessAccountDomain"], row["InitiatingProcessAccountName"], row["InitiatingProcessAccountSid"], row["IsInitiatingProcessRemoteSession"])
            .ShouldBe(("nt authority", "system", "S-1-5-18", false));
    }

    [Fact]
    public async Task Access_to_another_process_names_both()
    {
        var run = await RunAsync(StartOfShell, Logs.Sysmon(10, "2026-11-01 10:00:07.000",
            ("SourceProcessGUID", Logs.Guid("2026-11-01 10:00:05", 200)), ("SourceProcessId", "200"), ("SourceImage", Shell), ("TargetProcessGUID", Logs.Guid("2026-11-01 08:00:00", 700)), ("TargetProcessId", "700"),
            ("TargetImage", @"C:\Windows\system32\lsass.exe"), ("GrantedAccess", "0x1410"), ("CallTrace", "a|b")));
        var row = run.Store.Of("DeviceEvents").ShouldHaveSingleItem();
        (row["ActionType"], row["FileName"], row["ProcessId"], row["ProcessCreationTime"]).ShouldBe(("OpenProcessApiCall", "lsass.exe", 700L, At("08:00:00")));
        (row["InitiatingProcessFileName"], row["InitiatingProcessCommandLine"]).ShouldBe(("cmd.exe", "cmd.exe /c whoami"));
        row["AdditionalFields"].ShouldBe("""{"DesiredAccess":5136,"GrantedAccess":"0x1410","CallTrace":"a|b"}""");
    }

    [Fact]
    public async Task An_access_that_sysmon_tells_is_not_told_again_by_the_security_log()
    {
        string Handle(string mask) => Logs.Security(4656, "2026-11-01T10:00:07.100Z", ("ObjectType", "Process"), ("ObjectName", @"\Device\HarddiskVolume2\Windows\System32\lsass.exe"),
            ("ProcessId", "0xc8"), ("ProcessName", Shell), ("AccessMask", mask));
        var run = await RunAsync(Handle("0x1410"), Handle("0x1fffff"), Logs.Sysmon(10, "2026-11-01 10:00:07.000", ("SourceProcessId", "200"), ("SourceImage", Shell), ("TargetProcessId", "700"),
            ("TargetImage", @"C:\Windows\system32\lsass.exe"), ("GrantedAccess", "0x1410")));
        run.Store.Of("DeviceEvents").Select(row => System.Text.Json.Nodes.JsonNode.Parse((string)row["AdditionalFields"]!)!["DesiredAccess"]!.GetValue<long>()).ShouldBe([0x1fffff, 0x1410]);
    }

    [Fact]
    public async Task A_program_that_sysmon_for_linux_and_the_audit_log_tell_is_one_row()
    {
        const string sysmon = "2026-11-01T10:00:00.1+00:00 web1 sysmon: <Event><System><Provider Name=\"Linux-Sysmon\"/><EventID>1</EventID><TimeCreated SystemTime=\"2026-11-01T10:00:00.100Z\"/><Computer>web1</Computer></System>"
            + "<EventData><Data Name=\"UtcTime\">2026-11-01 10:00:00.100</Data><Data Name=\"ProcessGuid\">{94325212-0000-6905-4874-61f901560000}</Data><Data Name=\"ProcessId\">77</Data><Data Name=\"Image\">/usr/bin/id</Data><Data Name=\"CommandLine\">id</Data></EventData></Event>";
        var seconds = (long)(At("10:00:00") - DateTime.UnixEpoch).TotalSeconds;
        string Audit(int pid) => $"2026-11-01T10:00:00.2+00:00 web1 audispd: node=web1 type=SYSCALL msg=audit({seconds}.090:{pid}): arch=c000003e syscall=59 success=yes ppid=1 pid={pid} uid=33 exe=\"/usr/bin/id\"";
        var run = await RunAsync(Audit(77), Audit(78), sysmon);
        run.Store.Of("DeviceProcessEvents").Select(row => row["ProcessId"]).Order().ShouldBe([77L, 78L]);
        run.Report.EventTypes.Single(type => type.Type == "auditd/execve").Duplicates.ShouldBe(1);
    }

    [Fact]
    public async Task A_process_that_wmi_starts_is_told_as_such_too()
    {
        var run = await RunAsync(Logs.Start("2026-11-01 10:00:05.250", 200, Shell, "cmd.exe /c calc", 100, @"C:\Windows\System32\wbem\WmiPrvSE.exe", "wmiprvse.exe -secured", "2026-11-01 09:00:00"));
        run.Store.Of("DeviceProcessEvents").Count().ShouldBe(1);
        var row = run.Store.Of("DeviceEvents").ShouldHaveSingleItem();
        (row["ActionType"], row["FileName"], row["ProcessCommandLine"], row["InitiatingProcessFileName"]).ShouldBe(("ProcessCreatedUsingWmiQuery", "cmd.exe", "cmd.exe /c calc", "WmiPrvSE.exe"));
    }

    public void Dispose() => _folder.Dispose();

    private static DateTime At(string time) => DateTime.Parse($"2026-11-01T{time}Z", null, System.Globalization.DateTimeStyles.AdjustToUniversal);

    private static string Security4688(string time, int pid, string image, string commandLine, int parent, string parentImage) =>
        Logs.Security(4688, $"2026-11-01T{time}Z", ("NewProcessId", $"0x{pid:x}"), ("NewProcessName", image), ("CommandLine", commandLine), ("TokenElevationType", "%%1937"), ("MandatoryLabel", "S-1-16-12288"),
            ("ProcessId", $"0x{parent:x}"), ("ParentProcessName", parentImage), ("SubjectUserName", "alice"), ("SubjectDomainName", "CONTOSO"), ("SubjectUserSid", "S-1-5-21-1-2-3-1001"), ("TargetUserSid", "S-1-0-0"), ("TargetUserName", "-"));

    private Task<ImportRun> RunAsync(params string[] lines) => ImportRun.OfAsync([_folder.Text("log.json", lines)]);
}
