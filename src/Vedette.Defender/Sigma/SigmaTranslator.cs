using System.Globalization;
using System.Text.RegularExpressions;

namespace Vedette.Defender.Sigma;

/// <summary>What a rule asks of one kind of rows.</summary>
/// <param name="Variant">The rows.</param>
/// <param name="Condition">The condition; never constant false.</param>
/// <param name="Scope">What the condition needs.</param>
internal sealed record QueryBranch(SigmaVariant Variant, Predicate Condition, QueryScope Scope)
{
    /// <summary>The conjuncts of the condition.</summary>
    public IReadOnlyList<string> Conditions { get; } = [.. Condition.Conjuncts()];
}

/// <summary>
/// Translates the condition of a rule for each kind of rows that its log source's events become. Kinds that the rule cannot match, because it
/// asks for another event number, fall away; so do tests of fields that the rows lack, which is told in the notes.
/// </summary>
internal sealed partial class SigmaTranslator(SigmaMapping mapping)
{
    private const int MaxSearches = 500;
    private const int MaxCounted = 12;

    /// <summary>Translates a rule.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="names">Names for computed columns, one set for each query.</param>
    /// <param name="notes">Receives what was left out.</param>
    /// <param name="onlySearch">The condition to use in place of the rule's own; null for the rule's.</param>
    /// <exception cref="SigmaException">Nothing is left.</exception>
    public IReadOnlyList<QueryBranch> Translate(SigmaRule rule, QueryNames names, ICollection<string> notes, SigmaCondition? onlySearch = null)
    {
        var variants = mapping.Find(rule.LogSource)
            ?? throw new SigmaException(SigmaReason.LogSource, $"no hunting table holds the events of the log source {rule.LogSource}", rule.Line);
        if (rule.Searches.Count > MaxSearches) throw new SigmaException(SigmaReason.Syntax, $"more than {MaxSearches} searches", rule.Line);
        var branches = new List<QueryBranch>();
        var blocking = new List<string>();
        foreach (var variant in variants)
        {
            var scope = new QueryScope(variant, names);
            var asked = Condition(rule, scope, onlySearch);
            if (asked == Predicate.False) continue;
            var missing = new List<string>();
            var condition = asked.Resolve(missing);
            if (condition == Predicate.False)
            {
                blocking.AddRange(missing.Except(blocking));
                continue;
            }

            foreach (var field in missing) Note(notes, $"{variant.Table} does not record {field}; what asks for it is left out");
            branches.Add(new QueryBranch(variant, OnPlatform(rule.LogSource.Product, variant, condition), scope));
        }

        var unknown = UnknownEvents(rule, variants).ToList();
        if (branches.Count > 0)
        {
            foreach (var number in unknown) Note(notes, $"no hunting table holds event {number}");
            return branches;
        }

        if (blocking.Count > 0)
            throw new SigmaException(SigmaReason.Field, $"the hunting tables do not record {string.Join(", ", blocking)} for {rule.LogSource}", rule.Line);
        throw new SigmaException(
            SigmaReason.Event,
            unknown.Count > 0 ? $"no hunting table holds event {string.Join(", ", unknown)} of {rule.LogSource}" : $"the condition matches no event of {rule.LogSource}",
            rule.Line);
    }

    // The tables hold rows of all systems and do not name the system; paths tell it. Programs that end with .exe need no second look.
    private static Predicate OnPlatform(string? product, SigmaVariant variant, Predicate condition)
    {
        if (variant.Platform is not { } column || product is not ("windows" or "linux" or "macos")) return condition;
        if (product == "windows" && condition.Conjuncts().Any(static text => WindowsProgram().IsMatch(text))) return condition;
        return Predicate.All([Predicate.Test(product == "windows" ? $"{column} !startswith \"/\"" : $"{column} !contains @\"\\\""), condition]);
    }

    private Predicate Condition(SigmaRule rule, QueryScope scope, SigmaCondition? onlySearch)
    {
        var own = onlySearch is not null ? Write(onlySearch, rule.Searches, scope, rule.Line) : Predicate.Any(rule.Conditions.Select(condition => Write(condition, rule.Searches, scope, rule.Line)));
        return Predicate.All([own, .. rule.Filters.Select(filter => Filter(filter, scope))]);
    }

    // A filter that says what to keep ("not selection") is added as it is; one that says what to leave out is turned round.
    private Predicate Filter(SigmaFilter filter, QueryScope scope)
    {
        var conditions = filter.Conditions.Select(condition => Write(condition, filter.Searches, scope, filter.Line)).ToArray();
        return filter.Conditions.Any(static condition => condition is SigmaNot or SigmaAllOf { Parts: [SigmaNot, ..] }) ? Predicate.All(conditions) : Predicate.Not(Predicate.Any(conditions));
    }

    private Predicate Write(SigmaCondition condition, IReadOnlyList<KeyValuePair<string, SigmaSearch>> searches, QueryScope scope, int line)
    {
        switch (condition)
        {
            case SigmaAnyOf any:
                return Predicate.Any(any.Parts.Select(part => Write(part, searches, scope, line)));
            case SigmaAllOf all:
                return Predicate.All(all.Parts.Select(part => Write(part, searches, scope, line)));
            case SigmaNot not:
                return Predicate.Not(Write(not.Inner, searches, scope, line));
            case SigmaNamed named:
                foreach (var (name, search) in searches)
                    if (name == named.Name) return Write(search, scope);
                throw new SigmaException(SigmaReason.Condition, $"the condition names '{named.Name}', which is not a search of the rule", line);
            case SigmaOf of:
                var chosen = searches.Where(pair => IsNamed(pair.Key, of.Pattern)).Select(pair => Write(pair.Value, scope)).ToArray();
                if (chosen.Length == 0) throw new SigmaException(SigmaReason.Condition, $"no search has a name like '{of.Pattern}'", line);
                return of.Count == 0 || of.Count == chosen.Length ? Predicate.All(chosen)
                    : of.Count == 1 ? Predicate.Any(chosen)
                    : of.Count > chosen.Length ? Predicate.False
                    : AtLeast(of.Count, chosen, line);
            default:
                throw new InvalidOperationException($"The condition {condition.GetType().Name} is not known.");
        }
    }

    private static Predicate AtLeast(int count, Predicate[] chosen, int line)
    {
        var open = chosen.Where(static part => part != Predicate.True).ToArray();
        var needed = count - (chosen.Length - open.Length);
        if (needed <= 0) return Predicate.True;
        if (needed > 1 && open.Length > MaxCounted) throw new SigmaException(SigmaReason.Condition, $"the condition counts more than {MaxCounted} searches", line);
        // Combinations, so that missing fields and constants simplify; there are few searches where somebody counts them.
        return Predicate.Any(Combinations(open, needed, 0).Select(Predicate.All));
    }

    private static IEnumerable<Predicate[]> Combinations(Predicate[] parts, int count, int from)
    {
        if (count == 0) return [[]];
        return Enumerable.Range(from, Math.Max(0, parts.Length - from)).SelectMany(at => Combinations(parts, count - 1, at + 1).Select(rest => (Predicate[])[parts[at], .. rest]));
    }

    private Predicate Write(SigmaSearch search, QueryScope scope) => search switch
    {
        SigmaAll all => Predicate.All(all.Parts.Select(part => Write(part, scope))),
        SigmaAny any => Predicate.Any(any.Parts.Select(part => Write(part, scope))),
        SigmaLeaf leaf => FieldTests.Write(leaf.Item, scope, mapping),
        _ => throw new InvalidOperationException($"The search {search.GetType().Name} is not known."),
    };

    private static bool IsNamed(string name, string pattern) => string.Equals(pattern, "them", StringComparison.OrdinalIgnoreCase)
        ? !name.StartsWith('_')
        : new SigmaPattern(pattern.Split('*').SelectMany((text, at) => (SigmaPart[])[.. at > 0 ? [new SigmaPart(SigmaPartKind.AnyText)] : Array.Empty<SigmaPart>(), new SigmaPart(SigmaPartKind.Text, text)])).Matches(name, cased: true);

    // Event numbers that a rule asks for and no table holds.
    private static IEnumerable<string> UnknownEvents(SigmaRule rule, IReadOnlyList<SigmaVariant> variants)
    {
        var known = variants.SelectMany(static variant => variant.Fields.GetValueOrDefault("EventID") is { Kind: "is" } field ? field.Arguments : []).ToHashSet(StringComparer.Ordinal);
        return rule.Searches.SelectMany(static pair => Items(pair.Value)).Where(static item => item.Field == "EventID")
            .SelectMany(static item => item.Values).SelectMany(static group => group).OfType<SigmaText>()
            .Select(static text => text.Pattern.ToString()).Where(number => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _) && !known.Contains(number)).Distinct();
    }

    private static IEnumerable<SigmaItem> Items(SigmaSearch search) => search switch
    {
        SigmaAll all => all.Parts.SelectMany(Items),
        SigmaAny any => any.Parts.SelectMany(Items),
        SigmaLeaf leaf => [leaf.Item],
        _ => [],
    };

    private static void Note(ICollection<string> notes, string text)
    {
        if (!notes.Contains(text)) notes.Add(text);
    }

    [GeneratedRegex("""^\w*FileName (?:=~ "[^"]*\.(?:exe|dll)"|in~ \((?:"[^"]*\.(?:exe|dll)"(?:, )?)+\))$""", RegexOptions.IgnoreCase)]
    private static partial Regex WindowsProgram();
}
