using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.OpenApi;
using Vedette.Foundation;
using Vedette.Server.Http;

namespace Vedette.Server.OpenApi;

/// <summary>
/// The OpenAPI documents of all surfaces (<c>/openapi/{surface}.json</c>) and the API explorer (<c>/explorer</c>), a page that shows them and
/// sends calls with a token of one's own.
/// </summary>
internal static class OpenApiPages
{
    private const string Documents = "/openapi";
    private const string Explorer = "/explorer";

    private static readonly ConcurrentDictionary<ApiSurface, Task<string>> Written = new();

    private static readonly Dictionary<string, (string File, string Type)> Assets = new(StringComparer.OrdinalIgnoreCase)
    {
        ["swagger-ui-bundle.js"] = ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ["swagger-ui.css"] = ("swagger-ui.css", "text/css; charset=utf-8"),
    };

    /// <summary>Serves documents and page.</summary>
    public static void MapOpenApi(this WebApplication application) => application.Use((context, next) =>
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments(Documents, out var document)) return GetOnly(context, () => WriteDocumentAsync(context, document.Value!.Trim('/')));
        if (path.StartsWithSegments(Explorer, out var asset)) return GetOnly(context, () => WriteExplorerAsync(context, asset.Value!.Trim('/')));
        return next(context);
    });

    private static Task GetOnly(HttpContext context, Func<Task> answer)
    {
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) return answer();
        context.Response.Headers.Allow = "GET, HEAD";
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        return Task.CompletedTask;
    }

    private static async Task WriteDocumentAsync(HttpContext context, string name)
    {
        var surfaces = context.RequestServices.GetServices<ApiSurface>().ToArray();
        if (name.Length == 0)
        {
            await context.Response.WriteAsJsonAsync(surfaces.Select(surface => new { name = surface.Name, url = Address(surface) }), context.RequestAborted);
            return;
        }

        if (surfaces.FirstOrDefault(surface => $"{FileName(surface)}.json".Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } found)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(await Written.GetOrAdd(found, WriteAsync), context.RequestAborted);
    }

    private static Task<string> WriteAsync(ApiSurface surface)
    {
        var version = typeof(OpenApiPages).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
        return SurfaceDescription.Of(surface, version).SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1);
    }

    private static async Task WriteExplorerAsync(HttpContext context, string asset)
    {
        var response = context.Response;
        if (Assets.TryGetValue(asset, out var file))
        {
            response.ContentType = file.Type;
            response.Headers.CacheControl = "max-age=86400";
            await response.SendFileAsync(Path.Combine(EngineFiles.Package("swagger-ui-dist"), file.File), context.RequestAborted);
            return;
        }

        var (text, type) = asset switch
        {
            "" => (Page, "text/html; charset=utf-8"),
            "start.js" => (Script(context), "text/javascript; charset=utf-8"),
            _ => (null, null),
        };
        if (text is null)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        // The page's scripts are files of this server; only styles are written into the page.
        response.Headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentType = type;
        await response.WriteAsync(text, context.RequestAborted);
    }

    private static string FileName(ApiSurface surface) => surface.Name.Replace(' ', '-').ToLowerInvariant();

    private static string Address(ApiSurface surface) => $"{Documents}/{FileName(surface)}.json";

    private static string Script(HttpContext context)
    {
        var urls = context.RequestServices.GetServices<ApiSurface>().Select(surface => new { name = surface.Name, url = Address(surface) });
        return $$"""
            "use strict";
            const apis = {{System.Text.Json.JsonSerializer.Serialize(urls, System.Text.Json.JsonSerializerOptions.Web)}};
            const choice = document.getElementById("api");
            for (const api of apis) choice.add(new Option(api.name, api.url));
            const show = () => {
              window.ui = SwaggerUIBundle({
                url: choice.value, dom_id: "#explorer", docExpansion: "none", filter: true, tryItOutEnabled: true,
                persistAuthorization: false, validatorUrl: null, defaultModelsExpandDepth: -1,
              });
            };
            choice.addEventListener("change", show);
            show();
            """;
    }

    private const string Page = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>API explorer - Vedette</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/explorer/swagger-ui.css">
        <style>
          body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1b1a19; background: #fff }
          header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: .75rem 1.25rem; background: #1b1a19; color: #fff }
          header h1 { font-size: 1.1rem; font-weight: 600; margin: 0 }
          header p { margin: 0; color: #d2d0ce; font-size: .9rem }
          header label { margin-left: auto }
          select { font: inherit; padding: .2rem .4rem }
          .swagger-ui .info { margin: 1.25rem 0 }
          noscript { display: block; padding: 1.25rem }
        </style>
        <header>
          <h1>API explorer</h1>
          <p>Get a token, choose Authorize, paste it, and send calls. Calls act on this server's data.</p>
          <label>API <select id="api"></select></label>
        </header>
        <main id="explorer"></main>
        <noscript>The explorer needs scripts. The documents themselves are listed at <a href="/openapi">/openapi</a>.</noscript>
        <script src="/explorer/swagger-ui-bundle.js"></script>
        <script src="/explorer/start.js"></script>
        </html>
        """;
}
