using System.Globalization;
using System.Text.Json;

namespace Vedette.Defender.Vulnerabilities.Knowledge.Formats;

/// <summary>A JSON feed: where its records are and what one says.</summary>
internal abstract class FeedFormat
{
    /// <summary>Which feed.</summary>
    public abstract KnowledgeSource Source { get; }

    /// <summary>Members of the outermost object whose elements are the records.</summary>
    public virtual IReadOnlySet<string> Enter { get; } = new HashSet<string>();

    /// <summary>True when outermost objects are records themselves.</summary>
    public virtual bool IsWhole => false;

    /// <summary>Whether an item is a record of this feed, to tell feeds apart.</summary>
    public abstract bool Recognises(JsonItem item);

    /// <summary>What an item says; what cannot be understood goes to the notes.</summary>
    public abstract IEnumerable<KnowledgeEntry> Read(JsonItem item, ImportNotes notes);

    /// <summary>A text member; null when it is absent or something else.</summary>
    protected static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A number member; null when it is absent or something else.</summary>
    protected static double? Number(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;

    /// <summary>A time member, UTC; null when it is absent or no time.</summary>
    protected static DateTime? Time(JsonElement element, string name) =>
        Text(element, name) is { } text
        && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    /// <summary>The elements of an array member; none when it is absent or something else.</summary>
    protected static IEnumerable<JsonElement> Items(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>The members of an object; none when it is something else.</summary>
    protected static IEnumerable<JsonProperty> Members(JsonElement element) => element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : [];
}

/// <summary>What of a feed was not understood, counted by reason with a few examples.</summary>
internal sealed class ImportNotes
{
    private const int Examples = 3;
    private readonly Dictionary<string, (long Count, List<string> Examples)> _reasons = new(StringComparer.Ordinal);

    /// <summary>Notes that something of a record was passed over.</summary>
    public void Add(string reason, string example)
    {
        if (!_reasons.TryGetValue(reason, out var known)) known = (0, []);
        if (known.Examples.Count < Examples && !known.Examples.Contains(example)) known.Examples.Add(example);
        _reasons[reason] = (known.Count + 1, known.Examples);
    }

    /// <summary>The notes, commonest first.</summary>
    public IReadOnlyList<ImportNote> ToList() =>
        [.. _reasons.OrderByDescending(r => r.Value.Count).ThenBy(r => r.Key, StringComparer.Ordinal).Select(r => new ImportNote(r.Key, r.Value.Count, r.Value.Examples))];
}
