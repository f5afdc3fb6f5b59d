using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Vedette.Telemetry.Engine;

/// <summary>
/// A ClickHouse server behind its HTTP interface. Each statement is one request: the text and the data travel in the body, settings and
/// short parameters in the address, long parameters as form fields.
/// </summary>
public sealed class HttpClickHouse : IClickHouse
{
    // Servers and proxies cut longer addresses off.
    private const int LongestQueryString = 6_000;

    private readonly HttpClient _client;

    /// <summary>Makes a client.</summary>
    /// <param name="url">Address; user and password may stand in it. A path and a query (<c>?database=…</c>) are kept.</param>
    /// <param name="handler">How to reach the server; null for the usual way.</param>
    public HttpClickHouse(Uri url, HttpMessageHandler? handler = null)
    {
        ArgumentNullException.ThrowIfNull(url);
        _client = new HttpClient(handler ?? new SocketsHttpHandler
        {
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            AutomaticDecompression = DecompressionMethods.GZip,
        })
        {
            BaseAddress = new UriBuilder(url) { UserName = "", Password = "" }.Uri,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0) _client.DefaultRequestHeaders.Add("X-ClickHouse-User", Uri.UnescapeDataString(user[0]));
        if (user.Length > 1) _client.DefaultRequestHeaders.Add("X-ClickHouse-Key", Uri.UnescapeDataString(user[1]));
    }

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> ExecuteAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(statement);
        var started = Stopwatch.GetTimestamp();
        using var response = await SendAsync(statement, null, ("wait_end_of_query", "1"), cancellationToken);
        await response.Content.CopyToAsync(Stream.Null, cancellationToken);
        return Summary(response, started);
    }

    /// <inheritdoc/>
    public async Task<ClickHouseReader> QueryAsync(ClickHouseStatement statement, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(statement);
        var started = Stopwatch.GetTimestamp();
        var response = await SendAsync(statement, null, ("cancel_http_readonly_queries_on_client_close", "1"), cancellationToken);
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            return new Reader(response, body, started, cancellationToken);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<ClickHouseStatistics> InsertAsync(
        ClickHouseStatement statement, IAsyncEnumerable<ReadOnlyMemory<byte>> nativeBlocks, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(statement);
        ArgumentNullException.ThrowIfNull(nativeBlocks);
        var started = Stopwatch.GetTimestamp();
        using var content = new BlocksContent(nativeBlocks, cancellationToken);
        using var response = await SendAsync(
            statement with { Sql = statement.Sql + " FORMAT Native" }, content, ("wait_end_of_query", "1"), cancellationToken);
        await response.Content.CopyToAsync(Stream.Null, cancellationToken);
        return Summary(response, started);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<HttpResponseMessage> SendAsync(
        ClickHouseStatement statement, HttpContent? data, (string Name, string Value) option, CancellationToken cancellationToken)
    {
        var query = new StringBuilder(_client.BaseAddress!.Query.TrimStart('?'));
        Add(query, "default_format", "Native");
        Add(query, option.Name, option.Value);
        foreach (var (name, value) in ClickHouseSettings.Connection) Add(query, name, value);
        foreach (var (name, value) in statement.Settings) Add(query, name, value);
        var parameters = statement.Parameters.Select(static p => (Name: "param_" + p.Name, Value: ParameterText.Format(p.Value))).ToArray();
        var inAddress = parameters.Sum(static p => p.Name.Length + p.Value.Length * 3) + query.Length < LongestQueryString;
        if (inAddress || data is not null)
        {
            foreach (var (name, value) in parameters) Add(query, name, value);
        }

        HttpContent content;
        if (data is not null)
        {
            Add(query, "query", statement.Sql);
            content = data;
        }
        else if (inAddress)
        {
            content = new StringContent(statement.Sql, Encoding.UTF8, "text/plain");
        }
        else
        {
            var form = new MultipartFormDataContent();
            foreach (var (name, value) in parameters) form.Add(new StringContent(value), $"\"{name}\"");
            form.Add(new StringContent(statement.Sql), "\"query\"");
            content = form;
        }

        var request = new HttpRequestMessage(HttpMethod.Post, new UriBuilder(_client.BaseAddress) { Query = query.ToString() }.Uri)
        {
            Content = content,
        };
        HttpResponseMessage? response = null;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.IsSuccessStatusCode) return response;
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            throw ClickHouseException.Parse(text.Length > 0 ? text : $"The server answered {(int)response.StatusCode}.");
        }
        catch (HttpRequestException error)
        {
            response?.Dispose();
            throw new ClickHouseException(210, "NETWORK_ERROR", $"The telemetry server at {_client.BaseAddress.Host} cannot be reached: {error.Message}");
        }
        catch
        {
            response?.Dispose();
            throw;
        }
    }

    private static void Add(StringBuilder query, string name, string value)
    {
        if (query.Length > 0) query.Append('&');
        query.Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
    }

    private static ClickHouseStatistics Summary(HttpResponseMessage response, long started)
    {
        var elapsed = Stopwatch.GetElapsedTime(started);
        if (!response.Headers.TryGetValues("X-ClickHouse-Summary", out var values)) return new ClickHouseStatistics(elapsed, 0, 0, 0, 0, elapsed);
        try
        {
            using var summary = JsonDocument.Parse(values.First());
            return new ClickHouseStatistics(
                elapsed, Number(summary, "read_rows"), Number(summary, "read_bytes"), Number(summary, "written_rows"), Number(summary, "memory_usage"), elapsed);
        }
        catch (JsonException)
        {
            return new ClickHouseStatistics(elapsed, 0, 0, 0, 0, elapsed);
        }
    }

    private static long Number(JsonDocument summary, string name) =>
        summary.RootElement.TryGetProperty(name, out var value)
        && long.TryParse(value.GetString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private sealed class BlocksContent : HttpContent
    {
        private readonly IAsyncEnumerable<ReadOnlyMemory<byte>> _blocks;
        private readonly CancellationToken _cancellationToken;

        public BlocksContent(IAsyncEnumerable<ReadOnlyMemory<byte>> blocks, CancellationToken cancellationToken)
        {
            _blocks = blocks;
            _cancellationToken = cancellationToken;
            Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await foreach (var block in _blocks.WithCancellation(_cancellationToken)) await stream.WriteAsync(block, _cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class Reader(HttpResponseMessage response, Stream body, long started, CancellationToken cancellationToken) : ClickHouseReader
    {
        private readonly NativeBlockReader.FieldCache _fields = new();
        private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        private int _start;
        private int _end;
        private int _wanted;
        private bool _ended;

        public override ClickHouseStatistics Statistics => Summary(response, started);

        public override async ValueTask<ClickHouseBlock?> ReadAsync()
        {
            while (true)
            {
                // After an incomplete block, more than what was there is needed: waiting for twice as much keeps the work linear.
                if (_end - _start > 0 && (_ended || _end - _start >= _wanted) && TryTake(out var block))
                {
                    if (block!.RowCount > 0) return block;
                    continue;
                }

                if (_ended)
                {
                    if (_end > _start) throw Failure();
                    return null;
                }

                await FillAsync();
            }
        }

        public override ValueTask DisposeAsync()
        {
            response.Dispose();
            if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            return ValueTask.CompletedTask;
        }

        private bool TryTake(out ClickHouseBlock? block)
        {
            var reader = new NativeBlockReader(_buffer.AsSpan(_start, _end - _start));
            try
            {
                if (reader.TryRead(_fields, out block))
                {
                    _start += reader.Position;
                    _wanted = 0;
                    return true;
                }
            }
            catch (Exception error) when (error is FormatException or OverflowException)
            {
                throw Failure();
            }

            _wanted = (_end - _start) * 2;
            return false;
        }

        private async Task FillAsync()
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            if (_end == _buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
                _buffer.AsSpan(0, _end).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = larger;
            }

            try
            {
                var read = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
                _end += read;
                _ended = read == 0;
            }
            catch (Exception error) when (error is HttpRequestException or IOException)
            {
                // A server that fails half way writes its message and breaks the connection off.
                throw Failure();
            }
        }

        private ClickHouseException Failure()
        {
            var rest = Encoding.UTF8.GetString(_buffer.AsSpan(_start, _end - _start));
            var at = rest.IndexOf("Code: ", StringComparison.Ordinal);
            return at < 0
                ? new ClickHouseException(0, "", "The telemetry server broke its answer off.")
                : ClickHouseException.Parse(rest[at..].Split('\n')[0]);
        }
    }
}
