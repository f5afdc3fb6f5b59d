using System.Buffers;

namespace Vedette.Server.Http;

/// <summary>Hands bytes on and remembers them, as long as there are not too many.</summary>
internal sealed class RecordingWriter(IBufferWriter<byte> output, int most) : IBufferWriter<byte>
{
    private ArrayBufferWriter<byte>? _record = new(16 * 1024);
    private Memory<byte> _given;

    /// <summary>Everything that was written; null when it was too much.</summary>
    public byte[]? Record => _record?.WrittenSpan.ToArray();

    /// <inheritdoc/>
    public void Advance(int count)
    {
        if (_record is not null)
        {
            if (_record.WrittenCount + count > most) _record = null;
            else _record.Write(_given.Span[..count]);
        }

        output.Advance(count);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => _given = output.GetMemory(sizeHint);

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
