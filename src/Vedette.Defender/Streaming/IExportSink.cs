namespace Vedette.Defender.Streaming;

/// <summary>Takes the records of one kind of export.</summary>
internal interface IExportSink
{
    /// <summary>Which exports it serves.</summary>
    ExportKind Kind { get; }

    /// <summary>Delivers records of one table, in order. When it returns, they are taken; when it throws, they will come again.</summary>
    /// <exception cref="ExportException">The target did not take them.</exception>
    Task DeliverAsync(DataExport export, string? secret, string table, IReadOnlyList<StreamingRecord> records, CancellationToken cancellationToken);
}

/// <summary>A target did not take a delivery.</summary>
public sealed class ExportException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>When the target wants to be asked again.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
