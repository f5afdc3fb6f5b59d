using System.Text;
using System.Text.Json;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.Devices;
using Vedette.Defender.LiveResponse;
using Vedette.Defender.State;

namespace Vedette.Defender.Tests.LiveResponse;

public sealed class LiveResponseTests : IAsyncLifetime
{
    private DefenderWorld _world = null!;

    public async Task InitializeAsync()
    {
        _world = await DefenderWorld.CreateAsync();
        await _world.AddMachineAsync();
        await _world.SetTimingAsync(ActionTiming.AtOnce);
        _ = _world.Get<SimulatedDevices>();
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task What_was_put_can_be_got_by_name_and_by_path_and_in_a_later_session()
    {
        await UploadAsync("tool.bin", [0, 1, 2, 255]);
        var first = await RunAsync(Put("tool.bin"), Get("tool.bin"));
        first.Commands.Select(c => c.CommandStatus).ShouldBe(["Completed", "Completed"]);
        first.Commands[0].ResultFile.ShouldBeNull();
        (await ResultAsync(first, 1)).ShouldBe([0, 1, 2, 255]);
        var second = await RunAsync(Get(@"c:\programdata\microsoft\windows defender advanced threat protection\DOWNLOADS\Tool.bin"));
        (await ResultAsync(second, 0)).ShouldBe([0, 1, 2, 255]);
        (await _world.HuntAsync("SELECT FileName, SHA1 FROM hunting.DeviceFileEvents")).ShouldBe([$"tool.bin|{DeviceDisks.Sha1([0, 1, 2, 255])}"]);
    }

    [Fact]
    public async Task A_script_prints_what_it_computes_and_its_effects_stay()
    {
        await UploadAsync("probe.ps1", "param([string]$Name, $Other)\r\n# says hello\nWrite-Output \"hello $Name\" ; hostname\nSet-Content -Path out.txt -Value \"seen: $Other\"\nGet-Content missing.txt\nexit 3\n");
        var action = await RunAsync(Script("probe.ps1", "-Other 'x y' Dana"), Get("out.txt"));
        action.Status.ShouldBe(MachineActionStatus.Succeeded);
        var transcript = JsonDocument.Parse(await ResultAsync(action, 0)).RootElement;
        transcript.GetProperty("script_name").GetString().ShouldBe("probe.ps1");
        transcript.GetProperty("exit_code").GetInt32().ShouldBe(3);
        transcript.GetProperty("script_output").GetString().ShouldBe("hello Dana\npc-1\n");
        transcript.GetProperty("script_errors").GetString()!.ShouldContain("Cannot find path");
        Encoding.UTF8.GetString(await ResultAsync(action, 1)).ShouldBe("seen: x y\n");
        (await _world.HuntAsync("SELECT FileName, ProcessCommandLine LIKE '%probe.ps1\" -Other%' FROM hunting.DeviceProcessEvents")).ShouldBe(["powershell.exe|1"]);
    }

    [Theory]
    [InlineData("Write-Output one\nInvoke-WebRequest http://x\nWrite-Output two", "Line 2: 'Invoke-WebRequest' is not known to simulated devices.")]
    [InlineData("Get-Content a | Measure-Object", "Line 1: '|' is not understood by simulated devices.")]
    [InlineData("Start-Sleep -Seconds 601", "The script was ended after 10 minutes.")]
    public async Task A_script_beyond_a_simulated_device_fails_with_the_reason_and_leaves_later_commands_undone(string script, string reason)
    {
        await UploadAsync("a.ps1", script);
        var action = await RunAsync(Script("a.ps1"), Get("a.txt"));
        action.Status.ShouldBe(MachineActionStatus.Failed);
        action.Commands.Select(c => c.CommandStatus).ShouldBe(["Failed", "Created"]);
        action.Commands[0].Errors.ShouldBe([reason]);
        action.Commands[0].ResultFile.ShouldBeNull();
    }

    [Fact]
    public async Task The_first_failure_ends_the_session()
    {
        await UploadAsync("a.bin", [1]);
        var action = await RunAsync(Put("a.bin"), Put("nowhere.bin"), Get("a.bin"));
        action.Commands.Select(c => c.CommandStatus).ShouldBe(["Completed", "Failed", "Created"]);
        action.Commands[1].Errors.ShouldBe(["The file nowhere.bin was not found in the library."]);
        action.TroubleshootInfo.ShouldBe("A command of the session failed.");
    }

    [Fact]
    public async Task A_quarantined_file_is_gone()
    {
        await UploadAsync("bad.bin", [9, 9]);
        await RunAsync(Put("bad.bin"));
        var order = new ActionOrder(MachineActionType.StopAndQuarantineFile, "c") { Sha1 = DeviceDisks.Sha1([9, 9]) };
        (await ActionAsync((await _world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), order, default)).Value.Id)).Status.ShouldBe(MachineActionStatus.Succeeded);
        (await RunAsync(Get("bad.bin"))).Commands[0].CommandStatus.ShouldBe("Failed");
    }

    [Fact]
    public async Task A_file_of_a_trusted_publisher_is_left_alone()
    {
        var sha1 = new string('c', 40);
        await _world.AppendAsync("DeviceFileEvents", ("SHA1", sha1), ("FileName", "winword.exe"));
        await _world.AppendAsync("DeviceFileCertificateInfo", ("SHA1", sha1), ("IsTrusted", true));
        var order = new ActionOrder(MachineActionType.StopAndQuarantineFile, "c") { Sha1 = sha1 };
        var action = await ActionAsync((await _world.Get<ActionService>().RequestAsync(DefenderWorld.Caller, DefenderWorld.MachineId(1), order, default)).Value.Id);
        (action.Status, action.ErrorHResult).ShouldBe((MachineActionStatus.Failed, unchecked((int)0x80070005)));
    }

    [Fact]
    public async Task A_session_taken_up_again_after_a_crash_is_not_run_twice()
    {
        await _world.SetTimingAsync(new ActionTiming(ActionTimingMode.Never, 0, 0));
        await UploadAsync("add.ps1", "Add-Content log.txt 'once'\nGet-Content log.txt");
        var ordered = await OrderAsync(Script("add.ps1"));
        var device = new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1));
        var channel = _world.Get<IDeviceChannel>();
        (await channel.BeginAsync(device, ordered.Id, default)).ShouldBeTrue();
        var command = (await channel.FetchCommandAsync(device, default))!;
        await using var state = _world.Open();
        var machine = state.Machines.Single();
        var once = await _world.Get<SimulatedSession>().RunAsync(device, machine, command, default);
        var again = await _world.Get<SimulatedSession>().RunAsync(device, machine, command, default);
        again.Single().ResultFile.ShouldBe(once.Single().ResultFile);
        await _world.SetTimingAsync(ActionTiming.AtOnce);
        await _world.Get<SimulatedDevices>().StepAsync(device, default);
        JsonDocument.Parse(await ResultAsync(await ActionAsync(ordered.Id), 0)).RootElement.GetProperty("script_output").GetString().ShouldBe("once\n");
        Encoding.UTF8.GetString(await ResultAsync(await RunAsync(Get("log.txt")), 0)).ShouldBe("once\n");
    }

    [Fact]
    public async Task A_device_gets_only_files_that_its_own_session_names()
    {
        await UploadAsync("a.bin", [1]);
        await UploadAsync("b.bin", [1]);
        await _world.SetTimingAsync(new ActionTiming(ActionTimingMode.Never, 0, 0));
        var ordered = await OrderAsync(Put("a.bin"));
        var device = new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(1));
        var channel = _world.Get<IDeviceChannel>();
        await Should.ThrowAsync<FileNotFoundException>(() => channel.DownloadAsync(device, ordered.Id, "a.bin", default));
        await channel.BeginAsync(device, ordered.Id, default);
        (await channel.DownloadAsync(device, ordered.Id, "a.bin", default)).Length.ShouldBe(1);
        await Should.ThrowAsync<FileNotFoundException>(() => channel.DownloadAsync(device, ordered.Id, "b.bin", default));
        await Should.ThrowAsync<FileNotFoundException>(() => channel.DownloadAsync(device with { DeviceId = DefenderWorld.MachineId(2) }, ordered.Id, "a.bin", default));
    }

    [Fact]
    public async Task Of_many_orders_at_once_twenty_five_sessions_begin_and_one_for_each_device()
    {
        await _world.SetTimingAsync(new ActionTiming(ActionTimingMode.Never, 0, 0));
        for (var n = 2; n <= 30; n++) await _world.AddMachineAsync(n);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 60).Select(n => Task.Run(() => _world.Get<ActionService>().RequestAsync(
            DefenderWorld.Caller, DefenderWorld.MachineId(1 + (n % 30)), new ActionOrder(MachineActionType.LiveResponse, "c") { Commands = [Get("a")] }, default))));
        outcomes.Count(o => o.Error is null).ShouldBe(25);
        outcomes.Where(o => o.Error is not null).Select(o => o.Error!.Refusal).Distinct()
            .ShouldBeSubsetOf([Refusal.TooManySessions, Refusal.ActiveRequestAlreadyExists]);
        outcomes.Where(o => o.Error is null).Select(o => o.Value.MachineId).Distinct().Count().ShouldBe(25);
    }

    private static LiveResponseCommand Put(string name) => new("PutFile", [new("FileName", name)]);

    private static LiveResponseCommand Get(string path) => new("GetFile", [new("Path", path)]);

    private static LiveResponseCommand Script(string name, string? args = null) =>
        new("RunScript", args is null ? [new("ScriptName", name)] : [new("ScriptName", name), new("Args", args)]);

    private Task UploadAsync(string name, string text) => UploadAsync(name, Encoding.UTF8.GetBytes(text));

    private async Task UploadAsync(string name, byte[] content) =>
        (await _world.Get<LibraryService>().UploadAsync(DefenderWorld.Caller, new LibraryUpload(name, content), default)).Error.ShouldBeNull();

    private async Task<MachineAction> OrderAsync(params LiveResponseCommand[] commands) => (await _world.Get<ActionService>().RequestAsync(
        DefenderWorld.Caller, DefenderWorld.MachineId(1), new ActionOrder(MachineActionType.LiveResponse, "c") { Commands = commands }, default)).Value;

    private async Task<MachineAction> RunAsync(params LiveResponseCommand[] commands) => await ActionAsync((await OrderAsync(commands)).Id);

    private async Task<MachineAction> ActionAsync(Guid id) => (await _world.Get<ActionService>().GetAsync(DefenderWorld.Caller, id, default)).Value;

    private async Task<byte[]> ResultAsync(MachineAction action, int index)
    {
        await using var file = _world.Get<ActionService>().OpenFile(new StoredFile(action.Commands[index].ResultFile!, 0));
        using var memory = new MemoryStream();
        await file.CopyToAsync(memory);
        return memory.ToArray();
    }
}
