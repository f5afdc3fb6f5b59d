using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;

namespace Vedette.Defender.Detections.Custom;

/// <summary>
/// Reads a rule as the detection-rule API takes it, in its older form (period, impactedAssets, responseActions) or its newer one (frequency,
/// entityMappings, automatedActions), or both mixed. For a change, what is not sent stays as it is.
/// </summary>
public static partial class CustomRuleReader
{
    private const int LongestQuery = 100_000;
    private const string Namespace = "#microsoft.graph.security.";

    /// <summary>Reads a rule.</summary>
    /// <param name="root">The JSON object.</param>
    /// <param name="existing">The rule to be changed; null for a new one.</param>
    /// <param name="faults">Receives what is wrong.</param>
    /// <returns>The rule as it is wanted; not to be used when anything is wrong.</returns>
    public static CustomRuleDraft Read(JsonElement root, CustomRule? existing, ICollection<RuleFault> faults)
    {
        var rule = new JsonPart(root, "", faults);
        var name = rule.Has("displayName") || existing is null ? rule.Text("displayName", 256)?.Trim() : existing.DisplayName;
        if (string.IsNullOrWhiteSpace(name)) Missing(rule, "displayName");
        var id = existing?.Id ?? rule.Text("id", 128);
        if (existing is null && id is not null && !Identity().IsMatch(id)) rule.Fault("id", "The id may hold letters, digits, '-', '_' and '.' only.");
        return new CustomRuleDraft
        {
            Id = id,
            DisplayName = name ?? "",
            Description = rule.Has("description") ? rule.Text("description", 4000) : existing?.Description,
            Status = Status(rule, existing),
            Body = Body(rule, existing?.Body, name ?? "", faults),
        };
    }

    private static CustomRuleStatus Status(JsonPart rule, CustomRule? existing)
    {
        var status = existing?.Status ?? CustomRuleStatus.Enabled;
        if (rule.Text("status", 32) is { } text)
        {
            if (text.Equals("enabled", StringComparison.OrdinalIgnoreCase)) return CustomRuleStatus.Enabled;
            if (text.Equals("disabled", StringComparison.OrdinalIgnoreCase)) return CustomRuleStatus.Disabled;
            if (!text.Equals("autoDisabled", StringComparison.OrdinalIgnoreCase) || status != CustomRuleStatus.AutoDisabled)
                rule.Fault("status", $"'{text}' is not a status that can be set; use enabled or disabled.");
        }
        else if (rule.Flag("isEnabled") is { } enabled)
        {
            // A client that sends back what it read does not switch an automatically disabled rule to disabled.
            return enabled ? CustomRuleStatus.Enabled : status == CustomRuleStatus.AutoDisabled ? status : CustomRuleStatus.Disabled;
        }

        return status;
    }

    private static CustomRuleBody Body(JsonPart rule, CustomRuleBody? old, string name, ICollection<RuleFault> faults)
    {
        var query = rule.Part("queryCondition").Text("queryText", LongestQuery) ?? old?.Query;
        if (string.IsNullOrWhiteSpace(query)) Missing(rule.Part("queryCondition"), "queryText");
        var (frequency, lookBack) = Schedule(rule.Part("schedule"), old);
        var action = rule.Part("detectionAction");
        var template = action.Part("alertTemplate");
        var bare = old is null && !action.Exists;
        var title = template.Text("title", 256) ?? old?.Title ?? (bare ? name : null);
        if (string.IsNullOrWhiteSpace(title)) Missing(template, "title");
        var newer = rule.Has("status") || rule.Part("schedule").Has("frequency");
        var (category, techniques) = Tactics(template, old, bare, newer);
        var (assets, mappings) = Entities(template, needsAsset: old is null && !bare && !newer, old, faults);
        var groups = Scope(action, old);
        return new CustomRuleBody
        {
            Query = query ?? "",
            Frequency = frequency,
            LookBack = lookBack,
            Title = title ?? "",
            AlertDescription = template.Has("description") ? template.Text("description", 4000) ?? "" : old?.AlertDescription ?? "",
            Severity = Severity(template, old, bare),
            Category = category,
            Techniques = techniques,
            RecommendedActions = template.Has("recommendedActions") ? template.Text("recommendedActions", 4000) : old?.RecommendedActions,
            CustomDetails = template.Has("customDetails") ? Details(template) : old?.CustomDetails ?? [],
            ImpactedAssets = assets,
            EntityMappings = mappings,
            DeviceGroups = groups,
            Responses = Responses(action, old),
            Uncorrelated = action.Part("incidentConfiguration").Flag("isExcludedFromIncidentCorrelation") ?? old?.Uncorrelated ?? false,
        };
    }

    private static (int Frequency, int? LookBack) Schedule(JsonPart schedule, CustomRuleBody? old)
    {
        int? frequency = null;
        if (schedule.Text("frequency", 32) is { } duration) frequency = Minutes(schedule, "frequency", duration, allowZero: true);
        else if (schedule.Text("period", 16) is { } period) frequency = Period(schedule, period);
        else if (old is null) Missing(schedule, schedule.Has("frequency") ? "frequency" : "period");
        if (frequency is not null and not 0 and (< 5 or > 14 * 1440))
            schedule.Fault(schedule.Has("frequency") ? "frequency" : "period", "The frequency must be 0 (continuous) or from 5 minutes to 14 days.");
        var every = frequency ?? old?.Frequency ?? 0;
        var lookBack = schedule.Text("lookback", 32) is { } time ? Minutes(schedule, "lookback", time, allowZero: false)
            : schedule.IsNull("lookback") || (frequency is { } changed && changed != old?.Frequency) ? null : old?.LookBack;
        if (lookBack is not { } minutes) return (every, null);

        // Source: the service's table of look-backs by frequency.
        var most = every switch { < 60 => 48 * 60, < 1440 => 14 * 1440, _ => 30 * 1440 };
        if (every == 0) schedule.Fault("lookback", "A lookback is not supported for rules that run continuously.");
        else if (minutes < every) schedule.Fault("lookback", "The lookback must be at least the frequency.");
        else if (minutes > most) schedule.Fault("lookback", $"The lookback of a rule that runs every {CustomRuleJson.Duration(every)} must be at most {CustomRuleJson.Duration(most)}.");
        return (every, minutes);
    }

    private static int? Period(JsonPart schedule, string text)
    {
        if (text == "0") return 0;
        var match = PeriodForm().Match(text);
        if (match.Success)
        {
            var number = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            return number * char.ToUpperInvariant(match.Groups[2].ValueSpan[0]) switch { 'M' => 1, 'H' => 60, _ => 1440 };
        }

        if (text.StartsWith('P')) return Minutes(schedule, "period", text, allowZero: true);
        schedule.Fault("period", $"'{text}' is not a period. The allowed values are: 0, 1H, 3H, 12H, 24H, or a number of minutes (M), hours (H) or days (D) from 5M to 14D.");
        return null;
    }

    private static int? Minutes(JsonPart schedule, string name, string text, bool allowZero)
    {
        try
        {
            var time = XmlConvert.ToTimeSpan(text);
            if (time >= TimeSpan.Zero && time.Ticks % TimeSpan.TicksPerMinute == 0 && time.TotalMinutes < 1_000_000 && (allowZero || time > TimeSpan.Zero)) return (int)time.TotalMinutes;
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            // Reported below, like a duration that does not fit.
        }

        schedule.Fault(name, $"'{text}' is not an ISO 8601 duration of whole minutes such as PT1H or P1D.");
        return null;
    }

    private static string Severity(JsonPart template, CustomRuleBody? old, bool bare)
    {
        if (template.Text("severity", 32) is not { } text)
        {
            if (old is null && !bare) Missing(template, "severity");
            return old?.Severity ?? "Medium";
        }

        var rank = DetectionVocabulary.Rank(text);
        if (rank < 0) template.Fault("severity", $"'{text}' is not an alert severity. The possible values are: informational, low, medium, high.");
        return rank < 0 ? "Medium" : DetectionVocabulary.Severities[rank];
    }

    private static (string Category, IReadOnlyList<string> Techniques) Tactics(JsonPart template, CustomRuleBody? old, bool bare, bool newer)
    {
        var category = template.Text("category", 64) ?? old?.Category;
        var techniques = template.Has("mitreTechniques") ? template.Texts("mitreTechniques", 100) : old?.Techniques ?? [];
        if (template.IsNull("mitreTechniques")) template.Fault("mitreTechniques", "The MitreTechniques field is required.");
        if (template.Has("tactics") && !template.IsNull("tactics"))
        {
            var tactics = template.Parts("tactics", 20);
            if (tactics.Count > 0)
            {
                category = template.Text("category", 64) ?? tactics[0].Text("tactic", 64);
                techniques = [.. tactics.SelectMany(tactic => tactic.Parts("techniques", 100)).SelectMany(Techniques).Distinct(StringComparer.Ordinal)];
            }
        }

        if (category is null && !bare && !newer) Missing(template, "category");
        category ??= "SuspiciousActivity";
        if (!CustomRuleFacts.Categories.Contains(category)) template.Fault("category", "Invalid alert category.");
        var invalid = techniques.Where(technique => !Technique().IsMatch(technique)).ToArray();
        if (invalid.Length > 0) template.Fault("mitreTechniques", $"Mitre techniques ({string.Join(", ", invalid)}) are invalid.");
        return (category, techniques);
    }

    private static IEnumerable<string> Techniques(JsonPart technique)
    {
        var subs = technique.Texts("subTechniques", 100);
        return subs.Count > 0 ? subs : technique.Text("technique", 32) is { } id ? [id] : [];
    }

    private static (IReadOnlyList<ImpactedAsset> Assets, IReadOnlyList<MappedEntity> Mappings) Entities(
        JsonPart template, bool needsAsset, CustomRuleBody? old, ICollection<RuleFault> faults)
    {
        List<MappedEntity>? mappings = template.Has("entityMappings") && !template.IsNull("entityMappings")
            ? [.. template.Part("entityMappings").Properties().SelectMany(pair => Mappings(template.Part("entityMappings"), pair.Name))]
            : null;
        if (!template.Has("impactedAssets"))
        {
            if (mappings is not null) return ([], mappings);
            if (needsAsset && !template.Has("entityMappings") && !template.Has("tactics")) TooFew(template);
            return (old?.ImpactedAssets ?? [], template.IsNull("entityMappings") ? [] : old?.EntityMappings ?? []);
        }

        if (old is not null && template.IsNull("impactedAssets")) return ([], mappings ?? []);
        var sent = template.Parts("impactedAssets", 50);
        var before = faults.Count;
        var assets = sent.Select(Asset).OfType<ImpactedAsset>().Distinct().ToList();

        // A client that sends back what it read sends both forms: the newer one counts when it says more.
        if (mappings is not null && (mappings.Count != assets.Count || mappings.Exists(mapped => mapped.Columns.Count > 1))) return ([], mappings);
        if (sent.Count == 0 && faults.Count == before) TooFew(template);
        return (assets, []);
    }

    private static void TooFew(JsonPart template) => template.Fault("impactedAssets", "The field ImpactedAssets must be a string or array type with a minimum length of '1'.");

    private static IEnumerable<MappedEntity> Mappings(JsonPart mappings, string collection)
    {
        if (!CustomRuleFacts.Collections.TryGetValue(collection, out var facts))
        {
            mappings.Fault(collection, $"'{collection}' is not a kind of entity. The possible values are: {string.Join(", ", CustomRuleFacts.Collections.Keys.Order())}.");
            yield break;
        }

        foreach (var part in mappings.Parts(collection, 20))
        {
            var columns = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (name, _) in part.Properties())
            {
                if (facts.Properties.Count > 0 && !facts.Properties.ContainsKey(name))
                    part.Fault(name, $"'{name}' is not a property of {collection}. The possible values are: {string.Join(", ", facts.Properties.Keys.Order())}.");
                else if (part.Text(name, 256) is { Length: > 0 } column) columns[name] = column;
            }

            if (columns.Count == 0) part.Fault("", "An entity mapping must name at least one column.");
            yield return new MappedEntity(collection, columns);
        }
    }

    private static ImpactedAsset? Asset(JsonPart part)
    {
        var type = part.Text("@odata.type", 128) ?? "";
        EntityKind? kind = type.Replace(Namespace, "", StringComparison.OrdinalIgnoreCase).TrimStart('#').ToLowerInvariant() switch
        {
            "impacteddeviceasset" or "microsoft.graph.security.impacteddeviceasset" => EntityKind.Device,
            "impacteduserasset" or "microsoft.graph.security.impacteduserasset" => EntityKind.User,
            "impactedmailboxasset" or "microsoft.graph.security.impactedmailboxasset" => EntityKind.Mailbox,
            _ => null,
        };
        if (kind is not { } known)
        {
            part.Fault("@odata.type", $"'{type}' is not an impacted asset. The possible values are: {Namespace}impactedDeviceAsset, {Namespace}impactedUserAsset, {Namespace}impactedMailboxAsset.");
            return null;
        }

        var identifier = part.Text("identifier", 128) ?? "";
        if (CustomRuleFacts.Identifiers[known].ContainsKey(identifier)) return new ImpactedAsset(known, identifier);
        part.Fault("identifier", $"'{identifier}' is not an identifier of an impacted {known.ToString().ToLowerInvariant()}. The possible values are: {string.Join(", ", CustomRuleFacts.Identifiers[known].Keys.Order(StringComparer.Ordinal))}.");
        return null;
    }

    private static List<CustomDetail> Details(JsonPart template)
    {
        var details = new List<CustomDetail>();
        if (template.IsNull("customDetails")) return details;
        var part = template.Part("customDetails");
        foreach (var (name, _) in part.Properties())
            if (part.Text(name, 256) is { Length: > 0 } column) details.Add(new CustomDetail(name, column));
        if (details.Count > CustomRuleFacts.MostCustomDetails) template.Fault("customDetails", $"The field CustomDetails must have at most {CustomRuleFacts.MostCustomDetails} key-value pairs.");
        return details;
    }

    private static IReadOnlyList<string>? Scope(JsonPart action, CustomRuleBody? old)
    {
        if (!action.Has("organizationalScope")) return old?.DeviceGroups;
        if (action.IsNull("organizationalScope")) return null;
        var scope = action.Part("organizationalScope");
        if (scope.Text("scopeType", 32) is { } type && !type.Equals("deviceGroup", StringComparison.OrdinalIgnoreCase))
            scope.Fault("scopeType", $"'{type}' is not a scope type. The possible values are: deviceGroup.");
        var groups = scope.Texts(scope.Has("deviceGroups") ? "deviceGroups" : "scopeNames", 100);
        return groups.Count == 0 ? null : groups;
    }

    private static IReadOnlyList<RuleResponse> Responses(JsonPart action, CustomRuleBody? old)
    {
        if (action.Has("automatedActions") && !action.IsNull("automatedActions") && (!action.Has("responseActions") || old is null)) return Automated(action.Part("automatedActions"));
        if (!action.Has("responseActions")) return action.IsNull("automatedActions") ? [] : old?.Responses ?? [];
        if (action.IsNull("responseActions") && old is null) action.Fault("responseActions", "The ResponseActions field is required.");
        return [.. action.Parts("responseActions", 50).Select(Response).OfType<RuleResponse>()];
    }

    private static RuleResponse? Response(JsonPart part)
    {
        var type = part.Text("@odata.type", 128) ?? "";
        var shortName = type[(type.LastIndexOf('.') + 1)..];
        if (CustomRuleFacts.Responses.FirstOrDefault(fact => fact.TypeName.Equals(shortName, StringComparison.OrdinalIgnoreCase)) is not { } fact)
        {
            part.Fault("@odata.type", $"'{type}' is not a response action. The possible values are: {string.Join(", ", CustomRuleFacts.Responses.Select(known => Namespace + known.TypeName))}.");
            return null;
        }

        var text = part.Text("identifier", 256) ?? (fact.Columns is [{ Identifiers: [var only] }] ? only : "");
        var columns = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var identifier in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (fact.Columns.FirstOrDefault(column => column.Identifiers.Contains(identifier, StringComparer.OrdinalIgnoreCase)) is { } column)
                columns[column.Role] = CustomRuleFacts.Column(column.Identifiers.First(known => known.Equals(identifier, StringComparison.OrdinalIgnoreCase)));
            else part.Fault("identifier", $"'{identifier}' is not an identifier of {fact.TypeName}. The possible values are: {string.Join(", ", fact.Columns.SelectMany(known => known.Identifiers))}.");
        }

        // Quarantine names the file alone or the device with it.
        if (fact.Kind == ResponseKind.StopAndQuarantineFile) columns.TryAdd(ResponseRoles.Device, "DeviceId");
        return Complete(part, "identifier", fact, columns);
    }

    private static List<RuleResponse> Automated(JsonPart actions)
    {
        var responses = new List<RuleResponse>();
        foreach (var (name, _) in actions.Properties())
        {
            if (CustomRuleFacts.Responses.FirstOrDefault(known => known.Collection.Equals(name, StringComparison.Ordinal)) is not { } fact)
            {
                actions.Fault(name, $"'{name}' is not a kind of automated action. The possible values are: {string.Join(", ", CustomRuleFacts.Responses.Select(known => known.Collection))}.");
                continue;
            }

            foreach (var part in actions.Parts(name, 20))
            {
                var columns = new Dictionary<string, string>(StringComparer.Ordinal);
                foreach (var column in fact.Columns)
                    if (part.Text(column.Property, 256) is { Length: > 0 } text) columns[column.Role] = text;
                if (Complete(part, fact.Columns[0].Property, fact, columns) is { } response) responses.Add(response);
            }
        }

        return responses;
    }

    private static RuleResponse? Complete(JsonPart part, string property, ResponseFact fact, Dictionary<string, string> columns)
    {
        var missing = fact.Columns.Where(column => !column.Alternative && !columns.ContainsKey(column.Role)).ToArray();
        if (missing.Length > 0 || columns.Count == 0)
        {
            part.Fault(property, $"The {fact.TypeName} needs {string.Join(" and ", (missing.Length > 0 ? missing : fact.Columns).Select(column => column.Identifiers[0]))}.");
            return null;
        }

        string? isolation = null;
        if (fact.Kind == ResponseKind.IsolateDevice)
        {
            var text = part.Text("isolationType", 32) ?? "full";
            isolation = text.ToLowerInvariant() switch { "full" => "Full", "selective" => "Selective", _ => null };
            if (isolation is null) part.Fault("isolationType", $"'{text}' is not an isolation type. The possible values are: full, selective.");
        }

        return new RuleResponse(fact.Kind, columns) { IsolationType = isolation, DeviceGroups = part.Texts(part.Has("deviceGroups") ? "deviceGroups" : "deviceGroupNames", 100) };
    }

    private static void Missing(JsonPart part, string name) => part.Fault(name, $"The {char.ToUpperInvariant(name[0])}{name[1..]} field is required.");

    [GeneratedRegex(@"^(\d{1,5})([MHDmhd])$")]
    private static partial Regex PeriodForm();

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    private static partial Regex Identity();

    [GeneratedRegex(@"^T\d{4}(\.\d{3})?$")]
    private static partial Regex Technique();
}
