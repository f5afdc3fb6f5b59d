using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Vedette.Telemetry.Hunting;

/// <summary>
/// Opens the files that <c>externaldata</c> names: https only, hosts of the list only, redirects within one host only, and never an address that the
/// list does not allow, whatever a name resolves to at that moment.
/// </summary>
internal sealed class ExternalDataReader : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly ExternalDataOptions _options;
    private readonly ExternalHosts _hosts;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly HttpClient _client;

    /// <summary>Makes a reader.</summary>
    /// <param name="options">What may be read.</param>
    /// <param name="configure">Changes to how connections are made.</param>
    /// <param name="resolve">Finds a host's addresses; null for the system's way.</param>
    /// <exception cref="FormatException">The list of hosts cannot be understood.</exception>
    public ExternalDataReader(
        ExternalDataOptions options, Action<SocketsHttpHandler>? configure = null, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        _options = options;
        _hosts = new ExternalHosts(options.AllowedHosts);
        _resolve = resolve ?? Dns.GetHostAddressesAsync;

        // A proxy would resolve names by itself, and cookies or redirects would carry one query's doings into another's.
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            Credentials = null,
            PooledConnectionLifetime = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 64,
            ConnectCallback = ConnectAsync,
        };
        configure?.Invoke(handler);
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Vedette", null));
    }

    /// <summary>Opens a file. The stream fails when the file is too large or takes too long.</summary>
    /// <exception cref="HuntingException">It may not be read, or cannot be.</exception>
    public async Task<Stream> OpenAsync(Uri uri, CancellationToken cancellationToken)
    {
        var deadline = new CancellationTokenSource(_options.Timeout);
        var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        HttpResponseMessage? response = null;
        try
        {
            response = await SendAsync(uri, either.Token);
            if (response.Content.Headers.ContentLength > _options.MaxBytes) throw TooLarge(uri);
            var body = await response.Content.ReadAsStreamAsync(either.Token);
            return new BoundedStream(response, body, _options.MaxBytes, deadline, either, () => TooLarge(uri), () => TooLate(uri), cancellationToken);
        }
        catch (Exception exception)
        {
            response?.Dispose();
            either.Dispose();
            var late = deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested;
            deadline.Dispose();
            throw exception switch
            {
                OperationCanceledException when late => TooLate(uri),
                HttpRequestException { InnerException: HuntingException refused } => refused,
                HttpRequestException or IOException => Refused($"'{uri.Host}' cannot be read: {exception.GetBaseException().Message}"),
                _ => exception,
            };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Uri uri, CancellationToken cancellationToken)
    {
        var current = uri;
        for (var redirects = 0; ; redirects++)
        {
            Check(current);
            using var request = new HttpRequestMessage(HttpMethod.Get, current);
            var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK) return response;
            using (response)
            {
                var target = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308 ? response.Headers.Location : null;
                if (target is null) throw Refused($"'{current.Host}' answered {(int)response.StatusCode}.");
                if (redirects == MaxRedirects) throw Refused($"'{uri.Host}' redirects more than {MaxRedirects} times.");
                var next = new Uri(current, target);
                if (next.Scheme != Uri.UriSchemeHttps || next.IdnHost != current.IdnHost || next.Port != current.Port)
                    throw Refused($"'{current.Host}' redirects to another place, '{next.GetLeftPart(UriPartial.Authority)}'.");
                current = next;
            }
        }
    }

    private void Check(Uri uri)
    {
        if (uri.Scheme != Uri.UriSchemeHttps) throw Refused($"'{uri.Host}' is not an https address.");
        if (uri.UserInfo.Length > 0) throw Refused("An address must not hold a user name or a password.");
        if (!_hosts.Allows(uri)) throw Refused($"The host '{uri.Authority}' is not on the list of hosts that may be read.");
    }

    // Looked up and connected in one step: a name that leads elsewhere a moment later gains nothing.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await _resolve(host, cancellationToken);
        if (Array.Find(addresses, address => !_hosts.AllowsConnection(address)) is { } hidden)
            throw Refused($"'{host}' leads to the private address {hidden}, which the list of hosts does not name.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private HuntingException TooLarge(Uri uri) =>
        new(HuntingFailure.ExcessiveResources, $"externaldata: the file of '{uri.Host}' is larger than {_options.MaxBytes} bytes.");

    private HuntingException TooLate(Uri uri) =>
        new(HuntingFailure.ExcessiveResources, $"externaldata: '{uri.Host}' took longer than {_options.Timeout.TotalSeconds:0.###} seconds.");

    private static HuntingException Refused(string why) => new(HuntingFailure.Semantic, "externaldata: " + why);

    /// <summary>A body that ends with an error when it is too long or too slow.</summary>
    private sealed class BoundedStream(
        HttpResponseMessage response, Stream body, long most, CancellationTokenSource deadline, CancellationTokenSource either,
        Func<Exception> tooLarge, Func<Exception> tooLate, CancellationToken caller) : Stream
    {
        private long _read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => _read;
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                var count = await body.ReadAsync(buffer, either.Token);
                _read += count;
                return _read > most ? throw tooLarge() : count;
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !caller.IsCancellationRequested)
            {
                throw tooLate();
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                throw Refused("The file broke off: " + exception.GetBaseException().Message);
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Files of the network are read asynchronously.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                body.Dispose();
                response.Dispose();
                either.Dispose();
                deadline.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
