using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Defender.Indicators;

namespace Vedette.Defender.ThreatIntelligence;

/// <summary>Reads threat indicators as callers send them: known properties in their types, members in their spelling, times in UTC.</summary>
internal static class ThreatIndicatorCheck
{
    private const int LongestText = 10_000;
    private const int MostTexts = 1_000;

    private static readonly string[] RequiredElsewhere = ["description", "expirationDateTime", "threatType", "tlpLevel"];

    /// <summary>A new indicator, or what is wrong with it.</summary>
    public static Outcome<JsonObject> Read(JsonElement given, DateTime now)
    {
        var read = Fields(given, out var document);
        if (read is not null) return read;
        if (document["targetProduct"] is null) return Missing("targetProduct");
        var isEndpoint = IsFor(document, ThreatIndicatorFields.Endpoint);
        if (isEndpoint && document["action"] is null) return Missing("action");
        if (!isEndpoint && RequiredElsewhere.FirstOrDefault(name => document[name] is null) is { } missing) return Missing(missing);
        if (Time(document, "expirationDateTime") <= now) return new DomainError(Refusal.BadRequest, "The value of 'expirationDateTime' lies in the past.");
        if (document["fileHashValue"] is not null && document["fileHashType"] is null) return Missing("fileHashType");
        if (isEndpoint && ThreatIndicatorFields.Enforceable.Count(name => document[name] is not null) != 1)
            return new DomainError(Refusal.BadRequest, $"An indicator for {ThreatIndicatorFields.Endpoint} needs one of {string.Join(", ", ThreatIndicatorFields.Enforceable)}.");
        if (!isEndpoint && !ThreatIndicatorFields.All.Any(field => field.IsObservable && document[field.Name] is not null))
            return new DomainError(Refusal.BadRequest, "An indicator needs at least one email, file or network observable.");
        document["severity"] ??= 3L;
        document["isActive"] ??= true;
        document["passiveOnly"] ??= false;
        return document;
    }

    /// <summary>The properties of a change, or what is wrong with them; null values clear.</summary>
    public static DomainError? Fields(JsonElement given, out JsonObject document)
    {
        document = [];
        if (given.ValueKind != JsonValueKind.Object) return new DomainError(Refusal.InvalidRequestBody);
        foreach (var property in given.EnumerateObject())
        {
            if (ThreatIndicatorFields.Find(property.Name) is not { } field || property.Value.ValueKind == JsonValueKind.Null) continue;
            if (property.Value is { ValueKind: JsonValueKind.String } text && text.GetString()!.Length == 0) continue;
            if (Value(field, property.Value) is not { } value) return new DomainError(Refusal.BadRequest, $"Invalid value specified for property '{field.Name}'.");
            document[field.Name] = value;
        }

        return null;
    }

    /// <summary>Whether an indicator is for a product.</summary>
    public static bool IsFor(JsonObject document, string product) => (string?)document["targetProduct"] == product;

    /// <summary>A moment of an indicator.</summary>
    public static DateTime? Time(JsonObject document, string name) => (string?)document[name] is { } text
        ? DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal)
        : null;

    /// <summary>The order to devices that an indicator is.</summary>
    public static IndicatorDraft Draft(JsonObject document)
    {
        var name = ThreatIndicatorFields.Enforceable.First(name => document[name] is not null);
        var value = (string)document[name]!;
        var description = (string?)document["description"] ?? value;
        var isPassive = (bool?)document["passiveOnly"] == true;
        return new IndicatorDraft
        {
            IndicatorValue = value,
            IndicatorType = name switch
            {
                "fileHashValue" => "File" + (string?)document["fileHashType"],
                "url" => "Url",
                "domainName" => "DomainName",
                _ => "IpAddress",
            },
            Action = (string?)document["action"] switch { "allow" => "Allowed", "block" when !isPassive => "Block", "block" or "alert" => "Audit", _ => "" },
            GenerateAlert = (string?)document["action"] != "allow",
            Title = description,
            Description = description,
            Severity = Severity((long?)document["severity"] ?? 3),
            ExpirationTime = Time(document, "expirationDateTime"),
            ExternalId = (string?)document["externalId"],
            Graph = document.ToJsonString(),
        };
    }

    /// <summary>The severity of alerts that five stands for, and so on down.</summary>
    public static string Severity(long number) => number switch { <= 1 => "Informational", 2 => "Low", 3 => "Medium", _ => "High" };

    private static JsonNode? Value(ThreatField field, JsonElement value)
    {
        switch (field.Type)
        {
            case ThreatFieldType.Text when value.ValueKind == JsonValueKind.String:
                return value.GetString()!.Length <= (field.Most ?? LongestText) ? value.GetString() : null;
            case ThreatFieldType.Member when value.ValueKind == JsonValueKind.String:
                return field.Members.FirstOrDefault(member => member.Equals(value.GetString(), StringComparison.OrdinalIgnoreCase));
            case ThreatFieldType.Number when value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number):
                return number >= 0 && number <= (field.Most ?? long.MaxValue) ? number : null;
            case ThreatFieldType.Flag when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                return value.GetBoolean();
            case ThreatFieldType.Time when value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time):
                return time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
            case ThreatFieldType.Texts when value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= MostTexts:
                var texts = new JsonArray();
                foreach (var item in value.EnumerateArray())
                {
                    if (item.ValueKind != JsonValueKind.String || item.GetString()!.Length > LongestText) return null;
                    if (field.Members.Count > 0 && !field.Members.Contains(item.GetString(), StringComparer.OrdinalIgnoreCase)) return null;
                    texts.Add(item.GetString());
                }

                return texts;
            default: return null;
        }
    }

    private static DomainError Missing(string name) => new(Refusal.MissingRequiredParameter, name);
}
