using System.Buffers;
using System.Net;
using Vedette.Foundation.Storage;

namespace Vedette.Defender.Streaming;

/// <summary>Appends JSON lines to append blobs of a storage account: a container a table, a blob an hour.</summary>
internal sealed class StorageSink(TimeProvider clock) : IExportSink, IDisposable
{
    // An append block holds 4 MiB at most.
    private const int LargestBlock = 4 * 1024 * 1024 - 1;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };

    public ExportKind Kind => ExportKind.Storage;

    public async Task DeliverAsync(DataExport export, string? secret, string table, IReadOnlyList<StreamingRecord> records, CancellationToken cancellationToken)
    {
        var account = StorageAccount.Parse(secret ?? throw new ExportException("The connection string is missing."));
        var container = StreamedTables.Container(table);
        foreach (var hour in records.GroupBy(record => StreamedTables.HourPath(export.TenantId, record.Arrived)))
        {
            var block = new ArrayBufferWriter<byte>();
            foreach (var record in hour)
            {
                if (block.WrittenCount > 0 && block.WrittenCount + record.Json.Length + 1 > LargestBlock)
                {
                    await AppendAsync(account, container, hour.Key, block.WrittenMemory, cancellationToken);
                    block = new ArrayBufferWriter<byte>();
                }

                block.Write(record.Json.Span);
                block.Write("\n"u8);
            }

            await AppendAsync(account, container, hour.Key, block.WrittenMemory, cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task AppendAsync(StorageAccount account, string container, string blob, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        var path = $"{container}/{blob}";
        if (await SendAsync(account, path, ("comp", "appendblock"), block, cancellationToken) == HttpStatusCode.Created) return;

        // The blob of this hour, or its container, is not there yet. Another server may make either at the same time.
        await SendAsync(account, container, ("restype", "container"), null, cancellationToken);
        await SendAsync(account, path, null, null, cancellationToken);
        var status = await SendAsync(account, path, ("comp", "appendblock"), block, cancellationToken);
        if (status != HttpStatusCode.Created) throw new ExportException($"The storage account answered {(int)status} to an appended block.");
    }

    private async Task<HttpStatusCode> SendAsync(
        StorageAccount account, string path, (string, string)? query, ReadOnlyMemory<byte>? body, CancellationToken cancellationToken)
    {
        try
        {
            using var request = account.Request(
                HttpMethod.Put, path, query is { } option ? [option] : [], query is null ? [("x-ms-blob-type", "AppendBlob")] : [], body, onlyNew: query is null,
                clock.GetUtcNow().UtcDateTime);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if ((int)response.StatusCode is 401 or 403 or >= 500)
                throw new ExportException($"The storage account answered {(int)response.StatusCode} to {path}.", response.Headers.RetryAfter?.Delta);
            return response.StatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ExportException($"The storage account cannot be reached: {exception.Message}", null, exception);
        }
    }
}
