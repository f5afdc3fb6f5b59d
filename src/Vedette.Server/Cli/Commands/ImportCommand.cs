using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette import</c>: real logs, and exports of hunting tables, in.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Files, zip or gz archives, or folders of them.", Arity = ArgumentArity.OneOrMore };
        var shift = new Option<bool>("--shift-to-now") { Description = "Move the recording in time so that its last event is now." };
        var tenant = CommonWords.Tenant();
        var noDetections = new Option<bool>("--no-detections") { Description = "Do not run the detection rules over the new rows at once." };
        var device = new Option<string?>("--device") { Description = "Name of the device for logs that name none; the file's name when left out.", HelpName = "NAME" };
        var replay = new Option<bool>("--replay") { Description = "Feed the events as the devices would have sent them, beginning now, so that detections see them come in." };
        var speed = new Option<double>("--speed") { Description = "With --replay: how many times as fast as it happened.", DefaultValueFactory = static _ => 1, HelpName = "N" };
        speed.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and <= 1_000_000)) result.AddError("--speed takes a number above 0, at most 1000000.");
        });
        var table = new Option<string?>("--table") { Description = "Hunting table whose rows the files hold; found from their content and names when left out.", HelpName = "NAME" };
        var shiftTime = new Option<string?>("--shift-time") { Description = "Move every time by this much: 3d, -36h, 90m, -1.12:00:00.", HelpName = "SPAN" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what an export of hunting tables holds and what is wrong with it." };
        var skipKnown = new Option<bool>("--skip-known") { Description = "Leave out rows of hunting tables that the tenant has already." };
        return new Command(
            "import",
            "Import Sysmon, Windows event, PowerShell, Sysmon for Linux and auditd logs, and exports of hunting tables: JSON lines, answers of hunting queries, CSV and records of the streaming API. Importing the same file twice adds nothing.")
        {
            files, table, shift, shiftTime, device, tenant, dryRun, skipKnown, noDetections, replay, speed,
        }.Runs(
            "import",
            parsed => new
            {
                // The server may have another working directory.
                files = parsed.GetValue(files)!.Select(Path.GetFullPath).ToArray(),
                shiftToNow = parsed.GetValue(shift),
                deviceName = parsed.GetValue(device),
                detections = !parsed.GetValue(noDetections),
                tenant = parsed.GetValue(tenant),
                table = parsed.GetValue(table),
                shiftTime = parsed.GetValue(shiftTime),
                dryRun = parsed.GetValue(dryRun),
                skipKnown = parsed.GetValue(skipKnown),
                replaySpeed = parsed.GetValue(replay) ? parsed.GetValue(speed) : (double?)null,
            },
            PrintReport);
    }

    private static void PrintReport(JsonNode? report)
    {
        if ((bool?)report?["dryRun"] == true) Console.Out.WriteLine("Nothing was stored.");
        Print.Fields(
            report,
            ("Events read", "eventsRead"),
            ("Rows stored", "rowsStored"),
            ("Already imported", "filesAlreadyImported"),
            ("Devices", "devices"),
            ("Alerts raised", "alertsRaised"),
            ("Seconds", "seconds"));

        // What only exports of hunting tables have.
        (string Label, string Name)[] more = [("Rows known already", "rowsKnown"), ("Records without a row", "rowsLost"), ("People", "people"), ("Alerts imported", "alertsImported")];
        if (more.Where(field => report?[field.Name]?.ToString() is not (null or "0")).ToArray() is { Length: > 0 } told) Print.Fields(report, told);
        Print.Rows(report?["tables"], ("Table", "name"), ("Rows", "rows"));
        if (report?["notMapped"] is JsonArray { Count: > 0 } notMapped)
        {
            Console.Out.WriteLine("Event types that no table takes:");
            Print.Rows(notMapped, ("Event type", "name"), ("Events", "events"));
        }

        if (report?["unknownColumns"] is JsonArray { Count: > 0 } unknown)
        {
            Console.Out.WriteLine("Members that are no column of their table:");
            Print.Rows(unknown, ("Table", "table"), ("Member", "column"), ("Rows", "rows"), ("Kept", "kept"));
        }

        if (report?["unreadable"] is JsonArray { Count: > 0 } unreadable)
        {
            Console.Out.WriteLine("What could not be read:");
            Print.Rows(unreadable, ("File", "file"), ("Line", "line"), ("Column", "column"), ("Why", "reason"));
        }
    }
}
