using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Detections;

/// <summary>Reads YAML documents of users: bounded in length and depth, mistakes told with their place.</summary>
internal static class YamlText
{
    /// <summary>The mapping that a document consists of; null, and a problem, when it is anything else.</summary>
    public static YamlMappingNode? Root(string text, string file, int maxLength, int maxDepth, ICollection<RuleProblem> problems)
    {
        if (Documents(text, file, maxLength, maxDepth, problems) is not { } documents) return null;
        if (documents.Count == 1 && documents[0] is YamlMappingNode mapping) return mapping;
        problems.Add(new RuleProblem(file, 1, 1, documents.Count > 1 ? "a rule file holds one rule" : "a rule file holds keys and values, such as 'title: …'"));
        return null;
    }

    /// <summary>All documents of a text; null, and a problem, when it is too long, too deep or not YAML.</summary>
    public static IReadOnlyList<YamlNode>? Documents(string text, string file, int maxLength, int maxDepth, ICollection<RuleProblem> problems)
    {
        if (text.Length > maxLength)
        {
            problems.Add(new RuleProblem(file, 1, 1, $"the file is longer than {maxLength / 1024} KiB"));
            return null;
        }

        try
        {
            CheckDepth(text, maxDepth);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            return [.. stream.Documents.Select(document => document.RootNode)];
        }
        catch (YamlException exception)
        {
            problems.Add(new RuleProblem(file, (int)exception.Start.Line, (int)exception.Start.Column, "not YAML: " + exception.Message));
            return null;
        }
    }

    // The document reader recurses, so a hostile depth must be found before it starts; the event parser does not.
    private static void CheckDepth(string text, int maxDepth)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (Advance(parser))
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > maxDepth) throw new YamlException(parser.Current.Start, parser.Current.End, $"nested deeper than {maxDepth} levels");
        }
    }

    // The scanner reports some malformed texts as an invalid state of its own.
    private static bool Advance(Parser parser)
    {
        try
        {
            return parser.MoveNext();
        }
        catch (InvalidOperationException)
        {
            var place = parser.Current?.End ?? Mark.Empty;
            throw new YamlException(place, place, "the text after this place cannot be read");
        }
    }
}
