using System.Collections.Frozen;
using System.Globalization;
using Vedette.Identity.Directory;
using Vedette.Identity.Tokens;

namespace Vedette.Identity.Protocol;

/// <summary>The token endpoint of both versions.</summary>
public sealed class TokenEndpoint
{
    /// <summary>The way of a token request. Each step returns an error, which ends the way, or null.</summary>
    private (string Name, Func<TokenContext, CancellationToken, ValueTask<ProtocolError?>> Run)[] Steps =>
    [
        ("check the method and the form", Do(CheckForm)),
        ("find the tenant", Do(FindTenant)),
        ("choose the grant", Do(ChooseGrant)),
        ("read the client's credentials", Do(ReadCredentials)),
        ("check the tenant for the grant", Do(context => context.Grant.CheckTenant(context.Segment.Alias))),
        ("find the client", Do(FindClient)),
        ("authenticate the client", Do(_authentication.Authenticate)),
        ("run the grant", (context, cancellationToken) => context.Grant.ExecuteAsync(context, cancellationToken)),
    ];

    private readonly DirectoryStore _directory;
    private readonly IAuditSink _audit;
    private readonly TimeProvider _clock;
    private readonly ClientAuthentication _authentication;
    private readonly FrozenDictionary<string, IGrant> _grants;
    private readonly (string Name, Func<TokenContext, CancellationToken, ValueTask<ProtocolError?>> Run)[] _steps;

    /// <summary>Makes the endpoint with the grants it offers.</summary>
    public TokenEndpoint(DirectoryStore directory, ClientAuthentication authentication, IEnumerable<IGrant> grants, IAuditSink audit, TimeProvider clock)
    {
        _directory = directory;
        _authentication = authentication;
        _audit = audit;
        _clock = clock;
        _grants = grants.SelectMany(grant => grant.Names.Select(name => (name, grant))).ToFrozenDictionary(pair => pair.name, pair => pair.grant, StringComparer.Ordinal);
        _steps = Steps;
    }

    /// <summary>Answers one request.</summary>
    public async ValueTask<AuthorityAnswer> HandleAsync(AuthorityCall call, CancellationToken cancellationToken = default)
    {
        var context = new TokenContext(call, _directory.Current, _clock.GetUtcNow());
        foreach (var (_, run) in _steps)
        {
            if (await run(context, cancellationToken) is not { } error) continue;
            Record(context, error);
            return AuthorityAnswer.Refusal(error, call, context.Now);
        }

        Record(context, null);
        return Success(context);
    }

    private static ProtocolError? CheckForm(TokenContext context)
    {
        var call = context.Call;
        if (call.FormIsMalformed) return ErrorCatalogue.CreateVariant(9002313, "request");

        // Old clients send the form as the body of a GET request; a GET without a form is somebody's browser.
        if (call.Method != "POST" && (call.Method != "GET" || call.Form.Count == 0)) return ErrorCatalogue.CreateVariant(900561, "token", "POST", call.Method);
        return null;
    }

    private static ProtocolError? FindTenant(TokenContext context)
    {
        var error = TenantSegment.Resolve(context.Call.TenantSegment, context.Directory, out var segment);
        context.Segment = segment;
        return error;
    }

    private ProtocolError? ChooseGrant(TokenContext context)
    {
        var call = context.Call;
        if (call.Field("grant_type") is not { } name) return ErrorCatalogue.Create(900144, "grant_type");
        if (!_grants.TryGetValue(name, out var grant)) return ErrorCatalogue.Create(70003, name);
        context.Grant = grant;
        return call.Version == 2 && call.Field("resource") is not null ? ErrorCatalogue.Create(901002) : null;
    }

    private static ProtocolError? ReadCredentials(TokenContext context)
    {
        var error = ClientCredentials.Read(context.Call, out var credentials);
        context.Credentials = credentials;
        return error;
    }

    private static ProtocolError? FindClient(TokenContext context)
    {
        var error = ClientLookup.Find(context.Directory, context.Segment, context.Call.TenantSegment, context.Credentials.ClientId, out var client, out var principal);
        if (error is not null) return error;
        context.Client = client!;
        if (principal is not null) context.Principal = principal;
        return null;
    }

    private static AuthorityAnswer Success(TokenContext context)
    {
        var result = context.Result ?? throw new InvalidOperationException("The grant gave neither a token nor an error.");
        var lifetime = (long)(result.Expires - context.Now).TotalSeconds - 1;
        return AuthorityAnswer.Json(
            200,
            json =>
            {
                json.WriteString("token_type", "Bearer");
                if (context.Call.Version == 2)
                {
                    if (result.Scope is not null) json.WriteString("scope", result.Scope);
                    json.WriteNumber("expires_in", lifetime);
                    json.WriteNumber("ext_expires_in", lifetime);
                }
                else
                {
                    // v1 writes every number as a string.
                    if (result.Scope is not null) json.WriteString("scope", result.Scope);
                    json.WriteString("expires_in", lifetime.ToString(CultureInfo.InvariantCulture));
                    json.WriteString("ext_expires_in", lifetime.ToString(CultureInfo.InvariantCulture));
                    json.WriteString("expires_on", result.Expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
                    json.WriteString("not_before", result.NotBefore.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
                    json.WriteString("resource", result.Resource);
                }

                json.WriteString("access_token", result.AccessToken);
                if (result.RefreshToken is not null) json.WriteString("refresh_token", result.RefreshToken);
                if (result.IdToken is not null) json.WriteString("id_token", result.IdToken);
                if (result.ClientInfo is not null) json.WriteString("client_info", result.ClientInfo);
            });
    }

    private void Record(TokenContext context, ProtocolError? error)
    {
        var detail = new Dictionary<string, string>(4) { ["grant"] = context.Grant?.Names[0] ?? "", ["traceId"] = context.Call.TraceId.ToString() };
        if (error is not null)
        {
            detail["error"] = "AADSTS" + error.Number.ToString(CultureInfo.InvariantCulture);
            detail["text"] = error.Text.Length > 500 ? error.Text[..500] : error.Text;
            detail["correlationId"] = context.Call.CorrelationId.ToString();
        }

        if (context.Call.RemoteAddress is { } address) detail["address"] = address;
        var client = context.Credentials?.ClientId ?? "";
        _audit.Record(new AuditEvent(
            context.Now, "Issue token", context.Segment.Tenant?.Id, client.Length > 64 ? client[..64] : client, context.Result?.Resource ?? "", error is null, detail));
    }

    private static Func<TokenContext, CancellationToken, ValueTask<ProtocolError?>> Do(Func<TokenContext, ProtocolError?> step) => (context, _) => new(step(context));
}
