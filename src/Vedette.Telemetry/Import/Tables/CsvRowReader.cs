using System.Text;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>Reads comma separated values with quotes: fields may hold line breaks, a doubled quote stands for one. The first line tells whether commas, semicolons or tabs part them.</summary>
internal sealed class CsvRowReader(Stream stream, int maxRecordBytes)
{
    private readonly StreamReader _text = new(stream, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: true, 64 * 1024);
    private readonly List<(string Text, TextPlace Place)> _fields = [];
    private char _separator = ',';
    private long _line = 1;
    private long _column = 1;
    private bool _begun;

    /// <summary>What is wrong with the last record; null when it is whole.</summary>
    public string? Problem { get; private set; }

    /// <summary>The next record's fields with their places; good until the next call.</summary>
    /// <returns>False at the end.</returns>
    public bool TryRead(out IReadOnlyList<(string Text, TextPlace Place)> fields)
    {
        Problem = null;
        _fields.Clear();
        fields = _fields;
        while (_text.Peek() is '\r' or '\n') Next();
        if (_text.Peek() < 0) return false;
        var length = 0;
        while (true)
        {
            var place = new TextPlace(_line, _column);
            var value = new StringBuilder();
            var ended = ReadField(value);
            length += value.Length;
            if (length > maxRecordBytes) Problem = $"it is longer than {maxRecordBytes} bytes";
            _fields.Add((Problem is null ? value.ToString() : "", place));
            if (ended) break;
        }

        _begun = true;
        return true;
    }

    // True when the record ends with the field.
    private bool ReadField(StringBuilder value)
    {
        if (_text.Peek() == '"')
        {
            Next();
            while (true)
            {
                var letter = Next();
                if (letter < 0)
                {
                    Problem = "the file ends within a quoted field";
                    return true;
                }

                if (letter == '"')
                {
                    if (_text.Peek() != '"') break;
                    Next();
                }

                if (value.Length <= maxRecordBytes) value.Append((char)letter);
            }
        }

        while (true)
        {
            var letter = _text.Peek();
            if (!_begun && letter is ';' or '\t' && _fields.Count == 0 && _separator == ',') _separator = (char)letter;
            if (letter < 0) return true;
            Next();
            if (letter == _separator) return false;
            if (letter == '\n') return true;
            if (letter != '\r' && value.Length <= maxRecordBytes) value.Append((char)letter);
        }
    }

    private int Next()
    {
        var letter = _text.Read();
        (_line, _column) = letter == '\n' ? (_line + 1, 1) : (_line, _column + 1);
        return letter;
    }
}
