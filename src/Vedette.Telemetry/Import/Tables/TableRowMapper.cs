using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Import.Tables;

/// <summary>
/// Makes rows of what a file holds. Members that are no column of the table are counted and kept in <c>AdditionalFields</c> where the table has it; so are
/// values that do not fit their column, and each of those is told with its place.
/// </summary>
/// <param name="file">Name for messages.</param>
/// <param name="limits">Bounds.</param>
/// <param name="onProblem">Hears of what cannot be read.</param>
internal sealed class TableRowMapper(string file, ImportLimits limits, Action<ImportProblem>? onProblem)
{
    private const string Prefix = "AdvancedHunting-";
    private const string Additional = "AdditionalFields";
    private const string Utc = " [UTC]";

    private static readonly JsonSerializerOptions Writing = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<(string Table, string Name), int> _ordinals = [];
    private readonly Dictionary<(string Table, string Column), UnknownColumn> _unknown = [];
    private readonly Dictionary<string, JsonNode?> _extra = new(StringComparer.Ordinal);

    /// <summary>Members that are no columns, with how many rows had them.</summary>
    public IReadOnlyCollection<UnknownColumn> Unknown => _unknown.Values;

    /// <summary>Records that gave no row.</summary>
    public long Lost { get; private set; }

    /// <summary>Tells of a record that cannot be read.</summary>
    public void Lose(TextPlace place, string reason)
    {
        Lost++;
        Tell(place, reason, lost: true);
    }

    /// <summary>A row of a JSON object whose members are columns.</summary>
    public HuntingRow? Row(HuntingTable table, ReadOnlySpan<byte> json, TextPlace place)
    {
        try
        {
            return Row(table, json, json.Length, place, null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            Lose(Where(exception, json, place), Reason(exception));
            return null;
        }
    }

    /// <summary>A row of a record of the streaming API.</summary>
    public HuntingRow? Record(ReadOnlySpan<byte> json, TextPlace place)
    {
        try
        {
            var (category, time, properties) = Envelope(json);
            if (category is null || !category.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                Lose(place, category is null ? "the record names no category" : $"'{category}' is no category of a hunting table");
                return null;
            }

            if (TableFile.Find(category[Prefix.Length..]) is not { } table)
            {
                Lose(place, $"there is no hunting table '{category[Prefix.Length..]}'");
                return null;
            }

            if (properties.To > 0) return Row(table, json[properties.From..properties.To], json.Length, place.After(json, properties.From), time);
            Lose(place, "the record has no properties");
            return null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            Lose(Where(exception, json, place), Reason(exception));
            return null;
        }
    }

    /// <summary>A row of separated values.</summary>
    public HuntingRow? Row(HuntingTable table, IReadOnlyList<string> columns, IReadOnlyList<(string Text, TextPlace Place)> fields)
    {
        var row = new HuntingRow(table);
        _extra.Clear();
        if (fields.Count > columns.Count)
        {
            Lose(fields[columns.Count].Place, $"there are {fields.Count} fields, and {columns.Count} columns");
            return null;
        }

        for (var index = 0; index < fields.Count; index++)
        {
            if (fields[index].Text.Length > 0) Put(row, columns[index], JsonTokenType.None, fields[index].Text, fields[index].Place);
        }

        return Complete(row, null, fields[0].Place);
    }

    /// <summary>Column names of a line of them.</summary>
    public static IReadOnlyList<string> Columns(IReadOnlyList<(string Text, TextPlace Place)> fields) =>
        [.. fields.Select(field => field.Text.Trim()).Select(name => name.EndsWith(Utc, StringComparison.Ordinal) ? name[..^Utc.Length] : name)];

    private static string Reason(Exception exception) => exception is JsonException ? "this is no JSON: " + exception.Message.Split(" LineNumber")[0] : exception.Message;

    private static TextPlace Where(Exception exception, ReadOnlySpan<byte> json, TextPlace place)
    {
        if (exception is not JsonException { LineNumber: { } line, BytePositionInLine: { } column }) return place;
        return line == 0 ? place.After(json, (int)column) : new TextPlace(place.Line + line, column + 1);
    }

    private (string? Category, DateTime? Time, (int From, int To) Properties) Envelope(ReadOnlySpan<byte> json)
    {
        string? category = null;
        DateTime? time = null;
        var properties = (From: 0, To: 0);
        var reader = new Utf8JsonReader(json, Options());
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (name == "category" && reader.TokenType == JsonTokenType.String) category = reader.GetString();
            else if (name == "time" && reader.TokenType == JsonTokenType.String && TableValues.TryConvert(KqlType.DateTime, JsonTokenType.String, reader.GetString()!, out var moment)) time = moment as DateTime?;
            reader.Skip();
            if (name == "properties" && json[start] == '{') properties = (start, (int)reader.BytesConsumed);
        }

        return (category, time, properties);
    }

    private HuntingRow? Row(HuntingTable table, ReadOnlySpan<byte> json, int recordLength, TextPlace place, DateTime? received)
    {
        var row = new HuntingRow(table);
        var inRecord = json.Length != recordLength;
        _extra.Clear();
        var reader = new Utf8JsonReader(json, Options());
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var kind = reader.TokenType;
            string text;
            if (kind == JsonTokenType.String)
            {
                text = reader.GetString()!;
            }
            else
            {
                reader.Skip();
                text = Encoding.UTF8.GetString(json[start..(int)reader.BytesConsumed]);
            }

            // Graph's answers say a value's type beside it; the streaming API puts the device's group into every record.
            if (kind == JsonTokenType.Null || name.Contains("@odata.", StringComparison.Ordinal) || (inRecord && name == "MachineGroup" && table.OrdinalOf(name) < 0)) continue;
            Put(row, name, kind, text, place.After(json, start));
        }

        return Complete(row, received, place);
    }

    private void Put(HuntingRow row, string name, JsonTokenType kind, string text, TextPlace place)
    {
        var ordinal = Ordinal(row.Table, name);
        if (ordinal < 0)
        {
            Keep(row.Table, name, kind, text);
            return;
        }

        if (TableValues.TryConvert(row.Table.Columns[ordinal].Type, kind, text, out var value))
        {
            row.Values[ordinal] = value;
            return;
        }

        var column = row.Table.Columns[ordinal];
        var kept = row.Table.OrdinalOf(Additional) >= 0;
        if (kept) _extra[column.Name] = Node(kind, text);
        Tell(place, $"column '{column.Name}' holds {TableValues.Name(column.Type)} values, and {Shown(text)} is none{(kept ? "; it is kept in AdditionalFields" : "; it is left out")}", lost: false);
    }

    private void Keep(HuntingTable table, string name, JsonTokenType kind, string text)
    {
        var kept = table.OrdinalOf(Additional) >= 0;
        if (kept) _extra[name] = Node(kind, text);
        var known = _unknown.GetValueOrDefault((table.Name, name)) ?? new UnknownColumn(table.Name, name, kept);
        _unknown[(table.Name, name)] = known with { Rows = known.Rows + 1 };
    }

    private HuntingRow? Complete(HuntingRow row, DateTime? received, TextPlace place)
    {
        if (PhysicalTable.All[row.Table.Name].TimeColumn is { } time && row[time] is null)
        {
            // Log Analytics calls the time of every event TimeGenerated.
            if (_extra.Remove("TimeGenerated", out var generated) && generated is not null && TableValues.TryConvert(KqlType.DateTime, JsonTokenType.String, generated.ToString(), out var moment)) row[time] = moment;
            row[time] ??= received;
            if (row[time] is null)
            {
                Lose(place, $"the row has no {time}");
                return null;
            }
        }

        if (_extra.Count > 0) Merge(row);
        return row;
    }

    private void Merge(HuntingRow row)
    {
        var ordinal = row.Table.OrdinalOf(Additional);
        if (ordinal < 0) return;
        JsonObject fields;
        try
        {
            fields = row.Values[ordinal] is string { Length: > 0 } text ? JsonNode.Parse(text) as JsonObject ?? new JsonObject { [Additional] = JsonNode.Parse(text) } : [];
        }
        catch (JsonException)
        {
            fields = new JsonObject { [Additional] = (string)row.Values[ordinal]! };
        }

        foreach (var (name, value) in _extra) fields.TryAdd(name, value);
        row.Values[ordinal] = fields.ToJsonString(Writing);
    }

    private static JsonNode? Node(JsonTokenType kind, string text) => kind is JsonTokenType.String or JsonTokenType.None ? JsonValue.Create(text) : JsonNode.Parse(text);

    private int Ordinal(HuntingTable table, string name)
    {
        if (_ordinals.TryGetValue((table.Name, name), out var known)) return known;
        var ordinal = table.OrdinalOf(name);
        if (ordinal < 0) ordinal = table.Columns.FirstOrDefault(column => string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase))?.Ordinal ?? -1;
        if (_ordinals.Count < 10_000) _ordinals[(table.Name, name)] = ordinal;
        return ordinal;
    }

    private void Tell(TextPlace place, string reason, bool lost) => onProblem?.Invoke(new ImportProblem(file, place.Line, reason, lost) { Column = place.Column });

    private static string Shown(string text) => text.Length <= 60 ? $"'{text}'" : $"'{text[..60]}…'";

    private JsonReaderOptions Options() => new() { MaxDepth = limits.MaxTableJsonDepth, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };
}
