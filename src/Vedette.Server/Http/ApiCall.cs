using System.Collections.Frozen;
using Vedette.Identity.Tokens;
using Vedette.Server.Http.OData;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Http;

/// <summary>Everything known about one request; each step of the pipeline adds its part.</summary>
internal sealed class ApiCall(HttpContext http, ApiSurface surface, ApiEndpoint endpoint, ApiHandler handler, RouteMatch route, Guid id)
{
    /// <summary>The request and its answer.</summary>
    public HttpContext Http { get; } = http;

    /// <summary>The surface that was called.</summary>
    public ApiSurface Surface { get; } = surface;

    /// <summary>The row of its table.</summary>
    public ApiEndpoint Endpoint { get; } = endpoint;

    /// <summary>What answers the row.</summary>
    public ApiHandler Handler { get; } = handler;

    /// <summary>Path parameters by name.</summary>
    public RouteMatch Route { get; } = route;

    /// <summary>Identifies the request in error answers (<c>target</c>) and in the log.</summary>
    public Guid Id { get; } = id;

    /// <summary>Scheme, host and prefix as the client wrote them, without a closing slash: what contexts and next links start with.</summary>
    public string ServiceRoot { get; set; } = "";

    /// <summary>Path of the collection under <see cref="ServiceRoot"/> as the client wrote it.</summary>
    public string RelativePath { get; set; } = "";

    /// <summary>Who calls; set by the authenticate step.</summary>
    public ApiCaller Caller { get; set; } = null!;

    /// <summary>The OData options; set by the parse OData step.</summary>
    public ODataQuery Query { get; set; } = ODataQuery.Empty;

    /// <summary>The request body; set by the read body step when the row has one.</summary>
    public RequestBody Body { get; set; } = RequestBody.Empty;

    /// <summary>Status of a successful answer when it is not the row's.</summary>
    public int? Status { get; set; }

    /// <summary>The handler's answer.</summary>
    public ApiResult? Result { get; set; }

    /// <summary>Signals that the client went away.</summary>
    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>An error of the surface's catalogue.</summary>
    public ApiError Error(string name, params ReadOnlySpan<object?> particulars) => Surface.Errors.Of(name, particulars);

    /// <summary>An error of the surface's catalogue, to be thrown.</summary>
    public ApiException Refuse(string name, params ReadOnlySpan<object?> particulars) => new(Surface.Errors.Of(name, particulars));
}

/// <summary>Who makes a call, as the access token tells it.</summary>
internal sealed class ApiCaller(AccessToken token)
{
    /// <summary>Tenant acted on.</summary>
    public Guid TenantId => token.TenantId;

    /// <summary>The calling application.</summary>
    public Guid ApplicationId => token.ClientId;

    /// <summary>Object id of the signed-in user or of the application's service principal.</summary>
    public Guid ObjectId => token.ObjectId;

    /// <summary>True in user context.</summary>
    public bool IsUser => !token.IsAppOnly;

    /// <summary>Application roles, or the scopes of a delegated token. Names are looked up ignoring case.</summary>
    public FrozenSet<string> Permissions => token.IsAppOnly ? token.Roles : token.Scopes;

    /// <summary>The verified token.</summary>
    public AccessToken Token => token;

    /// <summary>What a user may do and see; set by the resolve user step in user context.</summary>
    public UserAccess? Access { get; set; }

    /// <summary>Permissions that the user's roles give; null means all (applications, and surfaces without roles).</summary>
    public IReadOnlySet<string>? UserRoles => Access?.Roles;

    /// <summary>Device groups that the user may see; null means all.</summary>
    public IReadOnlyList<int>? DeviceGroups => Access?.DeviceGroups;

    /// <summary>Who did it, as records show it: the user's principal name, else the application's name when the token has it, else its id.</summary>
    public string Requestor => (token.IsAppOnly ? token.DisplayName : token.UserPrincipalName) ?? token.ClientId.ToString();
}
