using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette import</c>: real logs in.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("files") { Description = "Files, zip or gz archives, or folders of them.", Arity = ArgumentArity.OneOrMore };
        var shift = new Option<bool>("--shift-to-now") { Description = "Move the recording in time so that its last event is now." };
        var tenant = CommonWords.Tenant();
        var noDetections = new Option<bool>("--no-detections") { Description = "Do not run the detection rules over the new rows at once." };
        var device = new Option<string?>("--device") { Description = "Name of the device for logs that name none; the file's name when left out.", HelpName = "NAME" };
        return new Command("import", "Import Sysmon, Windows event, PowerShell, Sysmon for Linux and auditd logs. Importing the same file twice adds nothing.")
        {
            files, shift, device, tenant, noDetections,
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
            },
            PrintReport);
    }

    private static void PrintReport(JsonNode? report)
    {
        Print.Fields(
            report,
            ("Events read", "eventsRead"),
            ("Rows stored", "rowsStored"),
            ("Already imported", "filesAlreadyImported"),
            ("Devices", "devices"),
            ("Alerts raised", "alertsRaised"),
            ("Seconds", "seconds"));
        Print.Rows(report?["tables"], ("Table", "name"), ("Rows", "rows"));
        if (report?["notMapped"] is JsonArray { Count: > 0 } notMapped)
        {
            Console.Out.WriteLine("Event types that no table takes:");
            Print.Rows(notMapped, ("Event type", "name"), ("Events", "events"));
        }

        if (report?["unreadable"] is JsonArray { Count: > 0 } unreadable)
        {
            Console.Out.WriteLine("Lines that could not be read:");
            Print.Rows(unreadable, ("File", "file"), ("Line", "line"), ("Why", "reason"));
        }
    }
}
