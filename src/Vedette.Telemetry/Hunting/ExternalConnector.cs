using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;

namespace Vedette.Telemetry.Hunting;

/// <summary>A call of a query to the network.</summary>
/// <param name="Caller">The word of the language that makes it, for messages: externaldata, http_request …</param>
/// <param name="Uri">Where to.</param>
/// <param name="Make">Makes the request for an address: again for each redirect.</param>
internal sealed record ExternalCall(string Caller, Uri Uri, Func<Uri, HttpRequestMessage> Make)
{
    /// <summary>Whether redirects within the host are followed; else one is an error.</summary>
    public bool FollowsRedirects { get; init; } = true;

    /// <summary>Whether an answer other than 200 is given to the caller; else it is an error.</summary>
    public bool TakesAnyAnswer { get; init; }
}

/// <summary>What a call was answered. The body fails when it is too large or takes too long.</summary>
internal sealed record ExternalAnswer(HttpResponseMessage Response, Stream Body) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Body.DisposeAsync();
}

/// <summary>
/// The one way from a query to the network, for <c>externaldata</c> and the plug-ins that call services: https only, hosts of the list only, redirects
/// within one host only, and never an address that the list does not allow, whatever a name resolves to at that moment.
/// </summary>
internal sealed class ExternalConnector : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly ExternalHosts _hosts;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly HttpClient _client;

    /// <summary>Makes a connector.</summary>
    /// <param name="options">What may be reached.</param>
    /// <param name="certificates">Judges certificates; null for the system's way.</param>
    /// <param name="resolve">Finds a host's addresses; null for the system's way.</param>
    /// <exception cref="FormatException">The list of hosts cannot be understood.</exception>
    public ExternalConnector(
        ExternalDataOptions options, RemoteCertificateValidationCallback? certificates = null, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        Options = options;
        Certificates = certificates;
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
        handler.SslOptions.RemoteCertificateValidationCallback = certificates;
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Vedette", null));
    }

    /// <summary>What may be reached, and how far.</summary>
    public ExternalDataOptions Options { get; }

    /// <summary>Judges certificates; null for the system's way.</summary>
    public RemoteCertificateValidationCallback? Certificates { get; }

    /// <summary>Opens a file for <c>externaldata</c>. The stream fails when the file is too large or takes too long.</summary>
    /// <exception cref="HuntingException">It may not be read, or cannot be.</exception>
    public async Task<Stream> OpenAsync(Uri uri, CancellationToken cancellationToken) =>
        (await SendAsync(new ExternalCall("externaldata", uri, static address => new HttpRequestMessage(HttpMethod.Get, address)), cancellationToken)).Body;

    /// <summary>Calls a service. The time runs from here to the last byte of the answer.</summary>
    /// <exception cref="HuntingException">It may not be called, or does not answer.</exception>
    public async Task<ExternalAnswer> SendAsync(ExternalCall call, CancellationToken cancellationToken)
    {
        var uri = call.Uri;
        var deadline = new CancellationTokenSource(Options.Timeout);
        var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        HttpResponseMessage? response = null;
        try
        {
            response = await AskAsync(call, either.Token);
            if (response.Content.Headers.ContentLength > Options.MaxBytes) throw TooLarge(call);
            var body = await response.Content.ReadAsStreamAsync(either.Token);
            return new ExternalAnswer(response, new BoundedStream(
                response, body, Options.MaxBytes, deadline, either, () => TooLarge(call), () => TooLate(call.Caller, uri.Host), why => Refused(call.Caller, why), cancellationToken));
        }
        catch (Exception exception)
        {
            response?.Dispose();
            either.Dispose();
            var late = deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested;
            deadline.Dispose();
            throw exception switch
            {
                OperationCanceledException when late => TooLate(call.Caller, uri.Host),
                HttpRequestException { InnerException: HuntingException refused } => Refused(call.Caller, refused.Message),
                HttpRequestException or IOException => Refused(call.Caller, $"'{uri.Host}' cannot be read: {exception.GetBaseException().Message}"),
                _ => exception,
            };
        }
    }

    /// <summary>The addresses of a host that a database client may connect to.</summary>
    /// <exception cref="HuntingException">The list does not name the host with this port, or one of its addresses is private.</exception>
    public async Task<IPAddress[]> ResolveAsync(string caller, string host, int port, CancellationToken cancellationToken)
    {
        Check(caller, new UriBuilder(Uri.UriSchemeHttps, host, port).Uri);
        try
        {
            return await LookUpAsync(host, cancellationToken);
        }
        catch (HuntingException refused)
        {
            throw Refused(caller, refused.Message);
        }
        catch (SocketException unknown)
        {
            throw Refused(caller, $"'{host}' cannot be found: {unknown.Message}");
        }
    }

    /// <summary>The error of a call that takes too long.</summary>
    public HuntingException TooLate(string caller, string host) =>
        new(HuntingFailure.ExcessiveResources, $"{caller}: '{host}' took longer than {Options.Timeout.TotalSeconds:0.###} seconds.");

    /// <summary>The error of a call that must not be made, or failed.</summary>
    public static HuntingException Refused(string caller, string why) => new(HuntingFailure.Semantic, $"{caller}: {why}");

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> AskAsync(ExternalCall call, CancellationToken cancellationToken)
    {
        var current = call.Uri;
        for (var redirects = 0; ; redirects++)
        {
            Check(call.Caller, current);
            using var request = call.Make(current);
            var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var target = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308 && call.FollowsRedirects ? response.Headers.Location : null;
            if (response.StatusCode == HttpStatusCode.OK || (call.TakesAnyAnswer && target is null)) return response;
            using (response)
            {
                if (target is null) throw Refused(call.Caller, $"'{current.Host}' answered {(int)response.StatusCode}.");
                if (redirects == MaxRedirects) throw Refused(call.Caller, $"'{call.Uri.Host}' redirects more than {MaxRedirects} times.");
                var next = new Uri(current, target);
                if (next.Scheme != Uri.UriSchemeHttps || next.IdnHost != current.IdnHost || next.Port != current.Port)
                    throw Refused(call.Caller, $"'{current.Host}' redirects to another place, '{next.GetLeftPart(UriPartial.Authority)}'.");
                current = next;
            }
        }
    }

    private void Check(string caller, Uri uri)
    {
        if (uri.Scheme != Uri.UriSchemeHttps) throw Refused(caller, $"'{uri.Host}' is not an https address.");
        if (uri.UserInfo.Length > 0) throw Refused(caller, "An address must not hold a user name or a password.");
        if (!_hosts.Allows(uri)) throw Refused(caller, $"The host '{uri.Authority}' is not on the list of hosts that may be read.");
    }

    private async Task<IPAddress[]> LookUpAsync(string host, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await _resolve(host, cancellationToken);
        return Array.Find(addresses, address => !_hosts.AllowsConnection(address)) is { } hidden
            ? throw new HuntingException(HuntingFailure.Semantic, $"'{host}' leads to the private address {hidden}, which the list of hosts does not name.")
            : addresses;
    }

    // Looked up and connected in one step: a name that leads elsewhere a moment later gains nothing.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await LookUpAsync(context.DnsEndPoint.Host, cancellationToken);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private HuntingException TooLarge(ExternalCall call) =>
        new(HuntingFailure.ExcessiveResources, $"{call.Caller}: the file of '{call.Uri.Host}' is larger than {Options.MaxBytes} bytes.");
}
