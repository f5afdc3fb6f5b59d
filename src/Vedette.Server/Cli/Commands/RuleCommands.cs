using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Server.Control;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette rules …</c>: detection rules.</summary>
internal static class RuleCommands
{
    public static Command Create()
    {
        var command = new Command("rules", "Detection rules: those that are shipped, your own in the folder rules of the data folder, and those of a tenant.") { List(), Run(), Init(), Test(), SigmaCommand.Create() };
        foreach (var more in CustomRuleCommands.Create()) command.Subcommands.Add(more);
        return command;
    }

    private static Command List()
    {
        var tenant = CommonWords.Tenant();
        return new Command("list", "List the rules in force, and what is wrong with rule files that are not.") { tenant }.Runs(
            "rules.list",
            parsed => new { tenant = parsed.GetValue(tenant) },
            result =>
            {
                Print.Rows(
                    result?["rules"], ("Title", "title"), ("Severity", "severity"), ("Category", "category"), ("Techniques", "techniques"), ("Schedule", "schedule"),
                    ("Enabled", "enabled"), ("Origin", "origin"), ("Id", "id"));
                foreach (var problem in result?["problems"] as JsonArray ?? [])
                {
                    Console.Error.WriteLine($"vedette: {Print.Text(problem!["file"])}({problem["line"]},{problem["column"]}): {Print.Text(problem["message"])}");
                }
            });
    }

    private static Command Init()
    {
        var folder = new Argument<string>("folder") { Description = "Where; made when it is missing.", DefaultValueFactory = _ => "." };
        var json = OperationCommand.JsonOption();
        var command = new Command("init", "Begin a folder of rules: a rule and a query, each with a test that passes. Files that are there stay.") { folder, json };
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(async () =>
        {
            var place = parsed.GetValue(folder)!;
            var files = await RuleStarter.WriteAsync(place, cancellationToken);
            if (parsed.GetValue(json))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(new { files = files.Select(file => new { path = file.Path, written = file.Written }) }, OperationJson.Options));
                return ExitCode.Success;
            }

            foreach (var (path, written) in files) Console.Out.WriteLine($"{(written ? "wrote   " : "is there")}  {path}");
            Console.Out.WriteLine($"\nCheck the queries:  vedette kql check {place}\nRun the tests:      vedette rules test {place}");
            return ExitCode.Success;
        }));
        return command;
    }

    private static Command Test()
    {
        var path = new Argument<string>("path") { Description = "A test file, or a folder of them: YAML with a rule or a query, and tests.", DefaultValueFactory = _ => "." };
        var junit = new Option<string?>("--junit") { Description = "Also write the results as JUnit XML, for CI.", HelpName = "FILE" };
        var json = OperationCommand.JsonOption();
        var command = new Command("test", "Test rules and queries over rows of your own, in a throw-away store. See docs/rules-testing.md.") { path, junit, json };
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(() =>
            RuleTestCommand.RunAsync(parsed.GetValue(path)!, parsed.GetValue(junit), parsed.GetValue(json), cancellationToken)));
        return command;
    }

    private static Command Run()
    {
        var rule = new Argument<string?>("rule") { Description = "Id or name of a rule; every rule that is switched on when left out.", Arity = ArgumentArity.ZeroOrOne };
        var tenant = CommonWords.Tenant();
        return new Command("run", "Run every rule, or one, now over what arrived since its last run.") { rule, tenant }.Runs(
            "rules.run",
            parsed => new { tenant = parsed.GetValue(tenant), rule = parsed.GetValue(rule) },
            result =>
            {
                Print.Fields(result, ("Rules run", "rules"), ("Alerts raised", "alertsRaised"), ("Failed", "failed"), ("Seconds", "seconds"));
                if (Print.Text(result?["failure"]) is { Length: > 0 } failure) Console.Error.WriteLine($"vedette: {failure}");
            });
    }
}
