using System.CommandLine;
using System.Text.Json.Nodes;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette kb</c>: the knowledge of vulnerabilities.</summary>
internal static class KnowledgeCommands
{
    public static Command Create() => new("kb", "The knowledge of vulnerabilities that devices' software is matched with.") { Import(), Status(), Refresh() };

    private static Command Import()
    {
        var files = new Argument<string[]>("files") { Description = "Files of a feed; gz and zip are opened. The content tells which feed it is.", Arity = ArgumentArity.OneOrMore };
        return new Command("import", "Read feeds: OSV JSON, Debian's security tracker JSON, NVD CVE JSON 2.0, CISA KEV, EPSS CSV. A file may be imported again at any time.") { files }.Runs(
            "kb.import",
            parsed => new { files = parsed.GetValue(files)!.Select(Path.GetFullPath).ToArray() },
            result =>
            {
                Print.Rows(result?["files"], ("File", "file"), ("Feed", "feed"), ("Released", "released"), ("Records", "records"), ("Understood", "understood"), ("Affected ranges", "ranges"));
                foreach (var file in result?["files"] as JsonArray ?? [])
                {
                    if (file?["notUnderstood"] is not JsonArray { Count: > 0 } notes) continue;
                    Console.Out.WriteLine($"Not understood in {Print.Text(file["file"])}:");
                    Print.Rows(notes, ("What", "reason"), ("Times", "count"), ("For instance", "examples"));
                }
            });
    }

    private static Command Status() => new Command("status", "Show what is known and which feeds were imported.").Runs(
        "kb.status",
        _ => new { },
        result =>
        {
            Print.Fields(result, ("Vulnerabilities", "vulnerabilities"), ("Known to be exploited", "exploited"), ("Affected ranges", "ranges"), ("Packages", "packages"));
            Print.Rows(result?["feeds"], ("Feed", "feed"), ("File", "file"), ("Released", "released"), ("Imported", "importedAt"), ("Records", "records"), ("Understood", "understood"));
        });

    private static Command Refresh() => new Command("refresh", "Assess all devices now, and let the next export make new files.").Runs(
        "kb.refresh", _ => new { }, result => Print.Fields(result, ("Tenants assessed", "tenants")));
}
