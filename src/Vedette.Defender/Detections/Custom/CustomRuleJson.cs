using System.Text.Json.Nodes;
using System.Xml;

namespace Vedette.Defender.Detections.Custom;

/// <summary>Writes the parts of a rule as the detection-rule API shows them.</summary>
internal static class CustomRuleJson
{
    private const string Namespace = "#microsoft.graph.security.";

    // What identifies an asset best comes first.
    private static readonly string[] Strength = ["id", "objectId", "sid", "upn", "address", "name", "displayName", "domain"];

    /// <summary>A whole rule, without what its runs add.</summary>
    public static JsonObject Rule(CustomRule rule) => new()
    {
        ["id"] = rule.Id,
        ["displayName"] = rule.DisplayName,
        ["description"] = rule.Description,
        ["status"] = char.ToLowerInvariant(rule.Status.ToString()[0]) + rule.Status.ToString()[1..],
        ["createdBy"] = rule.CreatedBy,
        ["createdDateTime"] = rule.CreatedAt,
        ["lastModifiedBy"] = rule.LastModifiedBy,
        ["lastModifiedDateTime"] = rule.LastModifiedAt,
        ["detectorId"] = rule.DetectorId,
        ["queryCondition"] = new JsonObject { ["queryText"] = rule.Body.Query, ["lastModifiedDateTime"] = rule.QueryModifiedAt },
        ["schedule"] = new JsonObject
        {
            ["frequency"] = Duration(rule.Body.Frequency), ["lookback"] = rule.Body.LookBack is { } minutes ? Duration(minutes) : null, ["period"] = Period(rule.Body.Frequency),
        },
        ["detectionAction"] = Action(rule.Body, beta: true),
    };

    /// <summary>A rule of a file in the form that a tenant's rule is made from.</summary>
    public static JsonObject FromFile(DetectionRule rule)
    {
        var columns = rule.Entities.SelectMany(entity => entity.Columns.Values.Select(column => (entity.Kind, Column: column))).ToArray();
        var assets = CustomRuleFacts.Identifiers
            .OrderBy(known => known.Key)
            .SelectMany(known => known.Value.OrderBy(pair => Array.IndexOf(Strength, pair.Value)).ThenBy(pair => pair.Key, StringComparer.Ordinal)
                .Where(pair => columns.Contains((known.Key, CustomRuleFacts.Column(pair.Key)))).Take(1)
                .Select(pair => new ImpactedAsset(known.Key, pair.Key)));
        var schedule = new JsonObject { ["frequency"] = Duration((int)(rule.Schedule.Frequency ?? TimeSpan.Zero).TotalMinutes) };
        if (rule.Schedule.Frequency is { } frequency && rule.Schedule.LookBack != DetectionSchedule.DefaultLookBack(frequency)) schedule["lookback"] = Duration((int)rule.Schedule.LookBack.TotalMinutes);
        return new JsonObject
        {
            ["displayName"] = rule.Title,
            ["description"] = rule.Finds,
            ["status"] = rule.Enabled ? "enabled" : "disabled",
            ["queryCondition"] = new JsonObject { ["queryText"] = rule.Query },
            ["schedule"] = schedule,
            ["detectionAction"] = new JsonObject
            {
                ["alertTemplate"] = new JsonObject
                {
                    ["title"] = rule.Title,
                    ["description"] = rule.Description,
                    ["severity"] = rule.Severity.ToLowerInvariant(),
                    ["category"] = rule.Category,
                    ["mitreTechniques"] = Texts(rule.Techniques),
                    ["recommendedActions"] = rule.RecommendedActions,
                    ["customDetails"] = Details(rule.CustomDetails),
                    ["impactedAssets"] = new JsonArray([.. assets.Select(Asset)]),
                },
                ["organizationalScope"] = rule.DeviceGroups is { } groups ? new JsonObject { ["deviceGroups"] = Texts(groups) } : null,
                ["responseActions"] = new JsonArray([.. rule.Responses.Select(Response)]),
            },
        };
    }

    /// <summary>What the rule does. The beta also has the properties that its newer form replaced, because clients still read them.</summary>
    public static JsonObject Action(CustomRuleBody body, bool beta)
    {
        var template = new JsonObject
        {
            ["title"] = body.Title,
            ["description"] = body.AlertDescription,
            ["severity"] = body.Severity.ToLowerInvariant(),
            ["recommendedActions"] = body.RecommendedActions,
        };
        if (beta)
        {
            template["category"] = body.Category;
            template["mitreTechniques"] = Texts(body.Techniques);
            template["impactedAssets"] = new JsonArray([.. ImpactedAssets(body).Select(Asset)]);
        }

        template["customDetails"] = Details(body.CustomDetails);
        template["entityMappings"] = EntityMappings(body);
        template["tactics"] = new JsonArray(new JsonObject
        {
            ["tactic"] = body.Category,
            ["techniques"] = new JsonArray([.. body.Techniques.Select(technique => new JsonObject { ["technique"] = technique })]),
        });

        var action = new JsonObject { ["alertTemplate"] = template, ["organizationalScope"] = Scope(body, beta) };
        if (beta) action["responseActions"] = new JsonArray([.. body.Responses.Select(Response)]);
        action["automatedActions"] = Automated(body);
        action["incidentConfiguration"] = new JsonObject { ["isExcludedFromIncidentCorrelation"] = body.Uncorrelated };
        return action;
    }

    /// <summary>A frequency in minutes as the older form spells it: <c>0</c>, <c>30M</c>, <c>1H</c>, <c>24H</c>, <c>7D</c>.</summary>
    public static string Period(int minutes) => minutes switch
    {
        0 => "0",
        > 1440 when minutes % 1440 == 0 => $"{minutes / 1440}D",
        _ when minutes % 60 == 0 => $"{minutes / 60}H",
        _ => $"{minutes}M",
    };

    /// <summary>A time in minutes as an ISO 8601 duration; 0 is <c>PT0S</c>.</summary>
    public static string Duration(int minutes) => XmlConvert.ToString(TimeSpan.FromMinutes(minutes));

    private static JsonObject? Details(IReadOnlyList<CustomDetail> details) =>
        details.Count == 0 ? null : new JsonObject(details.Select(detail => KeyValuePair.Create<string, JsonNode?>(detail.Name, detail.Column)));

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    private static JsonObject? Scope(CustomRuleBody body, bool beta)
    {
        if (body.DeviceGroups is not { } groups) return null;
        var scope = new JsonObject { ["deviceGroups"] = Texts(groups) };
        if (!beta) return scope;
        scope["scopeType"] = "deviceGroup";
        scope["scopeNames"] = Texts(groups);
        return scope;
    }

    // Rules that were made in the newer form show assets where a mapped column has the name of an identifier.
    private static IEnumerable<ImpactedAsset> ImpactedAssets(CustomRuleBody body)
    {
        if (body.ImpactedAssets.Count > 0) return body.ImpactedAssets;
        return body.EntityMappings.Select(mapped => (CustomRuleFacts.Collections[mapped.Collection].Kind, mapped.Columns.Values))
            .Where(entry => entry.Kind is { } kind && CustomRuleFacts.Identifiers.ContainsKey(kind))
            .SelectMany(entry => CustomRuleFacts.Identifiers[entry.Kind!.Value]
                .Where(pair => entry.Values.Contains(CustomRuleFacts.Column(pair.Key), StringComparer.OrdinalIgnoreCase))
                .OrderBy(pair => Array.IndexOf(Strength, pair.Value)).ThenBy(pair => pair.Key, StringComparer.Ordinal)
                .Take(1)
                .Select(pair => new ImpactedAsset(entry.Kind!.Value, pair.Key)));
    }

    private static JsonObject Asset(ImpactedAsset asset) => new() { ["@odata.type"] = $"{Namespace}impacted{asset.Kind}Asset", ["identifier"] = asset.Identifier };

    private static JsonObject? EntityMappings(CustomRuleBody body)
    {
        var mappings = body.EntityMappings.Count > 0 ? body.EntityMappings : [.. body.ImpactedAssets.Select(Mapped)];
        if (mappings.Count == 0) return null;
        var json = new JsonObject();
        foreach (var group in mappings.GroupBy(mapped => mapped.Collection))
        {
            json[group.Key] = new JsonArray([.. group.Select(mapped =>
                new JsonObject(mapped.Columns.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value))))]);
        }

        return json;
    }

    private static MappedEntity Mapped(ImpactedAsset asset)
    {
        var (collection, facts) = CustomRuleFacts.Collections.First(entry => entry.Value.Kind == asset.Kind);
        var property = CustomRuleFacts.Identifiers[asset.Kind][asset.Identifier];
        var name = facts.Properties.FirstOrDefault(pair => pair.Value == property).Key ?? facts.Properties.First(pair => pair.Value.Length > 0).Key;
        return new MappedEntity(collection, new Dictionary<string, string> { [name] = CustomRuleFacts.Column(asset.Identifier) });
    }

    private static JsonObject Response(RuleResponse response)
    {
        var fact = CustomRuleFacts.Of(response.Kind);
        var json = new JsonObject { ["@odata.type"] = Namespace + fact.TypeName };
        if (response.IsolationType is { } type) json["isolationType"] = type.ToLowerInvariant();
        json["identifier"] = string.Join(", ", fact.Columns.Where(column => response.Columns.ContainsKey(column.Role)).Select(column =>
            column.Identifiers.FirstOrDefault(identifier => CustomRuleFacts.Column(identifier).Equals(response.Columns[column.Role], StringComparison.OrdinalIgnoreCase))
            ?? response.Columns[column.Role]));
        if (response.Kind is ResponseKind.AllowFile or ResponseKind.BlockFile) json["deviceGroupNames"] = Texts(response.DeviceGroups);
        return json;
    }

    private static JsonObject? Automated(CustomRuleBody body)
    {
        if (body.Responses.Count == 0) return null;
        var json = new JsonObject();
        foreach (var group in body.Responses.GroupBy(response => response.Kind))
        {
            var fact = CustomRuleFacts.Of(group.Key);
            json[fact.Collection] = new JsonArray([.. group.Select(response =>
            {
                var item = new JsonObject(fact.Columns.Where(column => response.Columns.ContainsKey(column.Role))
                    .Select(column => KeyValuePair.Create<string, JsonNode?>(column.Property, response.Columns[column.Role])));
                if (response.IsolationType is { } type) item["isolationType"] = type.ToLowerInvariant();
                if (response.DeviceGroups.Count > 0) item["deviceGroupNames"] = Texts(response.DeviceGroups);
                return item;
            })]);
        }

        return json;
    }
}
