using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Reading;

namespace Vedette.Telemetry.Tests.Import.Reading;

public sealed class AuditTests : IDisposable
{
    private const string Stamp1 = "audit(1793520000.100:501)";
    private const string Stamp2 = "audit(1793520000.101:502)";
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Interleaved_records_become_one_event_each()
    {
        var run = await RunAsync(
            $"type=SYSCALL msg={Stamp1}: arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=10 pid=11 auid=1000 uid=0 euid=0 tty=pts0 ses=3 comm=\"sh\" exe=\"/bin/dash\" key=\"exec\"",
            $"type=SYSCALL msg={Stamp2}: arch=c00000b7 syscall=221 success=yes exit=0 ppid=11 pid=12 auid=1000 uid=1000 tty=pts0 ses=3 comm=\"cat\" exe=\"/bin/cat\" key=(null)",
            $"type=EXECVE msg={Stamp1}: argc=3 a0=\"sh\" a1=\"-c\" a2=636174202F6574632F736861646F77",
            $"type=EXECVE msg={Stamp2}: argc=2 a0=\"cat\" a1_len=9 a1[0]=\"/etc/\" a1[1]=\"shadow\"",
            $"type=CWD msg={Stamp1}: cwd=\"/home/al ice\"",
            $"type=EOE msg={Stamp1}: ",
            $"type=CWD msg={Stamp2}: cwd=\"/tmp\"");
        var rows = run.Store.Of("DeviceProcessEvents").ToList();
        rows.Select(row => row["ProcessCommandLine"]).ShouldBe(["sh -c \"cat /etc/shadow\"", "cat /etc/shadow"]);
        rows[0]["ProcessId"].ShouldBe(11L);
        rows[0]["AccountName"].ShouldBe("root");
        rows[0]["Timestamp"].ShouldBe(DateTime.UnixEpoch.AddSeconds(1793520000).AddMilliseconds(100));
        ((string)rows[0]["AdditionalFields"]!).ShouldContain("\"CurrentDirectory\":\"/home/al ice\"");
        rows[1]["InitiatingProcessCommandLine"].ShouldBe("sh -c \"cat /etc/shadow\"");
        rows[1]["InitiatingProcessFolderPath"].ShouldBe("/bin/dash");
        run.Report.EventsRead.ShouldBe(2);
    }

    [Fact]
    public async Task Failed_attempts_create_no_process_and_are_counted()
    {
        var run = await RunAsync($"type=SYSCALL msg={Stamp1}: arch=c000003e syscall=59 success=no exit=-2 ppid=10 pid=11 exe=\"/bin/dash\"");
        run.Store.Of("DeviceProcessEvents").ShouldBeEmpty();
        var kind = run.Report.EventTypes.ShouldHaveSingleItem();
        (kind.Type, kind.Events, kind.Unmapped).ShouldBe(("auditd/execve", 1, 1));
        kind.Reason.ShouldContain("failed");
    }

    [Theory]
    [InlineData("saddr=02000050C0A80205000000000000000000", "192.168.2.5", 80)]
    [InlineData("saddr=02000050C0A802050000000000000000", "192.168.2.5", 80)]
    [InlineData("saddr=0A0001BB0000000020010DB800000000000000000000000100000000", "2001:db8::1", 443)]
    [InlineData("saddr=0A0001BB0000000000000000000000000000FFFF0A00000100000000", "10.0.0.1", 443)]
    public async Task Socket_addresses_are_decoded(string saddr, string ip, int port)
    {
        var run = await RunAsync(
            $"type=SYSCALL msg={Stamp1}: arch=c000003e syscall=42 success=yes exit=0 ppid=1 pid=20 uid=33 exe=\"/usr/bin/curl\"", $"type=SOCKADDR msg={Stamp1}: {saddr}");
        if (saddr.Length % 2 != 0)
        {
            run.Store.Of("DeviceNetworkEvents").ShouldBeEmpty();
            return;
        }

        var row = run.Store.Of("DeviceNetworkEvents").ShouldHaveSingleItem();
        row["ActionType"].ShouldBe("ConnectionSuccess");
        (row["RemoteIP"], row["RemotePort"], row["InitiatingProcessFileName"]).ShouldBe((ip, port, "curl"));
    }

    [Theory]
    [InlineData("success=yes exit=0", "ConnectionSuccess")]
    [InlineData("success=no exit=-115", "ConnectionRequest")]
    [InlineData("success=no exit=-111", "ConnectionFailed")]
    public async Task The_outcome_of_a_connection_decides_its_action(string outcome, string action)
    {
        var run = await RunAsync($"type=SYSCALL msg={Stamp1}: arch=c000003e syscall=42 {outcome} pid=20 exe=\"/usr/bin/curl\"", $"type=SOCKADDR msg={Stamp1}: saddr=02000050C0A802050000000000000000");
        run.Store.Of("DeviceNetworkEvents").ShouldHaveSingleItem()["ActionType"].ShouldBe(action);
    }

    [Fact]
    public async Task Files_created_deleted_and_renamed_are_told_by_their_paths()
    {
        var run = await RunAsync(
            $"type=SYSCALL msg={Stamp1}: arch=c000003e syscall=316 success=yes exit=0 pid=20 exe=\"/bin/mv\"",
            $"type=CWD msg={Stamp1}: cwd=\"/srv\"",
            $"type=PATH msg={Stamp1}: item=2 name=\"old.txt\" nametype=DELETE",
            $"type=PATH msg={Stamp1}: item=3 name=\"/srv/new name.txt\" nametype=CREATE",
            $"type=SYSCALL msg={Stamp2}: arch=c000003e syscall=87 success=yes exit=0 pid=21 exe=\"/bin/rm\"",
            $"type=PATH msg={Stamp2}: item=1 name=\"/var/log/auth.log\" nametype=DELETE");
        var rows = run.Store.Of("DeviceFileEvents").ToList();
        rows.Select(row => ((string)row["ActionType"]!, (string)row["FolderPath"]!)).ShouldBe([("FileRenamed", "/srv/new name.txt"), ("FileDeleted", "/var/log/auth.log")]);
        (rows[0]["PreviousFileName"], rows[0]["PreviousFolderPath"]).ShouldBe(("old.txt", "/srv/old.txt"));
    }

    [Fact]
    public async Task Sign_ins_are_told_with_user_and_origin()
    {
        var run = await RunAsync(
            $"node=web1 type=USER_LOGIN msg={Stamp1}: pid=900 uid=0 auid=1000 ses=4 msg='op=login acct=\"alice\" exe=\"/usr/sbin/sshd\" hostname=desk.example addr=198.51.100.7 terminal=ssh res=success'",
            $"node=web1 type=USER_LOGIN msg={Stamp2}: pid=901 uid=0 auid=4294967295 ses=4294967295 msg='op=login acct=6D616C6C 6F7279 exe=\"/usr/sbin/sshd\" hostname=? addr=198.51.100.8 terminal=ssh res=failed'");
        var rows = run.Store.Of("DeviceLogonEvents").ToList();
        rows.Select(row => ((string)row["ActionType"]!, (string)row["RemoteIP"]!, (string)row["DeviceName"]!)).ShouldBe(
            [("LogonSuccess", "198.51.100.7", "web1"), ("LogonFailed", "198.51.100.8", "web1")]);
        (rows[0]["AccountName"], rows[0]["RemoteDeviceName"], rows[0]["LogonType"], rows[0]["RemoteIPType"]).ShouldBe(("alice", "desk.example", "RemoteInteractive", "Public"));
    }

    [Fact]
    public void Quotes_inside_a_value_do_not_end_it()
    {
        var record = AuditRecord.Parse($"type=AUOMS_EXECVE {Stamp1}: pid=5 cmdline=\"bash -c \"{{echo,x}}|{{bash,-i}}\"\" redactors= containerid=", 100, out _)!;
        record["cmdline"].ShouldBe("bash -c \"{echo,x}|{bash,-i}\"");
        record["pid"].ShouldBe("5");
    }

    [Fact]
    public async Task A_log_that_names_no_host_is_given_one()
    {
        var line = $"type=SYSCALL msg={Stamp1}: arch=c000003e syscall=59 success=yes pid=11 exe=\"/bin/true\"";
        (await ImportRun.OfAsync([_folder.Text("web7.audit.log", line)])).Report.Devices.ShouldHaveSingleItem().Name.ShouldBe("web7");
        (await ImportRun.OfAsync([_folder.Text("web7.audit.log", line)], new ImportOptions { DeviceName = "Web8" })).Report.Devices.ShouldHaveSingleItem().Name.ShouldBe("web8");
    }

    public void Dispose() => _folder.Dispose();

    private Task<ImportRun> RunAsync(params string[] lines) => ImportRun.OfAsync([_folder.Text("audit.log", lines)]);
}
