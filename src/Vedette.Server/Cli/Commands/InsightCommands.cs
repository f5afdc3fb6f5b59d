using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Server.Control;

namespace Vedette.Server.Cli.Commands;

/// <summary>Commands that explain: <c>token inspect</c>, <c>why</c>, <c>audit</c>, <c>certificates</c>.</summary>
internal static class InsightCommands
{
    /// <summary><c>vedette token inspect</c>.</summary>
    public static Command Inspect()
    {
        var token = new Argument<string?>("token") { Description = "The token; read from standard input when left out, so that it need not stand on the command line.", Arity = ArgumentArity.ZeroOrOne };
        return new Command("inspect", "Explain a token: who, which API, which permissions, what it can call and what is missing. Nothing is stored.") { token }.Runs(
            "token.inspect",
            parsed => new { token = parsed.GetValue(token) ?? Console.In.ReadToEnd() },
            result => PrintStory(result));

        static void PrintStory(JsonNode? story)
        {
            (string Label, string Property)[] fields =
            [
                ("Kind", "kind"), ("Usable", "usable"), ("Who", "who"), ("Context", "context"), ("Application", "application"), ("Tenant", "tenant"), ("API", "resource"),
                ("Audience", "audience"), ("Proof", "proof"), ("Valid from", "notBefore"), ("Valid until", "expires"), ("App permissions", "roles"), ("Delegated", "scopes"),
            ];
            Print.Fields(story, [.. fields.Where(field => Print.Text(story?[field.Property]).Length > 0)]);
            foreach (var finding in story?["findings"] as JsonArray ?? []) Console.Out.WriteLine($"! {Print.Text(finding)}");
            if (story?["canCall"] is not JsonArray can || story["cannotCall"] is not JsonArray cannot || can.Count + cannot.Count == 0) return;
            Console.Out.WriteLine();
            Console.Out.WriteLine($"It can make {can.Count} calls of this API:");
            Print.Rows(can, ("Call", "call"), ("Name", "name"));
            Console.Out.WriteLine($"It cannot make {cannot.Count}:");
            Print.Rows(cannot, ("Call", "call"), ("Name", "name"), ("Missing (any of)", "missing"));
        }
    }

    /// <summary><c>vedette why</c>.</summary>
    public static Command Why()
    {
        var id = new Argument<string>("id") { Description = "The id in the answer: 'target' of an API's error, 'trace_id' or 'correlation_id' of the authority's." };
        return new Command("why", "Explain why a call was refused (401, 403), by the id in its answer.") { id }.Runs(
            "why",
            parsed => new { id = parsed.GetValue(id) },
            story =>
            {
                (string Label, string Property)[] fields =
                [
                    ("When", "time"), ("Call", "call"), ("Answer", "answer"), ("Message", "message"), ("Why", "explanation"), ("Tenant", "tenant"), ("Application", "application"),
                    ("User", "user"), ("Needed (any of)", "needed"), ("Had", "had"),
                ];
                Print.Fields(story, [.. fields.Where(field => Print.Text(story?[field.Property]).Length > 0)]);
                if (story?["advice"] is not JsonArray { Count: > 0 } advice) return;
                Console.Out.WriteLine();
                Console.Out.WriteLine("What to do:");
                foreach (var line in advice) Console.Out.WriteLine($"  {Print.Text(line)}");
            });
    }

    /// <summary><c>vedette audit</c>.</summary>
    public static Command Audit()
    {
        var since = new Option<string?>("--since") { Description = "Only events of this time past: 30m, 12h, 7d.", HelpName = "TIME" };
        var activity = new Option<string?>("--activity") { Description = "Only activities that contain this, for instance 'token' or 'consent'.", HelpName = "TEXT" };
        var actor = new Option<string?>("--actor") { Description = "Only of this client id, sign-in name, or 'administrator'.", HelpName = "WHO" };
        var tenant = new Option<string?>("--tenant") { Description = "Only of this tenant: id or domain.", HelpName = "TENANT" };
        var failed = new Option<bool>("--failed") { Description = "Only refusals." };
        var top = new Option<int>("--top") { Description = "How many, newest first.", DefaultValueFactory = _ => 50, HelpName = "N" };
        since.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && Seconds(text) is null) result.AddError("--since takes a time such as 30m, 12h or 7d.");
        });
        return new Command("audit", "Show changes of the directory, tokens issued and sign-ins, newest first. Kept for 30 days; holds no secret and no token.")
        {
            since, activity, actor, tenant, failed, top,
        }.Runs(
            "audit",
            parsed => new
            {
                sinceSeconds = parsed.GetValue(since) is { } text ? Seconds(text) : null,
                activity = parsed.GetValue(activity),
                actor = parsed.GetValue(actor),
                tenant = parsed.GetValue(tenant),
                failed = parsed.GetValue(failed),
                limit = parsed.GetValue(top),
            },
            result => Print.Rows(Short(result), ("Time", "time"), ("Activity", "activity"), ("By", "actor"), ("Of", "target"), ("Succeeded", "succeeded"), ("Detail", "detail")));
    }

    /// <summary><c>vedette certificates</c>.</summary>
    public static Command Certificates()
    {
        var atOnce = new Option<bool>("--at-once") { Description = "The new key signs at once; else it is published a day before it signs." };
        var rotate = new Command("rotate", "Make a new token signing key. The old one stays published until its last token is over.") { atOnce }.Runs(
            "certificates.rotate",
            parsed => new { atOnce = parsed.GetValue(atOnce) },
            result => Print.Fields(result, ("Key", "id"), ("Signs from", "signsFrom")));
        return new Command("certificates", "List certificates, token signing keys and application credentials with the time they end.") { rotate }.Runs(
            "certificates",
            _ => new { },
            result => Print.Rows(result, ("Kind", "kind"), ("Name", "name"), ("Id", "id"), ("From", "validFrom"), ("Until", "validUntil"), ("State", "state")));
    }

    // For people: details as words on one line, without the ids that '--json' shows.
    private static JsonArray Short(JsonNode? rows) =>
    [
        .. (rows as JsonArray ?? []).Select(row =>
        {
            var copy = row!.DeepClone();
            var facts = (copy["detail"] as JsonObject ?? []).Where(fact => fact.Key is not ("traceId" or "correlationId" or "text")).Select(fact => $"{fact.Key}={Print.Text(fact.Value)}");
            copy["detail"] = string.Join(", ", facts);
            copy["time"] = DateTimeOffset.Parse(Print.Text(copy["time"]), CultureInfo.InvariantCulture).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            return copy;
        }),
    ];

    private static double? Seconds(string text)
    {
        var factor = text.Length == 0 ? 0 : text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, _ => 0 };
        return factor > 0 && double.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 100_000 ? number * factor : null;
    }
}
