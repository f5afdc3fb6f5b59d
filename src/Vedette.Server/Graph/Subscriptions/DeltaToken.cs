using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vedette.Server.Graph.Subscriptions;

/// <summary>Where a reader of changes is: between two rounds, or within one.</summary>
/// <param name="Epoch">Number of the state that was read; another state says nothing about it.</param>
/// <param name="Made">When the round began, in seconds since 1970.</param>
/// <param name="Seen">Snapshot of the database from which the round began: its changes come with the next round.</param>
internal sealed record DeltaToken(long Epoch, long Made, string Seen)
{
    private const int Longest = 16_384;

    /// <summary>Within a round, the snapshot that the one before began from; null in the first round, which tells everything.</summary>
    public string? Since { get; init; }

    /// <summary>Within a round, the last key that was told.</summary>
    public string? After { get; init; }

    /// <summary>Within a round, whether all that is there was told and what is gone is being told.</summary>
    public bool Gone { get; init; }

    /// <summary>The token as text.</summary>
    public override string ToString() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(this, DeltaJson.Default.DeltaToken));

    /// <summary>Reads a token; null when it is none.</summary>
    public static DeltaToken? Read(string text)
    {
        if (text.Length is 0 or > Longest || !Base64Url.IsValid(text)) return null;
        try
        {
            var token = JsonSerializer.Deserialize(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)), DeltaJson.Default.DeltaToken);
            return token is { Seen: not null } && IsSnapshot(token.Seen) && (token.Since is null || IsSnapshot(token.Since)) ? token : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // xmin:xmax:list, as the database writes it.
    private static bool IsSnapshot(string text) => text.Split(':') is [{ Length: > 0 }, { Length: > 0 }, _] && text.All(c => char.IsAsciiDigit(c) || c is ':' or ',');
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(DeltaToken))]
internal sealed partial class DeltaJson : JsonSerializerContext;
