using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Local.External;

/// <summary>A record of a file: fields in order, or values by name; one of both.</summary>
/// <param name="Fields">Fields of a delimited text.</param>
/// <param name="Json">Values by name as JSON text; empty for none.</param>
/// <param name="File">The file's address.</param>
/// <param name="Line">The record's number in the file, from 1.</param>
internal sealed record FileRecord(IReadOnlyList<string>? Fields, IReadOnlyDictionary<string, string>? Json, string File, int Line);

/// <summary>How records of a file become rows: by order or name, or as an ingestion mapping says.</summary>
internal sealed partial class ColumnMapping
{
    private static readonly Dictionary<string, long> UnixUnits = new(StringComparer.OrdinalIgnoreCase)
    {
        ["DateTimeFromUnixSeconds"] = TimeSpan.TicksPerSecond,
        ["DateTimeFromUnixMilliseconds"] = TimeSpan.TicksPerMillisecond,
        ["DateTimeFromUnixMicroseconds"] = TimeSpan.TicksPerMicrosecond,
    };

    private readonly List<Func<FileRecord, object?>> _columns = [];

    /// <summary>Reads a mapping.</summary>
    /// <param name="caller">Who is told of in messages.</param>
    /// <param name="columns">The columns of the rows.</param>
    /// <param name="mapping">The ingestion mapping as JSON; empty for none.</param>
    /// <exception cref="HuntingException">The mapping cannot be understood.</exception>
    public ColumnMapping(string caller, IReadOnlyList<LocalColumn> columns, string mapping)
    {
        if (mapping.Length == 0)
        {
            for (var i = 0; i < columns.Count; i++)
            {
                var (at, name, type) = (i, columns[i].Name, columns[i].Type);
                _columns.Add(record => record.Fields is null ? OfJson(record.Json!.GetValueOrDefault(name), type) : Field(record.Fields, at, type));
            }

            return;
        }

        if (LocalJson.Parse(mapping) is not JsonArray items || items.Any(i => i is not JsonObject))
            throw ExternalConnector.Refused(caller, "the ingestionMapping is no array of column mappings.");
        var mapped = items.OfType<JsonObject>().Select(i => new Entry(i)).ToList();
        foreach (var column in columns)
        {
            var entry = mapped.FindLast(m => m.Column.Equals(column.Name, StringComparison.Ordinal));
            _columns.Add(entry is null ? _ => LocalValues.To(null, KqlType.String, column.Type) : Mapped(caller, entry, column.Type));
        }
    }

    /// <summary>A record as a row.</summary>
    public object?[] Row(FileRecord record) => [.. _columns.Select(c => c(record))];

    private static Func<FileRecord, object?> Mapped(string caller, Entry entry, KqlType type)
    {
        if (entry["constvalue"] is { Length: > 0 } constant)
            return _ => LocalValues.To(constant, KqlType.String, type);
        var transform = entry["transform"] ?? "";
        switch (transform.ToLowerInvariant())
        {
            case "sourcelocation":
                return record => LocalValues.To(record.File, KqlType.String, type);
            case "sourcelinenumber":
                return record => LocalValues.To((long)record.Line, KqlType.Long, type);
        }

        if (transform.Length > 0 && !transform.Equals("none", StringComparison.OrdinalIgnoreCase) && !UnixUnits.ContainsKey(transform))
            throw ExternalConnector.Refused(caller, $"the transformation '{transform}' of the ingestionMapping is not known.");
        Func<FileRecord, KqlType, object?> value;
        if (int.TryParse(entry["ordinal"], NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal))
        {
            value = (record, to) => Field(record.Fields ?? [], ordinal, to);
        }
        else
        {
            var path = Steps(caller, entry["path"] ?? entry["field"] ?? entry.Column);
            value = (record, to) => OfJson(At(record, path), to);
        }

        return UnixUnits.TryGetValue(transform, out var ticks)
            ? record => value(record, KqlType.Long) is long units && units >= 0 && units <= (DateTime.MaxValue - DateTime.UnixEpoch).Ticks / ticks
                ? LocalValues.To(DateTime.UnixEpoch.AddTicks(units * ticks), KqlType.DateTime, type)
                : LocalValues.To(null, KqlType.DateTime, type)
            : record => value(record, type);
    }

    private static object? Field(IReadOnlyList<string> fields, int at, KqlType type)
    {
        if (at >= fields.Count)
            return LocalValues.To(null, KqlType.String, type);
        return type == KqlType.Dynamic
            ? LocalJson.Write(LocalJson.Parse(fields[at]) ?? JsonValue.Create(fields[at]))
            : LocalValues.To(fields[at], KqlType.String, type);
    }

    private static object? OfJson(string? json, KqlType type) =>
        string.IsNullOrEmpty(json) || json == "null" ? LocalValues.To(null, KqlType.String, type) : LocalValues.To(json, KqlType.Dynamic, type);

    private static string? At(FileRecord record, IReadOnlyList<string> path)
    {
        if (record.Json is not { } values)
            return null;
        if (path.Count == 0)
            return "{" + string.Join(",", values.Select(v => LocalValues.Quote(v.Key) + ":" + (v.Value.Length == 0 ? "null" : v.Value))) + "}";
        if (!values.TryGetValue(path[0], out var json) || path.Count == 1)
            return json;
        var node = LocalJson.Parse(json);
        foreach (var step in path.Skip(1))
        {
            node = node switch
            {
                JsonObject bag => bag[step],
                JsonArray array when int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at < array.Count => array[at],
                _ => null,
            };
        }

        return node is null ? null : LocalJson.Write(node);
    }

    /// <summary>The names and numbers of a path such as <c>$.data['a b'][0]</c>; a text that does not begin with $ is one name.</summary>
    private static List<string> Steps(string caller, string path)
    {
        if (!path.StartsWith('$'))
            return [path];
        var steps = new List<string>();
        var end = 1;
        foreach (Match match in Step().Matches(path, 1))
        {
            if (match.Index != end)
                break;
            steps.Add(match.Groups.Values.Skip(1).First(g => g.Success).Value);
            end += match.Length;
        }

        return end == path.Length ? steps : throw ExternalConnector.Refused(caller, $"the path '{path}' of the ingestionMapping cannot be read.");
    }

    [GeneratedRegex("""\.([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")]
    private static partial Regex Step();

    /// <summary>One column's mapping: its properties stand beside its name, or below <c>Properties</c>.</summary>
    private sealed class Entry
    {
        private readonly Dictionary<string, string> _values = new(StringComparer.OrdinalIgnoreCase);

        public Entry(JsonObject bag)
        {
            foreach (var (name, value) in bag)
            {
                if (name.Equals("properties", StringComparison.OrdinalIgnoreCase) && value is JsonObject inner)
                {
                    foreach (var (key, own) in inner)
                        _values[key] = LocalJson.Text(own);
                }
                else
                {
                    _values[name] = LocalJson.Text(value);
                }
            }
        }

        public string Column => this["column"] ?? this["name"] ?? "";

        public string? this[string name] => _values.GetValueOrDefault(name);
    }
}
