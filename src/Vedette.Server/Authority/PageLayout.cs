using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;
using Vedette.Identity.SignIn;

namespace Vedette.Server.Authority;

/// <summary>
/// The frame of every page that people see here. Pages need no script, work with a keyboard and on a phone, load nothing from elsewhere, and
/// carry the headers that keep them from being framed, cached or leaked.
/// </summary>
internal static class PageLayout
{
    private const string SubmitScript = "document.forms[0].submit()";
    private static readonly string SubmitScriptHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(SubmitScript)));
    private const string SessionScript = """
        addEventListener("message", function (event) {
          var words = String(event.data).split(" "), held = /(?:^|; )COOKIE=([^;]*)/.exec(document.cookie);
          if (event.source) event.source.postMessage(words.length !== 2 || !words[1] ? "error" : held && held[1] === words[1] ? "unchanged" : "changed", event.origin);
        });
        """;

    private static readonly string Style = ReadStyle();
    private static readonly string StyleHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)));

    // A watchtower's light.
    private const string Mark = """
        <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M12 2.5 4 5.5v6c0 4.8 3.3 8.3 8 10 4.7-1.7 8-5.2 8-10v-6z"/><path d="M7.5 11.5c1.2-1.9 2.7-2.8 4.5-2.8s3.3.9 4.5 2.8c-1.2 1.9-2.7 2.8-4.5 2.8s-3.3-.9-4.5-2.8z"/><circle cx="12" cy="11.5" r="1" fill="currentColor"/></svg>
        """;

    /// <summary>A whole page around its content.</summary>
    /// <param name="title">Title of the document.</param>
    /// <param name="body">Content, as HTML.</param>
    /// <param name="wide">True for a page with tables.</param>
    /// <param name="head">More for the head, as HTML.</param>
    public static string Render(string title, string body, bool wide = false, string head = "") => $$"""
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>{{Text(title)}}</title>{{head}}
          <style>{{Style}}</style>
        </head>
        <body>
        <main{{(wide ? " class=\"wide\"" : "")}}>
        <p class="brand">{{Mark}} Vedette</p>
        {{body}}
        </main>
        <footer>Vedette, a self-hosted Defender API</footer>
        </body>
        </html>
        """;

    /// <summary>Writes a page.</summary>
    public static Task WriteAsync(HttpContext context, string html, int status = StatusCodes.Status200OK) => WriteAsync(context, html, status, "");

    /// <summary>Writes a page that holds frames of other origins: front-channel sign-out.</summary>
    public static Task WriteWithFramesAsync(HttpContext context, string html, IEnumerable<string> origins) =>
        WriteAsync(context, html, StatusCodes.Status200OK, $"; frame-src {string.Join(' ', origins)}");

    /// <summary>Writes the page that posts the answer to the client: at once with scripts, else at the press of a button.</summary>
    public static Task WriteFormPostAsync(HttpContext context, InteractionStep.Reply reply)
    {
        var fields = string.Concat(reply.Parameters.Select(pair => $"<input type=\"hidden\" name=\"{Text(pair.Key)}\" value=\"{Text(pair.Value)}\">"));
        var html = Render("Working…", $"<form method=\"post\" action=\"{Text(reply.RedirectUri)}\">{fields}<p>You are signed in.</p><div class=\"buttons\"><button type=\"submit\">Continue</button></div></form><script>{SubmitScript}</script>");
        return WriteAsync(context, html, StatusCodes.Status200OK, $"; script-src 'sha256-{SubmitScriptHash}'");
    }

    /// <summary>
    /// Writes the frame that applications ask about the session: it answers <c>client_id session_state</c> with <c>unchanged</c>, <c>changed</c> or
    /// <c>error</c>. The only page that other origins may hold in a frame; it shows nothing.
    /// </summary>
    public static Task WriteSessionFrameAsync(HttpContext context, string cookie)
    {
        var script = SessionScript.Replace("COOKIE", cookie, StringComparison.Ordinal);
        var response = context.Response;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers[HeaderNames.ContentSecurityPolicy] = $"default-src 'none'; script-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)))}'; base-uri 'none'";
        response.Headers[HeaderNames.XContentTypeOptions] = "nosniff";
        response.Headers[HeaderNames.CacheControl] = "max-age=86400, private";
        return response.WriteAsync($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Session</title><script>{script}</script></head><body></body></html>");
    }

    /// <summary>A text as HTML.</summary>
    public static string Text(string? text) => WebUtility.HtmlEncode(text ?? "");

    private static Task WriteAsync(HttpContext context, string html, int status, string policy)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers[HeaderNames.ContentSecurityPolicy] = $"default-src 'none'; style-src 'sha256-{StyleHash}'; base-uri 'none'; frame-ancestors 'none'" + policy;
        response.Headers[HeaderNames.XFrameOptions] = "DENY";
        response.Headers[HeaderNames.XContentTypeOptions] = "nosniff";
        response.Headers[HeaderNames.CacheControl] = "no-store, no-cache";
        response.Headers["Referrer-Policy"] = "no-referrer";
        return response.WriteAsync(html);
    }

    private static string ReadStyle()
    {
        using var reader = new StreamReader(typeof(PageLayout).Assembly.GetManifestResourceStream("Vedette.Server.Authority.pages.css")!);
        return reader.ReadToEnd();
    }
}
