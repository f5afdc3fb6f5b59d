using System.Text;
using System.Text.Json;

namespace Vedette.Telemetry.Import.Reading;

/// <summary>
/// Turns one JSON object into the fields of an event. Shippers nest events differently, so objects that only wrap (see <see cref="Wrappers"/>)
/// leave no trace in field names and other objects prefix the names inside them: <c>winlog.event_data.Image</c> is <c>Image</c>,
/// <c>Event.System.TimeCreated.#attributes.SystemTime</c> is <c>TimeCreated.SystemTime</c>, <c>process.pid</c> stays as it is.
/// </summary>
internal sealed class JsonRecordParser(FieldNames names, ImportLimits limits)
{
    // Objects that exist only to group.
    private static readonly string[] Wrappers =
        ["winlog", "event_data", "user_data", "Event", "System", "EventData", "UserData", "#attributes", "@attributes", "_source", "result"];

    // Wrappers whose only child is itself a wrapper named after the event's template.
    private static readonly string[] TemplateWrappers = ["UserData", "user_data"];

    private readonly byte[] _prefix = new byte[256];
    private string? _dataName;
    private string? _dataText;

    /// <summary>Reads the fields of a JSON object that lies in the event's batch.</summary>
    /// <returns>Null, or what is wrong with the text.</returns>
    public string? Parse(LogEvent target, int start, int length)
    {
        var reader = new Utf8JsonReader(
            target.Batch!.Bytes.AsSpan(start, length),
            new JsonReaderOptions { MaxDepth = limits.MaxJsonDepth, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            if (!reader.Read()) return "the line is empty";
            if (reader.TokenType != JsonTokenType.StartObject) return "the JSON value is not an object";
            ReadObject(ref reader, target, start, 0, templates: false);
            return reader.Read() ? "text follows the JSON value" : null;
        }
        catch (JsonException exception)
        {
            return $"not valid JSON at byte {exception.BytePositionInLine}: {FirstSentence(exception.Message)}";
        }
    }

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(". ", StringComparison.Ordinal);
        return end > 0 ? message[..end] : message;
    }

    private void ReadObject(ref Utf8JsonReader reader, LogEvent target, int start, int prefixLength, bool templates)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan;
            var nameLength = Qualify(name, prefixLength);
            var isText = name.SequenceEqual("#text"u8) || name.SequenceEqual("$text"u8);
            var id = isText && prefixLength > 0 ? names.Add(_prefix.AsSpan(0, prefixLength - 1))
                : nameLength > 0 ? names.Add(_prefix.AsSpan(0, nameLength))
                : -1;
            reader.Read();
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    var isWrapper = templates || IsOneOf(name, Wrappers);
                    ReadObject(ref reader, target, start, isWrapper ? prefixLength : Descend(nameLength), IsOneOf(name, TemplateWrappers));
                    Qualify(name, prefixLength);
                    break;
                case JsonTokenType.StartArray when name.SequenceEqual("Data"u8):
                    ReadDataArray(ref reader, target);
                    break;
                case JsonTokenType.StartArray:
                    var from = (int)reader.TokenStartIndex;
                    reader.Skip();
                    if (target.Count < limits.MaxFields) target.AddRaw(id, start + from, (int)reader.BytesConsumed - from, escaped: false);
                    break;
                default:
                    AddScalar(ref reader, target, start, id);
                    break;
            }
        }
    }

    // Writes the name behind the prefix and gives the length of both; 0 when it does not fit.
    private int Qualify(ReadOnlySpan<byte> name, int prefixLength)
    {
        if (prefixLength < 0 || prefixLength + name.Length + 1 > _prefix.Length) return 0;
        name.CopyTo(_prefix.AsSpan(prefixLength));
        return prefixLength + name.Length;
    }

    private int Descend(int nameLength)
    {
        if (nameLength == 0 || nameLength >= _prefix.Length) return -1;
        _prefix[nameLength] = (byte)'.';
        return nameLength + 1;
    }

    private void AddScalar(ref Utf8JsonReader reader, LogEvent target, int start, int id)
    {
        if (reader.TokenType == JsonTokenType.Null || target.Count >= limits.MaxFields) return;
        var quote = reader.TokenType == JsonTokenType.String ? 1 : 0;
        target.AddRaw(id, start + (int)reader.TokenStartIndex + quote, reader.ValueSpan.Length, reader.ValueIsEscaped);
    }

    // EventData as a list: plain texts become param1, param2 …; {"@Name": n, "#text": v} becomes the field n.
    private void ReadDataArray(ref Utf8JsonReader reader, LogEvent target)
    {
        for (var position = 1; reader.Read() && reader.TokenType != JsonTokenType.EndArray; position++)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                _dataName = _dataText = null;
                ReadNamedData(ref reader);
                if (_dataName is not null && _dataText is not null && target.Count < limits.MaxFields) target.AddText(names.Add(_dataName), _dataText);
            }
            else if (reader.TokenType == JsonTokenType.StartArray)
            {
                reader.Skip();
            }
            else if (reader.TokenType != JsonTokenType.Null && target.Count < limits.MaxFields)
            {
                target.AddText(names.Add($"param{position}"), TextOf(ref reader));
            }
        }
    }

    private void ReadNamedData(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isName = reader.ValueTextEquals("@Name"u8) || reader.ValueTextEquals("Name"u8);
            var isText = reader.ValueTextEquals("#text"u8) || reader.ValueTextEquals("$"u8) || reader.ValueTextEquals("Value"u8);
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject) ReadNamedData(ref reader);
            else if (reader.TokenType == JsonTokenType.StartArray) reader.Skip();
            else if (isName) _dataName = TextOf(ref reader);
            else if (isText) _dataText = TextOf(ref reader);
        }
    }

    private static string TextOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String) return Encoding.UTF8.GetString(reader.ValueSpan);
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }
    }

    private static bool IsOneOf(ReadOnlySpan<byte> name, string[] wrappers)
    {
        foreach (var wrapper in wrappers)
        {
            if (name.Length == wrapper.Length && Ascii.Equals(name, wrapper)) return true;
        }

        return false;
    }
}
