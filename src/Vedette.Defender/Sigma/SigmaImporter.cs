using System.Diagnostics;
using Vedette.Defender.Detections;
using Vedette.Kql;

namespace Vedette.Defender.Sigma;

/// <summary>
/// Turns Sigma rules into rules of ours. The steps, in order: read all files; choose by status and level; attach filters; translate each rule
/// and correlation; check each result as the rule engine would, query included; write the files.
/// </summary>
public sealed class SigmaImporter
{
    private const int MaxFiles = 50_000;
    private static readonly TimeSpan LongestLookBack = TimeSpan.FromDays(30);

    // Rows of lookups arrive at other times than those they describe.
    private static readonly (TimeSpan Frequency, TimeSpan LookBack) WithLookups = (TimeSpan.FromHours(1), TimeSpan.FromDays(1));

    private readonly KqlSchema _schema;
    private readonly SigmaOptions _options;
    private readonly SigmaMapping _mapping = SigmaMapping.Shared;
    private readonly SigmaTranslator _translator;
    private readonly List<SigmaConverted> _converted = [];
    private readonly List<SigmaRefused> _refused = [];
    private readonly Dictionary<string, Guid> _titles;
    private readonly Dictionary<Guid, string> _ids = [];
    private readonly HashSet<string> _outputs = new(StringComparer.OrdinalIgnoreCase);
    private int _skipped;

    private SigmaImporter(KqlSchema schema, SigmaOptions options)
    {
        (_schema, _options, _translator) = (schema, options, new SigmaTranslator(_mapping));
        _titles = RuleLoader.Load(RuleLoader.ShippedFolder(), null).Rules.ToDictionary(static rule => rule.Title, static rule => rule.Id, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Imports a file, or every <c>.yml</c> and <c>.yaml</c> file of a folder and those below it.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="schema">The tables that queries may use.</param>
    /// <param name="options">What is taken, and where it goes.</param>
    /// <param name="progress">Hears how many files were read or rules turned, of how many; null when nobody listens.</param>
    /// <param name="cancellationToken">Stops the import between two rules.</param>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static SigmaReport Import(string path, KqlSchema schema, SigmaOptions options, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var started = Stopwatch.GetTimestamp();
        var (root, files) = Files(path);
        var importer = new SigmaImporter(schema, options);
        var documents = importer.Read(root, files, cancellationToken);
        var chosen = importer.Choose(documents);
        var work = importer.AttachFilters(chosen);
        importer.Translate(work, progress, cancellationToken);
        importer.Write();
        return new SigmaReport(
            files.Count, importer._converted, importer._refused, importer._skipped, chosen.Count - work.Count(item => item.IsRule), Stopwatch.GetElapsedTime(started));
    }

    private static (string Root, IReadOnlyList<string> Files) Files(string path)
    {
        if (File.Exists(path)) return (Path.GetDirectoryName(Path.GetFullPath(path))!, [path]);
        var files = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(static file => Path.GetExtension(file).ToLowerInvariant() is ".yml" or ".yaml")
            .Order(StringComparer.Ordinal).Take(MaxFiles).ToArray();
        return (path, files);
    }

    private List<SigmaDocument> Read(string root, IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        var reader = new SigmaReader(new SigmaPlaceholders(_options.Placeholders));
        var documents = new List<SigmaDocument>();
        foreach (var file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var name = Path.GetRelativePath(root, file);
            if (new FileInfo(file).Length > SigmaReader.MaxLength * 4L) Refuse(name, 1, null, null, SigmaReason.Syntax, $"the file is longer than {SigmaReader.MaxLength / 1024} KiB");
            else documents.AddRange(reader.Read(File.ReadAllText(file), name, (title, problem) => Refuse(name, problem.Line, title, null, problem.Reason, problem.Message)));
        }

        return documents;
    }

    private List<SigmaDocument> Choose(List<SigmaDocument> documents)
    {
        var least = SigmaTags.Levels.ToList().IndexOf(_options.MinLevel);
        var chosen = documents.Where(document => document is SigmaFilter
            || ((document.Status is not { } status || _options.Statuses.Contains(status)) && (document.Level is not { } level || SigmaTags.Levels.ToList().IndexOf(level) >= least))).ToList();
        _skipped = documents.Count - chosen.Count;
        return chosen;
    }

    // What is translated, with the rules that correlations refer to; those become rules of their own only when asked for.
    private sealed record Work(SigmaDocument Document, bool IsRule);

    private static bool Refers(string reference, SigmaDocument document) =>
        string.Equals(reference, document.Name, StringComparison.OrdinalIgnoreCase) || (Guid.TryParse(reference, out var id) && id == document.Id);

    private List<Work> AttachFilters(List<SigmaDocument> chosen)
    {
        var filters = chosen.OfType<SigmaFilter>().ToList();
        var correlations = chosen.OfType<SigmaCorrelation>().ToList();
        var building = correlations.Where(static correlation => !correlation.Generate).SelectMany(static correlation => correlation.Rules).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var work = new List<Work>();
        foreach (var document in chosen)
        {
            var isRule = document is not SigmaFilter && !(document.Name is { } name && building.Contains(name)) && !building.Contains(document.Id.ToString());
            work.Add(new Work(
                document is SigmaRule rule ? rule with { Filters = [.. filters.Where(filter => Concerns(filter, rule))] } : document,
                isRule));
        }

        foreach (var filter in filters.Where(filter => !chosen.OfType<SigmaRule>().Any(rule => Concerns(filter, rule))))
            Refuse(filter.File, filter.Line, filter.Title, filter.LogSource.ToString(), SigmaReason.Correlation, "the filter concerns none of the imported rules");
        return work;
    }

    private static bool Concerns(SigmaFilter filter, SigmaRule rule) =>
        (filter.Rules.Count == 0 || filter.Rules.Any(reference => Refers(reference, rule)))
        && (filter.LogSource.Product is null || filter.LogSource.Product == rule.LogSource.Product)
        && (filter.LogSource.Category is null || filter.LogSource.Category == rule.LogSource.Category)
        && (filter.LogSource.Service is null || filter.LogSource.Service == rule.LogSource.Service);

    private void Translate(List<Work> work, Action<int, int>? progress, CancellationToken cancellationToken)
    {
        var byReference = new Dictionary<string, SigmaDocument>(StringComparer.OrdinalIgnoreCase);
        foreach (var item in work.Where(static item => item.Document is not SigmaFilter))
        {
            byReference.TryAdd(item.Document.Id.ToString(), item.Document);
            if (item.Document.Name is { } name) byReference.TryAdd(name, item.Document);
        }

        var correlator = new SigmaCorrelator(_translator, _mapping, byReference.GetValueOrDefault);
        var (done, total) = (0, work.Count);
        foreach (var (document, isRule) in work)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress?.Invoke(++done, total);
            if (!isRule) continue;
            var source = (document as SigmaRule)?.LogSource.ToString() ?? "correlation";
            try
            {
                if (!_ids.TryAdd(document.Id, document.File)) throw new SigmaException(SigmaReason.Syntax, $"the id {document.Id} is already taken by {_ids[document.Id]}", document.Line);
                var notes = new List<string>();
                var content = Content(document, correlator, byReference, notes);
                var text = RuleText.Write(document, content);
                Check(document, text);
                _converted.Add(new SigmaConverted(document.Id, content.Title, document.File, source, Output(document), notes, text));
            }
            catch (SigmaException exception)
            {
                Refuse(document.File, exception.Line > 0 ? exception.Line : document.Line, document.Title, source, exception.Reason, exception.Message);
            }
        }
    }

    private RuleText.Content Content(SigmaDocument document, SigmaCorrelator correlator, Dictionary<string, SigmaDocument> byReference, List<string> notes)
    {
        if (document is SigmaRule { Aggregation: null } rule)
        {
            var branches = _translator.Translate(rule, new QueryNames(), notes);
            var hasLookups = branches.Any(static branch => branch.Scope.Lookups.Count > 0);
            return new RuleText.Content(
                Title(rule), $"Events of {rule.LogSource} that meet the condition of the Sigma rule '{rule.Title}'.", rule.Level, rule.Tags, QueryWriter.Write(branches),
                hasLookups ? WithLookups.Frequency : null, hasLookups ? WithLookups.LookBack : null, Entities(branches));
        }

        var query = document is SigmaRule counting ? correlator.Write(counting, notes) : correlator.Write((SigmaCorrelation)document, notes);
        var frequency = query.Span <= TimeSpan.FromHours(1) ? TimeSpan.FromMinutes(15) : query.Span <= TimeSpan.FromHours(12) ? TimeSpan.FromHours(1) : TimeSpan.FromHours(3);
        var lookBack = query.Span + frequency > LongestLookBack ? LongestLookBack : query.Span + frequency;
        var parts = document is SigmaCorrelation correlation
            ? correlation.Rules.Select(byReference.GetValueOrDefault).OfType<SigmaDocument>().ToArray()
            : [];
        return new RuleText.Content(
            Title(document), $"Events that meet the {(document is SigmaRule ? "count" : "correlation")} of the Sigma rule '{document.Title}'.",
            document.Level ?? parts.Select(static part => part.Level).MaxBy(static level => SigmaTags.Levels.ToList().IndexOf(level ?? "")),
            document.Tags.Count > 0 ? document.Tags : [.. parts.SelectMany(static part => part.Tags).Distinct()],
            query.Query, frequency, lookBack, ["Device", .. KeyEntities(query.Keys)]);
    }

    // What all kinds of rows can tell; a kind's own list where the rule has but one.
    private static IReadOnlyList<string> Entities(IReadOnlyList<QueryBranch> branches)
    {
        IEnumerable<string> entities = branches[0].Variant.Entities;
        foreach (var branch in branches.Skip(1)) entities = entities.Intersect(branch.Variant.Entities);
        var common = entities.ToArray();
        return common.Any(static entity => entity.StartsWith("Device", StringComparison.Ordinal)) ? common : branches[0].Variant.Entities;
    }

    // The columns of the grouping that are known as part of an account or an address.
    private static IEnumerable<string> KeyEntities(IReadOnlyList<string> keys)
    {
        foreach (var kind in (EntityKind[])[EntityKind.User, EntityKind.Ip])
        {
            foreach (var from in EntityFields.Sources(kind))
            {
                var columns = EntityFields.Columns(kind, from)!.Where(pair => keys.Contains(pair.Value)).Select(static pair => $"{pair.Key}={pair.Value}").ToArray();
                if (columns.Length > 0) yield return $"{kind}@{string.Join(',', columns)}";
            }
        }

        if (keys.Contains("IPAddress")) yield return "Ip@address=IPAddress";
    }

    // Titles are unique among all rules in force.
    private string Title(SigmaDocument document)
    {
        var title = document.Title.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal);
        var unique = title;
        for (var number = 2; _titles.TryGetValue(unique, out var owner) && owner != document.Id; number++) unique = number == 2 ? $"{title} (Sigma)" : $"{title} (Sigma {number - 1})";
        _titles[unique] = document.Id;
        return unique;
    }

    private void Check(SigmaDocument document, string text)
    {
        var problems = new List<RuleProblem>();
        var rule = RuleFileParser.Parse(text, document.File, shipped: false, problems);
        if (rule is not null && RuleCompiler.Compile(rule, _schema, problems) is not null) return;
        var first = problems[0];
        throw new SigmaException(
            first.Message.Contains("is longer than", StringComparison.Ordinal) ? SigmaReason.TooLong : SigmaReason.Query, $"the rule that came out is wrong: {first.Message}", document.Line);
    }

    private string Output(SigmaDocument document)
    {
        var stem = Path.ChangeExtension(document.File, null);
        var name = stem + ".yaml";
        for (var number = 2; !_outputs.Add(name); number++) name = $"{stem}-{number}.yaml";
        return name;
    }

    private void Write()
    {
        if (_options.Output is not { } folder) return;
        foreach (var rule in _converted)
        {
            var path = Path.Combine(folder, rule.Output);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, rule.Rule);
        }
    }

    private void Refuse(string file, int line, string? title, string? source, SigmaReason reason, string message) =>
        _refused.Add(new SigmaRefused(file, Math.Max(1, line), title, source, reason, message));
}
