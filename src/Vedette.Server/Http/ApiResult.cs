using System.IO.Pipelines;
using System.Text.Json;

namespace Vedette.Server.Http;

/// <summary>A handler's answer, which the shape step writes.</summary>
internal abstract record ApiResult
{
    /// <summary>An error answer.</summary>
    public static implicit operator ApiResult(ApiError error) => new ErrorResult(error);
}

/// <summary>An error answer.</summary>
internal sealed record ErrorResult(ApiError Error) : ApiResult;

/// <summary>The row's success status and nothing else.</summary>
internal sealed record EmptyResult : ApiResult
{
    /// <summary>The only instance.</summary>
    public static EmptyResult Instance { get; } = new();
}

/// <summary>A bare number, as <c>/$count</c> answers.</summary>
internal sealed record NumberResult(long Value) : ApiResult;

/// <summary>A text of another type than JSON, as it is.</summary>
internal sealed record PlainResult(string ContentType, string Text) : ApiResult;

/// <summary>A single text in an OData envelope.</summary>
internal sealed record TextResult(string Value) : ApiResult;

/// <summary>An answer that writes its own JSON as it reads, in an OData envelope or without one.</summary>
/// <param name="WriteAsync">Writes the whole JSON value; large ones let the flow send what there is from time to time.</param>
internal sealed record JsonResult(Func<Utf8JsonWriter, AnswerFlow, ValueTask> WriteAsync) : ApiResult
{
    /// <summary>True for OData answers, which carry their own content type and version header.</summary>
    public bool OData { get; init; } = true;

    /// <summary>Frees what the writer reads from, whether it ran or not.</summary>
    public IAsyncDisposable? Source { get; init; }

    /// <summary>Takes the whole answer to keep it, when it is small enough; null when it is not to be kept.</summary>
    public Action<byte[]>? Keep { get; init; }
}

/// <summary>A whole OData answer that was made before.</summary>
internal sealed record KeptResult(byte[] Answer) : ApiResult;

/// <summary>Sends a large answer while it is being written, so that memory holds a part of it only and a slow client slows the reading.</summary>
internal sealed class AnswerFlow(Utf8JsonWriter json, PipeWriter output, CancellationToken cancel)
{
    private const int Large = 64 * 1024;
    private long _sent;

    /// <summary>Signals that the client went away.</summary>
    public CancellationToken Cancel => cancel;

    /// <summary>Sends what has been written when it has become much. The writer's own flush would only hand it to the output's buffer.</summary>
    public ValueTask SendIfLargeAsync() => json.BytesCommitted + json.BytesPending - _sent < Large ? default : SendAsync();

    private async ValueTask SendAsync()
    {
        json.Flush();
        _sent = json.BytesCommitted;
        await output.FlushAsync(cancel);
    }
}

/// <summary>A file to download.</summary>
internal sealed record FileResult(string ContentType, string FileName, Func<Stream, CancellationToken, Task> WriteAsync) : ApiResult;
