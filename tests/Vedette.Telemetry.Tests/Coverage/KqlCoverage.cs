using System.Globalization;
using System.Text;
using Vedette.Telemetry.Tests.Golden;

namespace Vedette.Telemetry.Tests.Coverage;

/// <summary>Something the language reference documents, or its public parser knows.</summary>
/// <param name="Kind">operator, function, aggregate, plugin …</param>
/// <param name="Name">Its name.</param>
/// <param name="IsDocumented">Whether the reference has it; only this counts in the percentages.</param>
/// <param name="IsInternal">Whether it is of the service's own use.</param>
/// <param name="NewName">The spelling that replaced it, or null.</param>
internal sealed record KqlFeature(string Kind, string Name, bool IsDocumented, bool IsInternal, string? NewName);

/// <summary>What is known of a feature beside what tests show.</summary>
/// <param name="State">differs, absent or tested.</param>
/// <param name="Text">How it differs, why it is absent, or which class of tests runs it.</param>
internal sealed record KqlNote(string State, string Kind, string Name, string Text);

/// <summary>How much of the language runs: from the list of its features, the notes on them, and the recorded queries that show them.</summary>
internal sealed class KqlCoverage
{
    private static readonly (string Kind, string Title)[] Kinds =
    [
        ("operator", "Operators"),
        ("source", "Sources of rows"),
        ("statement", "Statements"),
        ("join_kind", "Kinds of join"),
        ("string_operator", "Operators on strings"),
        ("scalar_operator", "Operators on other values"),
        ("data_type", "Types"),
        ("render", "Kinds of render"),
        ("aggregate", "Aggregates"),
        ("function", "Scalar functions"),
        ("plugin", "Plug-ins"),
        ("stored_function", "Hunting functions"),
    ];

    private readonly HashSet<(string, string)> _shown;

    public KqlCoverage()
    {
        Features = [.. Lines("kql-surface.txt").Select(p => new KqlFeature(p[0], p[1], p[2] == "documented", p[2] == "internal", p.ElementAtOrDefault(3)))];
        Notes = [.. Lines("kql-notes.txt").Select(p => new KqlNote(p[0], p[1], p[2], p[3]))];
        // A recorded error shows nothing.
        _shown = [.. GoldenBlock.Files.SelectMany(GoldenBlock.Read).Where(b => !b.Expected.StartsWith("error:", StringComparison.Ordinal)).SelectMany(b => b.Shows)];
        _shown.UnionWith(Notes.Where(n => n.State == "tested").Select(n => (n.Kind, n.Name)));
    }

    public IReadOnlyList<KqlFeature> Features { get; }

    public IReadOnlyList<KqlNote> Notes { get; }

    /// <summary>What is said of a feature: differs or absent; null when nothing is.</summary>
    public KqlNote? NoteOf(KqlFeature feature) => Notes.FirstOrDefault(n => n.Kind == feature.Kind && n.Name == feature.Name && n.State != "tested");

    /// <summary>Whether a test runs it and asserts what it gives; an old spelling counts as the new one.</summary>
    public bool IsSupported(KqlFeature feature) =>
        NoteOf(feature)?.State != "absent" && (_shown.Contains((feature.Kind, feature.Name)) || (feature.NewName is { } name && !feature.IsDocumented && _shown.Contains((feature.Kind, name))));

    /// <summary>The documented features of a kind, and how many of them run.</summary>
    public (int Supported, int Documented) Count(string kind)
    {
        var documented = Features.Where(f => f.Kind == kind && f.IsDocumented).ToList();
        return (documented.Count(IsSupported), documented.Count);
    }

    /// <summary>Writes the page.</summary>
    public string Write()
    {
        var page = new StringBuilder("""
            # Coverage of the hunting language

            Generated from the list of the language's features, the recorded queries of `tests/Vedette.Telemetry.Tests/Golden` and the notes beside
            them; do not edit. *Supported* means that a test runs it and asserts what it gives. The percentages count what the language reference
            documents; what only the public parser knows is listed below the tables.

            | kind | documented | supported | |
            |---|---|---|---|

            """);
        foreach (var (kind, title) in Kinds)
        {
            var (supported, documented) = Count(kind);
            if (documented > 0)
                page.Append(CultureInfo.InvariantCulture, $"| {title} | {documented} | {supported} | {Percent(supported, documented)} % |\n");
        }

        var refused = Features.Count(f => f is { Kind: "plugin", IsDocumented: true } && NoteOf(f)?.State == "absent");
        var (run, all) = Count("plugin");
        page.Append(CultureInfo.InvariantCulture, $"| … of those that make sense here | {all - refused} | {run} | {Percent(run, all - refused)} % |\n");
        page.Append(CultureInfo.InvariantCulture, $"\nThe other {refused} plug-ins run another language's code, call a model, or call a kind of service that is not spoken to. They are refused by name.\n");
        foreach (var (kind, title) in Kinds)
            WriteKind(page, kind, title);
        return page.ToString();
    }

    private void WriteKind(StringBuilder page, string kind, string title)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| name | state | |\n|---|---|---|\n");
        foreach (var feature in Features.Where(f => f.Kind == kind && (f.IsDocumented || kind == "stored_function")).OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            var note = NoteOf(feature);
            var state = !IsSupported(feature) ? note is null ? "not shown by a test" : "absent" : note is null ? "supported" : "differs";
            page.Append(CultureInfo.InvariantCulture, $"| `{feature.Name}` | {state} | {note?.Text} |\n");
        }

        var others = Features.Where(f => f.Kind == kind && f is { IsDocumented: false, IsInternal: false } && kind != "stored_function").ToList();
        var old = others.Where(f => f.NewName is not null).Select(f => $"`{f.Name}` ({f.NewName})").Order(StringComparer.Ordinal).ToList();
        if (old.Count > 0)
            page.Append(CultureInfo.InvariantCulture, $"\nOld spellings: {string.Join(", ", old)}.\n");
        var rest = others.Where(f => f.NewName is null).Select(f => $"`{f.Name}` ({(IsSupported(f) ? "supported" : NoteOf(f)?.Text ?? "absent")})").Order(StringComparer.Ordinal).ToList();
        if (rest.Count > 0)
            page.Append(CultureInfo.InvariantCulture, $"\nNot documented: {string.Join(", ", rest)}.\n");
    }

    private static string Percent(int part, int whole) => (100.0 * part / whole).ToString("0.#", CultureInfo.InvariantCulture);

    private static IEnumerable<string[]> Lines(string resource)
    {
        using var reader = new StreamReader(typeof(KqlCoverage).Assembly.GetManifestResourceStream(resource)!);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#')
                yield return [.. line.Split(" | ").Select(p => p.Trim())];
        }
    }
}
