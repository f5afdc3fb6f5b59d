using System.IO.Compression;
using System.Text;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>A log as it lies on disk: a plain file, or a member of an archive, opened as UTF-8 text bytes.</summary>
/// <param name="Name">Name for people: the file, or file and member joined by <c>!</c>.</param>
/// <param name="Open">Opens the bytes from their start.</param>
internal sealed record LogMember(string Name, Func<Stream> Open);

/// <summary>Opens log files: zip archives member by member, gzip streams, anything else as it is. UTF-16 is turned into UTF-8.</summary>
internal static class LogFiles
{
    private static ReadOnlySpan<byte> ZipMagic => "PK\x3\x4"u8;

    private static ReadOnlySpan<byte> GzipMagic => [0x1F, 0x8B];

    /// <summary>The logs that a file holds, in the archive's own order. The result is disposed to close the file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The archive is damaged.</exception>
    public static LogFileHandle Open(string path, ImportLimits limits)
    {
        var name = Path.GetFileName(path);
        if (!StartsWith(path, ZipMagic)) return new LogFileHandle(null, [new LogMember(name, () => Unfold(File.OpenRead(path), limits))]);
        var archive = ZipFile.OpenRead(path);
        try
        {
            var members = archive.Entries
                .Where(entry => entry.Length > 0 && !entry.FullName.EndsWith('/'))
                .Select(entry => new LogMember($"{name}!{entry.FullName}", () => Unfold(entry.Open(), limits)))
                .ToArray();
            return new LogFileHandle(archive, members);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    private static bool StartsWith(string path, ReadOnlySpan<byte> magic)
    {
        using var file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[4];
        var read = file.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        return head[..read].StartsWith(magic);
    }

    private static Stream Unfold(Stream raw, ImportLimits limits)
    {
        var peeked = new PeekStream(raw);
        Stream stream = peeked.Head.StartsWith(GzipMagic) ? new PeekStream(new GZipStream(peeked, CompressionMode.Decompress)) : peeked;
        var head = ((PeekStream)stream).Head;
        Encoding? encoding = head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? Encoding.Unicode
            : head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? Encoding.BigEndianUnicode
            : null;
        if (encoding is not null) stream = Encoding.CreateTranscodingStream(stream, encoding, new UTF8Encoding(false));
        return new BoundedStream(stream, limits.MaxExpandedBytes);
    }
}

/// <summary>An open log file.</summary>
internal sealed class LogFileHandle(IDisposable? archive, IReadOnlyList<LogMember> members) : IDisposable
{
    /// <summary>The logs in it.</summary>
    public IReadOnlyList<LogMember> Members { get; } = members;

    /// <inheritdoc/>
    public void Dispose() => archive?.Dispose();
}

/// <summary>Passes a stream through but lets its first four bytes be looked at.</summary>
internal sealed class PeekStream : ReadThroughStream
{
    private readonly byte[] _head = new byte[4];
    private readonly int _length;
    private int _given;

    public PeekStream(Stream inner) : base(inner) => _length = inner.ReadAtLeast(_head, 4, throwOnEndOfStream: false);

    /// <summary>The first bytes, at most four.</summary>
    public ReadOnlySpan<byte> Head => _head.AsSpan(0, _length);

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (_given == _length) return Inner.Read(buffer);
        var count = Math.Min(buffer.Length, _length - _given);
        _head.AsSpan(_given, count).CopyTo(buffer);
        _given += count;
        return count;
    }
}

/// <summary>Fails when more bytes come out of a stream than allowed.</summary>
internal sealed class BoundedStream(Stream inner, long limit) : ReadThroughStream(inner)
{
    private long _read;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var count = Inner.Read(buffer);
        _read += count;
        return _read <= limit ? count : throw new InvalidDataException($"the file unfolds to more than {limit} bytes");
    }
}

/// <summary>A forward-only stream over another.</summary>
internal abstract class ReadThroughStream(Stream inner) : Stream
{
    /// <summary>The stream beneath.</summary>
    protected Stream Inner { get; } = inner;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public abstract override int Read(Span<byte> buffer);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) Inner.Dispose();
        base.Dispose(disposing);
    }
}
