using System.CommandLine;
using System.Text.Json.Nodes;
using Vedette.Server.Control;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette rules show|create|enable|disable|history|delete</c>: rules that a tenant made.</summary>
internal static class CustomRuleCommands
{
    public static IEnumerable<Command> Create() => [Show(), Make(), Switch("enable", "Switch a tenant's rule on."), Switch("disable", "Switch a tenant's rule off."), History(), Delete()];

    private static Argument<string> Rule() => new("rule") { Description = "Id or name of a rule." };

    private static Command Show()
    {
        var (rule, tenant) = (Rule(), CommonWords.Tenant());
        return new Command("show", "Print a rule as JSON, in the form that 'rules create' and the detection-rule API take.") { rule, tenant }.Runs(
            "rules.show",
            parsed => new { rule = parsed.GetValue(rule), tenant = parsed.GetValue(tenant) },
            result => Console.Out.WriteLine(result?.ToJsonString(new System.Text.Json.JsonSerializerOptions(OperationJson.Options) { WriteIndented = true })));
    }

    private static Command Make()
    {
        var file = new Argument<string>("file") { Description = "A rule: JSON as the detection-rule API takes it, or YAML as in the folder rules; '-' reads standard input." };
        var tenant = CommonWords.Tenant();
        return new Command("create", "Make a rule of a tenant.") { file, tenant }.Runs(
            "rules.create",
            parsed => new { text = Read(parsed.GetValue(file)!), file = Path.GetFileName(parsed.GetValue(file)), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Id", "id"), ("Name", "name"), ("Detector id", "detectorId"), ("Enabled", "enabled")));
    }

    private static Command Switch(string word, string description)
    {
        var (rule, tenant) = (Rule(), CommonWords.Tenant());
        return new Command(word, description) { rule, tenant }.Runs(
            $"rules.{word}",
            parsed => new { rule = parsed.GetValue(rule), tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Id", "id"), ("Name", "name"), ("Enabled", "enabled")));
    }

    private static Command Delete()
    {
        var (rule, tenant) = (Rule(), CommonWords.Tenant());
        return new Command("delete", "Delete a rule of a tenant. What it raised stays.") { rule, tenant }.Runs(
            "rules.delete",
            parsed => new { rule = parsed.GetValue(rule), tenant = parsed.GetValue(tenant) },
            result => Console.Out.WriteLine($"Deleted {Print.Text(result?["name"])}."));
    }

    private static Command History()
    {
        var rule = new Argument<string?>("rule") { Description = "Id or name of a rule; all rules when left out.", Arity = ArgumentArity.ZeroOrOne };
        var top = new Option<int>("--top") { Description = "Entries at most.", DefaultValueFactory = _ => 20 };
        var tenant = CommonWords.Tenant();
        return new Command("history", "List the latest runs, and for one rule what it did to devices, files, users and messages.") { rule, top, tenant }.Runs(
            "rules.history",
            parsed => new { rule = parsed.GetValue(rule), tenant = parsed.GetValue(tenant), top = parsed.GetValue(top) },
            result =>
            {
                Print.Rows(
                    result?["runs"], ("Started", "started"), ("Rule", "rule"), ("Status", "status"), ("ms", "milliseconds"), ("Rows", "rows"), ("Alerts", "alerts"), ("Merged", "merged"),
                    ("Dropped", "dropped"), ("Failure", "failure"));
                if (result?["responses"] is JsonArray { Count: > 0 } responses)
                    Print.Rows(responses, ("Started", "started"), ("Action", "action"), ("Subject", "subject"), ("Status", "status"), ("Reason", "reason"), ("Alert", "alert"));
            });
    }

    private static string Read(string file) => file == "-" ? Console.In.ReadToEnd() : File.ReadAllText(file);
}
