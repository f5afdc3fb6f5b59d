using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.OpenApi;
using Vedette.Server.Http;

namespace Vedette.Server.OpenApi;

/// <summary>
/// Describes a surface in OpenAPI 3.1, from the same tables that route, authorise and answer its calls. Only calls that are answered are in it.
/// </summary>
internal sealed partial class SurfaceDescription
{
    private const string Scheme = "token";
    private const string ErrorName = "Error";
    private readonly ApiSurface _surface;
    private readonly OpenApiDocument _document;
    private readonly SchemaCatalogue _schemas;

    private SurfaceDescription(ApiSurface surface, string version)
    {
        _surface = surface;
        _document = new OpenApiDocument
        {
            Info = new OpenApiInfo
            {
                Title = $"{surface.Name} API",
                Version = version,
                Description = "Generated from the tables that this server routes by. Permissions, limits and OData abilities of each call are part of its description.",
            },
            Servers = [.. surface.Roots.Select(Server)],
            Components = new OpenApiComponents { Schemas = new Dictionary<string, IOpenApiSchema>() },
        };
        _schemas = new SchemaCatalogue(surface, _document);
        _document.Components.Schemas![ErrorName] = Error();
        _document.AddComponent(Scheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "An access token for this API from /{tenant}/oauth2/v2.0/token.",
        });
    }

    /// <summary>Describes a surface.</summary>
    public static OpenApiDocument Of(ApiSurface surface, string version)
    {
        var description = new SurfaceDescription(surface, version);
        foreach (var row in surface.Endpoints.Where(surface.Handlers.ContainsKey)) description.Add(row);
        return description._document;
    }

    private void Add(ApiEndpoint row)
    {
        if (!_document.Paths.TryGetValue(row.Path, out var item)) _document.Paths.Add(row.Path, item = new OpenApiPathItem());
        var operation = new OpenApiOperation
        {
            OperationId = OperationId(row),
            Summary = row.Name,
            Description = Describe(row),
            Deprecated = row.Deprecated is not null,
            Tags = new HashSet<OpenApiTagReference> { new(Tag(row.Group), _document) },
            Parameters = [.. Parameters(row)],
            RequestBody = Body(row),
            Responses = Responses(row),
            Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, _document)] = [] }],
            Extensions = new Dictionary<string, IOpenApiExtension>
            {
                ["x-application-permissions"] = Groups(row.Application),
                ["x-delegated-permissions"] = Groups(row.Delegated),
            },
        };
        if (row.Roots is { } roots) operation.Servers = [.. roots.Select(Server)];
        ((OpenApiPathItem)item).AddOperation(new HttpMethod(row.Method), operation);
    }

    private static OpenApiServer Server(string root) => new() { Url = root.Length > 0 ? root : "/" };

    private string Tag(string group)
    {
        _document.Tags ??= new HashSet<OpenApiTag>();
        if (_document.Tags.All(tag => tag.Name != group)) _document.Tags.Add(new OpenApiTag { Name = group });
        return group;
    }

    private static string OperationId(ApiEndpoint row) =>
        row.Method.ToLowerInvariant() + string.Concat(NotWord().Split(row.Path).Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static string Describe(ApiEndpoint row)
    {
        var lines = new List<string>
        {
            $"Application permissions: {Words(row.Application)}.",
            $"Delegated permissions: {Words(row.Delegated)}.",
        };
        if (row.UserRole is { } role) lines.Add($"A signed-in user needs the portal permission {role.Replace("|", " or ", StringComparison.Ordinal)}{(row.DeviceGroups ? " and sees the devices of their device groups" : "")}.");
        if (row.Limits.PerMinute is { } minute) lines.Add($"Limit: {minute} calls a minute{(row.Limits.PerHour is { } hour ? $", {hour} an hour" : "")}{(row.Limits.PerTenant ? " for the whole tenant" : "")}.");
        if (row.MaxItems is { } items) lines.Add($"At most {items} items in a call.");
        if (row.Deprecated is { } why) lines.Add($"Deprecated: {why}");
        return string.Join("\n\n", lines);
    }

    private static string Words(IReadOnlyList<IReadOnlyList<string>> groups) =>
        groups.Count == 0 ? "not supported" : string.Join(" and ", groups.Select(group => string.Join(" or ", group)));

    private static JsonNodeExtension Groups(IReadOnlyList<IReadOnlyList<string>> groups) =>
        new(new JsonArray([.. groups.Select(group => (JsonNode)new JsonArray([.. group.Select(name => (JsonNode)name)]))]));

    private static IEnumerable<IOpenApiParameter> Parameters(ApiEndpoint row)
    {
        foreach (Match name in PathParameter().Matches(row.Path))
            yield return new OpenApiParameter { Name = name.Groups[1].Value, In = ParameterLocation.Path, Required = true, Schema = Text(), Example = Example(name.Groups[1].Value) };
        foreach (var field in row.Query)
            yield return new OpenApiParameter { Name = field.Name, In = ParameterLocation.Query, Required = field.Required, Schema = SchemaCatalogue.Of(field) };
        var odata = row.OData;
        if (odata.Filter.Count > 0) yield return Query("$filter", Text(), $"May name {string.Join(", ", odata.Filter)}.");
        if (odata.OrderBy.Count > 0) yield return Query("$orderby", Text(), $"May name {string.Join(", ", odata.OrderBy)}.");
        if (odata.Select) yield return Query("$select", Text(), odata.NotSelectable.Count == 0 ? "Properties to return." : $"Properties to return; not {string.Join(", ", odata.NotSelectable)}.");
        if (odata.Expand.Count > 0) yield return Query("$expand", Text(), $"May name {string.Join(", ", odata.Expand)}.");
        if (odata.Top is { } top) yield return Query("$top", Whole(1, top), $"Items to return, {top} at most.");
        if (odata.Skip) yield return Query("$skip", Whole(0, null), "Items to pass over.");
        if (odata.Count) yield return Query("$count", new OpenApiSchema { Type = JsonSchemaType.Boolean }, "Whether to tell how many items there are in all.");

        static OpenApiParameter Query(string name, OpenApiSchema schema, string description) =>
            new() { Name = name, In = ParameterLocation.Query, Schema = schema, Description = description };
    }

    private static OpenApiRequestBody? Body(ApiEndpoint row)
    {
        if (row.Body.Count == 0) return null;
        var schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = row.Body.ToDictionary(field => field.Name, SchemaCatalogue.Of),
            Required = row.Body.Where(field => field.Required).Select(field => field.Name).ToHashSet(),
        };
        var example = new JsonObject(row.Body.Where(field => field.Required).Select(field => KeyValuePair.Create(field.Name, SchemaCatalogue.Example(field))));
        return new OpenApiRequestBody
        {
            Required = row.Body.Any(field => field.Required),
            Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new OpenApiMediaType { Schema = schema, Example = example } },
        };
    }

    private OpenApiResponses Responses(ApiEndpoint row)
    {
        var responses = new OpenApiResponses { [$"{row.Success}"] = _schemas.Success(row) };
        foreach (var (status, text) in new[]
        {
            ("400", "The request is wrong."), ("401", "The token is missing or not good."), ("403", "The token lacks a permission."),
            ("404", "There is no such thing."), ("429", "Too many calls; Retry-After says when to come back."),
        })
        {
            responses[status] = new OpenApiResponse
            {
                Description = text,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(ErrorName, _document) },
                },
            };
        }

        return responses;
    }

    private static OpenApiSchema Error() => new()
    {
        Type = JsonSchemaType.Object,
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["error"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Properties = new Dictionary<string, IOpenApiSchema> { ["code"] = Text(), ["message"] = Text(), ["target"] = Text(), ["innerError"] = new OpenApiSchema { Type = JsonSchemaType.Object } },
                Required = new HashSet<string> { "code", "message" },
            },
        },
        Required = new HashSet<string> { "error" },
    };

    private static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };

    private static OpenApiSchema Whole(int least, int? most) => new()
    {
        Type = JsonSchemaType.Integer,
        Minimum = least.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Maximum = most?.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    private static JsonNode? Example(string parameter) => parameter switch
    {
        "ip" => "10.0.0.4",
        "domain" => "contoso.example",
        "timestamp" => "2026-11-20T08:00:00Z",
        "index" => "0",
        _ => null,
    };

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameter();

    [GeneratedRegex(@"\W+")]
    private static partial Regex NotWord();
}
