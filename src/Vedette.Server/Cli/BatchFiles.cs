using Vedette.Server.Control;

namespace Vedette.Server.Cli;

/// <summary>The two ends of a batch: a file of queries that can be read twice, and where the answers go.</summary>
internal sealed class BatchFiles : IDisposable
{
    private readonly string? _spool;
    private readonly string? _answers;

    private BatchFiles(string queries, string? spool, string? answers)
    {
        Queries = queries;
        _spool = spool;
        _answers = answers;
    }

    /// <summary>Path of the queries.</summary>
    public string Queries { get; }

    /// <summary>Looks at both ends; queries that come through a pipe are put by first.</summary>
    /// <param name="queries">A path, or <c>-</c> for standard input.</param>
    /// <param name="answers">A path, or <c>-</c> or null for standard output.</param>
    /// <param name="cancellationToken">Stops the reading of a pipe.</param>
    /// <exception cref="OperationException">One of them cannot be used.</exception>
    public static async Task<BatchFiles> OpenAsync(string queries, string? answers, CancellationToken cancellationToken)
    {
        var target = Check(queries, answers);
        await using var source = queries == "-" ? Console.OpenStandardInput() : Open(queries);
        if (source is FileStream { CanSeek: true }) return new BatchFiles(Path.GetFullPath(queries), null, target);
        var spool = Path.GetTempFileName();
        await using (var copy = File.Create(spool)) await source.CopyToAsync(copy, cancellationToken);
        return new BatchFiles(spool, spool, target);
    }

    /// <summary>Looks whether both ends can be used, without opening them.</summary>
    /// <returns>Full path of the answers; null for standard output.</returns>
    /// <exception cref="OperationException">One of them cannot be used.</exception>
    public static string? Check(string queries, string? answers)
    {
        var target = answers is null or "-" ? null : Path.GetFullPath(answers);
        if (target is not null && Directory.Exists(target)) throw new OperationException("bad_input", $"'{answers}' is a folder; --out takes a file.");
        if (target is not null && Path.GetDirectoryName(target) is { } folder && !Directory.Exists(folder))
            throw new OperationException("bad_input", $"There is no folder '{folder}' for the answers.");
        if (queries != "-" && Directory.Exists(queries)) throw new OperationException("bad_input", $"'{queries}' is a folder; --in takes a file.");
        if (queries != "-" && !File.Exists(queries)) throw new OperationException("bad_input", $"There is no file '{queries}'.");
        if (queries != "-" && target == Path.GetFullPath(queries)) throw new OperationException("bad_input", "--in and --out are the same file.");
        return target;
    }

    /// <summary>Where the answers go; a file is made anew.</summary>
    /// <exception cref="OperationException">It cannot be written.</exception>
    public Stream Answers() => Create(_answers);

    /// <summary>Opens where answers go: a file, which is made anew, or standard output for null.</summary>
    /// <exception cref="OperationException">It cannot be written.</exception>
    public static Stream Create(string? answers)
    {
        if (answers is null) return Console.OpenStandardOutput();
        try
        {
            // Queries of a batch take no hold of the file: another program may follow it.
            return new FileStream(answers, FileMode.Create, FileAccess.Write, FileShare.Read);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OperationException("bad_input", $"The answers cannot be written to '{answers}': {exception.Message}", exception);
        }
    }

    public void Dispose()
    {
        if (_spool is not null) File.Delete(_spool);
    }

    private static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new OperationException("bad_input", $"The queries cannot be read: {exception.Message}", exception);
        }
    }
}
