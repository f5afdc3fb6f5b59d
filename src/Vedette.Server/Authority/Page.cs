using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;
using Vedette.Identity.Protocol;
using Vedette.Identity.SignIn;

namespace Vedette.Server.Authority;

/// <summary>The HTML of the sign-in pages. They need no script, work with a keyboard and on a phone, and load nothing from elsewhere.</summary>
internal static class Page
{
    private const string SubmitScript = "document.forms[0].submit()";
    private static readonly string SubmitScriptHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(SubmitScript)));

    private const string Style = """
        :root { color-scheme: light dark; --ink: #1b1b1f; --soft: #5c5f66; --paper: #fff; --ground: #eef1f6; --line: #b9bec8; --accent: #1456b8; --bad: #b3261e }
        @media (prefers-color-scheme: dark) { :root { --ink: #e8e9ee; --soft: #a9adb8; --paper: #1d1f26; --ground: #121318; --line: #4b4f5a; --accent: #7fb0ff; --bad: #ffb4ab } }
        * { box-sizing: border-box }
        body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
        main { width: 100%; max-width: 27rem; background: var(--paper); border-radius: .75rem; padding: 2rem; box-shadow: 0 2px 12px #0003 }
        h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .5rem } p { margin: .5rem 0 } .soft { color: var(--soft) }
        .mark { font-weight: 600; letter-spacing: .02em; color: var(--soft); margin: 0 0 1.25rem }
        label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
        input[type=text], input[type=email], input[type=password] { width: 100%; font: inherit; padding: .6rem .7rem; border: 1px solid var(--line); border-radius: .4rem; background: transparent; color: inherit }
        .choice { display: flex; gap: .6rem; align-items: baseline; font-weight: 400 }
        .buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem }
        button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; border-radius: .4rem; border: 1px solid var(--accent); background: var(--accent); color: var(--paper); cursor: pointer }
        button.quiet { background: transparent; color: var(--accent) }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
        .error { color: var(--bad); border-left: 4px solid var(--bad); padding-left: .75rem } ul { padding-left: 1.2rem; margin: .5rem 0 } li { margin: .35rem 0 }
        code { font-size: .85em; overflow-wrap: anywhere } dl { font-size: .85rem; color: var(--soft) } dt { font-weight: 600 } dd { margin: 0 0 .4rem; overflow-wrap: anywhere }
        """;

    /// <summary>Asks for name and password.</summary>
    public static string SignIn(string context, string client, string userName, ProtocolError? error) => Layout("Sign in", $$"""
        <h1>Sign in</h1>
        <p class="soft">to continue to {{Text(client)}}</p>
        {{Alert(error is null ? null : SignInText(error))}}
        <form method="post" action="/common/login">
          <input type="hidden" name="ctx" value="{{Text(context)}}">
          <label for="name">Email</label>
          <input id="name" name="loginfmt" type="email" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="113" required value="{{Text(userName)}}"{{(userName.Length == 0 ? " autofocus" : "")}}>
          <label for="password">Password</label>
          <input id="password" name="passwd" type="password" autocomplete="current-password" maxlength="256" required{{(userName.Length == 0 ? "" : " autofocus")}}>
          <div class="buttons"><button type="submit">Sign in</button></div>
        </form>
        """);

    /// <summary>Asks for consent, in words.</summary>
    public static string Consent(string context, InteractionStep.AskConsent ask)
    {
        var asked = ask.Permissions.Count == 0 ? "<li>Sign you in and read your name and address</li>" : string.Concat(ask.Permissions.Select(permission =>
            $"<li>{Text(permission.DisplayName)} <span class=\"soft\">in {Text(ask.Resource.DisplayName)}</span><br><code>{Text(permission.Value)}</code></li>"));
        var organisation = ask.ForOrganisation is not { Count: > 0 } everything ? "" : $$"""
            <label class="choice"><input type="checkbox" name="organisation" value="1"> <span>Consent on behalf of your organization, to everything it asks for:</span></label>
            <ul class="soft">{{string.Concat(everything.Select(permission => $"<li>{Text(permission.DisplayName)} <span>({Text(permission.Resource)}, {(permission.Kind == "Application" ? "without a signed-in user" : "for every user")})</span></li>"))}}</ul>
            """;
        var device = ask.Interaction.UserCode is { } code
            ? $"<p>You entered the code <code>{Text(code)}</code>. Continue only if you started this sign-in on a device of your own.</p>"
            : "";
        return Layout("Permissions requested", $$"""
            <h1>{{Text(ask.Client.DisplayName)}} asks for permission</h1>
            <p class="soft">You are signed in as {{Text(ask.User.UserPrincipalName)}}.</p>
            {{device}}
            <p>This application would like to, for you:</p>
            <ul>{{asked}}</ul>
            <form method="post" action="/common/consent">
              <input type="hidden" name="ctx" value="{{Text(context)}}">
              {{organisation}}
              <p class="soft">Accept only if you trust it. An administrator can take the permission back.</p>
              <div class="buttons">
                <button type="submit" name="answer" value="accept">Accept</button>
                <button type="submit" name="answer" value="cancel" class="quiet">Cancel</button>
              </div>
            </form>
            """);
    }

    /// <summary>Asks for the code that a device shows.</summary>
    public static string DeviceCode(string? error, string code = "") => Layout("Enter code", $$"""
        <h1>Enter code</h1>
        <p class="soft">Enter the code displayed on your app or device.</p>
        {{Alert(error)}}
        <form method="post" action="{{DeviceCodeEndpoint.PagePath}}">
          <label for="code">Code</label>
          <input id="code" name="otc" type="text" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus value="{{Text(code)}}">
          <div class="buttons"><button type="submit">Next</button></div>
        </form>
        """);

    /// <summary>Says why it cannot go on.</summary>
    public static string Failure(ProtocolError error, AuthorityCall call) => Layout("Sign in", $$"""
        <h1>Sorry, but we're having trouble signing you in.</h1>
        <p class="error">AADSTS{{error.Number}}: {{Text(error.Text)}}</p>
        <dl>
          <dt>Request Id</dt><dd>{{call.TraceId}}</dd>
          <dt>Correlation Id</dt><dd>{{call.CorrelationId}}</dd>
          <dt>Timestamp</dt><dd>{{DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}}</dd>
        </dl>
        """);

    /// <summary>Says something and ends.</summary>
    public static string Message(string title, string text) => Layout(title, $"<h1>{Text(title)}</h1><p>{Text(text)}</p>");

    /// <summary>Says that a page was left open for too long.</summary>
    public static string TooOld() => Message("This page has expired", "Go back to the application and sign in again.");

    /// <summary>Writes a page with the headers that keep it from being framed, cached or leaked.</summary>
    public static Task WriteAsync(HttpContext context, string html, int status = StatusCodes.Status200OK) => WriteAsync(context, html, status, "");

    /// <summary>Writes the page that posts the answer to the client: at once with scripts, else at the press of a button.</summary>
    public static Task WriteFormPostAsync(HttpContext context, InteractionStep.Reply reply)
    {
        var fields = string.Concat(reply.Parameters.Select(pair => $"<input type=\"hidden\" name=\"{Text(pair.Key)}\" value=\"{Text(pair.Value)}\">"));
        var html = Layout("Working…", $"<form method=\"post\" action=\"{Text(reply.RedirectUri)}\">{fields}<p>You are signed in.</p><div class=\"buttons\"><button type=\"submit\">Continue</button></div></form><script>{SubmitScript}</script>");
        return WriteAsync(context, html, StatusCodes.Status200OK, $"; script-src 'sha256-{SubmitScriptHash}'");
    }

    private static Task WriteAsync(HttpContext context, string html, int status, string policy)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers[HeaderNames.ContentSecurityPolicy] = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'" + policy;
        response.Headers[HeaderNames.XFrameOptions] = "DENY";
        response.Headers[HeaderNames.XContentTypeOptions] = "nosniff";
        response.Headers[HeaderNames.CacheControl] = "no-store, no-cache";
        response.Headers["Referrer-Policy"] = "no-referrer";
        return response.WriteAsync(html);
    }

    private static string Layout(string title, string body) => $$"""
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>{{Text(title)}}</title>
          <style>{{Style}}</style>
        </head>
        <body>
        <main>
        <p class="mark">Vedette</p>
        {{body}}
        </main>
        </body>
        </html>
        """;

    private static string Alert(string? text) => text is null ? "" : $"<p class=\"error\" role=\"alert\">{Text(text)}</p>";

    private static string SignInText(ProtocolError error) => error.Number switch
    {
        50126 => "Your account or password is incorrect.",
        50053 => "Your account is temporarily locked. Try again in a minute.",
        50057 => "Your account has been disabled. Ask your administrator.",
        _ => error.Text,
    };

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
