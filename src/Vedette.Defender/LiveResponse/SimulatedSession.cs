using System.Text.Json;
using Vedette.Agent.Contract;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.LiveResponse;

/// <summary>
/// A live response session on a simulated device: files that are put can be got again, scripts run in <see cref="ScriptInterpreter"/>, and what
/// the device cannot honestly do fails with the reason. The first failure ends the session.
/// </summary>
internal sealed class SimulatedSession(IDeviceChannel channel, DeviceDisks disks, IHuntingService hunting, TimeProvider clock)
{
    private delegate Task<StepEnd> Step(Session session, SessionStep step, int index, CancellationToken cancellationToken);

    private static readonly JsonSerializerOptions Transcript = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Runs the steps of a command; may be repeated after a crash without doing anything twice.</summary>
    public async Task<IReadOnlyList<StepResult>> RunAsync(DeviceSession device, Machine machine, DeviceCommand command, CancellationToken cancellationToken)
    {
        if (await disks.EndedAsync(command.Id, cancellationToken) is { } ended) return ended;
        var session = new Session(machine, command, await disks.OpenAsync(device, machine.OsPlatform, cancellationToken));
        var results = new List<StepResult>();
        for (var index = 0; index < command.Steps.Count; index++)
        {
            var started = clock.GetUtcNow().UtcDateTime;
            var step = command.Steps[index];
            StepEnd end;
            try
            {
                end = await StepOf(step.Type)(session, step, index, cancellationToken);
            }
            catch (Exception problem) when (problem is ScriptProblem or DiskFullException or HuntingException or FileNotFoundException)
            {
                end = new StepEnd(null, TimeSpan.Zero, problem.Message);
            }

            results.Add(new StepResult(end.Problem is null, started, started + end.Took, end.Problem is null ? [] : [end.Problem], end.ResultFile));
            if (end.Problem is not null) break;
        }

        if (session.Events.Count > 0) await channel.SendTelemetryAsync(device, new TelemetryBatch($"session-{command.Id:N}", HuntingRowText.Write(session.Events)), cancellationToken);
        await disks.StoreAsync(session.Disk, command.Id, results, cancellationToken);
        return results;
    }

    private Step StepOf(string type) => type.ToUpperInvariant() switch
    {
        "PUTFILE" => PutAsync,
        "RUNSCRIPT" => RunScriptAsync,
        "GETFILE" => GetAsync,
        _ => throw new ScriptProblem($"The command {type} is not known."),
    };

    private async Task<StepEnd> PutAsync(Session session, SessionStep step, int index, CancellationToken cancellationToken)
    {
        var name = step.Parameters["FileName"];
        var content = await DownloadAsync(session, name, cancellationToken);
        session.Disk.Write(name, content);
        session.Add("DeviceFileEvents", index, row =>
        {
            row["ActionType"] = "FileCreated";
            row["FileName"] = name;
            row["FolderPath"] = session.Disk.Style.Full(name);
            row["SHA1"] = DeviceDisks.Sha1(content);
            row["SHA256"] = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));
            row["FileSize"] = content.LongLength;
            row["InitiatingProcessFileName"] = "SenseIR.exe";
        });
        return new StepEnd(null, TimeSpan.Zero, null);
    }

    private async Task<StepEnd> RunScriptAsync(Session session, SessionStep step, int index, CancellationToken cancellationToken)
    {
        var name = step.Parameters["ScriptName"];
        var arguments = step.Parameters.GetValueOrDefault("Args");
        var content = await DownloadAsync(session, name, cancellationToken);
        var onWindows = session.Disk.Style.Separator == '\\';
        ScriptLanguage language = Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".ps1" when onWindows => ScriptLanguage.PowerShell,
            ".sh" or ".bash" when !onWindows => ScriptLanguage.Shell,
            _ => throw new ScriptProblem($"The device cannot run {name}: simulated devices run .ps1 files on Windows and .sh files elsewhere."),
        };
        var place = new ScriptPlace(session.Disk, session.Machine.ComputerDnsName ?? session.Machine.Id, session.Machine.OsPlatform, session.Begin);
        var result = await ScriptInterpreter.RunAsync(place, language, System.Text.Encoding.UTF8.GetString(content), arguments);
        var interpreter = onWindows ? "powershell.exe" : "bash";
        session.Add("DeviceProcessEvents", index, row =>
        {
            row["ActionType"] = "ProcessCreated";
            row["FileName"] = interpreter;
            row["FolderPath"] = onWindows ? @"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" : "/usr/bin/bash";
            row["ProcessCommandLine"] = $"{interpreter} {(onWindows ? "-File " : "")}\"{session.Disk.Style.Full(name)}\"{(string.IsNullOrEmpty(arguments) ? "" : " " + arguments)}";
            row["AccountName"] = onWindows ? "system" : "root";
            row["InitiatingProcessFileName"] = onWindows ? "SenseIR.exe" : "wdavdaemon";
        });
        var transcript = JsonSerializer.SerializeToUtf8Bytes(
            new { script_name = name, exit_code = result.ExitCode, script_output = result.Output, script_errors = result.Errors }, Transcript);
        return new StepEnd(await UploadAsync(session, $"result-{index}.json", transcript, cancellationToken), result.Took, null);
    }

    private async Task<StepEnd> GetAsync(Session session, SessionStep step, int index, CancellationToken cancellationToken)
    {
        var path = step.Parameters["Path"];
        if (await session.Disk.ReadAsync(path) is { } content) return new StepEnd(await UploadAsync(session, $"result-{index}.bin", content, cancellationToken), TimeSpan.Zero, null);
        return new StepEnd(null, TimeSpan.Zero, await WasSeenAsync(session, path, cancellationToken)
            ? $"The file {path} is known from events, but simulated devices have the contents only of files that sessions wrote."
            : $"The file {path} was not found on the device.");
    }

    // The path is a caller's text: it is quoted as a literal, and the question is about this device alone.
    private async Task<bool> WasSeenAsync(Session session, string path, CancellationToken cancellationToken)
    {
        var full = session.Disk.Style.Full(path).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        var device = session.Disk.Device;
        foreach (var table in new[] { "DeviceFileEvents", "DeviceProcessEvents", "DeviceImageLoadEvents" })
        {
            var query = $"{table} | where DeviceId == '{device.DeviceId}' and FolderPath =~ \"{full}\" | take 1 | project Timestamp";
            if ((await hunting.RunAsync(new HuntingRequest(device.TenantId, query), cancellationToken)).Rows.Count > 0) return true;
        }

        return false;
    }

    private async Task<byte[]> DownloadAsync(Session session, string name, CancellationToken cancellationToken)
    {
        await using var content = await channel.DownloadAsync(session.Disk.Device, session.Command.Id, name, cancellationToken);
        using var memory = new MemoryStream();
        await content.CopyToAsync(memory, cancellationToken);
        return memory.ToArray();
    }

    private async Task<string> UploadAsync(Session session, string name, byte[] content, CancellationToken cancellationToken)
    {
        await channel.UploadAsync(session.Disk.Device, session.Command.Id, name, new MemoryStream(content), cancellationToken);
        return name;
    }

    /// <summary>How a step ended.</summary>
    private sealed record StepEnd(string? ResultFile, TimeSpan Took, string? Problem);

    /// <summary>A session under way.</summary>
    private sealed class Session(Machine machine, DeviceCommand command, DeviceDisk disk)
    {
        public Machine Machine => machine;

        public DeviceCommand Command => command;

        public DeviceDisk Disk => disk;

        public DateTime Begin => command.StartedAt ?? command.CreatedAt;

        public List<HuntingRow> Events { get; } = [];

        // Times and numbers follow from the command, so that the batch is the same when it is sent again.
        public void Add(string table, int index, Action<HuntingRow> fill)
        {
            var row = HuntingRow.For(table);
            row["Timestamp"] = Begin.AddMilliseconds(index);
            row["DeviceId"] = machine.Id;
            row["DeviceName"] = machine.ComputerDnsName;
            row["ReportId"] = (long)BitConverter.ToUInt32(command.Id.ToByteArray()) + index;
            fill(row);
            Events.Add(row);
        }
    }
}
