namespace Vedette.Telemetry.Import.Reading;

/// <summary>How the records of a file are told apart.</summary>
internal enum RecordShape
{
    /// <summary>One record a line: JSON lines, syslog lines, audit records, XML events on a line each.</summary>
    Lines,

    /// <summary>JSON objects that span lines, bare or inside one array.</summary>
    JsonValues,

    /// <summary>An XML document of <c>Event</c> elements, as the event viewer exports it.</summary>
    XmlEvents,
}

/// <summary>
/// Cuts a stream into records without ever holding more than one of them. The shape is found from the first bytes. A record over the limit
/// is skipped: <see cref="TryRead"/> then gives an empty record and sets <see cref="TooLong"/>.
/// </summary>
internal sealed class RecordReader(Stream stream, int maxRecordBytes)
{
    private static ReadOnlySpan<byte> EventEnd => "</Event>"u8;

    private static ReadOnlySpan<byte> EventStart => "<Event"u8;

    // What the shape is found from: a stream may give less at a time.
    private const int HeadBytes = 64 * 1024;

    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;
    private bool _ended;
    private bool _begun;
    private long _line = 1;

    /// <summary>The shape, known after the first record.</summary>
    public RecordShape Shape { get; private set; }

    /// <summary>Line from 1 on which the last record began.</summary>
    public long Line { get; private set; }

    /// <summary>Whether the last record was skipped because it is over the limit.</summary>
    public bool TooLong { get; private set; }

    /// <summary>Bytes taken from the stream so far.</summary>
    public long BytesRead { get; private set; }

    /// <summary>The next record. The span is good until the next call.</summary>
    /// <returns>False at the end of the stream.</returns>
    public bool TryRead(out ReadOnlySpan<byte> record)
    {
        if (!_begun) Begin();
        TooLong = false;
        return Shape switch
        {
            RecordShape.JsonValues => TryReadJson(out record),
            RecordShape.XmlEvents => TryReadXml(out record),
            _ => TryReadLine(out record),
        };
    }

    private void Begin()
    {
        _begun = true;
        while (_end < HeadBytes && Fill())
        {
        }

        if (_end - _start >= 3 && _buffer.AsSpan(_start, 3).SequenceEqual("\uFEFF"u8)) _start += 3;
        var head = _buffer.AsSpan(_start, _end - _start);
        var lead = head.IndexOfAnyExcept(" \t\r\n"u8);
        if (lead < 0) return;
        var text = head[lead..];
        Shape = text[0] switch
        {
            (byte)'[' when !LooksLikeBracketedLine(text) => RecordShape.JsonValues,
            (byte)'{' when FirstLineIsUnfinishedJson(text) => RecordShape.JsonValues,
            (byte)'<' when text.StartsWith("<?xml"u8) || text.StartsWith("<Events"u8) || FirstLineIsUnfinishedXml(text) => RecordShape.XmlEvents,
            _ => RecordShape.Lines,
        };
    }

    // Some loggers begin a plain line with a bracketed time; a JSON array goes on with a value or ends.
    private static bool LooksLikeBracketedLine(ReadOnlySpan<byte> text)
    {
        var next = text[1..].IndexOfAnyExcept(" \t\r\n"u8);
        return next >= 0 && text[1 + next] is not ((byte)'{' or (byte)']');
    }

    private static bool FirstLineIsUnfinishedJson(ReadOnlySpan<byte> text)
    {
        var newline = text.IndexOf((byte)'\n');
        if (newline < 0) return false;
        var scan = new JsonScan();
        scan.Advance(text[..newline]);
        if (scan.Complete) return false;

        // A line that was cut off is followed by the next object; one that goes on is not.
        var next = text[newline..].TrimStart(" \t\r\n"u8);
        return next.IsEmpty || next[0] != '{';
    }

    private static bool FirstLineIsUnfinishedXml(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith(EventStart)) return false;
        var newline = text.IndexOf((byte)'\n');
        return newline >= 0 && text[..newline].IndexOf(EventEnd) < 0;
    }

    private bool TryReadLine(out ReadOnlySpan<byte> record)
    {
        var scanned = 0;
        while (true)
        {
            var length = _buffer.AsSpan(_start + scanned, _end - _start - scanned).IndexOf((byte)'\n');
            if (length >= 0)
            {
                TooLong = scanned + length > maxRecordBytes;
                record = Take(scanned + length, 1);
                if (TooLong) record = default;
                _line++;
                return true;
            }

            scanned = _end - _start;
            if (scanned > maxRecordBytes) return SkipLine(out record);
            if (Fill()) continue;
            TooLong = scanned > maxRecordBytes;
            record = Take(scanned, 0);
            return scanned > 0;
        }
    }

    private bool SkipLine(out ReadOnlySpan<byte> record)
    {
        Line = _line;
        TooLong = true;
        record = default;
        while (true)
        {
            var newline = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                _start += newline + 1;
                _line++;
                return true;
            }

            _start = _end;
            if (!Fill()) return true;
        }
    }

    private bool TryReadJson(out ReadOnlySpan<byte> record)
    {
        if (!SkipBetweenValues())
        {
            record = default;
            return false;
        }

        var begin = _line;
        var scanned = 0;
        var scan = new JsonScan();
        while (true)
        {
            scanned += scan.Advance(_buffer.AsSpan(_start + scanned, _end - _start - scanned));
            if (scan.Complete || scan.Stray)
            {
                record = Take(scanned, 0);
                CountLines(record);
                Line = begin;
                TooLong |= scanned > maxRecordBytes;
                if (TooLong) record = default;
                return true;
            }

            if (scanned > maxRecordBytes)
            {
                // Let go of what was seen, but go on scanning to find where the value ends.
                CountLines(_buffer.AsSpan(_start, scanned));
                _start += scanned;
                scanned = 0;
                TooLong = true;
            }

            if (Fill()) continue;
            record = Take(scanned, 0);
            Line = begin;
            return true;
        }
    }

    private bool SkipBetweenValues()
    {
        while (true)
        {
            for (; _start < _end; _start++)
            {
                var value = _buffer[_start];
                if (value == '\n') _line++;
                else if (value is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)',' or (byte)'[' or (byte)']')) return true;
            }

            if (!Fill()) return false;
        }
    }

    private bool TryReadXml(out ReadOnlySpan<byte> record)
    {
        var scanned = 0;
        while (true)
        {
            var text = _buffer.AsSpan(_start, _end - _start);
            var at = text[scanned..].IndexOf(EventEnd);
            if (at >= 0)
            {
                var length = scanned + at + EventEnd.Length;
                var taken = Take(length, 0);
                var from = StartOfEvent(taken);
                CountLines(taken[..from]);
                Line = _line;
                CountLines(taken[from..]);
                TooLong |= taken.Length - from > maxRecordBytes;
                record = TooLong ? default : taken[from..];
                return true;
            }

            scanned = Math.Max(0, text.Length - EventEnd.Length);
            if (text.Length > maxRecordBytes)
            {
                CountLines(text);
                _start = _end;
                scanned = 0;
                TooLong = true;
            }

            if (Fill()) continue;
            var rest = _buffer.AsSpan(_start, _end - _start);
            var begin = StartOfEvent(rest);
            record = begin < rest.Length ? Take(rest.Length, 0)[begin..] : default;
            _start = _end;
            return begin < rest.Length;
        }
    }

    private static int StartOfEvent(ReadOnlySpan<byte> text)
    {
        for (var from = 0; from < text.Length;)
        {
            var at = text[from..].IndexOf(EventStart);
            if (at < 0) return text.Length;
            var after = from + at + EventStart.Length;
            if (after < text.Length && text[after] is (byte)'>' or (byte)' ' or (byte)'\r' or (byte)'\n' or (byte)'\t') return from + at;
            from = after;
        }

        return text.Length;
    }

    private ReadOnlySpan<byte> Take(int length, int separator)
    {
        Line = _line;
        var record = _buffer.AsSpan(_start, length);
        _start += length + separator;
        return record;
    }

    private void CountLines(ReadOnlySpan<byte> text) => _line += text.Count((byte)'\n');

    private bool Fill()
    {
        if (_ended) return false;
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _ended = read == 0;
        _end += read;
        BytesRead += read;
        return read > 0;
    }
}

/// <summary>Finds where a JSON value ends, over pieces of it.</summary>
internal struct JsonScan
{
    private int _depth;
    private bool _inString;
    private bool _escaped;

    /// <summary>The object or array that the text began with is closed.</summary>
    public bool Complete { get; private set; }

    /// <summary>The text is no object: it ran to the end of its line.</summary>
    public bool Stray { get; private set; }

    /// <summary>Looks at more text and tells how much of it belongs to the value.</summary>
    public int Advance(ReadOnlySpan<byte> text)
    {
        for (var index = 0; index < text.Length; index++)
        {
            var value = text[index];
            if (_inString)
            {
                if (_escaped) _escaped = false;
                else if (value == '\\') _escaped = true;
                else if (value == '"') _inString = false;
                continue;
            }

            switch (value)
            {
                case (byte)'"':
                    _inString = true;
                    break;
                case (byte)'{' or (byte)'[':
                    _depth++;
                    break;
                case (byte)'}' or (byte)']':
                    if (--_depth > 0) break;
                    Complete = true;
                    return index + 1;
                case (byte)'\n' when _depth == 0:
                    Stray = true;
                    return index;
            }
        }

        return text.Length;
    }
}
