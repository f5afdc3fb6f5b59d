using System.Text.Json;
using System.Text.Json.Serialization;

namespace Vedette.Server.Http;

/// <summary>
/// One call of a surface as its table tells it: where it is, who may make it, what OData it understands, how often, and what it answers.
/// The tables are JSON resources; routing, authorisation, quotas, OData, request bodies and the generated pages all read these rows.
/// Properties with a default are settable, because the generated reader would overwrite an init-only one with null when it is absent.
/// </summary>
internal sealed class ApiEndpoint
{
    /// <summary>A context that is the address of the call itself, as a few answers of the service have it.</summary>
    public const string RequestContext = "(request)";

    private string? _entity;

    /// <summary>Heading that the call stands under in the reference.</summary>
    public required string Group { get; init; }

    /// <summary>Title of the call in the reference.</summary>
    public required string Name { get; init; }

    /// <summary>HTTP verb.</summary>
    public required string Method { get; init; }

    /// <summary>Path template; <c>{name}</c> is a parameter, a segment with parentheses an OData function.</summary>
    public required string Path { get; init; }

    /// <summary>Surface that serves the call when it is not the one the table belongs to.</summary>
    public string? Surface { get; init; }

    /// <summary>Application id of the resource whose tokens the call takes; null means the surface's own.</summary>
    public Guid? Resource { get; init; }

    /// <summary>Application id of another resource whose tokens the call takes too.</summary>
    public Guid? OtherResource { get; init; }

    /// <summary>The surface's roots under which the call is; null for all.</summary>
    public IReadOnlyList<string>? Roots { get; init; }

    /// <summary>Application permissions: every group must be met by one of its members.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Application { get; set; } = [];

    /// <summary>Delegated permissions: every group must be met by one of its members.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Delegated { get; set; } = [];

    /// <summary>Portal permission that a signed-in user needs besides the scope; a bar stands between those of which one is enough.</summary>
    public string? UserRole { get; init; }

    /// <summary>True when a user only reaches devices of their device groups.</summary>
    public bool DeviceGroups { get; init; }

    /// <summary>OData abilities.</summary>
    [JsonPropertyName("odata")]
    public ODataAbilities OData { get; set; } = ODataAbilities.None;

    /// <summary>How often the call may be made.</summary>
    public CallLimits Limits { get; set; } = CallLimits.None;

    /// <summary>Items that one call may carry or return, when bounded.</summary>
    public int? MaxItems { get; init; }

    /// <summary>What follows <c>$metadata#</c> in the answer's context.</summary>
    public string? Context { get; init; }

    /// <summary>Plain query parameters.</summary>
    public IReadOnlyList<InputField> Query { get; set; } = [];

    /// <summary>Keys of the request body; their case matters.</summary>
    public IReadOnlyList<InputField> Body { get; set; } = [];

    /// <summary>True when the keys of the body are read without regard to case.</summary>
    public bool AnyCase { get; init; }

    /// <summary>Status of a successful answer.</summary>
    public int Success { get; set; } = 200;

    /// <summary>What a successful answer holds, in words.</summary>
    public string Returns { get; set; } = "";

    /// <summary>The entity that the call is about: the first word of <see cref="Returns"/> unless the row says otherwise.</summary>
    public string Entity
    {
        get => _entity ??= Returns.Split(' ')[0];
        set => _entity = value;
    }

    /// <summary>Why the call should not be used any more.</summary>
    public string? Deprecated { get; init; }

    /// <summary>Verb and path template: the key under which a surface registers its handler.</summary>
    [JsonIgnore]
    public string Key => $"{Method} {Path}";

    /// <summary>Reads a table from a resource of this assembly.</summary>
    internal static IReadOnlyList<ApiEndpoint> Load(string resource)
    {
        using var stream = typeof(ApiEndpoint).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The endpoint table {resource} is missing from the assembly.");
        return JsonSerializer.Deserialize(stream, HttpJson.Default.ApiEndpointArray)!;
    }
}

/// <summary>What a call understands of OData, per property.</summary>
internal sealed record ODataAbilities
{
    /// <summary>No OData at all.</summary>
    public static ODataAbilities None { get; } = new();

    /// <summary>Properties that <c>$filter</c> may name.</summary>
    public IReadOnlyList<string> Filter { get; set; } = [];

    /// <summary>Properties that <c>$orderby</c> may name.</summary>
    public IReadOnlyList<string> OrderBy { get; set; } = [];

    /// <summary>Properties that <c>$expand</c> may name.</summary>
    public IReadOnlyList<string> Expand { get; set; } = [];

    /// <summary>True when <c>$select</c> is understood.</summary>
    public bool Select { get; init; }

    /// <summary>Properties that <c>$select</c> may not name although they are returned.</summary>
    public IReadOnlyList<string> NotSelectable { get; set; } = [];

    /// <summary>True when <c>$count=true</c> is understood.</summary>
    public bool Count { get; init; }

    /// <summary>True when <c>$skip</c> is understood.</summary>
    public bool Skip { get; init; }

    /// <summary>Largest <c>$top</c>, which is also the largest page; null when <c>$top</c> is not understood.</summary>
    public int? Top { get; init; }

    /// <summary>True when a larger <c>$top</c> is cut to <see cref="Top"/> instead of refused.</summary>
    public bool ClampTop { get; init; }

    /// <summary>Largest <c>$skip</c>, when bounded.</summary>
    public int? MaxSkip { get; init; }

    /// <summary>Items of a page when <c>$top</c> does not say; null for as many as <see cref="Top"/>.</summary>
    public int? Page { get; init; }

    /// <summary>True when counts, searches and some operators need the header <c>ConsistencyLevel: eventual</c>.</summary>
    public bool Eventual { get; init; }

    /// <summary>Properties that <c>$search</c> looks into.</summary>
    public IReadOnlyList<string> Search { get; set; } = [];

    /// <summary>True when any of it is understood.</summary>
    [JsonIgnore]
    public bool Any => Filter.Count > 0 || OrderBy.Count > 0 || Expand.Count > 0 || Select || Count || Skip || Top is not null || Search.Count > 0;
}

/// <summary>How often a call may be made by one application in one tenant.</summary>
internal sealed record CallLimits
{
    /// <summary>No limit.</summary>
    public static CallLimits None { get; } = new();

    /// <summary>Calls a minute.</summary>
    public int? PerMinute { get; init; }

    /// <summary>Calls an hour.</summary>
    public int? PerHour { get; init; }

    /// <summary>True when all applications of a tenant share the limit.</summary>
    public bool PerTenant { get; init; }
}

/// <summary>A key of a request body or a query parameter.</summary>
internal sealed record InputField
{
    /// <summary>Exact name.</summary>
    public required string Name { get; init; }

    /// <summary>String, Strings, Boolean, Int32, DateTimeOffset, Object, Array or Any.</summary>
    public required string Type { get; init; }

    /// <summary>True when the call fails without it.</summary>
    public bool Required { get; init; }

    /// <summary>True when an explicit null is taken.</summary>
    public bool Nullable { get; init; }

    /// <summary>The only values allowed, when bounded.</summary>
    public IReadOnlyList<string>? Values { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ApiEndpoint[]))]
[JsonSerializable(typeof(ErrorTemplate[]))]
internal sealed partial class HttpJson : JsonSerializerContext;
