using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Vedette.Kql;
using Vedette.Kql.Bound;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>
/// Common functions that SQL says too, for operators that look at rows one after another in this process (scan, graph-match), where a value may depend on
/// the state so far. What depends on the row alone is computed by SQL even there, and what is not here, or not exactly as SQL has it, is asked of the engine
/// (<see cref="EngineValues"/>): only functions stand here that give the same for all values, so that asking is the exception.
/// </summary>
internal static class RowFunctions
{
    private static readonly Lazy<Dictionary<string, LocalFunction>> Table = new(() =>
    {
        var table = new Dictionary<string, LocalFunction>(StringComparer.Ordinal);
        AddConditions(table);
        AddConversions(table);
        AddTexts(table);
        AddNumbers(table);
        AddTimes(table);
        AddCollections(table);
        return table;
    });

    /// <summary>The function of that name, or null.</summary>
    public static LocalFunction? Find(string name) => Table.Value.GetValueOrDefault(name);

    /// <summary>Names of all functions in the table.</summary>
    public static IReadOnlyCollection<string> Names => Table.Value.Keys;

    /// <summary>Whether a call of one of these functions gives here what it gives in SQL.</summary>
    public static bool IsExact(BoundCall call)
    {
        var types = call.Arguments.Select(a => a.Type).ToList();
        return Table.Value.ContainsKey(call.Function.Name) && !types.Contains(KqlType.Decimal) && call.Function.Name switch
        {
            "tostring" or "tolong" or "toint" or "toreal" or "tobool" or "todatetime" or "totimespan" or "toguid" or "todecimal" => LocalSupport.Converts(types[0], call.Type),
            "parse_json" => types[0] == KqlType.Dynamic,
            "coalesce" or "max_of" or "min_of" => types.TrueForAll(t => t == call.Type && t != KqlType.Dynamic),
            "strcat" or "strcat_delim" => types.TrueForAll(IsPlain),
            "bin" => types[0] is not KqlType.Real && types[1] is not KqlType.Real,
            "pack_array" or "bag_pack" => types.TrueForAll(t => IsPlain(t) || t is KqlType.Bool or KqlType.Dynamic),
            // A key may be a path.
            "bag_has_key" => call.Arguments[1] is BoundLiteral { Value: string key } && !key.StartsWith('$'),
            "set_has_element" or "array_index_of" => types.Count == 2 && types[1] == KqlType.String,
            _ => true,
        };
    }

    /// <summary>Whether values of a type have one text.</summary>
    private static bool IsPlain(KqlType type) => type is KqlType.String or KqlType.Long or KqlType.Int or KqlType.Guid;

    private static object? As(LocalCall c, int index) => LocalValues.To(c[index], c.TypeOf(index), c.Type);

    private static bool IsNull(LocalCall c, int index) => c[index] is null || (c.TypeOf(index) == KqlType.Dynamic && c[index] is "" or "null");

    private static bool IsEmpty(LocalCall c, int index) => IsNull(c, index) || c.Text(index).Length == 0;

    private static void AddConditions(Dictionary<string, LocalFunction> table)
    {
        table["not"] = c => c[0] is bool flag ? !flag : null;
        table["isnull"] = c => IsNull(c, 0);
        table["isnotnull"] = c => !IsNull(c, 0);
        table["isempty"] = c => IsEmpty(c, 0);
        table["isnotempty"] = c => !IsEmpty(c, 0);
        table["coalesce"] = c => Enumerable.Range(0, c.Count).Where(i => !IsEmpty(c, i)).Select(i => As(c, i)).FirstOrDefault(LocalValues.To(null, KqlType.String, c.Type));
    }

    private static void AddConversions(Dictionary<string, LocalFunction> table)
    {
        foreach (var name in new[] { "tostring", "tolong", "toint", "toreal", "tobool", "todatetime", "totimespan", "toguid", "todecimal", "parse_json" })
            table[name] = c => As(c, 0);
    }

    private static void AddTexts(Dictionary<string, LocalFunction> table)
    {
        table["strcat"] = c => string.Concat(Enumerable.Range(0, c.Count).Select(c.Text));
        table["strcat_delim"] = c => string.Join(c.Text(0), Enumerable.Range(1, c.Count - 1).Select(c.Text));
        table["strlen"] = c => (long)c.Text(0).EnumerateRunes().Count();
        table["replace_string"] = c => c.Text(1).Length == 0 ? c.Text(0) : c.Text(0).Replace(c.Text(1), c.Text(2), StringComparison.Ordinal);
    }

    private static void AddNumbers(Dictionary<string, LocalFunction> table)
    {
        table["abs"] = c => c[0] switch { int i => Math.Abs((long)i), long l => l == long.MinValue ? l : Math.Abs(l), double d => Math.Abs(d), TimeSpan t => t.Duration(), decimal m => Math.Abs(m), _ => null };
        table["max_of"] = c => Enumerable.Range(0, c.Count).Select(i => As(c, i)).Where(v => v is not null).Max(Comparer<object?>.Default);
        table["min_of"] = c => Enumerable.Range(0, c.Count).Select(i => As(c, i)).Where(v => v is not null).Min(Comparer<object?>.Default);
        table["sign"] = c => c.Real(0) is { } value && !double.IsNaN(value) ? (double)Math.Sign(value) : null;
        table["ceiling"] = c => c.Real(0) is { } value ? Math.Ceiling(value) : null;
        table["bin"] = c => (c[0], c[1]) switch
        {
            (DateTime t, TimeSpan { Ticks: > 0 } size) => new DateTime(t.Ticks - (t.Ticks % size.Ticks), DateTimeKind.Utc),
            (TimeSpan t, TimeSpan { Ticks: > 0 } size) => new TimeSpan(Floor(t.Ticks, size.Ticks)),
            (int or long, int or long) when c.Long(1) is > 0 and var size => Floor(c.Long(0)!.Value, size),
            _ => c.Real(0) is { } value && c.Real(1) is > 0 and var step ? Math.Floor(value / step) * step : null,
        };
    }

    private static long Floor(long value, long size) => value - (((value % size) + size) % size);

    private static void AddTimes(Dictionary<string, LocalFunction> table)
    {
        table["startofday"] = c => c[0] is DateTime t ? Shifted(() => t.Date.AddDays(Offset(c))) : null;
        table["startofweek"] = c => c[0] is DateTime t ? Shifted(() => t.Date.AddDays(-(int)t.DayOfWeek + (7 * Offset(c)))) : null;
        table["startofmonth"] = c => c[0] is DateTime t ? Shifted(() => new DateTime(t.Year, t.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(Offset(c))) : null;
        table["startofyear"] = c => c[0] is DateTime t ? Shifted(() => new DateTime(t.Year, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddYears(Offset(c))) : null;
        table["hourofday"] = c => c[0] is DateTime t ? (long)t.Hour : null;
        table["dayofweek"] = c => c[0] is DateTime t ? TimeSpan.FromDays((int)t.DayOfWeek) : null;
        // Boundaries that lie between the times, not spans that fit between them.
        table["datetime_diff"] = c => c[1] is DateTime a && c[2] is DateTime b ? c.Text(0).ToLowerInvariant().TrimEnd('s') switch
        {
            "year" => a.Year - b.Year,
            "quarter" => ((a.Year - b.Year) * 4) + ((a.Month - 1) / 3) - ((b.Month - 1) / 3),
            "month" => ((a.Year - b.Year) * 12) + a.Month - b.Month,
            "week" => (a.Date.AddDays(-(int)a.DayOfWeek) - b.Date.AddDays(-(int)b.DayOfWeek)).Days / 7,
            "day" => (a.Date - b.Date).Days,
            "hour" => (a.Ticks / TimeSpan.TicksPerHour) - (b.Ticks / TimeSpan.TicksPerHour),
            "minute" => (a.Ticks / TimeSpan.TicksPerMinute) - (b.Ticks / TimeSpan.TicksPerMinute),
            "second" => (a.Ticks / TimeSpan.TicksPerSecond) - (b.Ticks / TimeSpan.TicksPerSecond),
            "millisecond" => (a.Ticks / TimeSpan.TicksPerMillisecond) - (b.Ticks / TimeSpan.TicksPerMillisecond),
            "microsecond" => (a.Ticks / TimeSpan.TicksPerMicrosecond) - (b.Ticks / TimeSpan.TicksPerMicrosecond),
            "nanosecond" => (a.Ticks - b.Ticks) * 100,
            _ => (long?)null,
        } : null;
    }

    /// <summary>A time; null when it lies beyond what a datetime can hold.</summary>
    private static object? Shifted(Func<DateTime> time)
    {
        try
        {
            return time();
        }
        catch (ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static int Offset(LocalCall c) => c.Has(1) ? (int)Math.Clamp(c.Long(1) ?? 0, -1_000_000, 1_000_000) : 0;

    private static void AddCollections(Dictionary<string, LocalFunction> table)
    {
        table["pack_array"] = c => "[" + string.Join(",", Enumerable.Range(0, c.Count).Select(i => LocalValues.ToJson(c[i], c.TypeOf(i)))) + "]";
        table["bag_pack"] = c =>
        {
            var text = new StringBuilder("{");
            for (var i = 0; i + 1 < c.Count; i += 2)
                text.Append(i > 0 ? "," : "").Append(LocalValues.Quote(c.Text(i))).Append(':').Append(LocalValues.ToJson(c[i + 1], c.TypeOf(i + 1)));
            return text.Append('}').ToString();
        };
        table["array_length"] = c => c.Array(0) is { } array ? (long)array.Count : null;
        table["array_concat"] = c => List(Enumerable.Range(0, c.Count).SelectMany(i => Items(c, i)));
        table["array_index_of"] = c => c.Array(0) is null ? null : (long)Items(c, 0).IndexOf(LocalValues.ToJson(c[1], c.TypeOf(1)));
        table["set_has_element"] = c => Items(c, 0).Contains(LocalValues.ToJson(c[1], c.TypeOf(1)));
        table["bag_keys"] = c => c.Json(0) is JsonObject bag ? new JsonArray([.. bag.Select(p => (JsonNode?)p.Key)]) : null;
        table["bag_has_key"] = c => c.Json(0) is JsonObject bag ? bag.ContainsKey(c.Text(1)) : null;
    }

    /// <summary>The JSON texts of an array's elements.</summary>
    private static List<string> Items(LocalCall c, int index) => [.. (c.Array(index) ?? []).Select(LocalJson.Write)];

    private static string List(IEnumerable<string> items) => "[" + string.Join(",", items) + "]";
}
