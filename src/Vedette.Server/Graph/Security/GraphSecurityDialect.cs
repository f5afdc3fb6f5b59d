using System.Text.RegularExpressions;
using Vedette.Server.Http;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Graph.Security;

/// <summary>How the security part of Microsoft Graph words what is the same on all of Graph.</summary>
internal sealed partial class GraphSecurityDialect : GraphDialect
{
    private const string AllMembers = "include-unknown-enum-members";
    private const string DeltaToken = "$deltatoken";

    /// <summary>The only instance.</summary>
    public static new GraphSecurityDialect Instance { get; } = new();

    /// <inheritdoc/>
    public override IReadOnlySet<string> Options { get; } = new HashSet<string>(GraphDialect.Instance.Options, StringComparer.OrdinalIgnoreCase) { DeltaToken };

    /// <inheritdoc/>
    public override bool KnowsAllMembers(HttpContext http) => http.Request.Headers["Prefer"]
        .SelectMany(value => (value ?? "").Split([',', ';'], StringSplitOptions.TrimEntries)).Contains(AllMembers, StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override void WriteHeaders(HttpContext http, Guid id)
    {
        base.WriteHeaders(http, id);
        if (KnowsAllMembers(http)) http.Response.Headers["Preference-Applied"] = AllMembers;
    }

    /// <inheritdoc/>
    public override void Weigh(ApiCall call, IDictionary<string, string> options)
    {
        base.Weigh(call, options);
        if (options.ContainsKey(DeltaToken) && !call.Endpoint.Path.EndsWith("/delta", StringComparison.Ordinal)) throw call.Refuse("UnsupportedOption", DeltaToken);

        // Members of enumerations may stand with the name of their type before them.
        if (options.TryGetValue("$filter", out var filter)) options["$filter"] = TypedMember().Replace(filter, "'");
    }

    /// <inheritdoc/>
    public override ApiError NotUsable(ApiCall call, string entity, string property, string option) => option switch
    {
        "$filter" => call.Error("ODataError", $"Invalid filter clause: The property '{property}' cannot be used in the $filter query option."),
        _ => call.Error("ODataError", $"The property '{property}' cannot be used in the {option} query option."),
    };

    /// <inheritdoc/>
    public override ApiError TooMany(ApiCall call, string option, int number, int most) => call.Error("OverLimit", most, option == "$top" ? "Top" : "Skip", number);

    /// <inheritdoc/>
    public override void Check(ApiCall call, ODataQuery query)
    {
    }

    [GeneratedRegex(@"(?<=^|[\s(,])microsoft\.graph\.(?:security\.)?\w+'", RegexOptions.IgnoreCase)]
    private static partial Regex TypedMember();
}
