using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Vedette.Identity.Protocol;

namespace Vedette.Server.Authority;

/// <summary>The page that an <c>error_uri</c> leads to: what an AADSTS number means.</summary>
internal static partial class ErrorPage
{
    /// <summary>Writes the page for the query parameter <c>code</c>.</summary>
    public static Task WriteAsync(HttpContext context)
    {
        var known = int.TryParse(context.Request.Query["code"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && ErrorCatalogue.Numbers.Contains(number);
        var text = known ? Places().Replace(ErrorCatalogue.Create(number).Text, "…") : "There is no error with this number.";
        context.Response.StatusCode = known ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'";
        var title = known ? $"AADSTS{number}" : "Unknown error";
        return context.Response.WriteAsync(
            $$"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{title}}</title>
              <style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }</style>
            </head>
            <body><main><h1>{{title}}</h1><p>{{WebUtility.HtmlEncode(text)}}</p></main></body>
            </html>
            """);
    }

    // What a refusal fills in, the page leaves open.
    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Places();
}
