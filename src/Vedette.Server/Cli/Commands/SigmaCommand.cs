using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Defender.Sigma;
using Vedette.Server.Control;
using Vedette.Telemetry;
using Vedette.Telemetry.Hunting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette rules import-sigma</c>: needs neither a server nor an engine.</summary>
internal static class SigmaCommand
{
    private static readonly string[] Statuses = ["stable", "test", "experimental", "deprecated", "unsupported"];
    private static readonly string[] Levels = ["informational", "low", "medium", "high", "critical"];

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var path = new Argument<string>("path") { Description = "A Sigma file, or a folder of them." };
        var output = new Option<string?>("--out") { Description = "Where the rule files go; rules/sigma in the data folder when left out.", HelpName = "DIR" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Convert and report, write nothing." };
        var status = new Option<string[]>("--status") { Description = "Statuses to take, separated by commas; stable, test and experimental when left out.", HelpName = "STATUS", AllowMultipleArgumentsPerToken = true };
        var level = new Option<string>("--min-level") { Description = "The least level to take.", HelpName = "LEVEL", DefaultValueFactory = _ => "informational" };
        var placeholders = new Option<string[]>("--placeholder") { Description = "Values of a placeholder, as NAME=value,value; may be repeated.", HelpName = "NAME=VALUES" };
        var data = OperationCommand.DataOption();
        var json = OperationCommand.JsonOption();
        var command = new Command("import-sigma", "Turn Sigma rules into detection rules, and tell what could not be turned and why. See docs/sigma.md.") { path, output, dryRun, status, level, placeholders, data, json };
        command.Validators.Add(result =>
        {
            foreach (var word in Words(result.GetValue(status)).Where(word => !Statuses.Contains(word))) result.AddError($"'{word}' is not a status; use {string.Join(", ", Statuses)}.");
            if (result.GetValue(level) is { } least && !Levels.Contains(least)) result.AddError($"'{least}' is not a level; use {string.Join(", ", Levels)}.");
            foreach (var text in result.GetValue(placeholders) ?? [])
                if (text.IndexOf('=', StringComparison.Ordinal) <= 0) result.AddError($"'{text}' is not a placeholder's value; write NAME=value,value.");
        });
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(() =>
        {
            var statuses = Words(parsed.GetValue(status));
            var options = new SigmaOptions
            {
                MinLevel = parsed.GetValue(level)!,
                Placeholders = Placeholders(parsed.GetValue(placeholders) ?? []),
                Output = parsed.GetValue(dryRun) ? null : parsed.GetValue(output) ?? Path.Combine(parsed.GetValue(data)!, "rules", "sigma"),
            };
            return Task.FromResult(Run(parsed.GetValue(path)!, statuses.Length > 0 ? options with { Statuses = statuses } : options, parsed.GetValue(json), cancellationToken));
        }));
        return command;
    }

    private static int Run(string path, SigmaOptions options, bool json, CancellationToken cancellationToken)
    {
        if (!File.Exists(path) && !Directory.Exists(path)) throw new OperationException("bad_input", $"There is no file or folder '{path}'.");
        SigmaReport report;
        using (var bar = new ProgressLine())
        {
            report = SigmaImporter.Import(path, new HuntingCatalogue(new TelemetryOptions()).Schema, options, (done, total) => bar.Report(new OperationProgress("Converting", done, total)), cancellationToken);
        }

        if (report.Files == 0) throw new OperationException("bad_input", $"There are no .yml or .yaml files in '{path}'.");
        if (json) Console.Out.WriteLine(Json(report, options).ToJsonString(OperationJson.Options));
        else Print(report, options);
        return report.Refused.Count == 0 ? ExitCode.Success : ExitCode.Failure;
    }

    private static void Print(SigmaReport report, SigmaOptions options)
    {
        foreach (var rule in report.Converted)
            foreach (var note in rule.Notes) Console.Error.WriteLine($"{rule.File}: note: {note}");
        foreach (var refused in report.Refused) Console.Error.WriteLine($"{refused}");
        var partly = report.Converted.Count(rule => rule.Notes.Count > 0);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Converted.Count} rules converted from {report.Files} files in {report.Elapsed.TotalSeconds:0.0} s{(options.Output is { } folder ? $", written to {folder}" : "")}"));
        if (partly > 0) Console.Out.WriteLine($"  {partly} of them with something left out, see the notes");
        if (report.Building > 0) Console.Out.WriteLine($"{report.Building} filters and rules that only serve correlations");
        if (report.Skipped > 0) Console.Out.WriteLine($"{report.Skipped} skipped by status or level");
        if (report.Refused.Count == 0) return;
        Console.Out.WriteLine($"{report.Refused.Count} refused:");
        foreach (var group in report.Refused.GroupBy(refused => refused.Reason).OrderByDescending(group => group.Count())) Console.Out.WriteLine($"  {group.Count(),5}  {Reason(group.Key)}");
    }

    private static JsonObject Json(SigmaReport report, SigmaOptions options) => new()
    {
        ["ok"] = report.Refused.Count == 0,
        ["files"] = report.Files,
        ["elapsedMs"] = Math.Round(report.Elapsed.TotalMilliseconds, 1),
        ["output"] = options.Output,
        ["skipped"] = report.Skipped,
        ["building"] = report.Building,
        ["converted"] = new JsonArray([.. report.Converted.Select(rule => new JsonObject
        {
            ["id"] = rule.Id.ToString(),
            ["title"] = rule.Title,
            ["file"] = rule.File,
            ["logSource"] = rule.LogSource,
            ["output"] = rule.Output,
            ["notes"] = new JsonArray([.. rule.Notes.Select(note => (JsonNode)note)]),
        })]),
        ["refused"] = new JsonArray([.. report.Refused.Select(refused => new JsonObject
        {
            ["file"] = refused.File,
            ["line"] = refused.Line,
            ["title"] = refused.Title,
            ["logSource"] = refused.LogSource,
            ["reason"] = refused.Reason.ToString(),
            ["message"] = refused.Message,
        })]),
    };

    private static string Reason(SigmaReason reason) => reason switch
    {
        SigmaReason.Syntax => "not a Sigma rule",
        SigmaReason.Condition => "condition cannot be read",
        SigmaReason.LogSource => "log source that no hunting table holds",
        SigmaReason.Event => "events that no hunting table holds",
        SigmaReason.Field => "fields that the hunting tables lack",
        SigmaReason.Placeholder => "placeholders without values",
        SigmaReason.RegularExpression => "regular expressions beyond the engine's",
        SigmaReason.Modifier => "modifiers that are unknown or do not fit",
        SigmaReason.Correlation => "correlations that cannot be expressed",
        SigmaReason.TooLong => "too long",
        _ => "query that came out wrong: a defect of this product",
    };

    private static string[] Words(string[]? values) =>
        [.. (values ?? []).SelectMany(value => value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Select(word => word.ToLowerInvariant())];

    private static Dictionary<string, IReadOnlyList<string>> Placeholders(string[] texts) => texts
        .Select(text => (Name: text[..text.IndexOf('=', StringComparison.Ordinal)].Trim('%'), Values: text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..]))
        .GroupBy(pair => pair.Name, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => (IReadOnlyList<string>)[.. group.SelectMany(pair => pair.Values.Split(',', StringSplitOptions.RemoveEmptyEntries))], StringComparer.Ordinal);
}
