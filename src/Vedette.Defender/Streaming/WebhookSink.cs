using System.Buffers;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Vedette.Defender.Streaming;

/// <summary>
/// Posts <c>{"records":[…]}</c>. The header <c>X-Vedette-Signature-256</c> holds <c>sha256=</c> and the HMAC of the body under the export's secret,
/// so that the receiver knows who sends. Any 2xx answer takes the delivery.
/// </summary>
internal sealed class WebhookSink : IExportSink, IDisposable
{
    /// <summary>Name of the signature's header.</summary>
    public const string SignatureHeader = "X-Vedette-Signature-256";

    private const int LargestBody = 900 * 1024;
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = TimeSpan.FromSeconds(30),
    };

    public ExportKind Kind => ExportKind.Webhook;

    public async Task DeliverAsync(DataExport export, string? secret, string table, IReadOnlyList<StreamingRecord> records, CancellationToken cancellationToken)
    {
        var at = 0;
        while (at < records.Count)
        {
            var body = new ArrayBufferWriter<byte>();
            body.Write("{\"records\":["u8);
            var first = at;
            while (at < records.Count && (at == first || body.WrittenCount + records[at].Json.Length < LargestBody))
            {
                if (at > first) body.Write(","u8);
                body.Write(records[at++].Json.Span);
            }

            body.Write("]}"u8);
            await PostAsync(export, secret, body.WrittenMemory, cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task PostAsync(DataExport export, string? secret, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, export.Target) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (secret is not null)
            request.Headers.Add(SignatureHeader, "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body.Span)));
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.IsSuccessStatusCode) return;
            throw new ExportException($"The address answered {(int)response.StatusCode}.", response.Headers.RetryAfter?.Delta);
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ExportException($"The address cannot be reached: {exception.Message}", null, exception);
        }
    }
}
