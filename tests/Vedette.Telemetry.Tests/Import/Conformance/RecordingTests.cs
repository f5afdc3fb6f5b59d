using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry.Tests.Import.Conformance;

/// <summary>What is characteristic of each recorded attack stands in the rows, where a hunter looks for it.</summary>
[Trait("Category", "Conformance")]
public sealed class RecordingTests
{
    /// <summary>Recording, table, action, and what columns must hold: <c>Column=text</c> is equal, <c>Column~text</c> contains.</summary>
    public static TheoryData<string, string, string, string[]> Expected => new()
    {
        { "psh_lsass_memory_dump_comsvcs", "DeviceProcessEvents", "ProcessCreated", ["FileName=rundll32.exe", @"ProcessCommandLine~comsvcs.dll MiniDump 756", "InitiatingProcessFileName=powershell.exe", "AccountName=wardog", "DeviceName=workstation5", "ProcessIntegrityLevel=High"] },
        { "psh_lsass_memory_dump_comsvcs", "DeviceEvents", "OpenProcessApiCall", ["FileName=lsass.exe", "InitiatingProcessFileName=rundll32.exe", "InitiatingProcessCommandLine~comsvcs.dll MiniDump", "AdditionalFields~\"DesiredAccess\":2097151"] },
        { "psh_lsass_memory_dump_comsvcs", "DeviceFileEvents", "FileCreated", [@"FolderPath=C:\Users\wardog\AppData\Local\Temp\lsass-comsvcs.dmp", "InitiatingProcessFileName=rundll32.exe"] },
        { "cmd_sam_copy_esentutl", "DeviceProcessEvents", "ProcessCreated", ["FileName=esentutl.exe", "ProcessCommandLine~/y /vss C:\\windows/system32/config/SAM", "AccountSid~S-1-5-21-", "ProcessTokenElevation~TokenElevationType"] },
        { "cmd_sam_copy_esentutl", "DeviceFileEvents", "FileCreated", [@"FolderPath=C:\ProgramData\SAM", "InitiatingProcessFileName=esentutl.exe", "InitiatingProcessParentFileName=cmd.exe"] },
        { "cmd_sam_copy_esentutl", "DeviceEvents", "SecurityLogCleared", ["InitiatingProcessAccountName=wardog"] },
        { "cmd_mshta_vbscript_execute_psh", "DeviceProcessEvents", "ProcessCreated", ["FileName=mshta.exe", "ProcessCommandLine~vbscript:Execute", "InitiatingProcessFileName=cmd.exe"] },
        { "cmd_mshta_vbscript_execute_psh", "DeviceProcessEvents", "ProcessCreated", ["FileName=powershell.exe", "InitiatingProcessFileName=mshta.exe", "InitiatingProcessParentFileName=cmd.exe"] },
        { "cmd_bitsadmin_download_psh_script", "DeviceProcessEvents", "ProcessCreated", ["FileName=bitsadmin.exe", "ProcessCommandLine~/transfer /Download /priority Foreground https://raw.githubusercontent.com"] },
        { "cmd_bitsadmin_download_psh_script", "DeviceEvents", "DnsQueryResponse", ["AdditionalFields~\"DnsQueryString\":\"raw.githubusercontent.com\""] },
        { "psh_cmstp_execution_bypassuac", "DeviceProcessEvents", "ProcessCreated", ["FileName=cmstp.exe", "ProcessCommandLine~/s C:\\ProgramData\\T1218.003_uacbypass.inf /au"] },
        { "psh_cmstp_execution_bypassuac", "DeviceProcessEvents", "ProcessCreated", ["FileName=dllhost.exe", "AccountName=wardog", "ProcessIntegrityLevel=High"] },
        { "empire_shell_reg_dump_sam", "DeviceProcessEvents", "ProcessCreated", ["FileName=reg.exe", @"ProcessCommandLine~save HKLM\sam sam", "InitiatingProcessFileName=powershell.exe", "InitiatingProcessCommandLine~-noP -sta -w 1 -enc", "AccountName=pgustavo", "DeviceName=workstation5.theshire.local"] },
        { "empire_shell_reg_dump_sam", "DeviceFileEvents", "FileCreated", [@"FolderPath=C:\Windows\System32\sam", "InitiatingProcessFileName=reg.exe"] },
        { "empire_shell_net_localgroup_administrators", "DeviceProcessEvents", "ProcessCreated", ["FileName=net1.exe", "ProcessCommandLine~localgroup Administrators", "InitiatingProcessFileName=net.exe", "InitiatingProcessParentFileName=powershell.exe"] },
        { "empire_shell_net_localgroup_administrators", "DeviceEvents", "LocalGroupMembershipEnumerated", ["InitiatingProcessFileName=net1.exe", "AdditionalFields~\"GroupName\":\"Administrators\""] },
        { "empire_launcher_vbs", "DeviceProcessEvents", "ProcessCreated", ["FileName=wscript.exe", @"ProcessCommandLine~C:\Users\pgustavo\Desktop\launcher.vbs", "InitiatingProcessFileName=Explorer.EXE"] },
        { "empire_launcher_vbs", "DeviceProcessEvents", "ProcessCreated", ["FileName=powershell.exe", "ProcessCommandLine~-enc", "InitiatingProcessParentFileName~xplorer"] },
        { "empire_launcher_vbs", "DeviceEvents", "PowerShellCommand", ["AdditionalFields={\"Command\":\"Invoke-Expression\"}", "InitiatingProcessFileName=powershell.exe"] },
        { "empire_launcher_vbs", "DeviceEvents", "AmsiScriptContent", ["AdditionalFields~cachedGroupPolicySettings"] },
        { "covenant_sharpwmi_create_dcerpc_wmi", "DeviceProcessEvents", "ProcessCreated", ["FileName=GruntHTTP2.exe", "InitiatingProcessFileName=WmiPrvSE.exe", "DeviceName=workstation6.theshire.local"] },
        { "covenant_sharpwmi_create_dcerpc_wmi", "DeviceEvents", "ProcessCreatedUsingWmiQuery", ["FileName=GruntHTTP2.exe", "InitiatingProcessFileName=WmiPrvSE.exe"] },
        { "covenant_sharpwmi_create_dcerpc_wmi", "DeviceLogonEvents", "LogonSuccess", ["LogonType=Network", "AccountName=pgustavo", "DeviceName=workstation6.theshire.local", "RemoteIP~172.18."] },
        { "schtask_create", "DeviceProcessEvents", "ProcessCreated", ["FileName=schtasks.exe", @"ProcessCommandLine~/create /F /tn \Microsoft\Windows\SoftwareProtectionPlatform\EventCacheManager", "InitiatingProcessFileName=cmd.exe"] },
        { "schtask_create", "DeviceEvents", "ScheduledTaskCreated", ["AdditionalFields~EventCacheManager", "InitiatingProcessAccountName=pgustavo", @"ProcessCommandLine=C:\Windows\system32\cmd.exe /C C:\Windows\System32\notepad.exe"] },
        { "schtask_create", "DeviceEvents", "CreateRemoteThreadApiCall", ["FileName=powershell.exe", "InitiatingProcessFileName=csrss.exe"] },
        { "cmd_userinitmprlogonscript_batch", "DeviceRegistryEvents", "RegistryValueSet", ["RegistryValueName=UserInitMprLogonScript", "RegistryKey~HKEY_CURRENT_USER\\S-1-5-21-", @"RegistryValueData=C:\Users\wardog\AppData\Local\Temp\art.bat", "InitiatingProcessFileName=reg.exe"] },
        { "empire_schtasks_creation_standard_user", "DeviceProcessEvents", "ProcessCreated", ["FileName=schtasks.exe", "ProcessCommandLine~/Create /F /SC DAILY /ST 09:00 /TN MordorSchtask", "InitiatingProcessFileName=powershell.exe"] },
        { "empire_schtasks_creation_standard_user", "DeviceEvents", "ScheduledTaskCreated", ["AdditionalFields~MordorSchtask", "FileName=powershell.exe", "InitiatingProcessAccountName=pgustavo"] },
        { "sh_arp_cache", "DeviceProcessEvents", "ProcessCreated", ["FileName=arp", "ProcessCommandLine=arp -a", "FolderPath=/usr/sbin/arp", "AdditionalFields~\"CurrentDirectory\":\"/home/wardog\""] },
        { "syslog_sysmon_log4shell", "DeviceProcessEvents", "ProcessCreated", ["FileName=bash", "ProcessCommandLine~{echo,YmFzaCAtaSA", "InitiatingProcessFileName=java", "InitiatingProcessCommandLine~com.sun.jndi.ldap.object.trustURLCodebase=true", "AccountName=tomcat"] },
        { "syslog_sysmon_log4shell", "DeviceNetworkEvents", "ConnectionSuccess", ["RemoteIP=192.168.2.6", "RemotePort=1389", "InitiatingProcessFileName=java", "InitiatingProcessCommandLine~jndi"] },
        { "syslog_auoms_auditd_log4shell", "DeviceProcessEvents", "ProcessCreated", ["FileName=bash", "ProcessCommandLine~{echo,YmFzaCAtaSA", "AccountName=tomcat", "InitiatingProcessId=1340"] },
        { "syslog_auoms_auditd_log4shell", "DeviceProcessEvents", "ProcessCreated", ["FileName=whoami", "InitiatingProcessCommandLine=bash -i", "InitiatingProcessParentFileName=bash"] },
    };

    [Theory]
    [MemberData(nameof(Expected))]
    public async Task The_attack_stands_in_the_rows(string recording, string table, string action, string[] columns)
    {
        var run = await ImportRun.OfAsync([Recordings.One(recording)]);
        var rows = run.Store.Of(table).Where(row => (string?)row["ActionType"] == action).ToList();
        rows.Count(row => columns.All(column => Holds(row, column)))
            .ShouldBeGreaterThan(0, $"no {action} with {string.Join(", ", columns)}; lacking: {string.Join(", ", columns.Where(column => !rows.Exists(row => Holds(row, column))))}");
    }

    [Fact]
    public async Task A_process_that_sysmon_and_the_security_log_tell_is_one_row()
    {
        foreach (var recording in Recordings.All)
        {
            var run = await ImportRun.OfAsync([recording]);
            run.Store.Of("DeviceProcessEvents").GroupBy(row => (row["DeviceId"], row["ProcessCommandLine"], row["FileName"], row["ProcessId"]))
                .ShouldAllBe(group => group.Count() == 1, Path.GetFileName(recording));
        }
    }

    [Fact]
    public async Task No_kind_of_event_that_appears_twenty_times_is_dropped_unlisted()
    {
        var run = await ImportRun.OfAsync(Recordings.All);
        run.Report.Files.ShouldAllBe(file => file.Error == null && file.Events > 0);
        run.Report.EventTypes.Sum(type => type.Events).ShouldBe(run.Report.EventsRead);
        run.Report.EventsRead.ShouldBe(12453);
        run.Report.ProblemCount.ShouldBe(1, "only one event, which syslog cut off");
        run.Report.Problems.ShouldAllBe(problem => !problem.Lost);
        foreach (var type in run.Report.EventTypes.Where(type => type.Events >= 20))
        {
            (type.WithRows > 0 || type.Treatment == EventTreatment.Merged || type.Reason.Length > 0).ShouldBeTrue($"{type.Type} gives nothing and says not why");
            if (type.Unmapped > 0) type.Reason.ShouldNotBeEmpty($"{type.Type}: {type.Unmapped} of {type.Events} give nothing");
        }

        run.Report.EventTypes.Where(type => type.Treatment == EventTreatment.Mapped).Sum(type => type.Events).ShouldBeGreaterThan(run.Report.EventsRead * 3 / 4);
        run.Report.EventTypes.Where(type => type.Reason.StartsWith("the mapping does not know", StringComparison.Ordinal)).Sum(type => type.Events).ShouldBeLessThan(10);
    }

    [Fact]
    public async Task Every_row_has_its_device_and_a_time_inside_the_recording()
    {
        foreach (var recording in Recordings.All)
        {
            var run = await ImportRun.OfAsync([recording]);
            var file = run.Report.Files.ShouldHaveSingleItem();
            (file.LastEvent - file.FirstEvent).ShouldNotBeNull().ShouldBeLessThan(TimeSpan.FromMinutes(5), recording);
            foreach (var row in run.Store.Rows)
            {
                row["DeviceId"].ShouldBeOfType<string>().Length.ShouldBe(40);
                ((DateTime)row["Timestamp"]!).ShouldBeInRange(file.FirstEvent!.Value, file.LastEvent!.Value);
                if (row.Table.OrdinalOf("ReportId") >= 0) row["ReportId"].ShouldNotBeNull();
                if (row.Table.OrdinalOf("ProcessCreationTime") >= 0 && row["ProcessCreationTime"] is DateTime created) created.ShouldBeLessThanOrEqualTo(file.LastEvent.Value.AddSeconds(1));
            }
        }
    }

    [Fact]
    public async Task Device_time_and_report_id_name_one_row_of_a_table()
    {
        var run = await ImportRun.OfAsync(Recordings.All);
        foreach (var table in run.Store.Rows.Where(row => row.Table.OrdinalOf("ReportId") >= 0).GroupBy(row => row.Table.Name))
        {
            table.GroupBy(row => (row["DeviceId"], row["Timestamp"], row["ReportId"])).ShouldAllBe(rows => rows.Count() == 1, table.Key);
        }
    }

    [Fact]
    public async Task Nearly_all_rows_of_windows_know_the_process_that_acted()
    {
        var run = await ImportRun.OfAsync(Recordings.All.Where(path => Path.GetFileName(path).StartsWith("windows", StringComparison.Ordinal)).ToArray());
        foreach (var table in new[] { "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents", "DeviceImageLoadEvents" })
        {
            var rows = run.Store.Of(table).ToList();
            rows.Count(row => row["InitiatingProcessFileName"] is string { Length: > 0 }).ShouldBeGreaterThan(rows.Count * 99 / 100, table);
        }
    }

    [Fact]
    public async Task Devices_are_known_with_system_addresses_and_users()
    {
        var run = await ImportRun.OfAsync([Recordings.One("empire_launcher_vbs")]);
        var workstation = run.Report.Devices.Single(device => device.Name == "workstation5.theshire.local");
        (workstation.OsPlatform, workstation.OsBuild).ShouldBe(("Windows10", 18362));
        workstation.IpAddresses.ShouldContain("172.18.39.5");
        workstation.LoggedOnUsers.ShouldContain(user => user.UserName == "pgustavo" && user.DomainName == "theshire" && user.Sid.StartsWith("S-1-5-21-"));
        run.Report.Devices.Single(device => device.Name.StartsWith("mordordc")).OsPlatform.ShouldBe("WindowsServer2019");
    }

    private static bool Holds(HuntingRow row, string condition)
    {
        var at = condition.IndexOfAny(['=', '~']);
        var text = Convert.ToString(row[condition[..at]], System.Globalization.CultureInfo.InvariantCulture) ?? "";
        return condition[at] == '=' ? text.Equals(condition[(at + 1)..], StringComparison.OrdinalIgnoreCase) : text.Contains(condition[(at + 1)..], StringComparison.Ordinal);
    }
}
