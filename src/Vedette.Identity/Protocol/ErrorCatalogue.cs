using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace Vedette.Identity.Protocol;

/// <summary>A refusal of the authority, as it goes into an answer.</summary>
public sealed record ProtocolError
{
    /// <summary>The AADSTS number.</summary>
    public required int Number { get; init; }

    /// <summary>The OAuth error word.</summary>
    public required string Error { get; init; }

    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>The sentence after the number, filled in.</summary>
    public required string Text { get; init; }

    /// <summary>Further distinction that client libraries act on, or null.</summary>
    public string? Suberror { get; init; }

    /// <summary>What the client must ask for to get further, as a claims request in JSON, or null.</summary>
    public string? Claims { get; init; }

    /// <summary>Whether the answer carries a link to the number.</summary>
    public bool HasErrorUri { get; init; }

    /// <summary>Seconds to wait before another try, or null.</summary>
    public int? RetryAfter { get; init; }
}

/// <summary>Every error the authority can answer with: one table, read from <c>errors.json</c>.</summary>
public static class ErrorCatalogue
{
    private static readonly Lazy<FrozenDictionary<int, Entry>> Entries = new(Load);

    private sealed record Variant(string? Error, int? Status);

    private sealed record Entry(int Number, string Error, int Status, string Text, string? Suberror, bool ErrorUri, FrozenDictionary<string, Variant> Variants);

    /// <summary>All AADSTS numbers of the table.</summary>
    public static IReadOnlyCollection<int> Numbers => Entries.Value.Keys;

    /// <summary>Makes an error.</summary>
    /// <param name="number">The AADSTS number.</param>
    /// <param name="values">Values for the places in its text.</param>
    public static ProtocolError Create(int number, params ReadOnlySpan<object?> values) => Make(Entries.Value[number], null, values);

    /// <summary>Makes an error in the form it has at one particular place, for instance <c>metadata</c>.</summary>
    /// <param name="number">The AADSTS number.</param>
    /// <param name="variant">Name of the variant in the table.</param>
    /// <param name="values">Values for the places in its text.</param>
    public static ProtocolError CreateVariant(int number, string variant, params ReadOnlySpan<object?> values)
    {
        var entry = Entries.Value[number];
        return Make(entry, entry.Variants[variant], values);
    }

    private static ProtocolError Make(Entry entry, Variant? variant, ReadOnlySpan<object?> values) => new()
    {
        Number = entry.Number,
        Error = variant?.Error ?? entry.Error,
        Status = variant?.Status ?? entry.Status,
        Text = values.Length == 0 ? entry.Text : string.Format(CultureInfo.InvariantCulture, entry.Text, Bound(values)),
        Suberror = entry.Suberror,
        HasErrorUri = entry.ErrorUri,
    };

    // What a client sent is quoted back to it, but never at length and never with control characters.
    private static object?[] Bound(ReadOnlySpan<object?> values)
    {
        var bound = new object?[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            bound[i] = values[i] is string text
                ? new string([.. (text.Length > 200 ? text.AsSpan(0, 200) : text).ToArray().Select(c => char.IsControl(c) ? ' ' : c)])
                : values[i];
        }

        return bound;
    }

    private static FrozenDictionary<int, Entry> Load()
    {
        using var stream = typeof(ErrorCatalogue).Assembly.GetManifestResourceStream("Vedette.Identity.errors.json")!;
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.EnumerateArray().Select(Read).ToFrozenDictionary(entry => entry.Number);
    }

    private static Entry Read(JsonElement item) => new(
        item.GetProperty("number").GetInt32(),
        item.GetProperty("error").GetString()!,
        item.GetProperty("status").GetInt32(),
        item.GetProperty("text").GetString()!,
        item.TryGetProperty("suberror", out var suberror) ? suberror.GetString() : null,
        item.TryGetProperty("errorUri", out var uri) && uri.GetBoolean(),
        item.TryGetProperty("variants", out var variants)
            ? variants.EnumerateObject().ToFrozenDictionary(
                variant => variant.Name,
                variant => new Variant(
                    variant.Value.TryGetProperty("error", out var error) ? error.GetString() : null,
                    variant.Value.TryGetProperty("status", out var status) ? status.GetInt32() : null),
                StringComparer.Ordinal)
            : FrozenDictionary<string, Variant>.Empty);
}
