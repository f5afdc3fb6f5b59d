using System.CommandLine;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette export …</c>: raw events, sent somewhere as they arrive.</summary>
internal static class ExportCommands
{
    public static Command Create() => new("export", "Send raw events to a folder, a webhook or a storage account as they arrive.") { Add(), List(), Remove(), Enable("pause", false), Enable("resume", true) };

    private static Command Add()
    {
        var name = new Argument<string>("name") { Description = "Name of the export." };
        var folder = new Option<string?>("--folder") { Description = "Files of JSON lines below this folder.", HelpName = "DIR" };
        var webhook = new Option<string?>("--webhook") { Description = "Post {\"records\":[…]} to this address; the secret that signs it is printed once.", HelpName = "URL" };
        var storage = new Option<string?>("--storage") { Description = "Append blobs of this storage account.", HelpName = "CONNECTION" };
        var tables = new Option<string[]>("--tables") { Description = "Hunting tables, or all; those that the service streams when left out.", AllowMultipleArgumentsPerToken = true, HelpName = "TABLE" };
        var fromStart = new Option<bool>("--from-start") { Description = "Begin with what is stored already instead of what arrives from now on." };
        var tenant = CommonWords.Tenant();
        return new Command("add", "Order an export.") { name, folder, webhook, storage, tables, fromStart, tenant }.Runs(
            "exports.add",
            parsed => new
            {
                name = parsed.GetValue(name),
                folder = parsed.GetValue(folder) is { } path ? Path.GetFullPath(path) : null,
                webhook = parsed.GetValue(webhook),
                storage = parsed.GetValue(storage),
                tables = parsed.GetValue(tables) is { Length: > 0 } named ? named.SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries)).ToArray() : null,
                fromStart = parsed.GetValue(fromStart),
                tenant = parsed.GetValue(tenant),
            },
            result => Print.Fields(result, ("Name", "name"), ("Kind", "kind"), ("Target", "target"), ("Secret (shown once)", "secret")));
    }

    private static Command List()
    {
        var tenant = CommonWords.Tenant();
        return new Command("list", "List the exports and how they fare.") { tenant }.Runs(
            "exports.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Rows(result?["exports"], ("Name", "name"), ("Kind", "kind"), ("Target", "target"), ("Enabled", "enabled"), ("Records", "records"), ("Last delivery", "lastDelivery"), ("Last error", "lastError")));
    }

    private static Command Remove()
    {
        var name = new Argument<string>("name") { Description = "Name of the export." };
        var tenant = CommonWords.Tenant();
        return new Command("remove", "End an export; what was sent stays.") { name, tenant }.Runs(
            "exports.remove", parsed => new { name = parsed.GetValue(name), tenant = parsed.GetValue(tenant) }, _ => Console.Out.WriteLine("Removed."));
    }

    private static Command Enable(string word, bool enabled)
    {
        var name = new Argument<string>("name") { Description = "Name of the export." };
        var tenant = CommonWords.Tenant();
        return new Command(word, enabled ? "Let an export go on where it stood." : "Pause an export.") { name, tenant }.Runs(
            "exports.enable",
            parsed => new { name = parsed.GetValue(name), enabled, tenant = parsed.GetValue(tenant) },
            _ => Console.Out.WriteLine(enabled ? "It goes on." : "It is paused."));
    }
}
