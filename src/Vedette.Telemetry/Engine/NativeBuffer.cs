using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Vedette.Telemetry.Engine;

/// <summary>Bytes of ClickHouse's Native format in the making. Takes its memory from the shared pool: dispose it.</summary>
internal sealed class NativeBuffer : IDisposable
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int _length;

    public int Length => _length;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    public void Clear() => _length = 0;

    public void VarUInt(ulong value)
    {
        var span = Reserve(10);
        while (value >= 0x80)
        {
            span[0] = (byte)(value | 0x80);
            span = span[1..];
            _length++;
            value >>= 7;
        }

        span[0] = (byte)value;
        _length++;
    }

    public void String(string text)
    {
        // Short texts need one byte for their length whatever they hold, so they are encoded in place.
        const int shortText = 0x7F / 3;
        if (text.Length <= shortText)
        {
            var span = Reserve(shortText * 3 + 1);
            var written = Encoding.UTF8.GetBytes(text, span[1..]);
            span[0] = (byte)written;
            _length += written + 1;
            return;
        }

        var size = Encoding.UTF8.GetByteCount(text);
        VarUInt((ulong)size);
        Encoding.UTF8.GetBytes(text, Reserve(size));
        _length += size;
    }

    public void Byte(byte value)
    {
        Reserve(1)[0] = value;
        _length++;
    }

    public void Value<T>(T value)
        where T : unmanaged
    {
        var span = Reserve(16);
        MemoryMarshal.Write(span, in value);
        _length += System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
    }

    public void Guid(Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        var span = Reserve(16);
        BinaryPrimitives.WriteUInt64LittleEndian(span, BinaryPrimitives.ReadUInt64BigEndian(bytes));
        BinaryPrimitives.WriteUInt64LittleEndian(span[8..], BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        _length += 16;
    }

    /// <summary>Space for that many bytes, counted as written and to be filled by the caller.</summary>
    public Span<byte> Take(int count)
    {
        var span = Reserve(count)[..count];
        _length += count;
        return span;
    }

    public void Dispose()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _length = 0;
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - _length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _length + count));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(_length);
    }
}
