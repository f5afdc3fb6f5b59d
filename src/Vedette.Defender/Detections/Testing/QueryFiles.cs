using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Detections.Testing;

/// <summary>A query that stands in a file.</summary>
/// <param name="File">The file's name as it was found.</param>
/// <param name="Text">The query.</param>
public sealed record StoredQuery(string File, string Text)
{
    /// <summary>Line of the file, from 1, that the first line of the query stands in.</summary>
    public int Line { get; init; } = 1;

    /// <summary>How many characters stand before the first line of the query; before every line when <see cref="IsIndented"/>.</summary>
    public int Indent { get; init; }

    /// <summary>Whether every line of the query is indented, as in a block of YAML.</summary>
    public bool IsIndented { get; init; }

    /// <summary>Whether lines of the query are not lines of the file: then only <see cref="Line"/> is known.</summary>
    public bool IsFolded { get; init; }

    /// <summary>Where a place in the query stands in the file.</summary>
    public (int Line, int Column) Place(int line, int column) =>
        IsFolded ? (Line, 1) : (Line + line - 1, column + (IsIndented || line == 1 ? Indent : 0));
}

/// <summary>
/// Finds the queries in files as detection engineers keep them: plain ones (<c>.kql</c>, <c>.kusto</c>, <c>.csl</c>, <c>.txt</c>), YAML and JSON with the key
/// <c>query</c> or <c>queryText</c> at any depth (rules of Vedette, of Sentinel and of the detection API, hunting queries, tests, templates), and Markdown with
/// blocks marked <c>kusto</c> or <c>kql</c>.
/// </summary>
public static partial class QueryFiles
{
    private const int MaxLength = 4 * 1024 * 1024;
    private const int MaxDepth = 60;

    private static readonly HashSet<string> Plain = new(StringComparer.OrdinalIgnoreCase) { ".kql", ".kusto", ".csl", ".txt" };
    private static readonly HashSet<string> InFolders = new(StringComparer.OrdinalIgnoreCase) { ".kql", ".kusto", ".csl", ".yaml", ".yml", ".json", ".md" };
    private static readonly HashSet<string> Keys = new(StringComparer.Ordinal) { "query", "queryText" };

    // What a test expects or puts in is no query, whatever it is called.
    private static readonly HashSet<string> Passed = new(StringComparer.Ordinal) { "tables", "expect" };

    /// <summary>Whether a name looks like that of a file with queries.</summary>
    public static bool LooksLikeFile(string name) => InFolders.Contains(Path.GetExtension(name)) || Plain.Contains(Path.GetExtension(name));

    /// <summary>The queries of a file, or of a folder and those below it that are not hidden.</summary>
    /// <param name="path">A file or folder that exists.</param>
    /// <param name="problems">Receives what cannot be read, and a file that was named and holds no query.</param>
    public static IEnumerable<StoredQuery> Find(string path, ICollection<RuleProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (File.Exists(path))
        {
            var before = problems.Count;
            var found = Read(path, problems);
            if (found.Count == 0 && problems.Count == before) problems.Add(new RuleProblem(path, 1, 1, "the file holds no query"));
            return found;
        }

        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden };
        return Directory.EnumerateFiles(path, "*", options).Where(file => InFolders.Contains(Path.GetExtension(file))).Order(StringComparer.Ordinal)
            .SelectMany(file => Read(file, problems));
    }

    /// <summary>The queries of one file.</summary>
    public static IReadOnlyList<StoredQuery> Read(string file, ICollection<RuleProblem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        string text;
        try
        {
            if (new FileInfo(file).Length > MaxLength)
            {
                problems.Add(new RuleProblem(file, 1, 1, $"the file is longer than {MaxLength / 1024} KiB"));
                return [];
            }

            text = File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems.Add(new RuleProblem(file, 1, 1, exception.Message));
            return [];
        }

        return Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".yaml" or ".yml" => Yaml(file, text, problems),
            ".json" => Json(file, text, problems),
            ".md" => Markdown(file, text),
            _ => string.IsNullOrWhiteSpace(text) ? [] : [new StoredQuery(file, text)],
        };
    }

    private static List<StoredQuery> Yaml(string file, string text, ICollection<RuleProblem> problems)
    {
        var found = new List<StoredQuery>();
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        foreach (var document in YamlText.Documents(text, file, MaxLength, MaxDepth, problems) ?? []) Walk(document);
        return found;

        void Walk(YamlNode node)
        {
            if (node is YamlSequenceNode list)
            {
                foreach (var item in list) Walk(item);
            }
            else if (node is YamlMappingNode mapping)
            {
                foreach (var (key, value) in mapping)
                {
                    var name = (key as YamlScalarNode)?.Value ?? "";
                    if (value is YamlScalarNode scalar && Keys.Contains(name) && !string.IsNullOrWhiteSpace(scalar.Value)) found.Add(At(file, lines, scalar));
                    else if (!Passed.Contains(name)) Walk(value);
                }
            }
        }
    }

    private static StoredQuery At(string file, string[] lines, YamlScalarNode node)
    {
        var (line, column) = ((int)node.Start.Line, (int)node.Start.Column);
        var query = new StoredQuery(file, node.Value!);
        switch (node.Style)
        {
            case ScalarStyle.Literal:
                var first = Array.FindIndex(lines, Math.Min(line, lines.Length), static l => l.Trim().Length > 0);
                return query with { Line = line + 1, Indent = first < 0 ? 0 : lines[first].Length - lines[first].TrimStart(' ').Length, IsIndented = true };
            case ScalarStyle.Folded:
                return query with { Line = line + 1, IsFolded = true };
            case ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted:
                return query with { Line = line, Indent = column, IsFolded = node.Value!.Contains('\n', StringComparison.Ordinal) };
            default:
                return query with { Line = line, Indent = column - 1, IsFolded = node.End.Line != node.Start.Line };
        }
    }

    private static List<StoredQuery> Json(string file, string text, ICollection<RuleProblem> problems)
    {
        var found = new List<StoredQuery>();
        var bytes = Encoding.UTF8.GetBytes(text);
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = MaxDepth });
            var isQuery = false;
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.String && isQuery && reader.GetString() is { } query && !string.IsNullOrWhiteSpace(query))
                    found.Add(new StoredQuery(file, query) { Line = 1 + bytes.AsSpan(0, (int)reader.TokenStartIndex).Count((byte)'\n'), IsFolded = true });
                isQuery = reader.TokenType == JsonTokenType.PropertyName && Keys.Contains(reader.GetString()!);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            var line = exception is JsonException { LineNumber: { } number } ? (int)number + 1 : 1;
            problems.Add(new RuleProblem(file, line, 1, "not JSON: " + exception.Message.Split(" LineNumber:")[0]));
        }

        return found;
    }

    private static List<StoredQuery> Markdown(string file, string text)
    {
        var found = new List<StoredQuery>();
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (Fence().Match(lines[i]) is not { Success: true } fence) continue;
            var start = i + 1;
            for (i++; i < lines.Length && !lines[i].TrimStart().StartsWith(fence.Groups[1].Value, StringComparison.Ordinal);) i++;
            var query = string.Join('\n', lines[start..Math.Min(i, lines.Length)]);
            if (query.Trim().Length > 0) found.Add(new StoredQuery(file, query) { Line = start + 1 });
        }

        return found;
    }

    [GeneratedRegex(@"^\s*(`{3,}|~{3,})\s*(?:kusto|kql)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Fence();
}
