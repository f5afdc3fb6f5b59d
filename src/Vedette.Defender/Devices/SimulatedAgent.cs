using System.Text.Json;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Devices;

/// <summary>How a simulated device executes commands: by what telemetry and state know of it, and nothing made up.</summary>
public sealed class SimulatedAgent(IDeviceChannel channel, IHuntingService hunting, InvestigationPackage packages, TimeProvider clock)
{
    private const int Unspecified = unchecked((int)0x80004005);
    private const int FileNotFound = unchecked((int)0x80070002);

    private static readonly Dictionary<CommandKind, Func<DeviceState, DeviceCommand, DeviceState>> Effects = new()
    {
        [CommandKind.Isolate] = (state, command) => state with
        {
            Isolation = command.Scope switch { "Selective" => DeviceIsolation.Selective, "UnManagedDevice" => DeviceIsolation.Contained, _ => DeviceIsolation.Full },
        },
        [CommandKind.Unisolate] = (state, _) => state with { Isolation = DeviceIsolation.None },
        [CommandKind.RestrictCodeExecution] = (state, _) => state with { IsCodeExecutionRestricted = true },
        [CommandKind.UnrestrictCodeExecution] = (state, _) => state with { IsCodeExecutionRestricted = false },
        [CommandKind.Offboard] = (state, _) => state with { IsOffboarded = true },
    };

    /// <summary>Executes a command that the device has begun, and reports how it ended. May be repeated after a crash.</summary>
    internal async Task ExecuteAsync(DeviceSession device, Machine machine, DeviceCommand command, ActionTiming timing, CancellationToken cancellationToken)
    {
        var before = new DeviceState((DeviceIsolation)machine.Isolation, machine.IsCodeExecutionRestricted, machine.OnboardingStatus != OnboardingStatus.Onboarded);
        var failed = new CommandResult(command.Id, false, before);
        if (timing.Outcome == MachineActionStatus.Failed)
        {
            await channel.CompleteAsync(device, failed with { ErrorHResult = Unspecified, Message = "The tenant's action timing lets actions fail." }, cancellationToken);
            return;
        }

        var result = new CommandResult(command.Id, true, Effects.TryGetValue(command.Kind, out var effect) ? effect(before, command) : before);
        switch (command.Kind)
        {
            case CommandKind.RunAntiVirusScan:
                await channel.SendTelemetryAsync(device, ScanCompleted(machine, command), cancellationToken);
                break;
            case CommandKind.StopAndQuarantineFile:
                if (await MissingFileAsync(device, command.FileSha1!, cancellationToken) is { } problem) result = failed with { ErrorHResult = FileNotFound, Message = problem };
                break;
            case CommandKind.CollectInvestigationPackage:
                await UploadPackageAsync(device, machine, command, cancellationToken);
                break;
            case CommandKind.LiveResponse:
                result = await RunStepsAsync(device, command, result, cancellationToken);
                break;
        }

        await channel.CompleteAsync(device, result, cancellationToken);
    }

    private static TelemetryBatch ScanCompleted(Machine machine, DeviceCommand command)
    {
        // The time follows from the command, so that the batch is the same when it is sent again.
        var row = HuntingRow.For("DeviceEvents");
        row["Timestamp"] = command.StartedAt ?? command.CreatedAt;
        row["DeviceId"] = machine.Id;
        row["DeviceName"] = machine.ComputerDnsName;
        row["ActionType"] = "AntivirusScanCompleted";
        row["ReportId"] = (long)BitConverter.ToUInt32(command.Id.ToByteArray());
        row["AdditionalFields"] = JsonSerializer.Serialize(new Dictionary<string, string> { ["ScanId"] = command.Id.ToString(), ["ScanTypeIndex"] = command.Scope ?? "Quick", ["User"] = "NT AUTHORITY\\SYSTEM" });
        return new TelemetryBatch($"scan-{command.Id:N}", HuntingRowText.Write([row]));
    }

    /// <summary>Why the device cannot have the file; null when telemetry has seen it there.</summary>
    private async Task<string?> MissingFileAsync(DeviceSession device, string sha1, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var table in new[] { "DeviceFileEvents", "DeviceProcessEvents", "DeviceImageLoadEvents" })
            {
                var query = $"{table} | where DeviceId == '{device.DeviceId}' and SHA1 =~ '{sha1}' | take 1 | project Timestamp";
                var answer = await hunting.RunAsync(new HuntingRequest(device.TenantId, query), cancellationToken);
                if (answer.Rows.Count > 0) return null;
            }

            return "The file was not found on the device.";
        }
        catch (HuntingException exception)
        {
            return $"The device's files cannot be looked up: {exception.Message}";
        }
    }

    private async Task UploadPackageAsync(DeviceSession device, Machine machine, DeviceCommand command, CancellationToken cancellationToken)
    {
        await using var content = new FileStream(
            Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 81920, FileOptions.DeleteOnClose);
        await packages.WriteAsync(machine, command.StartedAt ?? command.CreatedAt, content, cancellationToken);
        content.Position = 0;
        await channel.UploadAsync(device, command.Id, ActionService.PackageName, content, cancellationToken);
    }

    /// <summary>
    /// A simulated device takes files and runs scripts to no effect, and has no file contents to give: the first command that asks for one fails
    /// and ends the session, as a missing file does on a real device.
    /// </summary>
    private async Task<CommandResult> RunStepsAsync(DeviceSession device, DeviceCommand command, CommandResult result, CancellationToken cancellationToken)
    {
        var steps = new List<StepResult>();
        for (var index = 0; index < command.Steps.Count; index++)
        {
            var step = command.Steps[index];
            var now = clock.GetUtcNow().UtcDateTime;
            if (step.Type.Equals("GetFile", StringComparison.OrdinalIgnoreCase))
            {
                steps.Add(new StepResult(false, now, now, [$"The file {step.Parameters.GetValueOrDefault("Path")} was not found on the device."], null));
                return result with { Succeeded = false, ErrorHResult = FileNotFound, Message = "A command of the session failed.", Steps = steps };
            }

            string? file = null;
            if (step.Type.Equals("RunScript", StringComparison.OrdinalIgnoreCase))
            {
                file = $"result-{index}.json";
                var transcript = JsonSerializer.SerializeToUtf8Bytes(new { script_name = step.Parameters.GetValueOrDefault("ScriptName"), exit_code = 0, script_output = "", script_errors = "" });
                await channel.UploadAsync(device, command.Id, file, new MemoryStream(transcript), cancellationToken);
            }

            steps.Add(new StepResult(true, now, now, [], file));
        }

        return result with { Steps = steps };
    }
}
