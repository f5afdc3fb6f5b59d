// The yardstick of bench/http.sh: Kestrel with nothing behind it. /bytes answers the file named on the command line; /token reads a form and
// answers a fresh RS256 token of the usual size.
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var port = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
var bytes = await File.ReadAllBytesAsync(args[1]);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
var app = builder.Build();

using var key = RSA.Create(2048);
var header = Base64Url.EncodeToString("""{"typ":"JWT","alg":"RS256","kid":"0123456789012345678901234567"}"""u8);
var roles = string.Join("\",\"", Enumerable.Range(0, 30).Select(n => $"Permission{n}.Read.All"));

app.MapGet("/bytes", async context =>
{
    context.Response.ContentType = "application/json";
    context.Response.ContentLength = bytes.Length;
    await context.Response.Body.WriteAsync(bytes);
});
app.MapPost("/token", async context =>
{
    var form = await context.Request.ReadFormAsync();
    var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    var payload = $$"""{"aud":"https://api.securitycenter.microsoft.com","iat":{{now}},"exp":{{now + 3600}},"appid":"{{form["client_id"]}}","roles":["{{roles}}"]}""";
    var body = header + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
    var signature = key.SignData(Encoding.ASCII.GetBytes(body), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    await context.Response.WriteAsJsonAsync(new { token_type = "Bearer", expires_in = 3599, access_token = body + "." + Base64Url.EncodeToString(signature) }, (JsonSerializerOptions?)null, context.RequestAborted);
});
await app.RunAsync();
