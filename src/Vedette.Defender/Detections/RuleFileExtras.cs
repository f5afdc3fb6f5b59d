using Vedette.Defender.Detections.Custom;
using YamlDotNet.RepresentationModel;

namespace Vedette.Defender.Detections;

/// <summary>Reads what a rule file may say beyond finding and alerting: details, scope and responses, as tenants' rules have them.</summary>
internal static class RuleFileExtras
{
    private const string Ending = "ResponseAction";

    /// <summary>The keys.</summary>
    public static readonly IReadOnlyList<string> Keys = ["recommendedActions", "customDetails", "deviceGroups", "responses"];

    private static readonly string[] ResponseKeys = ["type", "identifier", "isolationType", "deviceGroups"];

    /// <summary>The rule with what the file says.</summary>
    public static DetectionRule Read(DetectionRule rule, YamlReader reader, YamlMappingNode root) => rule with
    {
        RecommendedActions = reader.Has("recommendedActions") ? reader.Text("recommendedActions", 4000) : null,
        CustomDetails = Details(reader, root),
        DeviceGroups = reader.Has("deviceGroups") ? reader.List("deviceGroups", required: true) : null,
        Responses = reader.Has("responses") ? [.. reader.Items("responses").Select(item => Response(reader, item)).OfType<RuleResponse>()] : [],
    };

    private static List<CustomDetail> Details(YamlReader reader, YamlMappingNode root)
    {
        var details = new List<CustomDetail>();
        if (!root.Children.TryGetValue("customDetails", out var node)) return details;
        if (node is not YamlMappingNode pairs)
        {
            reader.Report(node, "customDetails maps names to columns, such as { Command: ProcessCommandLine }");
            return details;
        }

        foreach (var (key, value) in pairs)
        {
            if ((key as YamlScalarNode)?.Value is { Length: > 0 } name && value is YamlScalarNode { Value: { Length: > 0 } column }) details.Add(new CustomDetail(name, column));
            else reader.Report(value, "a custom detail names a column");
        }

        if (details.Count > CustomRuleFacts.MostCustomDetails) reader.Report(node, $"a rule has at most {CustomRuleFacts.MostCustomDetails} custom details");
        return details;
    }

    private static RuleResponse? Response(YamlReader file, YamlNode item)
    {
        if (item is not YamlMappingNode mapping)
        {
            file.Report(item, "a response is a mapping such as { type: isolateDevice, isolationType: full }");
            return null;
        }

        var reader = new YamlReader(file.File, mapping, file.Problems);
        reader.RefuseOtherKeys(ResponseKeys, "a response");
        var type = reader.Text("type", 64);
        if (CustomRuleFacts.Responses.FirstOrDefault(known => known.TypeName.Equals(type + Ending, StringComparison.OrdinalIgnoreCase)) is not { } fact)
        {
            if (type.Length > 0)
                reader.Report("type", $"'{type}' is not a response; use one of {string.Join(", ", CustomRuleFacts.Responses.Select(known => known.TypeName.Replace(Ending, "", StringComparison.Ordinal)))}");
            return null;
        }

        var columns = new Dictionary<string, string>(StringComparer.Ordinal);
        var identifiers = reader.Has("identifier") ? reader.Text("identifier", 256) : string.Join(',', fact.Columns.Where(column => !column.Alternative).DefaultIfEmpty(fact.Columns[0]).Select(column => column.Identifiers[0]));
        foreach (var identifier in identifiers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (fact.Columns.FirstOrDefault(column => column.Identifiers.Contains(identifier, StringComparer.Ordinal)) is { } column) columns[column.Role] = CustomRuleFacts.Column(identifier);
            else reader.Report("identifier", $"'{identifier}' is not an identifier of {type}; use {string.Join(", ", fact.Columns.SelectMany(known => known.Identifiers))}");
        }

        var isolation = fact.Kind == ResponseKind.IsolateDevice ? reader.Has("isolationType") ? reader.Text("isolationType", 32) : "full" : null;
        if (isolation is not (null or "" or "full" or "selective")) reader.Report("isolationType", $"'{isolation}' is not a type of isolation; use full or selective");
        return new RuleResponse(fact.Kind, columns)
        {
            IsolationType = isolation is null ? null : isolation == "selective" ? "Selective" : "Full",
            DeviceGroups = reader.Has("deviceGroups") ? reader.List("deviceGroups", required: true) : [],
        };
    }
}
