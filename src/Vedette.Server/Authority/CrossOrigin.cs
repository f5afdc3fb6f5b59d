using Microsoft.Net.Http.Headers;

namespace Vedette.Server.Authority;

/// <summary>
/// What pages of other origins may do (CORS): read the metadata, and redeem what belongs to a single-page application. No answer that they
/// can read depends on a cookie, so any origin is let in; which application may redeem is the token endpoint's to say.
/// </summary>
internal static class CrossOrigin
{
    /// <summary>True for the question that a browser asks before it sends a page's request.</summary>
    public static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.Origin.Count > 0 && request.Headers.AccessControlRequestMethod.Count > 0;

    /// <summary>Answers that question. Clients send headers of their own, so those that are asked for are allowed.</summary>
    public static Task AnswerPreflight(HttpContext context)
    {
        var headers = context.Response.Headers;
        context.Response.StatusCode = StatusCodes.Status200OK;
        headers[HeaderNames.AccessControlAllowOrigin] = "*";
        headers[HeaderNames.AccessControlAllowMethods] = "GET, POST, OPTIONS";
        headers[HeaderNames.AccessControlAllowHeaders] = context.Request.Headers.AccessControlRequestHeaders;
        headers[HeaderNames.AccessControlMaxAge] = "86400";
        return Task.CompletedTask;
    }

    /// <summary>Lets a page of another origin read an answer.</summary>
    public static void Allow(HttpContext context)
    {
        if (context.Request.Headers.Origin.Count == 0) return;
        var headers = context.Response.Headers;
        headers[HeaderNames.AccessControlAllowOrigin] = "*";
        headers[HeaderNames.AccessControlExposeHeaders] = "x-ms-request-id, client-request-id, Retry-After";
    }
}
