using System.Globalization;
using QRCoder;
using Vedette.Identity.Directory;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;
using Vedette.Identity.Security;
using Vedette.Identity.SignIn;
using static Vedette.Server.Authority.PageLayout;

namespace Vedette.Server.Authority;

/// <summary>The words and fields of the sign-in pages.</summary>
internal static class Page
{
    /// <summary>Asks for name and password.</summary>
    public static string SignIn(string context, string client, string userName, ProtocolError? error) => Render("Sign in", $$"""
        <h1>Sign in</h1>
        <p class="soft">to continue to {{Text(client)}}</p>
        {{Alert(error is null ? null : SignInText(error))}}
        <form method="post" action="/common/login" class="wide">
          <input type="hidden" name="ctx" value="{{Text(context)}}">
          <label for="name">Email</label>
          <input id="name" name="loginfmt" type="email" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="113" required value="{{Text(userName)}}"{{(userName.Length == 0 ? " autofocus" : "")}}>
          <label for="password">Password</label>
          <input id="password" name="passwd" type="password" autocomplete="current-password" maxlength="256" required{{(userName.Length == 0 ? "" : " autofocus")}}>
          <div class="buttons"><button type="submit">Sign in</button></div>
        </form>
        """);

    /// <summary>Asks for the code of an authenticator app, or for the first code of a new one.</summary>
    public static string SecondFactor(string context, InteractionStep.AskSecondFactor ask, string organisation)
    {
        var failed = Alert(ask.Failed ? "That code didn't work. Wait for the next one in your app, and try that." : null);
        var field = $$"""
            <form method="post" action="/common/mfa" class="wide">
              <input type="hidden" name="ctx" value="{{Text(context)}}">
              <label for="code">Code</label>
              <input class="code" id="code" name="otc" type="text" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" maxlength="10" required autofocus>
              <div class="buttons"><button type="submit">{{(ask.Secret is null ? "Verify" : "Finish")}}</button></div>
            </form>
            """;
        if (ask.Secret is not { } secret)
        {
            return Render("Enter code", $$"""
                {{Who(ask.User, signedIn: false)}}
                <h1>Enter code</h1>
                <p class="soft">Enter the code that your authenticator app shows for {{Text(organisation)}}.</p>
                {{failed}}
                {{field}}
                """);
        }

        var key = string.Join(' ', TimeBasedCodes.ToText(secret).Chunk(4).Select(part => new string(part)));
        return Render("Keep your account secure", $$"""
            {{Who(ask.User, signedIn: false)}}
            <h1>Keep your account secure</h1>
            <p class="soft">{{Text(organisation)}} asks for a second proof of who you are, besides the password: the code of an authenticator app.</p>
            {{failed}}
            <ol>
              <li>Open your authenticator app and add an account.</li>
              <li>Scan this picture, or type the key below it.</li>
              <li>Enter the six digits that the app then shows.</li>
            </ol>
            {{QrCode(TimeBasedCodes.ToAddress(secret, organisation, ask.User.UserPrincipalName))}}
            <code class="key">{{key}}</code>
            {{field}}
            """);
    }

    /// <summary>Asks for consent, in words.</summary>
    public static string Consent(string context, InteractionStep.AskConsent ask)
    {
        var asked = ask.Permissions.Count == 0
            ? "<li>Sign you in and read your name and address</li>"
            : string.Concat(ask.Permissions.Select(permission => Item(permission, ask.Resource.DisplayName)));
        var organisation = ask.ForOrganisation is not { Count: > 0 } everything ? "" : $$"""
            <label class="choice"><input type="checkbox" name="organisation" value="1"> <span>Consent on behalf of your organization, to everything it asks for:</span></label>
            <ul class="soft small">{{string.Concat(everything.Select(permission => $"<li>{Text(permission.DisplayName)} <span>({Text(permission.Resource)}, {Reach(permission)})</span></li>"))}}</ul>
            """;
        var device = ask.Interaction.UserCode is { } code
            ? $"<p class=\"note\">You entered the code <code>{Text(code)}</code>. Continue only if you started this sign-in on a device of your own.</p>"
            : "";
        return Render("Permissions requested", $$"""
            {{Who(ask.User)}}
            <h1>{{Text(ask.Client.DisplayName)}} asks for permission</h1>
            {{device}}
            <p>This application would like to, for you:</p>
            <ul class="permissions">{{asked}}</ul>
            <form method="post" action="/common/consent">
              <input type="hidden" name="ctx" value="{{Text(context)}}">
              {{organisation}}
              <p class="soft small">Accept only if you trust it. An administrator can take the permission back.</p>
              <div class="buttons end">
                <button type="submit" name="answer" value="cancel" class="quiet">Cancel</button>
                <button type="submit" name="answer" value="accept">Accept</button>
              </div>
            </form>
            """);
    }

    /// <summary>Asks an administrator for consent on behalf of the organisation.</summary>
    public static string AdminConsent(string context, InteractionStep.AskAdminConsent ask)
    {
        var sensitive = ask.Permissions.Any(permission => permission.Kind == "Application")
            ? "<p class=\"note\">Some of these work without a signed-in user, at any time and for all of the organization's data.</p>"
            : "";
        var asked = ask.Permissions.Count == 0
            ? "<li>Sign people in and read their names and addresses</li>"
            : string.Concat(ask.Permissions.Select(permission =>
                $"<li>{Text(permission.DisplayName)} <span class=\"soft\">{Text(permission.Resource)} · <code>{Text(permission.Name)}</code> · {Reach(permission)}{(permission.Consented ? " · granted already" : "")}</span></li>"));
        return Render("Permissions requested", $$"""
            {{Who(ask.User)}}
            <h1>{{Text(ask.Client.DisplayName)}} asks for permission</h1>
            <p>If you accept, it will get these permissions for everybody in <b>{{Text(ask.Organisation)}}</b>. Nobody else will be asked to review them.</p>
            <ul class="permissions">{{asked}}</ul>
            {{sensitive}}
            <form method="post" action="/common/consent">
              <input type="hidden" name="ctx" value="{{Text(context)}}">
              <p class="soft small">Application id <code>{{ask.Client.AppId}}</code>. You can take permissions back at any time.</p>
              <div class="buttons end">
                <button type="submit" name="answer" value="cancel" class="quiet">Cancel</button>
                <button type="submit" name="answer" value="accept">Accept</button>
              </div>
            </form>
            """);
    }

    /// <summary>Says that an administrator is needed, and lets one sign in.</summary>
    public static string NeedAdministrator(string context, InteractionStep.NeedAdministrator need) => Render("Need admin approval", $$"""
        {{Who(need.User)}}
        <h1>Need admin approval</h1>
        <p>{{Text(need.Client.DisplayName)}} needs permissions that only an administrator can grant. Ask an administrator to open the same link, or sign in as one.</p>
        <p class="soft small">AADSTS{{need.Error.Number}}: {{Text(need.Error.Text)}}</p>
        <form method="post" action="/common/login">
          <input type="hidden" name="ctx" value="{{Text(context)}}">
          <input type="hidden" name="switch" value="1">
          <div class="buttons"><button type="submit">Use another account</button></div>
        </form>
        """);

    /// <summary>Asks for the code that a device shows.</summary>
    public static string DeviceCode(string? error, string code = "") => Render("Enter code", $$"""
        <h1>Enter code</h1>
        <p class="soft">Enter the code displayed on your app or device.</p>
        {{Alert(error)}}
        <form method="post" action="{{DeviceCodeEndpoint.PagePath}}" class="wide">
          <label for="code">Code</label>
          <input class="code" id="code" name="otc" type="text" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus value="{{Text(code)}}">
          <div class="buttons"><button type="submit">Next</button></div>
        </form>
        """);

    /// <summary>Says why it cannot go on.</summary>
    public static string Failure(ProtocolError error, AuthorityCall call) => Render("Sign in", $$"""
        <h1>Sorry, but we're having trouble signing you in.</h1>
        <p class="error">AADSTS{{error.Number}}: {{Text(error.Text)}}</p>
        <h2>Troubleshooting details</h2>
        <dl class="facts">
          <dt>Request Id</dt><dd>{{call.TraceId}}</dd>
          <dt>Correlation Id</dt><dd>{{call.CorrelationId}}</dd>
          <dt>Timestamp</dt><dd>{{DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}}</dd>
        </dl>
        """);

    /// <summary>Says that the user is signed out, tells the applications in hidden frames, and leads on where the client asked.</summary>
    public static string SignedOut(IReadOnlyList<string> listeners, string? target)
    {
        var frames = string.Concat(listeners.Select(address => $"<iframe src=\"{Text(address)}\" title=\"Signing out of an application\" hidden loading=\"eager\"></iframe>"));
        var onward = target is null
            ? "<p>It's a good idea to close all browser windows.</p>"
            : $"<p>You will be taken back to the application.</p><div class=\"buttons\"><a class=\"button\" href=\"{Text(target)}\">Continue</a></div>";
        return Render(
            "Signed out", $"<h1>You signed out of your account</h1>{onward}{frames}", head: target is null ? "" : $"\n  <meta http-equiv=\"refresh\" content=\"3;url={Text(target)}\">");
    }

    /// <summary>Says something and ends.</summary>
    public static string Message(string title, string text) => Render(title, $"<h1>{Text(title)}</h1><p>{Text(text)}</p>");

    /// <summary>Says that a page was left open for too long.</summary>
    public static string TooOld() => Message("This page has expired", "Go back to the application and sign in again.");

    private static string Item(Permission permission, string resource) =>
        $"<li>{Text(permission.DisplayName)} <span class=\"soft\">{Text(resource)} · <code>{Text(permission.Value)}</code></span></li>";

    private static string Reach(PermissionInfo permission) => permission.Kind == "Application" ? "without a signed-in user" : "for every user";

    private static string Who(User user, bool signedIn = true)
    {
        var initials = string.Concat(user.DisplayName.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2).Select(word => char.ToUpperInvariant(word[0])));
        return $"<p class=\"who\"><b aria-hidden=\"true\">{Text(initials)}</b> <span>{(signedIn ? "You are signed in as" : "Signing in as")} {Text(user.UserPrincipalName)}.</span></p>";
    }

    private static string Alert(string? text) => text is null ? "" : $"<p class=\"error\" role=\"alert\">{Text(text)}</p>";

    private static string SignInText(ProtocolError error) => error.Number switch
    {
        50126 => "Your account or password is incorrect.",
        50053 => "Your account is temporarily locked. Try again in a minute.",
        50057 => "Your account has been disabled. Ask your administrator.",
        90055 => "Too many attempts. Wait a minute, then try again.",
        _ => error.Text,
    };

    private static string QrCode(string text)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        var rows = data.ModuleMatrix;
        var path = new System.Text.StringBuilder();
        for (var y = 0; y < rows.Count; y++)
            for (var x = 0; x < rows[y].Length; x++)
                if (rows[y][x]) path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h1v1h-1z");
        return $"<svg class=\"qr\" viewBox=\"0 0 {rows.Count} {rows.Count}\" role=\"img\" aria-label=\"The key as a picture for an authenticator app\" shape-rendering=\"crispEdges\"><path fill=\"#000\" d=\"{path}\"/></svg>";
    }
}
