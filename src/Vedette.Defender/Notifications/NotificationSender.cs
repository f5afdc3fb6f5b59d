using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Vedette.Defender.Notifications;

/// <summary>What became of a request to a receiver.</summary>
/// <param name="Taken">Whether it was taken.</param>
/// <param name="Reason">Why not, in a word or two.</param>
/// <param name="RetryAfter">When the receiver wants to be asked again.</param>
public sealed record SendResult(bool Taken, string? Reason = null, TimeSpan? RetryAfter = null);

/// <summary>How a receiver did with the validation request.</summary>
public enum ValidationResult
{
    /// <summary>It gave the token back.</summary>
    Passed,

    /// <summary>It could not be reached, or answered with another status than 200.</summary>
    Refused,

    /// <summary>It answered something else.</summary>
    WrongAnswer,

    /// <summary>It took too long.</summary>
    TimedOut,
}

/// <summary>
/// Speaks with receivers of notifications. Their addresses come from callers of the API, so nothing that they answer is given on, redirects are not
/// followed, no proxy and no credentials are used, and the address that a name leads to is checked when the connection is made.
/// </summary>
public sealed class NotificationSender : IDisposable
{
    private const int LongestAnswer = 4_096;
    private const int LongestUrl = 2_048;
    private readonly NotificationOptions _options;
    private readonly HttpClient _client;

    /// <summary>Makes a sender.</summary>
    public NotificationSender(NotificationOptions options)
    {
        _options = options;
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 64,
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Vedette", null));
    }

    /// <summary>What is wrong with a receiver's address: null for https, or http on this machine; else the scheme, or empty when it is no address.</summary>
    public static string? Problem(string? url)
    {
        if (url is not { Length: > 0 and <= LongestUrl } || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.UserInfo.Length > 0 || address.Fragment.Length > 0) return "";
        return address.Scheme == Uri.UriSchemeHttps || address is { Scheme: "http", IsLoopback: true } ? null : address.Scheme;
    }

    /// <summary>Sends a receiver a token, which it has to give back in plain text.</summary>
    public async Task<(ValidationResult Result, HttpStatusCode? Status)> ValidateAsync(string url, string token, CancellationToken cancellationToken)
    {
        var address = new UriBuilder(url);
        address.Query = (address.Query.Length > 1 ? address.Query[1..] + "&" : "") + "validationToken=" + Uri.EscapeDataString(token);
        using var request = new HttpRequestMessage(HttpMethod.Post, address.Uri) { Content = new StringContent("", Encoding.UTF8, "text/plain") };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_options.ValidationTimeout);
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (response.StatusCode != HttpStatusCode.OK) return (ValidationResult.Refused, response.StatusCode);
            var answer = await ReadAsync(response, patience.Token);
            var isPlain = response.Content.Headers.ContentType is not { MediaType: { } type } || type.Equals("text/plain", StringComparison.OrdinalIgnoreCase);
            return (isPlain && answer == token ? ValidationResult.Passed : ValidationResult.WrongAnswer, response.StatusCode);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (ValidationResult.TimedOut, null);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return (ValidationResult.Refused, null);
        }
    }

    /// <summary>Posts notifications. Any 2xx answer takes them.</summary>
    public async Task<SendResult> PostAsync(string url, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_options.DeliveryTimeout);
        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            return response.IsSuccessStatusCode
                ? new SendResult(true)
                : new SendResult(false, $"answered {(int)response.StatusCode}", response.Headers.RetryAfter?.Delta);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SendResult(false, "took too long");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new SendResult(false, "cannot be reached");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    // Of the answer no more is read than the token can be.
    private static async Task<string?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LongestAnswer + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > LongestAnswer ? null : Encoding.UTF8.GetString(buffer, 0, length);
    }

    // Looked up and connected in one step: a name that leads elsewhere a moment later gains nothing.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        if (addresses.Length == 0 || !Array.TrueForAll(addresses, IsAllowed)) throw new IOException("The address is not one that notifications are sent to.");
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

    internal bool IsAllowed(IPAddress given)
    {
        var address = given.IsIPv4MappedToIPv6 ? given.MapToIPv4() : given;
        if (IPAddress.IsLoopback(address)) return true;
        if (address.AddressFamily != AddressFamily.InterNetwork)
            return !(address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any) || (address.IsIPv6UniqueLocal && !_options.PrivateAddresses));
        var bytes = address.GetAddressBytes();
        if (bytes[0] is 0 or >= 224 || (bytes[0] == 169 && bytes[1] == 254)) return false;
        var isPrivate = bytes[0] == 10 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 100 && bytes[1] is >= 64 and < 128);
        return _options.PrivateAddresses || !isPrivate;
    }
}
