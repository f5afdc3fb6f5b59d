using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.OpenApi;

/// <summary>Schemas of what calls take and return; each entity is described once and referred to.</summary>
internal sealed class SchemaCatalogue(ApiSurface surface, OpenApiDocument document)
{
    /// <summary>The answer of a successful call.</summary>
    public OpenApiResponse Success(ApiEndpoint row)
    {
        var response = new OpenApiResponse { Description = row.Returns.Length > 0 ? row.Returns : "Done." };
        if (Content(row) is { } content) response.Content = content;
        return response;
    }

    /// <summary>The schema of a body member or a query parameter.</summary>
    public static IOpenApiSchema Of(InputField field)
    {
        var schema = field.Type switch
        {
            "Strings" => new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
            "Boolean" => new OpenApiSchema { Type = JsonSchemaType.Boolean },
            "Int32" => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
            "DateTimeOffset" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
            "Object" => new OpenApiSchema { Type = JsonSchemaType.Object },
            "Array" => new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.Object } },
            "Any" => new OpenApiSchema(),
            _ => new OpenApiSchema { Type = JsonSchemaType.String },
        };
        if (field.Values is { Count: > 0 } values) schema.Enum = [.. values.Select(value => (JsonNode)value)];
        if (field.Nullable && schema.Type is { } type) schema.Type = type | JsonSchemaType.Null;
        return schema;
    }

    /// <summary>A value that a body member may have.</summary>
    public static JsonNode? Example(InputField field) => field.Type switch
    {
        _ when field.Values is { Count: > 0 } values => values[0],
        "Strings" => new JsonArray("text"),
        "Boolean" => true,
        "Int32" => 1,
        "DateTimeOffset" => "2026-11-20T08:00:00Z",
        "Object" => new JsonObject(),
        "Array" => new JsonArray(),
        _ => "text",
    };

    private Dictionary<string, OpenApiMediaType>? Content(ApiEndpoint row)
    {
        var words = row.Returns.Split(' ');
        var (type, schema) = words[0] switch
        {
            "" or "(no" or "(empty" => (null, null),
            "Edm.Int" => ("text/plain", new OpenApiSchema { Type = JsonSchemaType.Integer }),
            "Edm.String" => ("application/json", Wrapped(new OpenApiSchema { Type = JsonSchemaType.String }, isList: false)),
            var name when words.Length > 1 && words[1] == "collection" => ("application/json", Wrapped(Entity(name), isList: true)),
            var name => ("application/json", Entity(name)),
        };
        return type is null ? null : new Dictionary<string, OpenApiMediaType> { [type] = new OpenApiMediaType { Schema = schema } };
    }

    private static OpenApiSchema Wrapped(IOpenApiSchema value, bool isList)
    {
        var properties = new Dictionary<string, IOpenApiSchema>
        {
            ["@odata.context"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["value"] = isList ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = value } : value,
        };
        if (isList) properties["@odata.nextLink"] = new OpenApiSchema { Type = JsonSchemaType.String };
        return new OpenApiSchema { Type = JsonSchemaType.Object, Properties = properties, Required = new HashSet<string> { "value" } };
    }

    private IOpenApiSchema Entity(string name)
    {
        var key = string.Concat(name.Where(char.IsLetterOrDigit));
        if (!surface.Entities.TryGetValue(name, out var table) || key.Length == 0) return new OpenApiSchema { Type = JsonSchemaType.Object };
        document.Components!.Schemas!.TryAdd(key, new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = table.Properties.Where(property => property.Returned).ToDictionary(property => property.Name, property => (IOpenApiSchema)Of(property)),
        });
        return new OpenApiSchemaReference(key, document);
    }

    private static OpenApiSchema Of(EntityProperty property)
    {
        var schema = property.Kind switch
        {
            ValueKind.Int32 => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" },
            ValueKind.Int64 => new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
            ValueKind.Double => new OpenApiSchema { Type = JsonSchemaType.Number, Format = "double" },
            ValueKind.Boolean => new OpenApiSchema { Type = JsonSchemaType.Boolean },
            ValueKind.Time => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
            ValueKind.Guid => new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
            ValueKind.Strings => new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } },
            ValueKind.Json => new OpenApiSchema { Type = JsonSchemaType.Object | JsonSchemaType.Array },
            _ => new OpenApiSchema { Type = JsonSchemaType.String },
        };
        if (property.Values is { Count: > 0 } values) schema.Enum = [.. values.Select(value => (JsonNode)value)];
        if (!property.NotNull)
        {
            schema.Type |= JsonSchemaType.Null;
            if (schema.Enum is { } allowed) allowed.Add(JsonNullSentinel.JsonNull);
        }

        return schema;
    }
}
