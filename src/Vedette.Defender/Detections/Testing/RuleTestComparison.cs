using System.Globalization;
using System.Text;
using System.Text.Json;
using Vedette.Defender.Alerts;
using Vedette.Defender.State;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections.Testing;

/// <summary>Compares what a query gave with what a test expects, and says what differs.</summary>
internal static class RuleTestComparison
{
    private const int MaxShown = 10;

    /// <summary>Null when all is as expected; else the differences, over several lines.</summary>
    public static string? Compare(RuleTest test, Guid tenant, HuntingResult result)
    {
        var text = new StringBuilder();
        var expected = test.Expected;
        if (expected.Columns is { } columns && !columns.SequenceEqual(result.Columns.Select(c => c.Name), StringComparer.Ordinal))
            text.AppendLine($"columns: expected {string.Join(", ", columns)}; found {string.Join(", ", result.Columns.Select(c => c.Name))}");
        var rows = result.Rows.Select(row => new Item([.. result.Columns.Zip(row, (column, value) => (column.Name, column.Type, value))])).ToList();
        if (expected.RowCount is { } count && count != rows.Count) Count(text, "rows", count, rows);
        if (expected.Rows is { } all) Items(text, "rows", all, rows, test.Now, expected.IsOrdered, exact: true);
        if (expected.Includes is { } some) Items(text, "rows", some, rows, test.Now, ordered: false, exact: false);
        if (test.Rule is { } rule && (expected.AlertCount is not null || expected.Alerts is not null))
        {
            var window = (test.Now - DetectionSchedule.FirstRun, test.Now);
            var alerts = RuleMatches.From(rule, tenant, result, window, AlertTime.WithEvents, new DetectionOptions()).Alerts.Select(Alert).ToList();
            if (expected.AlertCount is { } number && number != alerts.Count) Count(text, "alerts", number, alerts);
            if (expected.Alerts is { } wanted) Items(text, "alerts", wanted, alerts, test.Now, ordered: false, exact: true);
        }

        return text.Length == 0 ? null : text.ToString().TrimEnd();
    }

    private static void Count(StringBuilder text, string what, int expected, List<Item> found)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"{what}: expected {expected}, found {found.Count}");
        foreach (var item in found.Take(MaxShown)) text.AppendLine("  + " + item.ShowAll(null));
        if (found.Count > MaxShown) text.AppendLine(CultureInfo.InvariantCulture, $"  + … and {found.Count - MaxShown} more");
    }

    private static void Items(
        StringBuilder text, string what, IReadOnlyList<ExpectedItem> expected, List<Item> found, DateTime now, bool ordered, bool exact)
    {
        var wrong = expected.SelectMany(item => item.Values.Keys.Where(name => found.Count > 0 && !found[0].Has(name))).Distinct(StringComparer.Ordinal).ToList();
        if (wrong.Count > 0)
        {
            text.AppendLine($"{what}: there is no {(what == "rows" ? "column" : "field")} {string.Join(", ", wrong)}; there are {string.Join(", ", found[0].Names)}");
            return;
        }

        var pairs = ordered ? InOrder(expected, found, now) : Assign(expected, found, now);
        var missing = Enumerable.Range(0, expected.Count).Where(i => pairs[i] < 0).ToList();
        var extra = exact ? Enumerable.Range(0, found.Count).Except(pairs).ToList() : [];
        if (missing.Count == 0 && extra.Count == 0) return;
        text.AppendLine(CultureInfo.InvariantCulture, $"{what}: expected {(exact ? "" : "at least ")}{expected.Count}, found {found.Count}; {missing.Count} missing{(exact ? $", {extra.Count} unexpected" : "")}");
        var names = expected.SelectMany(item => item.Values.Keys).Distinct(StringComparer.Ordinal).ToList();
        var left = exact ? extra.ToList() : [.. Enumerable.Range(0, found.Count).Except(pairs)];
        foreach (var i in missing.Take(MaxShown))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  - line {expected[i].Line}: {{ {string.Join(", ", expected[i].Values.Select(pair => $"{pair.Key}: {TestValues.Show(pair.Value)}"))} }}");
            if (Nearest(expected[i], left, found, now) is not { } near) continue;
            left.Remove(near);
            extra.Remove(near);
            text.AppendLine("  + " + found[near].ShowAll(names));
            foreach (var (name, value) in expected[i].Values.Where(pair => !found[near].Matches(pair.Key, pair.Value, now)))
                text.AppendLine($"      {name}: expected {TestValues.Show(value)}, found {found[near].Show(name)}");
        }

        if (missing.Count > MaxShown) text.AppendLine(CultureInfo.InvariantCulture, $"  - … and {missing.Count - MaxShown} more");
        foreach (var i in extra.Take(MaxShown)) text.AppendLine("  + " + found[i].ShowAll(names.Count > 0 ? names : null));
        if (extra.Count > MaxShown) text.AppendLine(CultureInfo.InvariantCulture, $"  + … and {extra.Count - MaxShown} more");
    }

    private static int[] InOrder(IReadOnlyList<ExpectedItem> expected, List<Item> found, DateTime now) =>
        [.. expected.Select((item, i) => i < found.Count && found[i].Matches(item, now) ? i : -1)];

    // An expected item may fit several found ones, and only one choice may leave each other item a partner: augmenting paths find it.
    private static int[] Assign(IReadOnlyList<ExpectedItem> expected, List<Item> found, DateTime now)
    {
        var fits = expected.Select(item => Enumerable.Range(0, found.Count).Where(j => found[j].Matches(item, now)).ToArray()).ToArray();
        var owner = Enumerable.Repeat(-1, found.Count).ToArray();
        for (var i = 0; i < expected.Count; i++) TryGive(i, new bool[found.Count]);
        var pairs = Enumerable.Repeat(-1, expected.Count).ToArray();
        for (var j = 0; j < owner.Length; j++)
            if (owner[j] >= 0) pairs[owner[j]] = j;
        return pairs;

        bool TryGive(int i, bool[] seen)
        {
            foreach (var j in fits[i])
            {
                if (seen[j]) continue;
                seen[j] = true;
                if (owner[j] >= 0 && !TryGive(owner[j], seen)) continue;
                owner[j] = i;
                return true;
            }

            return false;
        }
    }

    private static int? Nearest(ExpectedItem expected, List<int> candidates, List<Item> found, DateTime now) => candidates
        .Select(j => (Index: j, Same: expected.Values.Count(pair => found[j].Matches(pair.Key, pair.Value, now))))
        .Where(candidate => candidate.Same > 0 || candidates.Count == 1)
        .OrderByDescending(candidate => candidate.Same)
        .Select(candidate => (int?)candidate.Index)
        .FirstOrDefault();

    private static Item Alert(NewAlert alert) => new([
        ("title", KqlType.String, alert.Title),
        ("severity", KqlType.String, alert.Severity.ToString()),
        ("category", KqlType.String, alert.Category),
        ("device", KqlType.String, alert.MachineId ?? ""),
        ("techniques", KqlType.Dynamic, JsonSerializer.Serialize(alert.MitreTechniques)),
        ("firstEvent", KqlType.DateTime, alert.FirstEventTime),
        ("lastEvent", KqlType.DateTime, alert.LastEventTime),
        ("evidence", KqlType.Dynamic, JsonSerializer.Serialize(alert.Evidence.Select(Evidence))),
    ]);

    private static Dictionary<string, object> Evidence(AlertEvidence evidence)
    {
        var fields = new Dictionary<string, object>(StringComparer.Ordinal) { ["type"] = evidence.EntityType.ToString() };
        foreach (var property in typeof(AlertEvidence).GetProperties())
        {
            if (property.Name is "Id" or "TenantId" or "AlertId" or "EntityType" or "EvidenceCreationTime" || property.GetValue(evidence) is not { } value) continue;
            fields[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = value;
        }

        return fields;
    }

    /// <summary>A found row or alert.</summary>
    private sealed class Item(IReadOnlyList<(string Name, KqlType Type, object? Value)> values)
    {
        public IEnumerable<string> Names => values.Select(value => value.Name);

        public bool Has(string name) => values.Any(value => value.Name == name);

        public bool Matches(ExpectedItem expected, DateTime now) => expected.Values.All(pair => Matches(pair.Key, pair.Value, now));

        public bool Matches(string name, TestValue expected, DateTime now)
        {
            var (_, type, actual) = values.First(value => value.Name == name);
            if (name == "evidence" && expected.Items is { } items) return Contains(items, (string)actual!);
            try
            {
                return TestValues.AreEqual(TestValues.To(expected, type, now), type == KqlType.String ? actual ?? "" : actual, type);
            }
            catch (FormatException)
            {
                return false;
            }
        }

        public string Show(string name) => TestValues.Show(values.First(value => value.Name == name).Value);

        public string ShowAll(IReadOnlyCollection<string>? names) =>
            $"{{ {string.Join(", ", values.Where(value => names is null ? value.Value is not (null or "") : names.Contains(value.Name)).Select(value => $"{value.Name}: {TestValues.Show(value.Value)}"))} }}";

        // Each expected piece of evidence is one of the alert's, by the fields that it names; a mere word is a type.
        private static bool Contains(IReadOnlyList<TestValue> expected, string evidence)
        {
            using var found = JsonDocument.Parse(evidence);
            var left = found.RootElement.EnumerateArray().ToList();
            foreach (var item in expected)
            {
                var fields = item.Fields ?? new Dictionary<string, TestValue> { ["type"] = item };
                var at = left.FindIndex(piece => fields.All(field => piece.TryGetProperty(field.Key, out var value) && value.ToString() == field.Value.Text));
                if (at < 0) return false;
                left.RemoveAt(at);
            }

            return true;
        }
    }
}
