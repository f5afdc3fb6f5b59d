using System.Text;
using System.Text.Json;
using Vedette.Server.Control;

namespace Vedette.Server.Cli;

/// <summary>Takes the answers of hunting queries as they come: shows the progress, and writes the text where it is wanted.</summary>
/// <param name="bar">Shows the progress.</param>
/// <param name="output">Where the text goes; closed with this. A file is cut back to its last whole line when the query or the batch is interrupted.</param>
internal sealed class HuntAnswer(ProgressLine bar, Stream output) : IProgress<OperationProgress>, IAnswerText, IDisposable
{
    private const int LargeEnough = 1 << 16;

    private readonly MemoryStream _waiting = new();
    private long _written;
    private long _whole;

    public void Report(OperationProgress value) => bar.Report(value);

    public async ValueTask WriteAsync(string text, CancellationToken cancellationToken)
    {
        _waiting.Write(Encoding.UTF8.GetBytes(text));
        if (!text.EndsWith('\n') && _waiting.Length < LargeEnough) return;
        await output.WriteAsync(_waiting.GetBuffer().AsMemory(0, (int)_waiting.Length), cancellationToken);
        await output.FlushAsync(cancellationToken);
        _written += _waiting.Length;
        if (text.EndsWith('\n')) _whole = _written;
        _waiting.SetLength(0);
    }

    /// <summary>Reads the one line that was written.</summary>
    public static JsonDocument Read(MemoryStream output) => JsonDocument.Parse(output.GetBuffer().AsMemory(0, (int)output.Length), new JsonDocumentOptions { MaxDepth = 1000 });

    public void Dispose()
    {
        if (_written > _whole && output is FileStream { CanSeek: true } file) file.SetLength(_whole);
        output.Dispose();
        _waiting.Dispose();
    }
}
