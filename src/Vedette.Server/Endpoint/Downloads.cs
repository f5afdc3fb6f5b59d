using Vedette.Defender.Actions;
using Vedette.Server.Http;

namespace Vedette.Server.Endpoint;

/// <summary>Serves the files that signed links lead to. No token is asked for: the signature is the right.</summary>
internal static class Downloads
{
    // The storage service behind the real links answers like this.
    private const string Refused =
        """<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request. """
        + "Make sure the value of Authorization header is formed correctly including the signature.</Message></Error>";

    private const string Gone = """<?xml version="1.0" encoding="utf-8"?><Error><Code>BlobNotFound</Code><Message>The specified blob does not exist.</Message></Error>""";

    /// <summary>Answers <c>GET /downloads/…</c>.</summary>
    public static void MapDownloads(this WebApplication application) =>
        application.MapGet(SignedLinks.Prefix + "{**file}", (string file, HttpContext http, SignedLinks links, FileStore files) =>
        {
            var query = http.Request.Query;
            if (!links.IsGood(file, query["se"].ToString(), query["sig"].ToString())) return Results.Content(Refused, "application/xml", statusCode: 403);
            try
            {
                return Results.Stream(files.OpenRead(file), TypeOf(file), Path.GetFileName(file), enableRangeProcessing: true);
            }
            catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
            {
                return Results.Content(Gone, "application/xml", statusCode: 404);
            }
        });

    private static string TypeOf(string file) => Path.GetExtension(file) switch
    {
        ".zip" => "application/zip",
        ".json" => "application/json",
        _ => "application/octet-stream",
    };
}
