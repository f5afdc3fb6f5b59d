using System.Text;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>A place in a text: line and byte of the line, both from 1.</summary>
internal readonly record struct TextPlace(long Line, long Column)
{
    /// <summary>The place some bytes further in a text that begins here.</summary>
    public TextPlace After(ReadOnlySpan<byte> text, int offset)
    {
        var before = text[..Math.Clamp(offset, 0, text.Length)];
        var lines = before.Count((byte)'\n');
        return lines == 0 ? new TextPlace(Line, Column + before.Length) : new TextPlace(Line + lines, before.Length - before.LastIndexOf((byte)'\n'));
    }
}

/// <summary>
/// Gives the objects of a JSON text one by one, never holding more than one: objects on lines or anywhere, elements of an array, and the rows inside of an
/// answer (<c>Results</c>, <c>results</c>, <c>records</c>, <c>value</c>). Text that is none is told and passed over.
/// </summary>
internal sealed class JsonRowReader(Stream stream, int maxRecordBytes)
{
    private static readonly HashSet<string> RowLists = new(StringComparer.OrdinalIgnoreCase) { "results", "records", "value" };
    private static readonly HashSet<string> EnvelopeNames = new(StringComparer.OrdinalIgnoreCase) { "schema", "stats", "results", "records", "value", "@odata.context", "@odata.count" };

    private readonly Stack<char> _open = new();
    private byte[] _buffer = new byte[128 * 1024];
    private int _start;
    private int _end;
    private bool _ended;
    private bool _begun;
    private TextPlace _place = new(1, 1);

    /// <summary>Where the last object begins.</summary>
    public TextPlace Place { get; private set; }

    /// <summary>What is wrong with the last object; null when it is whole.</summary>
    public string? Problem { get; private set; }

    /// <summary>Bytes read from the stream.</summary>
    public long BytesRead { get; private set; }

    /// <summary>The next object; empty when <see cref="Problem"/> says why. Good until the next call.</summary>
    /// <returns>False at the end.</returns>
    public bool TryRead(out ReadOnlySpan<byte> value)
    {
        if (!_begun)
        {
            _begun = true;
            Need(3);
            if (Rest.StartsWith("\uFEFF"u8)) _start += 3;
        }

        while (true)
        {
            Problem = null;
            value = default;
            SkipBetween();
            Place = _place;
            if (!Need(1)) return AtEnd();
            var next = _buffer[_start];
            if (_open.TryPeek(out var inside) && inside == '{')
            {
                if (ReadMember()) continue;
                return true;
            }

            switch (next)
            {
                case (byte)'[':
                    _open.Push('[');
                    Advance(1);
                    continue;
                case (byte)']' or (byte)'}' when _open.Count > 0:
                    _open.Pop();
                    Advance(1);
                    continue;
                case (byte)'{' when _open.Count == 0 && IsEnvelope():
                    _open.Push('{');
                    Advance(1);
                    continue;
                case (byte)'{':
                    value = ReadObject();
                    return true;
                default:
                    Problem = "this is no JSON object";
                    SkipScalar();
                    return true;
            }
        }
    }

    private ReadOnlySpan<byte> Rest => _buffer.AsSpan(_start, _end - _start);

    private bool AtEnd()
    {
        if (_open.Count == 0) return false;
        _open.Clear();
        Problem = "the file ends before its JSON does";
        return true;
    }

    // Within an answer: a list of rows is entered, anything else is passed over. False when there is a problem to tell.
    private bool ReadMember()
    {
        if (_buffer[_start] == '}')
        {
            _open.Pop();
            Advance(1);
            return true;
        }

        var name = ReadName();
        SkipBetween();
        if (name is null || !Need(1))
        {
            Problem = "this is no member of a JSON object";
            SkipScalar();
            return false;
        }

        if (_buffer[_start] == '[' && RowLists.Contains(name))
        {
            _open.Push('[');
            Advance(1);
        }
        else if (_buffer[_start] is (byte)'{' or (byte)'[')
        {
            ReadObject();
        }
        else
        {
            SkipScalar();
        }

        return true;
    }

    private string? ReadName()
    {
        if (_buffer[_start] != '"') return null;
        for (var length = 1; length < 4096; length++)
        {
            if (!Need(length + 1)) return null;
            if (_buffer[_start + length] != '"' || _buffer[_start + length - 1] == '\\') continue;
            var name = Encoding.UTF8.GetString(_buffer, _start + 1, length - 1);
            Advance(length + 1);
            return name;
        }

        return null;
    }

    private bool IsEnvelope()
    {
        for (var at = 1; Need(at + 1) && at < 4096; at++)
        {
            if (_buffer[_start + at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') continue;
            if (_buffer[_start + at] != '"') return false;
            Need(at + 64);
            var rest = Rest[(at + 1)..];
            var end = rest.IndexOf((byte)'"');
            return end > 0 && EnvelopeNames.Contains(Encoding.UTF8.GetString(rest[..end]));
        }

        return false;
    }

    // An object or array from its bracket to the bracket that closes it.
    private ReadOnlySpan<byte> ReadObject()
    {
        var (depth, inString, escaped) = (0, false, false);
        var skipped = false;
        for (var at = 0; ; at++)
        {
            if (at > maxRecordBytes)
            {
                skipped = true;
                Advance(at);
                at = 0;
            }

            if (!Need(at + 1))
            {
                Advance(at);
                Problem = "the file ends before its JSON does";
                return default;
            }

            var letter = _buffer[_start + at];
            if (letter == '\n' && (inString || (_open.Count == 0 && depth > 0 && IsTorn(at))))
            {
                Advance(at);
                Problem = "the line ends before its JSON does";
                return default;
            }

            if (inString)
            {
                if (escaped) escaped = false;
                else if (letter == '\\') escaped = true;
                else if (letter == '"') inString = false;
            }
            else if (letter == '"')
            {
                inString = true;
            }
            else if (letter is (byte)'{' or (byte)'[')
            {
                depth++;
            }
            else if (letter is (byte)'}' or (byte)']' && --depth == 0)
            {
                var value = _buffer.AsMemory(_start, at + 1);
                Advance(at + 1);
                if (!skipped) return value.Span;
                Problem = $"it is longer than {maxRecordBytes} bytes";
                return default;
            }
        }
    }

    // A line that was cut off is followed by the next object, and nothing at its end asks for more.
    private bool IsTorn(int newline)
    {
        Need(newline + 2);
        return newline > 0 && _start + newline + 1 < _end && _buffer[_start + newline + 1] == '{' && Rest[..newline].TrimEnd(" \t\r"u8) is [.., var last] && last is not ((byte)',' or (byte)':' or (byte)'[' or (byte)'{');
    }

    private void SkipBetween()
    {
        while (Need(1) && _buffer[_start] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)',' or (byte)':' or 0x1E) Advance(1);
    }

    private void SkipScalar()
    {
        var inString = false;
        do
        {
            if (_buffer[_start] == '"') inString = !inString;
            Advance(1);
        }
        while (Need(1) && _buffer[_start] != '\n' && (inString || _buffer[_start] is not ((byte)',' or (byte)']' or (byte)'}')));
    }

    private void Advance(int count)
    {
        _place = _place.After(Rest, count);
        _start += count;
    }

    private bool Need(int count)
    {
        while (_end - _start < count && !_ended)
        {
            if (_end == _buffer.Length)
            {
                // What was given out lies before the start: a bigger buffer or a moved rest is a new array, so nothing given out changes under its reader.
                var next = new byte[_end - _start > _buffer.Length / 2 ? _buffer.Length * 2 : _buffer.Length];
                Rest.CopyTo(next);
                (_end, _start, _buffer) = (_end - _start, 0, next);
            }

            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            _ended = read == 0;
            _end += read;
            BytesRead += read;
        }

        return _end - _start >= count;
    }
}
