using System.Text.Json;
using Vedette.Identity.Tokens;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Http;

/// <summary>How a surface words what is the same on all: headers, error envelopes, OData options and pages. This one is the Defender APIs'.</summary>
internal class SurfaceDialect
{
    private static readonly HashSet<string> DefenderOptions = new(StringComparer.OrdinalIgnoreCase)
    {
        "$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count",
    };

    /// <summary>The dialect of the Endpoint and Threat Protection APIs.</summary>
    public static SurfaceDialect Defender { get; } = new();

    /// <summary>Content type of OData answers.</summary>
    public virtual string ODataType => "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8";

    /// <summary>Content type of bare numbers.</summary>
    public virtual string NumberType => "text/plain; odata.metadata=minimal; odata.streaming=true; charset=utf-8";

    /// <summary>True when pages are told apart by an opaque <c>$skiptoken</c> and follow each other with <c>$top</c> too.</summary>
    public virtual bool PagesByToken => false;

    /// <summary>OData options that are understood; others that begin with <c>$</c> are refused.</summary>
    public virtual IReadOnlySet<string> Options => DefenderOptions;

    /// <summary>Whether the caller knows the members that enumerations got later.</summary>
    public virtual bool KnowsAllMembers(HttpContext http) => true;

    /// <summary>What stands before the OData layer's words about a filter that cannot be read.</summary>
    public virtual string FilterFault => "";

    /// <summary>Writes the headers that every answer of the surface carries.</summary>
    public virtual void WriteHeaders(HttpContext http, Guid id)
    {
    }

    /// <summary>Writes the body of an error answer.</summary>
    public virtual void WriteError(Utf8JsonWriter json, HttpContext http, Guid id, ApiError error, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("code"u8, error.Template.Code);
        json.WriteString("message"u8, error.Message);
        if (error.Template.Details)
        {
            json.WriteStartArray("details"u8);
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("target"u8, id);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Name of the catalogue's entry for a token that was refused.</summary>
    public virtual string TokenError(AccessTokenFailure failure) => "Unauthorized";

    /// <summary>The answer for a path that no row has; null for 404 without a body.</summary>
    public virtual ApiError? NoSuchPath(ApiSurface surface, string segment) => null;

    /// <summary>The answer for another verb than a path's rows have; null for 405 without a body.</summary>
    public virtual ApiError? NoSuchVerb(ApiSurface surface) => null;

    /// <summary>Decides, before they are read, which of the options given count; may refuse some.</summary>
    public virtual void Weigh(ApiCall call, IDictionary<string, string> options)
    {
    }

    /// <summary>The error for a property that an option may not name.</summary>
    public virtual ApiError NotUsable(ApiCall call, string entity, string property, string option) =>
        call.Error("ODataError", $"The property '{property}' cannot be used in the {option} query option.");

    /// <summary>The error for a number that is more than <c>$top</c> takes.</summary>
    public virtual ApiError TooMany(ApiCall call, string option, int number, int most) => call.Error(
        "ODataError", $"The limit of '{most}' for {(option == "$top" ? "Top" : "Skip")} query has been exceeded. The value from the incoming request is '{number}'.");

    /// <summary>Checks options that were parsed; may refuse them.</summary>
    public virtual void Check(ApiCall call, ODataQuery query)
    {
    }
}
