using Vedette.Kql;

namespace Vedette.Defender.Detections.Custom;

/// <summary>Makes of a tenant's rule the rule that the engine runs.</summary>
internal static class CustomRuleMapping
{
    // Evidence that a result gives by itself, where a rule does not map entities one by one: the first of a kind whose columns are there.
    private static readonly (EntityKind Kind, string From, string[] Needed, string[] Absent)[] Usual =
    [
        (EntityKind.Process, "created", ["FileName", "ProcessCommandLine"], []),
        (EntityKind.Process, "initiating", ["InitiatingProcessFileName"], []),
        (EntityKind.File, "target", ["FileName", "SHA1"], ["ProcessCommandLine"]),
        (EntityKind.File, "target", ["FileName", "SHA256"], ["ProcessCommandLine"]),
        (EntityKind.RegistryValue, "target", ["RegistryKey"], []),
        (EntityKind.Ip, "remote", ["RemoteIP"], []),
        (EntityKind.Url, "remote", ["RemoteUrl"], []),
    ];

    /// <summary>The rule, ready to run; null when its query is wrong.</summary>
    public static DetectionRule? Compile(CustomRule rule, KqlSchema schema, ICollection<RuleProblem> problems)
    {
        var bound = KqlCompiler.Bind(rule.Body.Query, schema);
        var mapped = ToDetection(rule, bound.Succeeded ? [.. bound.Columns.Select(column => column.Name)] : null);
        return RuleCompiler.Compile(mapped, schema, problems);
    }

    /// <summary>The rule as the engine knows rules.</summary>
    /// <param name="rule">The stored rule.</param>
    /// <param name="columns">Columns that its query gives; null when they are not known.</param>
    public static DetectionRule ToDetection(CustomRule rule, IReadOnlyList<string>? columns)
    {
        var body = rule.Body;
        var names = columns?.DistinctBy(name => name.ToLowerInvariant()).ToDictionary(name => name, StringComparer.OrdinalIgnoreCase);
        TimeSpan? frequency = body.Frequency == 0 ? null : TimeSpan.FromMinutes(body.Frequency);
        return new DetectionRule
        {
            Id = rule.DetectorId,
            Name = rule.Id,
            Label = rule.DisplayName,
            Title = body.Title,
            Description = body.AlertDescription,
            DynamicDescription = true,
            Finds = rule.Description ?? "",
            Severity = body.Severity,
            Category = body.Category,
            Techniques = body.Techniques,
            RecommendedActions = body.RecommendedActions,
            CustomDetails = body.CustomDetails,
            DeviceGroups = body.DeviceGroups,
            Uncorrelated = body.Uncorrelated,
            Query = body.Query,
            Entities = Entities(body, names),
            Responses = [.. body.Responses.Select(response => Response(response, names))],
            Schedule = new DetectionSchedule(frequency, body.LookBack is { } minutes ? TimeSpan.FromMinutes(minutes) : DetectionSchedule.DefaultLookBack(frequency)),
            Enabled = rule.Status == CustomRuleStatus.Enabled,
            Shipped = false,
            File = "query",
        };
    }

    private static List<EntityMapping> Entities(CustomRuleBody body, Dictionary<string, string>? names)
    {
        var entities = new List<EntityMapping>();
        foreach (var asset in body.ImpactedAssets) Add(entities, Asset(asset, names));
        foreach (var mapped in body.EntityMappings)
        {
            var (kind, properties) = CustomRuleFacts.Collections[mapped.Collection];
            if (kind is not { } known) continue;
            var held = mapped.Columns.Where(pair => properties.GetValueOrDefault(pair.Key) is { Length: > 0 })
                .ToDictionary(pair => properties[pair.Key], pair => Known(names, pair.Value) ?? pair.Value, StringComparer.Ordinal);
            if (held.Count > 0) Add(entities, new EntityMapping(known, held));
        }

        if (names is null || body.EntityMappings.Count > 0) return entities;
        if (!entities.Exists(entity => entity.Kind == EntityKind.Device) && names.ContainsKey("DeviceId")) Add(entities, Preset(EntityKind.Device, "device", names));
        foreach (var (kind, from, needed, absent) in Usual)
        {
            if (entities.Exists(entity => entity.Kind == kind) || !needed.All(names.ContainsKey) || absent.Any(names.ContainsKey)) continue;
            Add(entities, Preset(kind, from, names));
        }

        return entities;
    }

    // An alert is about one device; what names another way to it is added to the first.
    private static void Add(List<EntityMapping> entities, EntityMapping entity)
    {
        var at = entity.Kind == EntityKind.Device ? entities.FindIndex(other => other.Kind == EntityKind.Device) : -1;
        if (at < 0)
        {
            entities.Add(entity);
            return;
        }

        var both = new Dictionary<string, string>(entities[at].Columns, StringComparer.Ordinal);
        foreach (var (property, column) in entity.Columns) both.TryAdd(property, column);
        entities[at] = new EntityMapping(EntityKind.Device, both);
    }

    private static EntityMapping Asset(ImpactedAsset asset, Dictionary<string, string>? names)
    {
        var column = Known(names, asset.Identifier) ?? CustomRuleFacts.Column(asset.Identifier);
        var columns = new Dictionary<string, string>(StringComparer.Ordinal) { [CustomRuleFacts.Identifiers[asset.Kind][asset.Identifier]] = column };
        if (asset.Kind == EntityKind.User)
        {
            foreach (var (sibling, property) in Siblings(column))
                if (Known(names, sibling) is { } there) columns.TryAdd(property, there);
        }
        else if (asset.Identifier is "deviceId" or "deviceName")
        {
            if (Known(names, "DeviceId") is { } id) columns.TryAdd("id", id);
            if (Known(names, "DeviceName") is { } name) columns.TryAdd("name", name);
        }

        return new EntityMapping(asset.Kind, columns);
    }

    private static RuleResponse Response(RuleResponse response, Dictionary<string, string>? names)
    {
        var columns = response.Columns.ToDictionary(pair => pair.Key, pair => Known(names, pair.Value) ?? pair.Value, StringComparer.Ordinal);
        foreach (var role in new[] { ResponseRoles.Sid, ResponseRoles.ObjectId })
        {
            if (!response.Columns.TryGetValue(role, out var column)) continue;
            foreach (var (sibling, property) in Siblings(column))
                if (property is ResponseRoles.Sid or ResponseRoles.ObjectId or ResponseRoles.Upn && Known(names, sibling) is { } there) columns.TryAdd(property, there);
        }

        return response with { Columns = columns };
    }

    private static IEnumerable<KeyValuePair<string, string>> Siblings(string column)
    {
        foreach (var (_, family) in CustomRuleFacts.AccountFamilies)
            if (family.Keys.Any(name => name.Equals(column, StringComparison.OrdinalIgnoreCase))) return family;
        return [];
    }

    private static EntityMapping Preset(EntityKind kind, string from, Dictionary<string, string> names) => new(
        kind,
        EntityFields.Columns(kind, from)!.Where(pair => names.ContainsKey(pair.Value)).ToDictionary(pair => pair.Key, pair => names[pair.Value], StringComparer.Ordinal));

    private static string? Known(Dictionary<string, string>? names, string column) => names?.GetValueOrDefault(column);
}
