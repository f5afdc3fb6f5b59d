using System.Text.Json;
using Vedette.Agent.Contract;
using Vedette.Defender.Actions;
using Vedette.Defender.LiveResponse;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Devices;

/// <summary>How a simulated device executes commands: by what telemetry and state know of it, and nothing made up.</summary>
internal sealed class SimulatedAgent(
    IDeviceChannel channel, IHuntingService hunting, InvestigationPackage packages, SimulatedSession sessions, DeviceDisks disks)
{
    private const int Unspecified = unchecked((int)0x80004005);
    private const int AccessDenied = unchecked((int)0x80070005);
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
                if (await QuarantineAsync(device, command.FileSha1!, cancellationToken) is { } problem) result = failed with { ErrorHResult = problem.Error, Message = problem.Message };
                break;
            case CommandKind.CollectInvestigationPackage:
                await UploadPackageAsync(device, machine, command, cancellationToken);
                break;
            case CommandKind.LiveResponse:
                var steps = await sessions.RunAsync(device, machine, command, cancellationToken);
                result = (steps.All(s => s.Succeeded) ? result : failed with { ErrorHResult = Unspecified, Message = "A command of the session failed." }) with { Steps = steps };
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

    /// <summary>Stops a file; tells why that could not be done, or null.</summary>
    private async Task<(int Error, string Message)?> QuarantineAsync(DeviceSession device, string sha1, CancellationToken cancellationToken)
    {
        try
        {
            // Source: the service's page on stopping files: signed by a trusted publisher, they are left alone.
            if (await FindsAsync(device, $"DeviceFileCertificateInfo | where SHA1 =~ '{sha1}' and IsTrusted == true", cancellationToken))
                return (AccessDenied, "The file is signed by a trusted publisher and cannot be quarantined.");
            if (await disks.RemoveAsync(device, sha1, cancellationToken) > 0) return null;
            foreach (var table in new[] { "DeviceFileEvents", "DeviceProcessEvents", "DeviceImageLoadEvents" })
            {
                if (await FindsAsync(device, $"{table} | where DeviceId == '{device.DeviceId}' and SHA1 =~ '{sha1}'", cancellationToken)) return null;
            }

            return (FileNotFound, "The file was not found on the device.");
        }
        catch (HuntingException exception)
        {
            return (FileNotFound, $"The device's files cannot be looked up: {exception.Message}");
        }
    }

    private async Task<bool> FindsAsync(DeviceSession device, string query, CancellationToken cancellationToken) =>
        (await hunting.RunAsync(new HuntingRequest(device.TenantId, query + " | take 1 | project Timestamp"), cancellationToken)).Rows.Count > 0;

    private async Task UploadPackageAsync(DeviceSession device, Machine machine, DeviceCommand command, CancellationToken cancellationToken)
    {
        await using var content = new FileStream(
            Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 81920, FileOptions.DeleteOnClose);
        await packages.WriteAsync(machine, command.StartedAt ?? command.CreatedAt, content, cancellationToken);
        content.Position = 0;
        await channel.UploadAsync(device, command.Id, ActionService.PackageName, content, cancellationToken);
    }
}
