using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Vedette.Server.Hosting;

/// <summary>
/// A proxy for the real services' host names, and for no others: a client that is told to use it (<c>HTTPS_PROXY</c>) reaches this server by
/// those names without a hosts file. It takes <c>CONNECT</c> only and opens no connection of its own, so it leads nowhere else.
/// </summary>
internal static class ConnectProxy
{
    private const int LongestHead = 16 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A connection step that answers the <c>CONNECT</c> request and then hands the same connection on, to TLS.</summary>
    public static ConnectionDelegate Accept(ConnectionDelegate next) => async connection =>
    {
        HostGate.Mark(connection);
        string? refusal;
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed))
        {
            patience.CancelAfter(Patience);
            try
            {
                refusal = await ReadHeadAsync(connection.Transport.Input, patience.Token) is { } head ? Check(head) : Refusal("400 Bad Request", "A CONNECT request was expected.");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        var answer = refusal ?? "HTTP/1.1 200 Connection established\r\n\r\n";
        await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(answer));
        if (refusal is null) await next(connection);
    };

    // Reads up to the empty line and leaves what comes after it, which is the client's TLS greeting, for whoever is next.
    private static async Task<string?> ReadHeadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var reader = new SequenceReader<byte>(read.Buffer);
            if (reader.TryReadTo(out ReadOnlySequence<byte> head, "\r\n\r\n"u8))
            {
                var text = head.Length <= LongestHead ? Encoding.ASCII.GetString(head) : null;
                input.AdvanceTo(reader.Position);
                return text;
            }

            var tooLong = read.Buffer.Length > LongestHead;
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (tooLong || read.IsCompleted) return null;
        }
    }

    private static string? Check(string head)
    {
        var line = head.AsSpan(0, head.IndexOf("\r\n", StringComparison.Ordinal) is var end and >= 0 ? end : head.Length).ToString();
        if (line.Split(' ') is not ["CONNECT", var target, _])
            return Refusal("405 Method Not Allowed", "This proxy takes CONNECT only: it serves https addresses of the emulated hosts.", "Allow: CONNECT\r\n");
        var colon = target.LastIndexOf(':');
        var host = colon < 0 ? target : target[..colon];
        return colon >= 0 && target[(colon + 1)..] == "443" && EmulatedHosts.Find(host) is not null
            ? null
            : Refusal("403 Forbidden", "This proxy serves port 443 of the emulated hosts only; './vedette trust --hosts-file' lists them.");
    }

    private static string Refusal(string status, string text, string headers = "") =>
        $"HTTP/1.1 {status}\r\n{headers}Content-Type: text/plain\r\nContent-Length: {text.Length + 1}\r\nConnection: close\r\n\r\n{text}\n";
}
