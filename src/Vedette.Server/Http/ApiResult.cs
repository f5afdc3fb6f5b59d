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

/// <summary>A single text in an OData envelope.</summary>
internal sealed record TextResult(string Value) : ApiResult;

/// <summary>An answer that writes its own JSON as it reads, in an OData envelope or without one.</summary>
/// <param name="WriteAsync">Writes the whole JSON value.</param>
internal sealed record JsonResult(Func<Utf8JsonWriter, CancellationToken, ValueTask> WriteAsync) : ApiResult
{
    /// <summary>True for OData answers, which carry their own content type and version header.</summary>
    public bool OData { get; init; } = true;

    /// <summary>Frees what the writer reads from, whether it ran or not.</summary>
    public IAsyncDisposable? Source { get; init; }
}

/// <summary>A file to download.</summary>
internal sealed record FileResult(string ContentType, string FileName, Func<Stream, CancellationToken, Task> WriteAsync) : ApiResult;
