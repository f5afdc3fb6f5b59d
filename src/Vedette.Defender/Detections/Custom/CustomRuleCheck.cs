using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Detections.Custom;

/// <summary>
/// Whether a rule can run: its query binds, gives the columns that alerts, texts and responses need, and for a continuous rule is one that
/// the service runs continuously. Source: the service's pages on custom detection rules.
/// </summary>
internal static partial class CustomRuleCheck
{
    private const string Query = "queryCondition/queryText";
    private const string Template = "detectionAction/alertTemplate/";

    private static readonly (string Word, string Reason)[] NotContinuous =
    [
        ("let", "let statements"), ("join", "the join operator"), ("lookup", "the lookup operator"), ("union", "the union operator"), ("externaldata", "the externaldata operator"),
        ("toscalar", "toscalar()"), ("materialize", "materialize()"), ("ingestion_time", "ingestion_time()"), ("search", "the search operator"), ("find", "the find operator"),
        ("summarize", "the summarize operator"), ("distinct", "the distinct operator"), ("invoke", "the invoke operator"), ("evaluate", "the evaluate operator"),
    ];

    /// <summary>What is wrong with a rule.</summary>
    public static IReadOnlyList<RuleFault> Check(CustomRuleBody body, KqlSchema schema, bool requireEventColumns)
    {
        var compilation = KqlCompiler.Bind(body.Query, schema);
        if (!compilation.Succeeded)
        {
            return [.. compilation.Diagnostics.Where(diagnostic => diagnostic.Severity == KqlSeverity.Error)
                .Select(error => new RuleFault(Query, $"The query has errors. Line {error.Line}, column {error.Column}: {error.Code}: {error.FullMessage}"))];
        }

        var faults = new List<RuleFault>();
        var columns = compilation.Columns.Select(column => column.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var code = Strip(body.Query, out var hasComments);
        var tables = Words().Matches(code).Select(match => match.Value).Distinct(StringComparer.Ordinal)
            .Select(word => HuntingSchema.Tables.GetValueOrDefault(word)).OfType<HuntingTable>().ToArray();
        if (body.Frequency == 0) faults.AddRange(Continuous(compilation.Root!, code, hasComments, tables));
        if (tables.FirstOrDefault(table => table.Name == "MessageContents") is not null) faults.Add(new RuleFault(Query, "Custom detection rules are not supported on the table 'MessageContents'."));
        if (requireEventColumns) EventColumns(tables, columns, faults);
        Texts(body, columns, faults);
        foreach (var asset in body.ImpactedAssets.Where(asset => !columns.Contains(asset.Identifier)))
            faults.Add(new RuleFault(Template + "impactedAssets", $"The query must return the column '{CustomRuleFacts.Column(asset.Identifier)}', which identifies the impacted {asset.Kind.ToString().ToLowerInvariant()}."));
        foreach (var (mapped, column) in body.EntityMappings.SelectMany(mapped => mapped.Columns.Values.Select(column => (mapped, column))).Where(entry => !columns.Contains(entry.column)))
            faults.Add(new RuleFault($"{Template}entityMappings/{mapped.Collection}", $"The query must return the column '{column}', which the entity mapping names."));
        foreach (var detail in body.CustomDetails.Where(detail => !columns.Contains(detail.Column)))
            faults.Add(new RuleFault(Template + "customDetails", $"The query must return the column '{detail.Column}' of the custom detail '{detail.Name}'."));
        foreach (var (response, column) in body.Responses.SelectMany(response => response.Columns.Values.Select(column => (response, column))).Where(entry => !columns.Contains(entry.column)))
            faults.Add(new RuleFault("detectionAction/responseActions", $"The query must return the column '{column}', which the action {CustomRuleFacts.Of(response.Kind).TypeName} needs."));
        return faults;
    }

    private static void Texts(CustomRuleBody body, HashSet<string> columns, List<RuleFault> faults)
    {
        var named = DetectionRule.TitleColumns(body.Title).Select(name => (Field: "title", Name: name))
            .Concat(DetectionRule.TitleColumns(body.AlertDescription).Select(name => (Field: "description", Name: name))).ToArray();
        if (named.DistinctBy(entry => entry.Name).Count() > CustomRuleFacts.MostDynamicColumns)
            faults.Add(new RuleFault(Template + "title", "Dynamic properties in alertTitle and alertDescription must not exceed 3 fields"));
        foreach (var (field, name) in named.Where(entry => !columns.Contains(entry.Name)).Distinct())
            faults.Add(new RuleFault(Template + field, $"The {field} names the column '{name}', which the query does not return."));
    }

    // What traces a result to its event. Tables of alerts have no such columns.
    private static void EventColumns(HuntingTable[] tables, HashSet<string> columns, List<RuleFault> faults)
    {
        if (tables.Length == 0) return;
        var needed = new List<string>();
        if (tables.Any(table => table.OrdinalOf("Timestamp") >= 0) && !columns.Contains("TimeGenerated")) needed.Add("Timestamp");
        if (!tables.Any(table => table.Name.StartsWith("Alert", StringComparison.Ordinal)))
        {
            if (tables.All(table => table.Name.StartsWith("Device", StringComparison.Ordinal) && table.OrdinalOf("DeviceId") >= 0)) needed.Add("DeviceId");
            if (tables.Any(table => table.OrdinalOf("ReportId") >= 0)) needed.Add("ReportId");
        }

        var missing = needed.Where(column => !columns.Contains(column)).ToArray();
        if (missing.Length > 0)
        {
            faults.Add(new RuleFault(
                Query,
                $"The query must return the following columns to be used in a custom detection rule: {string.Join(", ", missing)}. Results over {string.Join(", ", tables.Select(table => table.Name))} are traced to their events by {string.Join(", ", needed)}."));
        }
    }

    private static IEnumerable<RuleFault> Continuous(BoundRelation root, string code, bool hasComments, HuntingTable[] tables)
    {
        const string Lead = "The rule cannot run continuously (NRT): ";
        if (hasComments) yield return new RuleFault(Query, Lead + "the query contains comments.");
        var words = Words().Matches(code).Select(match => match.Value).ToHashSet(StringComparer.Ordinal);
        var refused = NotContinuous.Where(entry => words.Contains(entry.Word)).Select(entry => entry.Reason).ToArray();
        foreach (var reason in refused) yield return new RuleFault(Query, $"{Lead}{reason} cannot be used.");
        if (tables.Length != 1)
        {
            yield return new RuleFault(Query, $"{Lead}the query must reference exactly one table; it references {tables.Length}.");
            yield break;
        }

        if (!tables[0].RunsContinuously)
            yield return new RuleFault(Query, $"{Lead}the table '{tables[0].Name}' is not supported. The supported tables are: {string.Join(", ", HuntingSchema.Tables.Values.Where(table => table.RunsContinuously).Select(table => table.Name).Order(StringComparer.Ordinal))}.");
        if (tables[0].Name == "EmailEvents")
        {
            foreach (var column in new[] { "LatestDeliveryLocation", "LatestDeliveryAction" }.Where(words.Contains))
                yield return new RuleFault(Query, $"{Lead}the column '{column}' cannot be used.");
        }

        if (refused.Length == 0 && Unsupported(root) is { } name) yield return new RuleFault(Query, $"{Lead}the operator '{name}' is not supported; use where, extend, project and parse.");
    }

    private static string? Unsupported(BoundRelation relation)
    {
        while (true)
        {
            switch (relation)
            {
                case TableScan: return null;
                case FilterRelation or ExtendRelation or ProjectRelation or ParseRelation or ParseKvRelation: relation = ((UnaryRelation)relation).Input; break;
                default: return relation.GetType().Name.Replace("Relation", "", StringComparison.Ordinal).ToLowerInvariant();
            }
        }
    }

    /// <summary>A query without its string literals and comments.</summary>
    private static string Strip(string query, out bool hasComments)
    {
        var comments = false;
        var code = LiteralOrComment().Replace(query, match =>
        {
            comments |= match.ValueSpan.StartsWith("//", StringComparison.Ordinal);
            return " ";
        });
        hasComments = comments;
        return code;
    }

    [GeneratedRegex("""```[\s\S]*?```|~~~[\s\S]*?~~~|@"(?:[^"]|"")*"|@'(?:[^']|'')*'|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'|//[^\r\n]*""", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LiteralOrComment();

    [GeneratedRegex("[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Words();
}
