using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using Vedette.Kql;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Demo.Office;

/// <summary>
/// Takes the rows of one part of the demo organisation's life. A row is given as an object whose members are the table's columns; dynamic columns
/// take objects and become JSON. What all rows of newer tables have in common (tenant, type, source) and an absent report id are filled in.
/// </summary>
internal sealed class DemoSheet(DemoWorld world, string purpose, DateTime begin, DateTime end)
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly ConcurrentDictionary<(string Table, Type Form), (int Ordinal, PropertyInfo Member)[]> Forms = new();
    private int _reports;

    /// <summary>The rows so far.</summary>
    public List<HuntingRow> Rows { get; } = [];

    /// <summary>What chance decides in this part; no other part's chances depend on it.</summary>
    public Random Random { get; } = world.RandomFor(purpose);

    /// <summary>Adds a row, unless it lies outside of the history.</summary>
    /// <param name="table">Hunting table.</param>
    /// <param name="time">Its time; meaningless for tables that hold a state.</param>
    /// <param name="values">Object with a member for each column that has a value.</param>
    /// <exception cref="ArgumentException">The table has no column of a member's name.</exception>
    public void Add<T>(string table, DateTime time, T values)
        where T : notnull
    {
        var row = HuntingRow.For(table);
        if (PhysicalTable.All[table].TimeColumn is { } timeColumn)
        {
            if (time < begin || time > end) return;
            row[timeColumn] = time;
        }

        foreach (var (ordinal, member) in Forms.GetOrAdd((table, typeof(T)), static key => Form(key.Table, key.Form)))
        {
            if (member.GetValue(values) is { } value) row.Values[ordinal] = Typed(row.Table.Columns[ordinal].Type, value);
        }

        Complete(row, time);
        Rows.Add(row);
    }

    /// <summary>JSON text of a value.</summary>
    public static string ToJson(object value) => JsonSerializer.Serialize(value, Json);

    /// <summary>A name's identifier, the same wherever the name is used in this world.</summary>
    public string Id(string name) => world.GuidFor(name).ToString();

    /// <summary>One of several.</summary>
    public T Pick<T>(IReadOnlyList<T> choices) => choices[Random.Next(choices.Count)];

    /// <summary>True in the given share of cases.</summary>
    public bool Chance(double share) => Random.NextDouble() < share;

    private void Complete(HuntingRow row, DateTime time)
    {
        if (row.Table.OrdinalOf("ReportId") is >= 0 and var report && row.Values[report] is null)
        {
            var number = ++_reports;
            row.Values[report] = row.Table.Columns[report].Type == KqlType.Long ? (long)number : Id(string.Create(CultureInfo.InvariantCulture, $"{purpose}/report/{number}"));
        }

        if (row.Table.OrdinalOf("TimeGenerated") is not (>= 0 and var generated)) return;
        row.Values[generated] ??= time;
        row["TenantId"] ??= world.TenantId.ToString();
        row["Type"] ??= row.Table.Name;
        row["SourceSystem"] ??= "Azure";
    }

    private static (int Ordinal, PropertyInfo Member)[] Form(string table, Type form) =>
    [
        .. form.GetProperties().Select(member => HuntingSchema.Tables[table].OrdinalOf(member.Name) is >= 0 and var ordinal
            ? (ordinal, member)
            : throw new ArgumentException($"{table} has no column '{member.Name}'.", nameof(form))),
    ];

    private static object Typed(KqlType type, object value) => (type, value) switch
    {
        (KqlType.String, string) or (KqlType.Dynamic, string) => value,
        (KqlType.String, Guid id) => id.ToString(),
        (KqlType.String, IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture),
        (KqlType.String, _) or (KqlType.Dynamic, _) => ToJson(value),
        (KqlType.Long, int number) => (long)number,
        (KqlType.Int, long number) => (int)number,
        (KqlType.Guid, string text) => Guid.Parse(text),
        _ => value,
    };
}
