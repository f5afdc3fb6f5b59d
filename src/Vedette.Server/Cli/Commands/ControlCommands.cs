using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette control …</c>: what integrators' tests change in a running server. The control API offers the same over HTTP.</summary>
internal static class ControlCommands
{
    private static readonly (string, string)[] ClockFields = [("Time", "now"), ("Frozen", "frozen"), ("Seconds from the machine's", "offsetSeconds")];

    public static Command Create() => new("control", "Data, clock, faults, quotas and the request log of a running server, for tests of integrations.")
    {
        Reset(), Seed(), Generate(), Snapshot(), Clock(), Timing(), Faults(), Quotas(), Requests(), Permissions(),
    };

    private static Command Reset()
    {
        var seed = new Option<bool>("--seed") { Description = "Make the demo organisation anew afterwards." };
        return new Command("reset", "Delete all devices, alerts, actions, telemetry and files; the directory stays.") { seed }
            .Runs("data.reset", parsed => new { seed = parsed.GetValue(seed) }, _ => Console.Out.WriteLine("All data is deleted."));
    }

    private static Command Seed() => new Command("seed", "Make sure of the demo organisation.")
        .Runs("data.seed", _ => new { }, _ => Console.Out.WriteLine("The demo organisation is there."));

    private static Command Generate()
    {
        var machines = Number("--machines", "Devices to make.", 0);
        var alerts = Number("--alerts", "Alerts to raise, on the tenant's devices in turn.", 0);
        var evidence = Number("--evidence", "Pieces of evidence of each alert.", 3);
        return new Command("generate", "Make many devices and alerts.") { machines, alerts, evidence }.Runs(
            "data.generate",
            parsed => new { machines = parsed.GetValue(machines), alerts = parsed.GetValue(alerts), evidence = parsed.GetValue(evidence) },
            result => Print.Fields(result, ("Devices", "machines"), ("Alerts", "alerts"), ("Evidence", "evidence")));
    }

    private static Command Snapshot()
    {
        return new Command("snapshot", "Copies of all data but the directory, to go back to.")
        {
            new Command("list", "List the snapshots.").Runs("snapshots.list", _ => new { }, result => Print.Rows(result?["snapshots"], ("Name", "name"), ("Taken", "takenAt"))),
            Named("take", "Take a snapshot, in place of one of the same name.", "snapshots.take"),
            Named("restore", "Put all data back as it was.", "snapshots.restore"),
            Named("delete", "Delete a snapshot.", "snapshots.delete"),
        };

        static Command Named(string word, string description, string operation)
        {
            var name = new Argument<string>("NAME") { Description = "Lower-case letters, digits and underscores, a letter first." };
            return new Command(word, description) { name }.Runs(operation, parsed => new { name = parsed.GetValue(name) }, _ => Console.Out.WriteLine("Done."));
        }
    }

    private static Command Clock()
    {
        var time = new Option<string?>("--set") { Description = "The new time, ISO 8601.", HelpName = "TIME" };
        var advance = new Option<string?>("--advance") { Description = "How far to move it: PT1H30M or 01:30:00; may be negative.", HelpName = "SPAN" };
        var freeze = new Option<bool>("--freeze") { Description = "Stop it." };
        var run = new Option<bool>("--run") { Description = "Let it run on from where it stands." };
        var reset = new Option<bool>("--reset") { Description = "Go back to the machine's time." };
        return new Command("clock", "What time a running server goes by, and changing it.")
        {
            new Command("show", "Show it.").Runs("clock.show", _ => new { }, result => Print.Fields(result, ClockFields)),
            new Command("set", "Set, move, stop or release it.") { time, advance, freeze, run, reset }.Runs(
                "clock.set",
                parsed => new
                {
                    time = parsed.GetValue(time),
                    advance = parsed.GetValue(advance),
                    frozen = parsed.GetValue(freeze) ? true : parsed.GetValue(run) ? false : (bool?)null,
                    reset = parsed.GetValue(reset),
                },
                result => Print.Fields(result, ClockFields)),
        };
    }

    private static Command Timing()
    {
        var when = new Argument<string>("WHEN") { Description = "'at-once', 'never', seconds ('5s') or reads of the action ('3r')." };
        var outcome = new Option<string?>("--outcome") { Description = "How actions end.", HelpName = "Succeeded|Failed" };
        outcome.AcceptOnlyFromAmong("Succeeded", "Failed");
        return new Command("timing", "How simulated devices pace their actions.") { when, outcome }.Runs(
            "timing.set", parsed => new { timing = parsed.GetValue(when), outcome = parsed.GetValue(outcome) }, result => Print.Fields(result, ("Timing", "timing"), ("Outcome", "outcome")));
    }

    private static Command Faults()
    {
        var route = new Argument<string>("ROUTE") { Description = "A verb or *, and a path that may hold * and end in **: 'GET /api/alerts', '* /api/**'." };
        var status = new Option<int?>("--status") { Description = "HTTP status of the answer.", HelpName = "N" };
        var drop = new Option<bool>("--drop") { Description = "Drop the connection." };
        var retryAfter = new Option<int?>("--retry-after") { Description = "Seconds of the Retry-After header.", HelpName = "N" };
        var body = new Option<string?>("--body") { Description = "The whole body of the answer.", HelpName = "TEXT" };
        var delay = Number("--delay-ms", "Milliseconds to wait first.", 0);
        var times = new Option<int?>("--times") { Description = "How many requests to answer so; without end when left out.", HelpName = "N" };
        var after = Number("--after", "Requests to leave alone first.", 0);
        var rate = new Option<double>("--rate") { Description = "Share of the requests, from 0 to 1.", DefaultValueFactory = _ => 1, HelpName = "R" };
        var client = new Option<Guid?>("--client") { Description = "Only requests of this application.", HelpName = "APPID" };
        var id = new Argument<string?>("ID") { Description = "The fault; all when left out.", Arity = ArgumentArity.ZeroOrOne };
        return new Command("faults", "Scripted faults of the APIs.")
        {
            new Command("list", "List them.").Runs("faults.list", _ => new { }, result =>
            {
                var rows = new JsonArray([.. (result?["faults"] as JsonArray ?? []).Select(fault => (JsonNode)new JsonObject
                {
                    ["id"] = fault!["rule"]!["id"]?.DeepClone(), ["route"] = fault["rule"]!["route"]?.DeepClone(), ["status"] = fault["rule"]!["status"]?.DeepClone(),
                    ["matched"] = fault["matched"]?.DeepClone(), ["played"] = fault["played"]?.DeepClone(),
                })]);
                Print.Rows(rows, ("Id", "id"), ("Route", "route"), ("Status", "status"), ("Matched", "matched"), ("Played", "played"));
            }),
            new Command("add", "Order a fault.") { route, status, drop, retryAfter, body, delay, times, after, rate, client }.Runs(
                "faults.add",
                parsed => new
                {
                    route = parsed.GetValue(route), status = parsed.GetValue(status), drop = parsed.GetValue(drop), retryAfter = parsed.GetValue(retryAfter),
                    body = parsed.GetValue(body), delayMs = parsed.GetValue(delay), times = parsed.GetValue(times), after = parsed.GetValue(after),
                    rate = parsed.GetValue(rate), client = parsed.GetValue(client),
                },
                result => Print.Fields(result, ("Fault", "id"), ("Route", "route"))),
            new Command("remove", "Take one fault away, or all.") { id }.Runs(
                "faults.remove", parsed => new { id = parsed.GetValue(id) }, result => Print.Fields(result, ("Removed", "removed"))),
        };
    }

    private static Command Quotas()
    {
        var mode = new Option<string?>("--mode") { Description = "Whether calls are counted.", HelpName = "Real|Off" };
        mode.AcceptOnlyFromAmong("Real", "Off");
        var scale = new Option<double?>("--scale") { Description = "What every limit is multiplied with.", HelpName = "X" };
        return new Command("quotas", "How strictly calls are counted.")
        {
            new Command("show", "Show it.").Runs("quotas.show", _ => new { }, result => Print.Fields(result, ("Mode", "mode"), ("Scale", "scale"))),
            new Command("set", "Change it; the counts begin anew.") { mode, scale }.Runs(
                "quotas.set", parsed => new { mode = parsed.GetValue(mode), scale = parsed.GetValue(scale) }, result => Print.Fields(result, ("Mode", "mode"), ("Scale", "scale"))),
        };
    }

    private static Command Requests()
    {
        var client = new Option<Guid?>("--client") { Description = "Only calls of this application.", HelpName = "APPID" };
        var status = new Option<int?>("--status") { Description = "Only calls answered with this status.", HelpName = "N" };
        var limit = Number("--limit", "Calls to show, at most.", 100);
        return new Command("requests", "The API calls that a server started with --control recorded.")
        {
            new Command("list", "List the latest, newest first.") { client, status, limit }.Runs(
                "requests.list",
                parsed => new { client = parsed.GetValue(client), status = parsed.GetValue(status), limit = parsed.GetValue(limit) },
                result => Print.Rows(result?["requests"], ("Time", "time"), ("Status", "status"), ("Call", "call"), ("By", "requestor"), ("Why refused", "explanation"))),
            new Command("clear", "Forget them.").Runs("requests.clear", _ => new { }, _ => Console.Out.WriteLine("Forgotten.")),
        };
    }

    private static Command Permissions()
    {
        var client = new Option<Guid?>("--client") { Description = "Only this application.", HelpName = "APPID" };
        return new Command("permissions", "Permissions that each application used since the server started, and those it never needed.") { client }.Runs(
            "permissions.report",
            parsed => new { client = parsed.GetValue(client) },
            result =>
            {
                foreach (var application in result?["applications"] as JsonArray ?? [])
                {
                    Console.Out.WriteLine($"{Print.Text(application!["displayName"])} ({Print.Text(application["applicationId"])})");
                    foreach (var use in (JsonArray)application["used"]!) Console.Out.WriteLine($"  used        {Print.Text(use!["permission"])} ({Print.Text(use["resource"])}), {use["calls"]} calls");
                    foreach (var unused in (JsonArray)application["neverUsed"]!) Console.Out.WriteLine($"  never used  {Print.Text(unused!["permission"])} ({Print.Text(unused["resource"])})");
                }
            });
    }

    private static Option<int> Number(string name, string description, int otherwise) =>
        new(name) { Description = description, DefaultValueFactory = _ => otherwise, HelpName = "N" };
}
