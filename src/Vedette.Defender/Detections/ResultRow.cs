using System.Globalization;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections;

/// <summary>A row of a rule's result, read by column name. A column that is missing, null or empty reads as null.</summary>
internal readonly struct ResultRow(IReadOnlyDictionary<string, int> columns, object?[] values)
{
    /// <summary>Positions by column name.</summary>
    public static IReadOnlyDictionary<string, int> Index(IReadOnlyList<HuntingResultColumn> columns)
    {
        var index = new Dictionary<string, int>(columns.Count, StringComparer.Ordinal);
        for (var at = 0; at < columns.Count; at++) index.TryAdd(columns[at].Name, at);
        return index;
    }

    public object? Value(string? column) => column is not null && columns.TryGetValue(column, out var at) ? values[at] : null;

    public string? Text(string? column) => Value(column) switch
    {
        null or "" => null,
        string text => text,
        DateTime time => time.ToString("o", CultureInfo.InvariantCulture),
        var other => Convert.ToString(other, CultureInfo.InvariantCulture),
    };

    public long? Number(string? column) => Value(column) switch
    {
        long number => number,
        int number => number,
        string text when long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };

    // To the microsecond, as the state keeps times: what is read again must compare equal to what was stored.
    public DateTime? Time(string? column) => Value(column) is DateTime time ? new DateTime(time.Ticks - time.Ticks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc) : null;
}
