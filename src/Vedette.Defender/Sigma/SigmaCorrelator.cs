using System.Globalization;
using System.Text;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Sigma;

/// <summary>A query over the events of several rules, and what its result holds.</summary>
/// <param name="Query">The query.</param>
/// <param name="Span">Time within which it must happen.</param>
/// <param name="Keys">Columns of the result that hold the values of the grouping.</param>
internal sealed record CorrelationQuery(string Query, TimeSpan Span, IReadOnlyList<string> Keys);

/// <summary>
/// Writes counts and sequences. Each rule becomes a stream of events with the time, the device, the grouping and, where it is needed, a value;
/// the time span is a window that slides with every event, so that no boundary cuts a match in two.
/// </summary>
internal sealed class SigmaCorrelator(SigmaTranslator translator, SigmaMapping mapping, Func<string, SigmaDocument?> find)
{
    private const int MaxDepth = 8;
    private const string Common = "Timestamp, DeviceId, DeviceName, ReportId";

    /// <summary>The query of a rule whose condition has an aggregation.</summary>
    public CorrelationQuery Write(SigmaRule rule, ICollection<string> notes)
    {
        var builder = new Builder(this, notes);
        var aggregation = rule.Aggregation!;
        var events = rule with { Aggregation = null };
        IReadOnlyList<Source> sources = [new Source(events, null), .. aggregation.Near.Select(name => new Source(events, new SigmaNamed(name)))];
        return builder.Finish(builder.Aggregate(aggregation, sources, static (field, _) => field, [], 0), aggregation.Span);
    }

    /// <summary>The query of a correlation.</summary>
    public CorrelationQuery Write(SigmaCorrelation correlation, ICollection<string> notes)
    {
        var builder = new Builder(this, notes);
        return builder.Finish(builder.Correlate(correlation, [], 0), correlation.Aggregation.Span);
    }

    private sealed record Source(SigmaDocument Document, SigmaCondition? Search);

    // Name of a let statement, and the columns of its result beyond the common ones: those of the grouping, then those that were asked for.
    private sealed record Stream(string Name, IReadOnlyList<string> Keys, IReadOnlyList<string> Extra);

    private sealed class Builder(SigmaCorrelator owner, ICollection<string> notes)
    {
        private readonly StringBuilder _lets = new();
        private int _count;

        public CorrelationQuery Finish(Stream stream, TimeSpan span)
        {
            var columns = string.Concat(stream.Keys.Where(static key => key != "DeviceName").Select(static key => ", " + key));
            var query = $"{_lets}{stream.Name}\n| summarize Events = count(), arg_max(Timestamp, DeviceId, DeviceName, ReportId{columns}) by Group";
            return new CorrelationQuery(query, span, stream.Keys);
        }

        public Stream Correlate(SigmaCorrelation correlation, IReadOnlyList<string> extra, int depth)
        {
            if (depth > MaxDepth) throw new SigmaException(SigmaReason.Correlation, $"correlations of correlations deeper than {MaxDepth}, or in a circle", correlation.Line);
            var sources = correlation.Rules.Select(reference => new Source(
                owner.Find(reference) ?? throw new SigmaException(SigmaReason.Correlation, $"the rule '{reference}' is not among the imported ones", correlation.Line), null)).ToArray();
            return Aggregate(
                correlation.Aggregation,
                sources,
                (field, at) => correlation.Aliases.TryGetValue(field, out var alias)
                    ? alias.GetValueOrDefault(correlation.Rules[at]) ?? (sources[at].Document.Name is { } name ? alias.GetValueOrDefault(name) : null) ?? field
                    : field,
                extra,
                depth + 1);
        }

        /// <summary>The events at which an aggregation matches.</summary>
        /// <param name="aggregation">What is counted.</param>
        /// <param name="sources">Where the events come from.</param>
        /// <param name="resolve">A field's name in a source, by the source's place.</param>
        /// <param name="extra">Fields that the caller needs besides.</param>
        /// <param name="depth">Depth of correlations in correlations.</param>
        public Stream Aggregate(SigmaAggregation aggregation, IReadOnlyList<Source> sources, Func<string, int, string> resolve, IReadOnlyList<string> extra, int depth)
        {
            string[] asked = [.. aggregation.GroupBy, .. aggregation.Field is { } field ? [field] : Array.Empty<string>(), .. extra];
            // A field that is asked for twice is one column.
            bool IsSame(string one, string other) => Enumerable.Range(0, sources.Count).All(at => resolve(one, at) == resolve(other, at));
            var wanted = asked.Where((name, at) => !asked.Take(at).Any(before => IsSame(before, name))).ToArray();
            var streams = sources.Select((source, at) => Events(source, [.. wanted.Select(name => resolve(name, at))], wanted, depth)).ToArray();
            var columns = streams[0].Extra;
            string Column(string name) => columns[Array.FindIndex(wanted, other => IsSame(other, name))];
            var keys = aggregation.GroupBy.Select(Column).Distinct(StringComparer.Ordinal).ToArray();
            var union = streams.Length == 1
                ? streams[0].Name
                : "union\n" + string.Join(",\n", streams.Select((stream, at) => $"    ({stream.Name} | project {Common}{Renamed(stream.Extra, columns)}, Rule = {at.ToString(CultureInfo.InvariantCulture)})"));
            var text = new StringBuilder(union);
            foreach (var key in keys) text.Append("\n| where isnotempty(").Append(key).Append(')');
            text.Append("\n| extend Group = ").Append(keys.Length switch { 0 => "\"\"", 1 => $"tolower({keys[0]})", _ => $"tolower(strcat_delim(\"|\", {string.Join(", ", keys)}))" });
            var events = Let("Events", text.ToString());
            var matched = Let("Matches", aggregation.Kind switch
            {
                SigmaCorrelationKind.EventCount => Count(aggregation, events),
                SigmaCorrelationKind.Temporal => Temporal(aggregation, events, streams.Length),
                SigmaCorrelationKind.TemporalOrdered => Ordered(aggregation, events, streams.Length),
                _ => Values(aggregation, events, Column(aggregation.Field!), columns),
            });
            return new Stream(matched, keys, [.. extra.Select(Column)]);
        }

        private Stream Events(Source source, IReadOnlyList<string> fields, IReadOnlyList<string> wishes, int depth)
        {
            if (source.Document is SigmaCorrelation correlation) return Correlate(correlation, fields, depth);
            if (source.Document is not SigmaRule rule) throw new SigmaException(SigmaReason.Correlation, $"'{source.Document.Title}' is a filter, not a rule", source.Document.Line);
            if (rule.Aggregation is { } inner) return Aggregate(inner, [new Source(rule with { Aggregation = null }, null)], static (field, _) => field, fields, depth + 1);
            var branches = owner.Translator.Translate(rule, new QueryNames(), notes, source.Search);
            var columns = Columns(branches[0], fields, wishes);
            var projections = branches.Select(branch => Project(branch, rule, fields, columns)).ToArray();
            var query = projections.Distinct().Count() == 1 && branches.Select(static branch => branch.Variant.Table).Distinct().Count() == 1
                ? QueryWriter.Write(branches) + projections[0]
                : branches.Count == 1 ? QueryWriter.Write(branches[0]) + projections[0]
                : "union\n" + string.Join(",\n", branches.Select((branch, at) => $"(\n    {(QueryWriter.Write(branch) + projections[at]).Replace("\n", "\n    ", StringComparison.Ordinal)}\n)"));
            return new Stream(Let("Rule", query), [], columns);
        }

        // A field keeps the name of its column, so that it can become evidence; a computed one gets the name that the rule gave it.
        private string[] Columns(QueryBranch branch, IReadOnlyList<string> fields, IReadOnlyList<string> wishes)
        {
            var names = new List<string>();
            for (var at = 0; at < fields.Count; at++)
            {
                var expression = FieldTests.Expression(fields[at], branch.Scope, owner.Mapping);
                var name = expression is not null && KqlText.IsName(expression) ? expression : "By" + string.Concat(wishes[at].Where(char.IsAsciiLetterOrDigit));
                while (names.Contains(name) || name is "Timestamp" or "DeviceId" or "ReportId" or "Group" or "Rule") name += "1";
                names.Add(name);
            }

            return [.. names];
        }

        private string Project(QueryBranch branch, SigmaRule rule, IReadOnlyList<string> fields, string[] columns)
        {
            var table = HuntingSchema.Tables[branch.Variant.Table];
            var hasDevice = table.OrdinalOf("DeviceId") >= 0;
            var parts = new List<string> { "Timestamp", hasDevice ? "DeviceId" : "DeviceId = \"\"" };
            var name = hasDevice ? "DeviceName" : "DestinationDeviceName";
            parts.Add(name == "DeviceName" ? name : $"DeviceName = {name}");
            parts.Add("ReportId = tostring(ReportId)");
            for (var at = 0; at < fields.Count; at++)
            {
                var expression = FieldTests.Expression(fields[at], branch.Scope, owner.Mapping)
                    ?? throw new SigmaException(SigmaReason.Field, $"{branch.Variant.Table} does not record {fields[at]}, by which events of '{rule.Title}' are grouped or counted", rule.Line);
                if (columns[at] != "DeviceName") parts.Add(columns[at] == expression ? expression : $"{columns[at]} = {expression}");
            }

            var lookups = string.Concat(branch.Scope.Lookups.Where(lookup => !QueryWriter.Write(branch).Contains(SigmaMapping.Shared.Lookup(lookup), StringComparison.Ordinal)).Select(lookup => "\n| " + owner.Mapping.Lookup(lookup)));
            return $"{lookups}\n| project {string.Join(", ", parts)}";
        }

        private static string Renamed(IReadOnlyList<string> own, IReadOnlyList<string> columns) =>
            string.Concat(columns.Select((column, at) => column == "DeviceName" ? "" : own[at] == column ? $", {column}" : $", {column} = {own[at]}"));

        // The n-th event before this one must lie within the span, in the same group.
        private static string Count(SigmaAggregation aggregation, string events)
        {
            var span = KqlText.Span(aggregation.Span);
            if (aggregation.Limits is [{ Operator: ">" or ">=" } limit])
            {
                var number = double.Parse(limit.Number, CultureInfo.InvariantCulture);
                var needed = limit.Operator == ">" ? Math.Floor(number) + 1 : Math.Ceiling(number);
                if (needed <= 1) return events;
                var before = (needed - 1).ToString(CultureInfo.InvariantCulture);
                return $"{events}\n| sort by Group asc, Timestamp asc\n| extend First = prev(Timestamp, {before}), FirstGroup = prev(Group, {before})\n"
                    + $"| where isnotnull(First) and FirstGroup == Group and Timestamp - First <= {span}";
            }

            return $"{events}\n| extend Window = bin(Timestamp, {span})\n| summarize Found = count(), arg_max(Timestamp, *) by Group, Window\n| where {Limits(aggregation, "Found")}";
        }

        // Each event looks back over the span; slots of the span's length keep the join small.
        private static string Values(SigmaAggregation aggregation, string events, string value, IReadOnlyList<string> columns)
        {
            var span = KqlText.Span(aggregation.Span);
            var measure = aggregation.Kind switch
            {
                SigmaCorrelationKind.ValueCount => "count_distinct(tolower(Value))",
                SigmaCorrelationKind.ValueSum => "sum(todouble(Value))",
                SigmaCorrelationKind.ValueAverage => "avg(todouble(Value))",
                SigmaCorrelationKind.ValueMinimum => "min(todouble(Value))",
                _ => "max(todouble(Value))",
            };
            var by = string.Join(", ", new[] { "Group", "Timestamp", "DeviceId", "DeviceName", "ReportId" }.Concat(columns).Distinct());
            return $"{events}\n| where isnotempty({value})\n| extend Slot = bin(Timestamp, {span})\n"
                + $"| join kind=inner (\n    {events}\n    | where isnotempty({value})\n    | project Group, Earlier = Timestamp, Value = {value}, Slot = pack_array(bin(Timestamp, {span}), bin(Timestamp, {span}) + {span})\n"
                + $"    | mv-expand Slot to typeof(datetime)\n) on Group, Slot\n| where Earlier between (Timestamp - {span} .. Timestamp)\n| summarize Found = {measure} by {by}\n| where {Limits(aggregation, "Found")}";
        }

        private static string Temporal(SigmaAggregation aggregation, string events, int rules)
        {
            var steps = Enumerable.Range(0, rules).Select(static at => $"Seen{at} = iff(Rule == {at}, Timestamp, iff(s.Owner == Group, s.Seen{at}, datetime(null)))");
            var found = string.Join(" + ", Enumerable.Range(0, rules).Select(at => $"iff(isnotnull(Seen{at}) and Timestamp - Seen{at} <= {KqlText.Span(aggregation.Span)}, 1, 0)"));
            return $"{events}\n| sort by Group asc, Timestamp asc, Rule asc\n| {Scan(rules, steps)}\n| extend Found = {found}\n| where {Limits(aggregation, "Found")}";
        }

        // Each rule remembers when the latest chain began that has come as far as it.
        private static string Ordered(SigmaAggregation aggregation, string events, int rules)
        {
            var steps = Enumerable.Range(0, rules).Select(static at => at == 0
                ? "Seen0 = iff(Rule == 0, Timestamp, iff(s.Owner == Group, s.Seen0, datetime(null)))"
                : $"Seen{at} = iff(s.Owner == Group, iff(Rule == {at}, s.Seen{at - 1}, s.Seen{at}), datetime(null))");
            var last = rules - 1;
            return $"{events}\n| sort by Group asc, Timestamp asc, Rule asc\n| {Scan(rules, steps)}\n| where Rule == {last} and isnotnull(Seen{last}) and Timestamp - Seen{last} <= {KqlText.Span(aggregation.Span)}";
        }

        private static string Scan(int rules, IEnumerable<string> steps) =>
            $"scan declare (Owner: string, {string.Join(", ", Enumerable.Range(0, rules).Select(static at => $"Seen{at}: datetime"))}) with (\n    step s: true => Owner = Group, {string.Join(",\n        ", steps)};\n)";

        private static string Limits(SigmaAggregation aggregation, string column) => string.Join(" and ", aggregation.Limits.Select(limit => $"{column} {limit.Operator} {limit.Number}"));

        private string Let(string kind, string text)
        {
            var name = kind + (++_count).ToString(CultureInfo.InvariantCulture);
            _lets.Append("let ").Append(name).Append(" = ").Append(text.Replace("\n", "\n    ", StringComparison.Ordinal)).Append(";\n");
            return name;
        }
    }

    private SigmaTranslator Translator => translator;

    private SigmaMapping Mapping => mapping;

    private SigmaDocument? Find(string reference) => find(reference);
}
