using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Defender.Alerts.Evidence;
using Vedette.Defender.State;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Security.Alerts;

/// <summary>
/// Writes evidence as Graph types it: every kind has all its properties, each item says its type, and what is not known is null or an empty
/// list. Properties come from the evidence's own columns and from its details; details go first.
/// </summary>
internal static class EvidenceWriter
{
    private const string Namespace = "#microsoft.graph.security.";

    /// <summary>Writes a list of evidence from the form that <see cref="EvidenceSql"/> reads it in.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="items">The rows.</param>
    /// <param name="all">Whether the caller knows the members that enumerations got later.</param>
    public static void Write(Utf8JsonWriter json, JsonArray items, bool all)
    {
        json.WriteStartArray();
        foreach (var item in items.OfType<JsonObject>())
        {
            if (!Enum.TryParse<EvidenceKind>((string?)item["kind"], out var kind)) continue;
            WriteType(json, EvidenceKinds.Of(kind), Values(kind, item), all);
        }

        json.WriteEndArray();
    }

    /// <summary>Writes a text, a number or a truth value of an enumeration, as the caller may see it.</summary>
    public static string Member(IReadOnlyList<string> members, string word, bool all)
    {
        var at = Array.FindIndex([.. members], member => member.Equals(word, StringComparison.OrdinalIgnoreCase));
        if (at < 0) return EntityReader.UnknownMember;
        var unknown = Array.IndexOf([.. members], EntityReader.UnknownMember);
        return !all && unknown >= 0 && at > unknown ? EntityReader.UnknownMember : members[at];
    }

    private static JsonObject Values(EvidenceKind kind, JsonObject item)
    {
        var values = new JsonObject();
        foreach (var property in EvidenceKinds.Base) Set(values, property.Name, item[property.Name]);
        foreach (var (name, value) in EvidenceColumns.Of(kind, item)) Set(values, name, value);
        if (item["details"] is JsonObject details) Merge(values, details);
        return values;
    }

    private static void Set(JsonObject values, string name, JsonNode? value)
    {
        if (value is not null) values[name] = value.DeepClone();
    }

    private static void Merge(JsonObject into, JsonObject from)
    {
        foreach (var (name, value) in from)
        {
            if (into[name] is JsonObject known && value is JsonObject more) Merge(known, more);
            else Set(into, name, value);
        }
    }

    private static void WriteType(Utf8JsonWriter json, EvidenceType type, JsonObject? values, bool all)
    {
        json.WriteStartObject();
        if (type.Kind is not null)
        {
            json.WriteString("@odata.type"u8, Namespace + type.Name);
            foreach (var property in EvidenceKinds.Base) WriteProperty(json, property, values?[property.Name], all);
        }

        foreach (var property in type.Properties) WriteProperty(json, property, values?[property.Name], all);
        json.WriteEndObject();
    }

    private static void WriteProperty(Utf8JsonWriter json, EvidenceProperty property, JsonNode? value, bool all)
    {
        json.WritePropertyName(property.Name);
        if (!property.IsList)
        {
            WriteValue(json, property, value, all);
            return;
        }

        json.WriteStartArray();
        foreach (var item in value as JsonArray ?? [])
            if (item is not null) WriteValue(json, property, item, all);
        json.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter json, EvidenceProperty property, JsonNode? value, bool all)
    {
        if (value is null)
        {
            WriteNothing(json, property);
            return;
        }

        if (property.Members is { } members)
        {
            json.WriteStringValue(Member(members, value.ToString(), all));
            return;
        }

        switch (property.Type)
        {
            case "String" or "Guid" or "DateTimeOffset": json.WriteStringValue(value.ToString()); break;
            case "Int32" or "Int64" when long.TryParse(value.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number): json.WriteNumberValue(number); break;
            case "Double" when double.TryParse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number): json.WriteNumberValue(number); break;
            case "Boolean" when bool.TryParse(value.ToString(), out var flag): json.WriteBooleanValue(flag); break;
            case "dictionary" when value is JsonObject: value.WriteTo(json); break;
            default:
                if (value is JsonObject parts && TypeOf(property, parts) is { } type) WriteType(json, type, parts, all);
                else WriteNothing(json, property);
                break;
        }
    }

    // A property for evidence of any kind: the value says which.
    private static EvidenceType? TypeOf(EvidenceProperty property, JsonObject parts) => property.Type == EvidenceKinds.Any
        ? EvidenceKinds.Find(((string?)parts["@odata.type"] ?? "").Split('.')[^1])
        : EvidenceKinds.Find(property.Type);

    private static void WriteNothing(Utf8JsonWriter json, EvidenceProperty property)
    {
        if (!property.NotNull) json.WriteNullValue();
        else if (property.Members is { } members) json.WriteStringValue(members[0]);
        else if (property.Type == "Boolean") json.WriteBooleanValue(false);
        else if (property.Type is "Int32" or "Int64") json.WriteNumberValue(0);
        else if (property.Type == "DateTimeOffset") json.WriteStringValue("0001-01-01T00:00:00Z");
        else json.WriteNullValue();
    }
}
