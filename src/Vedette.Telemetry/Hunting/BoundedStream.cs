namespace Vedette.Telemetry.Hunting;

/// <summary>A body that ends with an error when it is too long or too slow.</summary>
internal sealed class BoundedStream(
    HttpResponseMessage response, Stream body, long most, CancellationTokenSource deadline, CancellationTokenSource either,
    Func<Exception> tooLarge, Func<Exception> tooLate, Func<string, Exception> brokeOff, CancellationToken caller) : Stream
{
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _read;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            var count = await body.ReadAsync(buffer, either.Token);
            _read += count;
            return _read > most ? throw tooLarge() : count;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !caller.IsCancellationRequested)
        {
            throw tooLate();
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw brokeOff("The answer broke off: " + exception.GetBaseException().Message);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Files of the network are read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            response.Dispose();
            either.Dispose();
            deadline.Dispose();
        }

        base.Dispose(disposing);
    }
}
