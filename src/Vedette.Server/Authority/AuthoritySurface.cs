using System.Collections.Frozen;
using Npgsql;
using Vedette.Identity.Protocol;

namespace Vedette.Server.Authority;

/// <summary>The authority's HTTP surface: paths below a tenant segment, matched ignoring case and doubled slashes.</summary>
internal static class AuthoritySurface
{
    /// <summary>Every address of the authority. The key is the path after the tenant segment; a star takes one more segment.</summary>
    private static readonly FrozenDictionary<string, Route> Routes = new Dictionary<string, Route>
    {
        ["oauth2/v2.0/token"] = new(2, Token, Shared: true),
        ["oauth2/token"] = new(1, Token, Shared: true),
        ["oauth2/v2.0/devicecode"] = new(2, DeviceCode),
        ["oauth2/devicecode"] = new(1, DeviceCode),
        ["oauth2/v2.0/authorize"] = new(2, SignInPages.AuthorizeAsync),
        ["oauth2/authorize"] = new(1, SignInPages.AuthorizeAsync),
        ["oauth2/deviceauth"] = new(2, SignInPages.DeviceAsync),
        ["oauth2/v2.0/logout"] = new(2, SignInPages.SignOutAsync),
        ["oauth2/logout"] = new(1, SignInPages.SignOutAsync),
        ["oauth2/checksession"] = new(1, SignInPages.CheckSessionAsync),
        ["oauth2/nativeclient"] = new(1, SignInPages.NativeClientAsync),
        ["adminconsent"] = new(1, SignInPages.AdminConsentAsync),
        ["v2.0/adminconsent"] = new(2, SignInPages.AdminConsentAsync),
        ["openid/userinfo"] = new(1, UserInfo, Shared: true),
        ["login"] = new(2, SignInPages.SignInAsync, OnlyCommon: true),
        ["mfa"] = new(2, SignInPages.SecondFactorAsync, OnlyCommon: true),
        ["consent"] = new(2, SignInPages.ConsentAsync, OnlyCommon: true),
        ["v2.0/.well-known/openid-configuration"] = new(2, Documents((documents, call, _) => documents.OpenIdConfiguration(call)), Shared: true),
        [".well-known/openid-configuration"] = new(1, Documents((documents, call, _) => documents.OpenIdConfiguration(call)), Shared: true),
        ["discovery/v2.0/keys"] = new(2, Documents((documents, call, _) => documents.KeySet(call)), Shared: true),
        ["discovery/keys"] = new(1, Documents((documents, call, _) => documents.KeySet(call)), Shared: true),
        ["discovery/instance"] = new(2, Documents(InstanceDiscovery), Shared: true),
        ["userrealm/*"] = new(2, Documents((documents, call, request) => documents.UserRealm(call, request.LastSegment)), Shared: true),
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Serves the authority. Requests for other paths go on to whatever was mapped besides.</summary>
    public static WebApplication MapAuthority(this WebApplication app)
    {
        app.Use(next => context =>
        {
            var segments = (context.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
            if (segments is ["error"]) return ErrorPage.WriteAsync(context);
            if (segments.Length == 2 && IsGraphUserInfo(segments)) return UserInfo(new AuthorityRequest(context, "common", 2, segments[1]));
            if (Find(segments, out var tenant, out var last) is not { } route) return next(context);
            var request = new AuthorityRequest(context, tenant, route.Version, last);
            return route.Shared && CrossOrigin.IsPreflight(context.Request) ? CrossOrigin.AnswerPreflight(context) : HandleAsync(route, request);
        });
        return app;
    }

    // A directory that is out of reach for a moment is no fault of the request: clients know to come back.
    private static async Task HandleAsync(Route route, AuthorityRequest request)
    {
        try
        {
            await route.Handle(request);
        }
        catch (Exception exception) when (exception is NpgsqlException { IsTransient: true } or TimeoutException && !request.Context.Response.HasStarted)
        {
            request.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(AuthoritySurface).FullName!).LogError(exception, "The directory could not be reached");
            var call = await request.ReadAsync(withForm: false);
            var error = ErrorCatalogue.Create(90033) with { RetryAfter = 5 };
            await request.WriteAsync(AuthorityAnswer.Refusal(error, call, request.Services.GetRequiredService<TimeProvider>().GetUtcNow()), call, AnswerKind.Token);
        }
    }

    private static Route? Find(string[] segments, out string tenant, out string last)
    {
        tenant = last = "";
        if (segments.Length is < 2 or > 5) return null;
        last = segments[^1];
        tenant = segments[0];
        if (Routes.TryGetValue(string.Join('/', segments, 1, segments.Length - 1), out var route))
            return !route.OnlyCommon || string.Equals(tenant, "common", StringComparison.OrdinalIgnoreCase) ? route : null;
        if (segments.Length == 3 && Routes.TryGetValue(segments[1] + "/*", out route)) return route;

        // The tenant is missing altogether: the endpoint is meant all the same, and says what is wrong.
        tenant = "";
        return Routes.TryGetValue(string.Join('/', segments), out route) ? route : null;
    }

    private static async Task Token(AuthorityRequest request)
    {
        var call = await request.ReadAsync(withForm: true);
        var answer = await request.Services.GetRequiredService<TokenEndpoint>().HandleAsync(call, request.Aborted);
        await request.WriteAsync(answer, call, AnswerKind.Token);
    }

    private static async Task UserInfo(AuthorityRequest request)
    {
        if (CrossOrigin.IsPreflight(request.Context.Request))
        {
            await CrossOrigin.AnswerPreflight(request.Context);
            return;
        }

        var call = await request.ReadAsync(withForm: false);
        var answer = call.Method is "GET" or "POST"
            ? await request.Services.GetRequiredService<UserInfoEndpoint>().HandleAsync(call, request.Aborted)
            : AuthorityAnswer.Refusal(ErrorCatalogue.Create(900561, "GET", call.Method), call, request.Services.GetRequiredService<TimeProvider>().GetUtcNow());
        await request.WriteAsync(answer, call, AnswerKind.Token);
    }

    // Graph's place for it, which has no tenant before it.
    private static bool IsGraphUserInfo(string[] segments) =>
        string.Equals(segments[0], "oidc", StringComparison.OrdinalIgnoreCase) && string.Equals(segments[1], "userinfo", StringComparison.OrdinalIgnoreCase);

    private static async Task DeviceCode(AuthorityRequest request)
    {
        var call = await request.ReadAsync(withForm: true, orQuery: true);
        var answer = await request.Services.GetRequiredService<DeviceCodeEndpoint>().HandleAsync(call, request.Aborted);
        await request.WriteAsync(answer, call, AnswerKind.Private);
    }

    private static Func<AuthorityRequest, Task> Documents(Func<MetadataDocuments, AuthorityCall, AuthorityRequest, AuthorityAnswer> handle) => async request =>
    {
        var call = await request.ReadAsync(withForm: false);
        var answer = call.Method is "GET" or "HEAD"
            ? handle(request.Services.GetRequiredService<MetadataDocuments>(), call, request)
            : AuthorityAnswer.Refusal(ErrorCatalogue.Create(900561, "GET", call.Method), call, request.Services.GetRequiredService<TimeProvider>().GetUtcNow());
        await request.WriteAsync(answer, call, AnswerKind.Document);
    };

    private static AuthorityAnswer InstanceDiscovery(MetadataDocuments documents, AuthorityCall call, AuthorityRequest request) =>
        documents.InstanceDiscovery(call, request.Query("api-version"), request.Query("authorization_endpoint"));

    /// <param name="Version">1 or 2: which generation of endpoints the address belongs to.</param>
    /// <param name="Handle">Answers a request.</param>
    /// <param name="OnlyCommon">True for our own pages, which have one address only.</param>
    /// <param name="Shared">True when pages of other origins may read the answers.</param>
    private sealed record Route(int Version, Func<AuthorityRequest, Task> Handle, bool OnlyCommon = false, bool Shared = false);
}
