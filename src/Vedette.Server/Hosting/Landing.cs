using System.Net;

namespace Vedette.Server.Hosting;

/// <summary>What a browser, a load balancer or a script finds at the root: a page that says where things are, health, and the CA certificate.</summary>
internal static class Landing
{
    private const string Certificate = "/vedette-ca.pem";

    public static void MapLanding(this WebApplication application)
    {
        application.Use((context, next) => context.Request.Path.Value switch
        {
            "/" when HttpMethods.IsGet(context.Request.Method) => WritePageAsync(context),
            "/health" => WriteHealthAsync(context),
            Certificate => WriteCertificateAsync(context),
            _ => next(context),
        });
    }

    private static Task WriteHealthAsync(HttpContext context) =>
        context.Response.WriteAsJsonAsync(new { status = "ready" }, context.RequestAborted);

    private static Task WriteCertificateAsync(HttpContext context)
    {
        context.Response.ContentType = "application/x-pem-file";
        return context.Response.SendFileAsync(context.RequestServices.GetRequiredService<ServerState>().AuthorityCertificateFile, context.RequestAborted);
    }

    private static Task WritePageAsync(HttpContext context)
    {
        var state = context.RequestServices.GetRequiredService<ServerState>();
        var home = $"{context.Request.Scheme}://{context.Request.Host}";
        var tenant = state.Demo?.TenantId.ToString() ?? "";
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'";
        return context.Response.WriteAsync($$"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Vedette</title>
            <style>
              body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #1b1a19; background: #faf9f8 }
              h1 { font-weight: 600 } dt { font-weight: 600; margin-top: .8rem } dd { margin: 0 } code { background: #edebe9; padding: .1em .3em; overflow-wrap: anywhere }
              @media (prefers-color-scheme: dark) { body { color: #f3f2f1; background: #1b1a19 } code { background: #323130 } a { color: #6cb8f6 } }
            </style>
            <h1>Vedette is running</h1>
            <p>A self-hosted Defender API. Point your client here instead of at the cloud.</p>
            <dl>
              <dt>Tokens</dt>
              <dd><code>POST {{WebUtility.HtmlEncode(home)}}/{{tenant}}/oauth2/v2.0/token</code></dd>
              <dt>Authority metadata</dt>
              <dd><a href="/{{tenant}}/v2.0/.well-known/openid-configuration">openid-configuration</a></dd>
              <dt>Defender for Endpoint API</dt>
              <dd><code>{{WebUtility.HtmlEncode(home)}}/api/…</code></dd>
              <dt>Try the APIs</dt>
              <dd><a href="/explorer">API explorer</a>, <a href="/openapi">OpenAPI documents</a></dd>
              <dt>What a token may do</dt>
              <dd><a href="/inspect">Inspect a token</a></dd>
              <dt>Certificate authority to trust</dt>
              <dd><a href="{{Certificate}}">vedette-ca.pem</a></dd>
              <dt>Credentials</dt>
              <dd>The demo application's client id and secret are printed where the server was started; <code>./vedette status</code> says where they are kept.</dd>
            </dl>
            </html>
            """, context.RequestAborted);
    }
}
