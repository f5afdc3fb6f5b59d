using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Vedette.Server.Authority;
using Vedette.Server.Hosting;
using static Vedette.Server.Authority.PageLayout;

namespace Vedette.Server.Insight;

/// <summary>The page <c>/inspect</c>: paste a token, read what it can do. Works without scripts; nothing is stored or logged.</summary>
internal static class InspectPage
{
    private const string Path = "/inspect";
    private const int LongestForm = 128 * 1024;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Serves the page, by the server's own name only.</summary>
    public static void MapInspect(this WebApplication application) => application.Use((context, next) =>
        string.Equals(context.Request.Path.Value, Path, StringComparison.OrdinalIgnoreCase) && EmulatedHosts.Find(context.Request.Host.Host) is null ? HandleAsync(context) : next(context));

    private static async Task HandleAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await WriteAsync(context, Render("Inspect a token", Form()));
            return;
        }

        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, POST";
            return;
        }

        var token = await ReadTokenAsync(context);
        var story = context.RequestServices.GetRequiredService<TokenInspector>().Inspect(token);
        await WriteAsync(context, Render("Inspect a token", Story(story), wide: true));
    }

    private static async Task<string?> ReadTokenAsync(HttpContext context)
    {
        try
        {
            if (context.Request.ContentLength > LongestForm)
            {
                // A sender who is cut off sees a broken connection instead of the page.
                await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
                return null;
            }

            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = LongestForm;
            var form = await new FormPipeReader(context.Request.BodyReader) { ValueLengthLimit = LongestForm, ValueCountLimit = 4 }.ReadFormAsync(context.RequestAborted);
            return form.TryGetValue("token", out var value) ? value.ToString() : null;
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException)
        {
            return null;
        }
    }

    private static string Form() => $$"""
        <h1>Inspect a token</h1>
        <p class="soft">See who an access token speaks for, what it may call, and why a call was refused. The token is looked at and forgotten: nothing is stored or logged.</p>
        <form method="post" action="{{Path}}" class="wide">
          <label for="token">Token</label>
          <textarea id="token" name="token" required autofocus autocomplete="off" spellcheck="false" maxlength="40000" placeholder="eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIs…"></textarea>
          <div class="buttons"><button type="submit">Inspect</button></div>
        </form>
        """;

    private static string Story(TokenStory story)
    {
        var verdict = story.Usable ? "<p class=\"good\" role=\"status\">The token is good.</p>" : "<p class=\"error\" role=\"alert\">No API takes this token.</p>";
        var findings = string.Concat(story.Findings.Select(finding => $"<p class=\"note\">{Text(finding)}</p>"));
        return $$"""
            <h1>{{Text(char.ToUpperInvariant(story.Kind[0]) + story.Kind[1..])}}</h1>
            {{verdict}}
            {{findings}}
            <dl class="facts">
              {{Fact("Who", story.Who)}}{{Fact("Context", story.Context)}}{{Fact("Application", story.Application)}}{{Fact("Tenant", story.Tenant)}}{{Fact("API", story.Resource)}}{{Fact("Audience", story.Audience)}}{{Fact("Proof", story.Proof)}}{{Fact("Valid from", story.NotBefore?.ToString("yyyy-MM-dd HH:mm:ss'Z'", null))}}{{Fact("Valid until", story.Expires?.ToString("yyyy-MM-dd HH:mm:ss'Z'", null))}}{{Fact("Application permissions", List(story.Roles))}}{{Fact("Delegated permissions", List(story.Scopes))}}
            </dl>
            {{Calls($"It can make {story.CanCall.Count} calls", story.CanCall, withMissing: false)}}
            {{Calls($"It cannot make {story.CannotCall.Count} calls of this API", story.CannotCall, withMissing: true)}}
            {{Json("Claims", story.Claims)}}
            {{Json("Header", story.Header)}}
            <div class="buttons"><a class="button" href="{{Path}}">Inspect another</a></div>
            """;
    }

    private static string? List(IReadOnlyList<string> names) => names.Count == 0 ? null : string.Join(", ", names);

    private static string Fact(string name, string? value) => string.IsNullOrEmpty(value) ? "" : $"<dt>{name}</dt><dd>{Text(value)}</dd>";

    private static string Calls(string title, IReadOnlyList<ReachableCall> calls, bool withMissing)
    {
        if (calls.Count == 0) return "";
        var rows = string.Concat(calls.Select(call =>
            $"<tr><td><code>{Text(call.Call)}</code></td><td>{Text(call.Name)}</td>{(withMissing ? $"<td>{Text(string.Join(" or ", call.Missing))}</td>" : "")}</tr>"));
        return $"<details><summary>{Text(title)}</summary><div class=\"scroll\"><table><thead><tr><th>Call</th><th>Name</th>{(withMissing ? "<th>Missing</th>" : "")}</tr></thead><tbody>{rows}</tbody></table></div></details>";
    }

    private static string Json(string title, JsonElement? value) =>
        value is { } json ? $"<details><summary>{title}</summary><pre>{Text(JsonSerializer.Serialize(json, Indented))}</pre></details>" : "";
}
