using System.Text.Json;
using Vedette.Defender.Vulnerabilities.Exports;

namespace Vedette.Server.Endpoint.Exports;

/// <summary>Writes rows of export files in the JSON form: names of that form in their order, null and empty lists where a file has nothing.</summary>
internal sealed class ExportRowWriter
{
    private readonly (JsonEncodedText Name, bool IsList)[] _columns;
    private readonly Dictionary<string, int> _ordinals;
    private readonly JsonElement[] _values;

    public ExportRowWriter(ExportKind kind)
    {
        _columns = [.. kind.Columns.Select(c => (JsonEncodedText.Encode(c.Name), c.Value == ExportValue.Texts))];
        _ordinals = kind.Columns.Select((c, at) => (c.FileName, at)).ToDictionary(c => c.FileName, c => c.at, StringComparer.Ordinal);
        _values = new JsonElement[_columns.Length];
    }

    /// <summary>Writes a line of a file.</summary>
    public void Write(Utf8JsonWriter json, string line)
    {
        using var document = JsonDocument.Parse(line);
        Array.Clear(_values);
        foreach (var member in document.RootElement.EnumerateObject())
            if (_ordinals.TryGetValue(member.Name, out var ordinal)) _values[ordinal] = member.Value;
        json.WriteStartObject();
        for (var at = 0; at < _columns.Length; at++)
        {
            json.WritePropertyName(_columns[at].Name);
            if (_values[at].ValueKind != JsonValueKind.Undefined)
            {
                _values[at].WriteTo(json);
            }
            else if (_columns[at].IsList)
            {
                json.WriteStartArray();
                json.WriteEndArray();
            }
            else
            {
                json.WriteNullValue();
            }
        }

        json.WriteEndObject();
    }
}
