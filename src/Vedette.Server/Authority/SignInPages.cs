using Microsoft.Net.Http.Headers;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.SignIn;

namespace Vedette.Server.Authority;

/// <summary>The pages that a person sees: what each address does, the session cookie, and the way back to the client.</summary>
internal static class SignInPages
{
    private const string SessionCookie = "vedette_session";
    private const string SessionStateCookie = "vedette_session_state";

    /// <summary>The authorize endpoint.</summary>
    public static async Task AuthorizeAsync(AuthorityRequest request)
    {
        var call = await request.ReadAsync(withForm: true, orQuery: true);
        await ShowAsync(request, call, await SignIn(request).AuthorizeAsync(call, Session(request), request.Aborted));
    }

    /// <summary>The admin consent endpoint of both generations.</summary>
    public static async Task AdminConsentAsync(AuthorityRequest request)
    {
        var call = await request.ReadAsync(withForm: true, orQuery: true);
        await ShowAsync(request, call, await SignIn(request).AdminConsentAsync(call, Session(request), request.Aborted));
    }

    /// <summary>The page where a device's code is entered.</summary>
    public static async Task DeviceAsync(AuthorityRequest request)
    {
        var call = await request.ReadAsync(withForm: true, orQuery: true);
        if ((call.Field("user_code") ?? call.Field("otc")) is not { } code)
        {
            await PageLayout.WriteAsync(request.Context, Page.DeviceCode(null));
            return;
        }

        if (call.Method == "POST" && IsCrossSite(request)) await RefuseCrossSiteAsync(request, call);
        else if (call.Method != "POST") await PageLayout.WriteAsync(request.Context, Page.DeviceCode(null, code));
        else if (await SignIn(request).DeviceAsync(code, Session(request), request.Aborted) is { } step) await ShowAsync(request, call, step);
        else await PageLayout.WriteAsync(request.Context, Page.DeviceCode("That code didn't work. Check the code and try again.", code), StatusCodes.Status400BadRequest);
    }

    /// <summary>Takes the sign-in form.</summary>
    public static async Task SignInAsync(AuthorityRequest request)
    {
        if (await OpenFormAsync(request) is not var (call, interaction)) return;

        // Somebody who is signed in already, but is not the one who is needed.
        if (call.Field("switch") is not null)
        {
            await ShowAsync(request, call, SignIn(request).AskAgain(interaction));
            return;
        }

        var (step, session) = await SignIn(request).SignInAsync(interaction, call.Field("loginfmt") ?? "", call.Field("passwd") ?? "", call.RemoteAddress, request.Aborted);
        if (session is not null) SetSession(request, session);
        await ShowAsync(request, call, step);
    }

    /// <summary>Takes the form with the code of an authenticator app.</summary>
    public static async Task SecondFactorAsync(AuthorityRequest request)
    {
        if (await OpenFormAsync(request) is not var (call, interaction)) return;

        var (step, session) = await SignIn(request).SecondFactorAsync(interaction, call.Field("otc") ?? "", request.Aborted);
        if (session is not null) SetSession(request, session);
        await ShowAsync(request, call, step);
    }

    // A form of our own pages, sent by them, and the sign-in that it belongs to. Null when it is something else and has been answered.
    private static async Task<(AuthorityCall Call, Interaction Interaction)?> OpenFormAsync(AuthorityRequest request)
    {
        var call = await request.ReadAsync(withForm: true);
        if (call.Method != "POST" || IsCrossSite(request))
        {
            await RefuseCrossSiteAsync(request, call);
            return null;
        }

        if (SignIn(request).Unprotect(call.Field("ctx")) is { } interaction) return (call, interaction);
        await PageLayout.WriteAsync(request.Context, Page.TooOld(), StatusCodes.Status400BadRequest);
        return null;
    }

    /// <summary>Takes the consent form.</summary>
    public static async Task ConsentAsync(AuthorityRequest request)
    {
        if (await OpenFormAsync(request) is not var (call, interaction)) return;

        var accepted = call.Field("answer") == "accept";
        await ShowAsync(request, call, await SignIn(request).ConsentAsync(interaction, Session(request), accepted, call.Field("organisation") is not null, request.Aborted));
    }

    /// <summary>Signs the browser out, and sends it on where the application asked, if that is one of its reply addresses.</summary>
    public static async Task SignOutAsync(AuthorityRequest request)
    {
        var call = await request.ReadAsync(withForm: false);
        var listeners = await SignIn(request).SignOutAsync(Session(request), call.Authority, request.Aborted);
        request.Context.Response.Cookies.Delete(SessionCookie, Cookie(request));
        request.Context.Response.Cookies.Delete(SessionStateCookie, StateCookie(request));
        var asked = request.Query("post_logout_redirect_uri");
        var known = asked is not null && request.Services.GetRequiredService<DirectoryStore>().Current.Applications
            .Any(application => application.RedirectUris.Any(redirect => redirect.Uri == asked));
        var target = !known ? null : request.Query("state") is { } state ? Join(asked!, '?', [new("state", state)]) : asked;
        if (listeners.Count > 0)
        {
            var origins = listeners.Select(address => new Uri(address).GetLeftPart(UriPartial.Authority)).Distinct(StringComparer.OrdinalIgnoreCase);
            await PageLayout.WriteWithFramesAsync(request.Context, Page.SignedOut(listeners, target), origins);
        }
        else if (target is null) await PageLayout.WriteAsync(request.Context, Page.SignedOut([], null));
        else request.Context.Response.Redirect(target);
    }

    /// <summary>The page that an application holds in a frame, to ask whether its user's session is still the one it knows (OpenID Connect Session Management).</summary>
    public static Task CheckSessionAsync(AuthorityRequest request) => PageLayout.WriteSessionFrameAsync(request.Context, SessionStateCookie);

    /// <summary>The blank page on which native applications end their sign-in.</summary>
    public static Task NativeClientAsync(AuthorityRequest request) => PageLayout.WriteAsync(request.Context, Page.Message("Sign-in finished", "You can close this window."));

    private static Task ShowAsync(AuthorityRequest request, AuthorityCall call, InteractionStep step)
    {
        var context = request.Context;
        switch (step)
        {
            case InteractionStep.Fail fail:
                Record(request, call, fail.Error);
                return PageLayout.WriteAsync(context, Page.Failure(fail.Error, call), fail.Error.Status == 302 ? StatusCodes.Status400BadRequest : fail.Error.Status);
            case InteractionStep.AskSignIn ask:
                if (ask.Error?.RetryAfter is { } seconds) context.Response.Headers[HeaderNames.RetryAfter] = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
                return PageLayout.WriteAsync(
                    context, Page.SignIn(SignIn(request).Protect(ask.Interaction), ask.Client.DisplayName, ask.UserName, ask.Error),
                    ask.Error?.Number == 90055 ? StatusCodes.Status429TooManyRequests : StatusCodes.Status200OK);
            case InteractionStep.AskSecondFactor ask:
                return PageLayout.WriteAsync(context, Page.SecondFactor(SignIn(request).Protect(ask.Interaction), ask, SignIn(request).OrganisationOf(ask.User)));
            case InteractionStep.AskConsent ask:
                return PageLayout.WriteAsync(context, Page.Consent(SignIn(request).Protect(ask.Interaction), ask));
            case InteractionStep.AskAdminConsent ask:
                return PageLayout.WriteAsync(context, Page.AdminConsent(SignIn(request).Protect(ask.Interaction), ask));
            case InteractionStep.NeedAdministrator need:
                return PageLayout.WriteAsync(context, Page.NeedAdministrator(SignIn(request).Protect(need.Interaction), need), StatusCodes.Status403Forbidden);
            case InteractionStep.DeviceSettled { Approved: true } device:
                return PageLayout.WriteAsync(context, Page.Message(device.Client.DisplayName, $"You have signed in to the {device.Client.DisplayName} application on your device. You may now close this window."));
            case InteractionStep.DeviceSettled device:
                return PageLayout.WriteAsync(context, Page.Message(device.Client.DisplayName, "Nothing was signed in. You may now close this window."));
            case InteractionStep.Reply { ResponseMode: "form_post" } reply:
                return PageLayout.WriteFormPostAsync(context, reply);
            case InteractionStep.Reply reply:
                context.Response.StatusCode = StatusCodes.Status302Found;
                context.Response.Headers[HeaderNames.CacheControl] = "no-store, no-cache";
                context.Response.Headers[HeaderNames.Location] = Join(reply.RedirectUri, reply.ResponseMode == "fragment" ? '#' : '?', reply.Parameters);
                return Task.CompletedTask;
            default:
                throw new InvalidOperationException($"No page for {step.GetType().Name}.");
        }
    }

    // The page shows the ids, and 'vedette why' explains them.
    private static void Record(AuthorityRequest request, AuthorityCall call, ProtocolError error)
    {
        var client = call.Field("client_id") ?? "";
        request.Services.GetRequiredService<IAuditSink>().Record(new AuditEvent(
            request.Services.GetRequiredService<TimeProvider>().GetUtcNow(), "Show sign-in page", null, client.Length > 64 ? client[..64] : client, "", false,
            new Dictionary<string, string>
            {
                ["error"] = $"AADSTS{error.Number}",
                ["text"] = error.Text.Length > 500 ? error.Text[..500] : error.Text,
                ["traceId"] = call.TraceId.ToString(),
                ["correlationId"] = call.CorrelationId.ToString(),
            }));
    }

    private static string Join(string uri, char mark, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var text = string.Join('&', parameters.Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"));
        return mark == '?' && uri.Contains('?', StringComparison.Ordinal) ? $"{uri}&{text}" : $"{uri}{mark}{text}";
    }

    // Forms are taken from our own pages only: browsers say where a request comes from.
    private static bool IsCrossSite(AuthorityRequest request) => request.Context.Request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none");

    private static Task RefuseCrossSiteAsync(AuthorityRequest request, AuthorityCall call) =>
        PageLayout.WriteAsync(request.Context, Page.Failure(ErrorCatalogue.Create(900561, "POST", call.Method), call), StatusCodes.Status400BadRequest);

    private static InteractiveSignIn SignIn(AuthorityRequest request) => request.Services.GetRequiredService<InteractiveSignIn>();

    private static string? Session(AuthorityRequest request) => request.Context.Request.Cookies[SessionCookie];

    private static void SetSession(AuthorityRequest request, string value)
    {
        var options = Cookie(request);
        options.MaxAge = InteractiveSignIn.SessionLife;
        request.Context.Response.Cookies.Append(SessionCookie, value, options);
        var state = StateCookie(request);
        state.MaxAge = InteractiveSignIn.SessionLife;
        request.Context.Response.Cookies.Append(SessionStateCookie, TicketStore.SessionIdOf(value).ToString(), state);
    }

    // For the page of OpenID Connect session management, which other origins hold in a frame. It opens nothing: applications know the same value.
    private static CookieOptions StateCookie(AuthorityRequest request)
    {
        var options = Cookie(request);
        options.HttpOnly = false;
        if (options.Secure) options.SameSite = Microsoft.AspNetCore.Http.SameSiteMode.None;
        return options;
    }

    private static CookieOptions Cookie(AuthorityRequest request) => new()
    {
        HttpOnly = true,
        Secure = request.Context.Request.IsHttps,
        SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Lax,
        Path = "/",
        IsEssential = true,
    };
}
