using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette rules …</c>: detection rules.</summary>
internal static class RuleCommands
{
    public static Command Create() => new("rules", "Detection rules: those that are shipped, and your own in the folder rules of the data folder.") { List(), Run() };

    private static Command List() => new Command("list", "List the rules in force, and what is wrong with rule files that are not.").Runs(
        "rules.list",
        _ => new { },
        result =>
        {
            Print.Rows(result?["rules"], ("Title", "title"), ("Severity", "severity"), ("Category", "category"), ("Techniques", "techniques"), ("Schedule", "schedule"), ("Enabled", "enabled"), ("Shipped", "shipped"));
            foreach (var problem in result?["problems"] as JsonArray ?? [])
            {
                Console.Error.WriteLine($"vedette: {Print.Text(problem!["file"])}({problem["line"]},{problem["column"]}): {Print.Text(problem["message"])}");
            }
        });

    private static Command Run()
    {
        var tenant = CommonWords.Tenant();
        return new Command("run", "Run every rule now over what arrived since its last run.") { tenant }.Runs(
            "rules.run",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result => Print.Fields(result, ("Rules run", "rules"), ("Alerts raised", "alertsRaised"), ("Failed", "failed"), ("Seconds", "seconds")));
    }
}
