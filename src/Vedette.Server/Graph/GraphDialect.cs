using System.Globalization;
using System.Text.Json;
using Microsoft.OData.UriParser;
using Vedette.Identity.Tokens;
using Vedette.Server.Http;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Graph;

/// <summary>How Microsoft Graph words headers, errors, OData options and pages.</summary>
internal class GraphDialect : SurfaceDialect
{
    private static readonly HashSet<string> GraphOptions = new(StringComparer.OrdinalIgnoreCase)
    {
        "$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count", "$search", "$skiptoken", "$format",
    };

    private const string Advanced =
        "Operator '{0}' is not supported because the required parameters might be missing or invalid. Please refer to https://aka.ms/graph-docs/advanced-queries for more information";

    /// <summary>The only instance.</summary>
    public static GraphDialect Instance { get; } = new();

    /// <inheritdoc/>
    public override string ODataType => "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

    /// <inheritdoc/>
    public override string NumberType => "text/plain;charset=utf-8";

    /// <inheritdoc/>
    public override bool PagesByToken => true;

    /// <inheritdoc/>
    public override IReadOnlySet<string> Options => GraphOptions;

    /// <inheritdoc/>
    public override string FilterFault => "Invalid filter clause: ";

    /// <summary>True when the caller asked for queries over eventually consistent data, which understand more.</summary>
    public static bool IsEventual(HttpContext http) => string.Equals(http.Request.Headers["ConsistencyLevel"], "eventual", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override void WriteHeaders(HttpContext http, Guid id)
    {
        var headers = http.Response.Headers;
        headers["request-id"] = id.ToString();
        headers["client-request-id"] = ClientId(http, id);
        headers.CacheControl = "no-cache";
    }

    /// <inheritdoc/>
    public override void WriteError(Utf8JsonWriter json, HttpContext http, Guid id, ApiError error, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("code"u8, error.Template.Code);
        json.WriteString("message"u8, error.Message);
        json.WriteStartObject("innerError"u8);
        json.WriteString("date"u8, now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture));
        json.WriteString("request-id"u8, id);
        json.WriteString("client-request-id"u8, ClientId(http, id));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public override string TokenError(AccessTokenFailure failure) => failure switch
    {
        AccessTokenFailure.Missing => "TokenMissing",
        AccessTokenFailure.Malformed => "TokenMalformed",
        AccessTokenFailure.Expired => "TokenExpired",
        AccessTokenFailure.NotYetValid => "TokenNotYetValid",
        _ => "Unauthorized",
    };

    /// <inheritdoc/>
    public override ApiError NoSuchPath(ApiSurface surface, string segment) => surface.Errors.Of("SegmentNotFound", segment);

    /// <inheritdoc/>
    public override ApiError NoSuchVerb(ApiSurface surface) => surface.Errors.Of("MethodNotAllowed");

    /// <inheritdoc/>
    public override void Weigh(ApiCall call, IDictionary<string, string> options)
    {
        var abilities = call.Endpoint.OData;
        if (options.ContainsKey("$skip") && !abilities.Skip) throw call.Refuse("BadRequest", "'$skip' is not supported by the service.");
        if (!abilities.Eventual || IsEventual(call.Http)) return;

        // Without the header a count is passed over, not refused.
        options.Remove("$count");
        if (options.ContainsKey("$search"))
            throw call.Refuse("UnsupportedQuery", "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'");
    }

    /// <inheritdoc/>
    public override ApiError NotUsable(ApiCall call, string entity, string property, string option)
    {
        var resource = char.ToUpperInvariant(entity[0]) + entity[1..];
        return option switch
        {
            "$filter" => call.Error("UnsupportedQuery", $"Unsupported or invalid query filter clause specified for property '{property}' of resource '{resource}'."),
            "$orderby" => call.Error("UnsupportedQuery", $"Unsupported sort property '{property}' for '{resource}'."),
            "$search" => call.Error("UnsupportedQuery", $"Unrecognized or unsupported property '{property}' in the $search clause for '{resource}'."),
            _ => call.Error("ODataError", $"The property '{property}' cannot be used in the {option} query option."),
        };
    }

    /// <inheritdoc/>
    public override ApiError TooMany(ApiCall call, string option, int number, int most) =>
        call.Error("BadRequest", $"Invalid page size specified: '{number}'. Must be between 1 and {most} inclusive.");

    /// <inheritdoc/>
    public override void Check(ApiCall call, ODataQuery query)
    {
        var abilities = call.Endpoint.OData;
        if (query.Top == 0) throw new ApiException(TooMany(call, "$top", 0, abilities.Top ?? 0));
        if (!abilities.Eventual) return;
        var advanced = IsEventual(call.Http) && (query.Count || call.Route.CountOnly);
        foreach (var operation in Operations(query.Filter))
        {
            if (operation == "contains") throw call.Refuse("UnsupportedQuery", "Filter operator 'Contains' is not supported.");
            if (!advanced && operation is "NotEqual" or "Not" or "endswith") throw call.Refuse("UnsupportedQuery", string.Format(CultureInfo.InvariantCulture, Advanced, operation));
        }

        if (!advanced && query is { Filter: not null, OrderBy.Count: > 0 }) throw call.Refuse("UnsupportedQuery", "Sorting not supported for current query.");
    }

    private static IEnumerable<string> Operations(QueryNode? node) => node switch
    {
        BinaryOperatorNode binary => Operations(binary.Left).Concat(Operations(binary.Right)).Append(binary.OperatorKind.ToString()),
        UnaryOperatorNode unary => Operations(unary.Operand).Append(unary.OperatorKind.ToString()),
        ConvertNode convert => Operations(convert.Source),
        LambdaNode lambda => Operations(lambda.Body),
        SingleValueFunctionCallNode function => function.Parameters.SelectMany(Operations).Append(function.Name),
        _ => [],
    };

    // The client's own id comes back when it is one; anything else could smuggle text into headers.
    private static string ClientId(HttpContext http, Guid id) =>
        Guid.TryParse(http.Request.Headers["client-request-id"].ToString(), out var own) ? own.ToString() : id.ToString();
}
