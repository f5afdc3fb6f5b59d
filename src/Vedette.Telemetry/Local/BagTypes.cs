using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Kql;

namespace Vedette.Telemetry.Local;

/// <summary>The types of columns that come out of JSON: bag_unpack, documents of other databases.</summary>
internal static class BagTypes
{
    /// <summary>The type of a value; null when it tells none.</summary>
    public static KqlType? Of(JsonNode? value) => value switch
    {
        null => null,
        JsonObject or JsonArray => KqlType.Dynamic,
        JsonValue scalar => scalar.GetValueKind() switch
        {
            JsonValueKind.True or JsonValueKind.False => KqlType.Bool,
            JsonValueKind.Number => scalar.TryGetValue<long>(out _) ? KqlType.Long : KqlType.Real,
            _ => DateTimeText(scalar) ? KqlType.DateTime : KqlType.String,
        },
        _ => KqlType.Dynamic,
    };

    private static bool DateTimeText(JsonValue value) =>
        value.TryGetValue<string>(out var text) && text.Length is >= 19 and <= 33 && text[4] == '-' && text[10] == 'T'
        && LocalValues.To(text, KqlType.String, KqlType.DateTime) is not null;

    /// <summary>The type that holds what two types hold.</summary>
    public static KqlType? Common(KqlType? known, KqlType? type) => known is null || known == type ? type ?? known
        : type is null ? known
        : (known, type) is (KqlType.Long, KqlType.Real) or (KqlType.Real, KqlType.Long) ? KqlType.Real
        : KqlType.Dynamic;
}
