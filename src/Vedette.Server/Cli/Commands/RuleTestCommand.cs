using System.Globalization;
using System.Text.Json.Nodes;
using Vedette.Defender.Detections;
using Vedette.Defender.Detections.Testing;
using Vedette.Server.Control;
using Vedette.Telemetry;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette rules test</c>: needs neither a server nor a data folder, only the telemetry engine in a throw-away folder.</summary>
internal static class RuleTestCommand
{
    /// <summary>Runs the tests and prints their results.</summary>
    /// <returns>The process exit code: 0 only when there are tests and none failed.</returns>
    public static async Task<int> RunAsync(string path, string? junit, bool json, CancellationToken cancellationToken)
    {
        if (!File.Exists(path) && !Directory.Exists(path)) throw new OperationException("bad_input", $"There is no file or folder '{path}'.");
        var files = RuleTestParser.Load(path, RuleLoader.ShippedFolder());
        if (files.Count == 0) throw new OperationException("bad_input", $"There are no tests in '{path}': a test file is YAML with a rule or a query, and the key 'tests'.");

        IReadOnlyList<RuleTestResult> results;
        using (var bar = new ProgressLine())
        {
            results = await RunAsync(files, bar, cancellationToken);
        }

        if (junit is not null) JUnitReport.Save(junit, "vedette rules test", results);

        if (json) Console.Out.WriteLine(Json(results).ToJsonString(OperationJson.Options));
        else Print(results);
        return results.All(result => result.Passed) ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task<IReadOnlyList<RuleTestResult>> RunAsync(IReadOnlyList<RuleTestFile> files, ProgressLine bar, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("vedette-test-rules-");
        try
        {
            bar.Report(new OperationProgress("Opening the telemetry engine", 0, null));
            var options = new TelemetryOptions { Folder = folder.FullName, Connections = 2, RetentionDays = 36_500 };
            await using var engine = new TelemetryEngine(options, TimeProvider.System);
            await engine.StartAsync(cancellationToken);
            await using var runner = new RuleTestRunner(engine, options.Database);
            var (done, total) = (0, files.Sum(file => file.Tests.Count + (file.Problems.Count > 0 ? 1 : 0)));
            return await runner.RunAsync(files, _ => bar.Report(new OperationProgress("Testing", ++done, total)), cancellationToken);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Print(IReadOnlyList<RuleTestResult> results)
    {
        foreach (var file in results.GroupBy(result => result.File, StringComparer.Ordinal))
        {
            Console.Out.WriteLine(file.Key);
            foreach (var result in file)
            {
                Console.Out.WriteLine($"  {(result.Passed ? "ok  " : "FAIL")}  {Cli.Print.Visible(result.Name)}  ({Seconds(result.Elapsed)} s)");
                foreach (var line in result.Failure?.Split('\n') ?? []) Console.Out.WriteLine("          " + Cli.Print.Visible(line.TrimEnd('\r')));
            }
        }

        var failed = results.Count(result => !result.Passed);
        Console.Out.WriteLine();
        Console.Out.WriteLine($"{results.Count - failed} passed, {failed} failed, {Seconds(TimeSpan.FromTicks(results.Sum(result => result.Elapsed.Ticks)))} s");
    }

    private static JsonObject Json(IReadOnlyList<RuleTestResult> results) => new()
    {
        ["ok"] = results.All(result => result.Passed),
        ["passed"] = results.Count(result => result.Passed),
        ["failed"] = results.Count(result => !result.Passed),
        ["tests"] = new JsonArray([.. results.Select(result => new JsonObject
        {
            ["file"] = result.File,
            ["name"] = result.Name,
            ["ok"] = result.Passed,
            ["elapsedMs"] = Math.Round(result.Elapsed.TotalMilliseconds, 3),
            ["failure"] = result.Failure,
        })]),
    };

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);
}
