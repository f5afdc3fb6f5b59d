using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Vedette.Defender.Detections;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Sigma;

/// <summary>
/// Reads the documents of a Sigma file. A document with <c>action: global</c> adds its keys to those that follow, as the first version of the
/// format had it. What is wrong is told with its line, and costs its own document only.
/// </summary>
internal sealed partial class SigmaReader(SigmaPlaceholders placeholders)
{
    /// <summary>Largest file, in characters.</summary>
    public const int MaxLength = 4 * 1024 * 1024;

    private const int MaxDepth = 32;

    // Anchors let a short text stand for a long one, or for one without end.
    private const int MaxValues = 50_000;
    private int _values;

    /// <summary>Reads a file's documents.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="refuse">Hears of documents that cannot be read: the title when there is one, the line, and why.</param>
    public IReadOnlyList<SigmaDocument> Read(string text, string file, Action<string?, SigmaException> refuse)
    {
        var problems = new List<RuleProblem>();
        if (YamlText.Documents(text, file, MaxLength, MaxDepth, problems) is not { } nodes)
        {
            refuse(null, new SigmaException(SigmaReason.Syntax, problems[0].Message, problems[0].Line));
            return [];
        }

        var documents = new List<SigmaDocument>();
        YamlMappingNode? common = null;
        YamlMappingNode? previous = null;
        var ids = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var node in nodes)
        {
            if (node is YamlScalarNode { Value: null or "" }) continue;
            if (node is not YamlMappingNode mapping)
            {
                refuse(null, new SigmaException(SigmaReason.Syntax, "a document holds keys and values, such as 'title: …'", (int)node.Start.Line));
                continue;
            }

            switch (Scalar(mapping, "action")?.ToLowerInvariant())
            {
                case "global":
                    common = Merge(common, mapping);
                    continue;
                case "reset":
                    common = null;
                    continue;
                case "repeat":
                    mapping = Merge(previous, mapping);
                    break;
                default:
                    mapping = Merge(common, mapping);
                    break;
            }

            previous = mapping;
            try
            {
                // Rules that share an id through a global document are told apart by their place.
                var isShared = Scalar(mapping, "id") is { } id && !ids.Add(id) && Scalar((YamlMappingNode)node, "id") is null;
                var document = Document(mapping, (int)node.Start.Line, file);
                documents.Add(isShared ? document with { Id = IdFor($"{document.Id}/{documents.Count}") } : document);
            }
            catch (SigmaException exception)
            {
                refuse(Scalar(mapping, "title"), exception.Line > 0 ? exception : new SigmaException(exception.Reason, exception.Message, (int)node.Start.Line));
            }
        }

        return documents;
    }

    private SigmaDocument Document(YamlMappingNode node, int line, string file)
    {
        _values = 0;
        var title = Scalar(node, "title") ?? throw new SigmaException(SigmaReason.Syntax, "the key 'title' is missing", line);
        SigmaDocument document = Child(node, "correlation") is { } correlation ? Correlation(correlation)
            : Child(node, "filter") is YamlMappingNode filter ? Filter(node, filter)
            : Rule(node, line);
        return document with
        {
            File = file,
            Line = line,
            Title = title.Trim(),
            Id = Guid.TryParse(Scalar(node, "id"), out var id) && id != Guid.Empty ? id : IdFor($"{file}\n{title}"),
            Name = Scalar(node, "name"),
            Description = Scalar(node, "description")?.Trim() ?? "",
            Status = Scalar(node, "status")?.ToLowerInvariant(),
            Level = Scalar(node, "level")?.ToLowerInvariant(),
            Author = Text(node, "author"),
            License = Scalar(node, "license"),
            References = Texts(node, "references"),
            FalsePositives = Texts(node, "falsepositives"),
            Tags = Texts(node, "tags"),
        };
    }

    private SigmaRule Rule(YamlMappingNode node, int line)
    {
        var detection = Child(node, "detection") as YamlMappingNode ?? throw new SigmaException(SigmaReason.Syntax, "the key 'detection' is missing", line);
        var rule = new SigmaRule
        {
            File = "", Line = line, Id = default, Title = "",
            LogSource = LogSource(node, line),
            Searches = Searches(detection),
            Conditions = [],
        };
        var (place, conditions) = Conditions(detection, line);
        var timeframe = Scalar(detection, "timeframe") is { } text ? Span(text, place) : (TimeSpan?)null;
        var parsed = new List<SigmaCondition>();
        SigmaAggregation? aggregation = null;
        foreach (var condition in conditions)
        {
            var pipe = condition.IndexOf('|', StringComparison.Ordinal);
            parsed.Add(SigmaCondition.Parse(pipe < 0 ? condition : condition[..pipe], place));
            if (pipe < 0) continue;
            if (conditions.Count > 1) throw new SigmaException(SigmaReason.Condition, "an aggregation cannot be one of several conditions", place);
            aggregation = SigmaAggregations.Parse(condition[(pipe + 1)..], timeframe, place);
        }

        return rule with { Conditions = parsed, Aggregation = aggregation };
    }

    private SigmaFilter Filter(YamlMappingNode node, YamlMappingNode filter)
    {
        var line = (int)filter.Start.Line;
        return new SigmaFilter
        {
            File = "", Line = line, Id = default, Title = "",
            LogSource = LogSource(node, line),
            Rules = Child(filter, "rules") is YamlScalarNode { Value: var one } ? (string.Equals(one, "any", StringComparison.OrdinalIgnoreCase) ? [] : [one ?? ""]) : Texts(filter, "rules"),
            Searches = Searches(filter),
            Conditions = [.. Conditions(filter, line).Texts.Select(text => SigmaCondition.Parse(text, line))],
        };
    }

    private static SigmaCorrelation Correlation(YamlNode value)
    {
        var line = (int)value.Start.Line;
        if (value is not YamlMappingNode node) throw new SigmaException(SigmaReason.Correlation, "'correlation' holds keys and values", line);
        var rules = Texts(node, "rules");
        if (rules.Count == 0) throw new SigmaException(SigmaReason.Correlation, "a correlation names at least one rule", line);
        var aliases = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var (alias, fields) in Child(node, "aliases") as YamlMappingNode ?? [])
        {
            if (fields is not YamlMappingNode map) throw new SigmaException(SigmaReason.Correlation, "an alias names a field for each rule", (int)fields.Start.Line);
            aliases[Value(alias)] = map.ToDictionary(pair => Value(pair.Key), pair => Value(pair.Value), StringComparer.Ordinal);
        }

        return new SigmaCorrelation
        {
            File = "", Line = line, Id = default, Title = "",
            Rules = rules,
            Aliases = aliases,
            Generate = Scalar(node, "generate") is "true" or "True",
            Aggregation = SigmaAggregations.Read(node, rules.Count, line),
        };
    }

    private static SigmaLogSource LogSource(YamlMappingNode node, int line)
    {
        if (Child(node, "logsource") is not YamlMappingNode source) throw new SigmaException(SigmaReason.Syntax, "the key 'logsource' is missing", line);
        static string? Word(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim().ToLowerInvariant();
        return new SigmaLogSource(Word(Scalar(source, "product")), Word(Scalar(source, "category")), Word(Scalar(source, "service")));
    }

    private List<KeyValuePair<string, SigmaSearch>> Searches(YamlMappingNode detection)
    {
        var searches = new List<KeyValuePair<string, SigmaSearch>>();
        foreach (var (key, value) in detection)
        {
            var name = Value(key);
            if (name is "condition" or "timeframe" or "rules") continue;
            searches.Add(new KeyValuePair<string, SigmaSearch>(name, Search(value, 0)));
        }

        return searches;
    }

    // A mapping means all of its items, a list any of its entries; an entry is a mapping or a keyword.
    private SigmaSearch Search(YamlNode node, int depth)
    {
        if (depth > MaxDepth) throw new SigmaException(SigmaReason.Syntax, $"a search is nested deeper than {MaxDepth} levels", (int)node.Start.Line);
        Count(1, node);
        switch (node)
        {
            case YamlMappingNode mapping:
                var items = mapping.Select(pair => (SigmaSearch)new SigmaLeaf(SigmaModifiers.Apply(Value(pair.Key), Raws(pair.Value), (int)pair.Key.Start.Line, placeholders))).ToArray();
                if (items.Length == 0) throw new SigmaException(SigmaReason.Syntax, "a search has no items", (int)node.Start.Line);
                return items.Length == 1 ? items[0] : new SigmaAll(items);
            case YamlSequenceNode { Children.Count: 0 }:
                throw new SigmaException(SigmaReason.Syntax, "a list of a search has no entries", (int)node.Start.Line);
            case YamlSequenceNode sequence when sequence.All(static entry => entry is YamlScalarNode):
                return new SigmaLeaf(SigmaModifiers.Apply("", Raws(sequence), (int)sequence.Start.Line, placeholders));
            case YamlSequenceNode sequence:
                return new SigmaAny([.. sequence.Select(entry => Search(entry, depth + 1))]);
            default:
                return new SigmaLeaf(SigmaModifiers.Apply("", Raws(node), (int)node.Start.Line, placeholders));
        }
    }

    private void Count(int values, YamlNode node)
    {
        if ((_values += values) > MaxValues) throw new SigmaException(SigmaReason.Syntax, $"a rule has more than {MaxValues} values", (int)node.Start.Line);
    }

    private IReadOnlyList<SigmaModifiers.Raw> Raws(YamlNode node)
    {
        Count((node as YamlSequenceNode)?.Children.Count ?? 1, node);
        return node switch
        {
            YamlScalarNode scalar => [Raw(scalar)],
            YamlSequenceNode sequence when sequence.All(static entry => entry is YamlScalarNode) => [.. sequence.Select(entry => Raw((YamlScalarNode)entry))],
            _ => throw new SigmaException(SigmaReason.Syntax, "a value is a text, a number or a list of them", (int)node.Start.Line),
        };
    }

    private static SigmaModifiers.Raw Raw(YamlScalarNode scalar)
    {
        var isNull = scalar.Style == ScalarStyle.Plain && scalar.Value is null or "" or "null" or "Null" or "NULL" or "~";
        return new SigmaModifiers.Raw(isNull && scalar.Style == ScalarStyle.Plain ? null : scalar.Value ?? "", (int)scalar.Start.Line);
    }

    private static (int Line, IReadOnlyList<string> Texts) Conditions(YamlMappingNode detection, int line)
    {
        if (Child(detection, "condition") is not { } node) throw new SigmaException(SigmaReason.Condition, "the key 'condition' is missing", line);
        return ((int)node.Start.Line, node is YamlSequenceNode list ? [.. list.Select(Value)] : [Value(node)]);
    }

    /// <summary>Reads a time such as 30s, 5m, 1h or 2d.</summary>
    public static TimeSpan Span(string text, int line)
    {
        var match = Time().Match(text.Trim());
        if (!match.Success) throw new SigmaException(SigmaReason.Correlation, $"'{text}' is not a time such as 30s, 5m, 1h or 2d", line);
        var number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            "w" => TimeSpan.FromDays(7L * number),
            "M" => TimeSpan.FromDays(30L * number),
            _ => TimeSpan.FromDays(number),
        };
    }

    /// <summary>The value of a key; null when it is missing.</summary>
    public static YamlNode? Child(YamlMappingNode node, string key) => node.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null;

    /// <summary>The text of a key; null when it is missing or not a text.</summary>
    public static string? Scalar(YamlMappingNode node, string key) => Child(node, key) is YamlScalarNode { Value: { Length: > 0 } text } ? text : null;

    /// <summary>The texts of a key: a list, or one alone.</summary>
    public static IReadOnlyList<string> Texts(YamlMappingNode node, string key) => Child(node, key) switch
    {
        YamlSequenceNode list => [.. list.OfType<YamlScalarNode>().Select(static item => item.Value?.Trim()).OfType<string>().Where(static text => text.Length > 0)],
        YamlScalarNode { Value: { Length: > 0 } text } => [text.Trim()],
        _ => [],
    };

    /// <summary>The text of a scalar; empty for anything else.</summary>
    public static string Value(YamlNode node) => (node as YamlScalarNode)?.Value ?? "";

    private static string? Text(YamlMappingNode node, string key) => Texts(node, key) is { Count: > 0 } texts ? string.Join(", ", texts) : null;

    private static YamlMappingNode Merge(YamlMappingNode? common, YamlMappingNode own, int depth = 0)
    {
        if (common is null || depth > MaxDepth) return own;
        var merged = new YamlMappingNode();
        foreach (var (key, value) in common)
            if (Value(key) != "action" && !own.Children.ContainsKey(key)) merged.Add(key, value);
        foreach (var (key, value) in own)
        {
            if (Value(key) == "action") continue;
            merged.Add(key, value is YamlMappingNode mapping && common.Children.TryGetValue(key, out var other) && other is YamlMappingNode shared ? Merge(shared, mapping, depth + 1) : value);
        }

        return merged;
    }

    private static Guid IdFor(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    [GeneratedRegex("^([1-9][0-9]{0,5})([smhdwM])$")]
    private static partial Regex Time();
}
