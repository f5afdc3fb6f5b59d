using System.Text;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Steps;

/// <summary>
/// reduce: groups texts that differ in rare words only. A word is common when enough texts have it at its place; words with digits vary, unless most texts
/// have them. All others are wildcards; texts of nothing but wildcards, or of patterns too rare, are "others".
/// </summary>
/// <param name="threshold">The part of all texts that a word and a pattern must have.</param>
/// <param name="characters">Characters between words; when empty all that are no ASCII letters or digits.</param>
/// <param name="keepsRows">Whether the rows are given with their patterns, instead of one row a pattern.</param>
internal sealed class ReduceStep(double threshold, string characters, bool keepsRows) : ILocalStep
{
    private const string Others = "others";

    public string Name => "reduce";

    public bool FindsColumns => false;

    public LocalTable Run(LocalTable input, CancellationToken cancellationToken)
    {
        var texts = input.Rows.Select(r => LocalValues.ToText(r[0], input.Columns[0].Type)).ToList();
        var counts = new Dictionary<(int Place, string Word), int>();
        foreach (var text in texts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var word in Words(text).Where(w => !w.IsSeparator))
                counts[(word.Place, word.Text)] = counts.GetValueOrDefault((word.Place, word.Text)) + 1;
        }

        var least = Math.Max(2, (int)Math.Ceiling(threshold * texts.Count));
        var most = Math.Max(least, (texts.Count / 2) + 1);
        var patterns = new List<string>(texts.Count);
        var groups = new Dictionary<string, (long Count, string Representative)>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var pattern = PatternOf(text, (place, word) => counts[(place, word)] >= (word.AsSpan().ContainsAnyInRange('0', '9') ? most : least));
            patterns.Add(pattern);
            var (count, representative) = groups.GetValueOrDefault(pattern, (0, text));
            groups[pattern] = (count + 1, representative);
        }

        foreach (var rare in groups.Where(g => g.Key == Others || g.Value.Count < least).ToList())
        {
            groups.Remove(rare.Key);
            groups[Others] = (groups.GetValueOrDefault(Others).Count + rare.Value.Count, "");
        }

        LocalColumn[] own = [new("Pattern", KqlType.String), new("Count", KqlType.Long), new("Representative", KqlType.String)];
        if (keepsRows)
        {
            return new LocalTable([.. own, .. input.Columns.Skip(1)], [.. input.Rows.Select((row, i) =>
            {
                var pattern = groups.ContainsKey(patterns[i]) ? patterns[i] : Others;
                return (object?[])[pattern, groups[pattern].Count, groups[pattern].Representative, .. row.Skip(1)];
            })]);
        }

        return new LocalTable(own, [.. groups.OrderByDescending(g => g.Value.Count).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => (object?[])[g.Key, g.Value.Count, g.Value.Representative])]);
    }

    private IEnumerable<(int Place, string Text, bool IsSeparator)> Words(string text)
    {
        var place = 0;
        for (var at = 0; at < text.Length;)
        {
            var separator = IsSeparator(text[at]);
            var end = at + 1;
            while (end < text.Length && IsSeparator(text[end]) == separator)
                end++;
            yield return (place, text[at..end], separator);
            if (!separator)
                place++;
            at = end;
        }
    }

    private bool IsSeparator(char c) => characters.Length > 0 ? characters.Contains(c, StringComparison.Ordinal) : !char.IsAsciiLetterOrDigit(c);

    private string PatternOf(string text, Func<int, string, bool> isCommon)
    {
        var pattern = new StringBuilder();
        var pending = "";
        var (wild, any) = (false, false);
        foreach (var (place, word, separator) in Words(text))
        {
            if (separator)
            {
                pending = word;
                continue;
            }

            var common = isCommon(place, word);
            // A wildcard also stands for the given separators around it.
            if (!(wild && !common))
                pattern.Append(characters.Length == 0 || (common && !wild) ? pending : "").Append(common ? word : "*");

            any |= common;
            (wild, pending) = (!common, "");
        }

        if (!wild)
            pattern.Append(pending);
        return any || text.Length == 0 ? pattern.ToString() : Others;
    }
}
