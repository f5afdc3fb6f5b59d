using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.External;

/// <summary>Guesses the columns of files from their text.</summary>
/// <param name="format">One of <see cref="TextFormats.Names"/>.</param>
/// <param name="header">Whether the first record of a delimited text names the columns.</param>
internal sealed partial class SchemaGuess(string format, bool header)
{
    // Whole numbers that are times since 1970 lie between these years, whatever their unit: the ranges do not meet.
    private static readonly DateTime Earliest = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime Latest = new(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private static readonly (string Name, long PerSecond)[] UnixUnits =
    [
        ("DateTimeFromUnixSeconds", 1), ("DateTimeFromUnixMilliseconds", 1_000), ("DateTimeFromUnixMicroseconds", 1_000_000), ("DateTimeFromUnixNanoseconds", 1_000_000_000),
    ];

    private readonly List<Guess> _columns = [];

    /// <summary>Looks at a file.</summary>
    public void Add(string text)
    {
        switch (format)
        {
            case "json" or "multijson" or "singlejson":
                foreach (var (name, value) in TextFormats.Bags(text).SelectMany(bag => bag))
                    Note(name, OfJson(value), value is JsonValue number && number.TryGetValue<long>(out var whole) ? whole : null);
                break;
            case "raw" or "txt":
                Note("Column1", KqlType.String, null);
                break;
            default:
                AddRecords(TextFormats.Records(text, format));
                break;
        }
    }

    /// <summary>Takes the columns of a file that tells their types.</summary>
    public void Add(IReadOnlyList<FileColumn> columns)
    {
        foreach (var column in columns)
            Note(column.Name, OfEngine(column.Type), null);
    }

    /// <summary>The type that stands for one of the engine's.</summary>
    public static KqlType OfEngine(string type)
    {
        var plain = type;
        foreach (var wrapper in new[] { "LowCardinality(", "Nullable(" })
        {
            if (plain.StartsWith(wrapper, StringComparison.Ordinal))
                plain = plain[wrapper.Length..^1];
        }

        var end = plain.IndexOf('(', StringComparison.Ordinal);
        return (end < 0 ? plain : plain[..end]) switch
        {
            "Bool" => KqlType.Bool,
            "Int8" or "Int16" or "Int32" or "UInt8" or "UInt16" => KqlType.Int,
            "Int64" or "UInt32" or "UInt64" => KqlType.Long,
            "Float32" or "Float64" => KqlType.Real,
            "Decimal" => KqlType.Decimal,
            "Date" or "Date32" or "DateTime" or "DateTime64" => KqlType.DateTime,
            "UUID" => KqlType.Guid,
            "Array" or "Tuple" or "Map" or "JSON" or "Dynamic" or "Variant" => KqlType.Dynamic,
            _ => KqlType.String,
        };
    }

    /// <summary>The schema as the language writes it: <c>name:type, …</c>.</summary>
    public override string ToString() => string.Join(", ", _columns.Select(c => $"{Name(c.Name)}:{c.Type.Name()}"));

    /// <summary>The columns with the types that would serve queries best.</summary>
    public JsonObject Suggest() => new()
    {
        ["Columns"] = new JsonArray([.. _columns.Select(column =>
        {
            var (type, mapping) = Better(column);
            return (JsonNode)new JsonObject
            {
                ["OriginalColumn"] = Described(column.Name, column.Type),
                ["RecommendedColumn"] = Described(column.Name, type),
                ["ApplicableTransformationMapping"] = mapping,
            };
        })]),
    };

    private void AddRecords(IEnumerable<IReadOnlyList<string>> records)
    {
        IReadOnlyList<string>? names = null;
        foreach (var record in records)
        {
            if (header && names is null)
            {
                names = record;
                continue;
            }

            for (var i = 0; i < record.Count; i++)
            {
                var name = names is not null && i < names.Count && names[i].Length > 0 ? names[i] : string.Create(CultureInfo.InvariantCulture, $"Column{i + 1}");
                Note(name, OfText(record[i]), long.TryParse(record[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null);
            }
        }

        foreach (var name in names ?? [])
            Note(name, null, null);
    }

    private void Note(string name, KqlType? type, long? whole)
    {
        var column = _columns.Find(c => c.Name == name);
        if (column is null)
            _columns.Add(column = new Guess(name));
        column.Found = column.Found is null || type is null || column.Found == type ? type ?? column.Found
            : (column.Found, type) is (KqlType.Long, KqlType.Real) or (KqlType.Real, KqlType.Long) ? KqlType.Real
            : column.Found == KqlType.Dynamic || type == KqlType.Dynamic ? KqlType.Dynamic
            : KqlType.String;
        if (whole is { } value)
            (column.Least, column.Most) = (Math.Min(column.Least, value), Math.Max(column.Most, value));
    }

    private static KqlType? OfJson(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String ? OfTime(value.GetValue<string>()) ?? KqlType.String : BagTypes.Of(value);

    private static KqlType? OfText(string text) => text.Length == 0 ? null
        : Whole().IsMatch(text) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? KqlType.Long
        : Number().IsMatch(text) ? KqlType.Real
        : text.Equals("true", StringComparison.OrdinalIgnoreCase) || text.Equals("false", StringComparison.OrdinalIgnoreCase) ? KqlType.Bool
        : text[0] is '{' or '[' && LocalJson.Parse(text) is not null ? KqlType.Dynamic
        : OfTime(text) ?? KqlType.String;

    private static KqlType? OfTime(string text) =>
        Date().IsMatch(text) && LocalValues.To(text, KqlType.String, KqlType.DateTime) is not null ? KqlType.DateTime
        : Span().IsMatch(text) && LocalValues.To(text, KqlType.String, KqlType.TimeSpan) is not null ? KqlType.TimeSpan
        : Guid.TryParseExact(text, "D", out _) ? KqlType.Guid
        : null;

    // Whole numbers by which rows are named are compared, never summed; times are better told as times.
    private static (KqlType Type, string Mapping) Better(Guess column)
    {
        if (column.Type != KqlType.Long)
            return (column.Type, "None");
        if (column.Name.EndsWith("id", StringComparison.OrdinalIgnoreCase))
            return (KqlType.String, "None");
        foreach (var (name, perSecond) in UnixUnits)
        {
            if (column.Least / perSecond >= Seconds(Earliest) && column.Most / perSecond < Seconds(Latest))
                return (KqlType.DateTime, name);
        }

        return (KqlType.Long, "None");
    }

    private static long Seconds(DateTime time) => (long)(time - DateTime.UnixEpoch).TotalSeconds;

    private static JsonObject Described(string name, KqlType type) => new()
    {
        ["Name"] = name,
        ["CslType"] = new JsonObject
        {
            ["type"] = type.Name(),
            ["IsNumeric"] = type is KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal,
            ["IsSummable"] = type is KqlType.Int or KqlType.Long or KqlType.Real or KqlType.Decimal or KqlType.DateTime or KqlType.TimeSpan,
        },
    };

    private static string Name(string name) => Plain().IsMatch(name) ? name : $"['{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}']";

    [GeneratedRegex(@"^-?\d{1,19}$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^-?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?$")]
    private static partial Regex Number();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?$")]
    private static partial Regex Date();

    [GeneratedRegex(@"^-?(\d+\.)?\d\d:\d\d:\d\d(\.\d+)?$")]
    private static partial Regex Span();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex Plain();

    private sealed class Guess(string name)
    {
        public string Name { get; } = name;

        public KqlType? Found { get; set; }

        public long Least { get; set; } = long.MaxValue;

        public long Most { get; set; } = long.MinValue;

        public KqlType Type => Found ?? KqlType.String;
    }
}
