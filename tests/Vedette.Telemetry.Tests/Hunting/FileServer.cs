using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>A small https server on a free port of the loopback address, with a certificate of its own.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly TestCertificate _certificate = new("feeds.test");
    private readonly Task _work;

    public FileServer()
    {
        _listener.Start();
        _work = AcceptAsync();
    }

    /// <summary>What a path answers: the head without its end, and the body; a null body never comes.</summary>
    public ConcurrentDictionary<string, (string Head, byte[]? Body)> Files { get; } = new();

    /// <summary>Paths that were asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>What was asked: the method, the headers a line each, an empty line, the body.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Add(string path, string text) => Add(path, Encoding.UTF8.GetBytes(text));

    public void Add(string path, byte[] body) => Files[path] = ($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}", body);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var calls = new List<Task>();
        try
        {
            while (true) calls.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(calls).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        await using (var tls = new SslStream(client.GetStream()))
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate.Certificate }, _stop.Token);
            using var reader = new StreamReader(tls, Encoding.ASCII);
            var request = (await reader.ReadLineAsync(_stop.Token))!.Split(' ');
            var (path, length) = (request[1], 0);
            var head = new StringBuilder(request[0]);
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line)
            {
                head.Append('\n').Append(line);
                if (line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase)) length = int.Parse(line[16..]);
            }

            var sent = new char[length];
            if (length > 0) await reader.ReadBlockAsync(sent, _stop.Token);
            Asked.Enqueue(path);
            Requests.Enqueue($"{head}\n\n{new string(sent)}");
            var (answer, body) = Files.TryGetValue(path, out var file) || Files.TryGetValue(Uri.UnescapeDataString(path), out file) ? file : ("HTTP/1.1 404 Not Found\r\nContent-Length: 0", []);
            await tls.WriteAsync(Encoding.ASCII.GetBytes(answer + "\r\nConnection: close\r\n\r\n"), _stop.Token);
            if (body is null) await Task.Delay(Timeout.Infinite, _stop.Token);
            await tls.WriteAsync(body, _stop.Token);
        }
    }
}
