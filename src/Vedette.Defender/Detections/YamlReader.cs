using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Detections;

/// <summary>Reads the values of one mapping and reports what is wrong with their places.</summary>
internal sealed class YamlReader(string file, YamlMappingNode node, ICollection<RuleProblem> problems)
{
    public string File => file;

    public ICollection<RuleProblem> Problems => problems;

    public bool Has(string key) => node.Children.ContainsKey(key);

    public void RefuseOtherKeys(ICollection<string> known, string what)
    {
        foreach (var key in node.Children.Keys)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (!known.Contains(name)) Report(key, $"{what} has no key '{name}'; the keys are {string.Join(", ", known)}");
        }
    }

    public string Text(string key, int maxLength)
    {
        if (!node.Children.TryGetValue(key, out var value)) Report(node, $"the key '{key}' is missing");
        else if (value is not YamlScalarNode { Value: { } text } || text.Trim().Length == 0) Report(value, $"'{key}' is empty");
        else if (text.Length > maxLength) Report(value, $"'{key}' is longer than {maxLength} characters");
        else return text.Trim();
        return "";
    }

    public T? Required<T>(string key, Func<string, Action<string>, T?> read)
    {
        var text = Text(key, 64);
        return text.Length == 0 ? default : read(text, message => Report(key, message));
    }

    public string OneOf(string key, IEnumerable<string> allowed)
    {
        var text = Text(key, 64);
        if (text.Length > 0 && !allowed.Contains(text, StringComparer.Ordinal))
            Report(key, $"'{text}' is not a {key}; use one of {string.Join(", ", allowed)}");
        return text;
    }

    public bool Flag(string key, bool fallback)
    {
        if (!Has(key)) return fallback;
        var text = Text(key, 8);
        if (text.Length > 0 && text is not ("true" or "false")) Report(key, $"'{key}' is true or false, not '{text}'");
        return text == "true";
    }

    public List<string> List(string key, bool required)
    {
        var result = new List<string>();
        if (!required && !Has(key)) return result;
        foreach (var item in Items(key))
        {
            if (item is YamlScalarNode { Value: { Length: > 0 } text }) result.Add(text.Trim());
            else Report(item, $"'{key}' lists plain texts");
        }

        return result;
    }

    public IEnumerable<YamlNode> Items(string key)
    {
        if (!node.Children.TryGetValue(key, out var value)) Report(node, $"the key '{key}' is missing");
        else if (value is not YamlSequenceNode sequence || sequence.Children.Count == 0) Report(value, $"'{key}' is a list with at least one item");
        else return sequence.Children;
        return [];
    }

    // The text of a block scalar begins on the line after its indicator, indented by two in all likelihood; a plain one where it stands.
    public (int Line, int Column) ContentPlace(string key) => node.Children.TryGetValue(key, out var value)
        ? value is YamlScalarNode { Style: ScalarStyle.Literal or ScalarStyle.Folded } ? ((int)value.Start.Line + 1, 3) : ((int)value.Start.Line, (int)value.Start.Column)
        : (1, 1);

    public void Report(string key, string message) => Report(node.Children.TryGetValue(key, out var value) ? value : node, message);

    public void Report(YamlNode place, string message) =>
        problems.Add(new RuleProblem(file, (int)place.Start.Line, (int)place.Start.Column, message));
}
