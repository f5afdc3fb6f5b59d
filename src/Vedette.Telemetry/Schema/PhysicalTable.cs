using System.Text;
using Vedette.Kql;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Sql;
using Vedette.Telemetry.Sql.Functions;

namespace Vedette.Telemetry.Schema;

/// <summary>A column as the engine holds it.</summary>
/// <param name="Name">Name; the hunting column's, or a hidden one that starts with an underscore.</param>
/// <param name="Type">ClickHouse type.</param>
/// <param name="KqlType">KQL type that it stands for.</param>
/// <param name="Codec">Compression, or empty for the engine's default.</param>
/// <param name="HasTermIndex">Whether <c>lower(column)</c> has a text index of terms.</param>
/// <param name="HasValueIndex">Whether equality can skip blocks.</param>
public sealed record PhysicalColumn(string Name, string Type, KqlType KqlType, string Codec, bool HasTermIndex, bool HasValueIndex)
{
    /// <summary>Whether the engine's type is Nullable.</summary>
    public bool Nullable => Type.StartsWith("Nullable(", StringComparison.Ordinal);

    /// <summary>Whether the engine keeps the values in dictionaries.</summary>
    public bool IsDictionary => Type.StartsWith("LowCardinality(", StringComparison.Ordinal);

    internal string Definition => $"{ClickHouseName.Quote(Name)} {Type}{(Codec.Length == 0 ? "" : $" CODEC({Codec})")}";
}

/// <summary>A hunting table as the engine holds it.</summary>
public sealed class PhysicalTable
{
    /// <summary>Raised when this class writes other DDL for the same files, so that existing databases are brought up to date.</summary>
    internal const int FormRevision = 5;

    /// <summary>
    /// The projection in which the engine keeps counts by tenant, hour and <see cref="CountedColumns"/>: it answers queries that do no more than count.
    /// </summary>
    internal const string CountsProjection = "hours";

    /// <summary>Projections of earlier forms, whose words the compiler does not write any more.</summary>
    internal static readonly IReadOnlyList<string> FormerProjections = ["counts"];

    /// <summary>
    /// The projection in which the engine keeps counts by tenant, day and <see cref="CountedColumns"/>: a twentieth of <see cref="CountsProjection"/>, for queries
    /// that ask for no hours.
    /// </summary>
    internal const string TotalsProjection = "totals";

    /// <summary>The hidden column that holds the tenant of a row.</summary>
    public const string TenantColumn = "_TenantId";

    // Every scan compares the tenant of every row: as a dictionary that takes one comparison a block.
    private const string TenantType = "LowCardinality(UUID)";

    /// <summary>Settings that <see cref="Create"/> needs.</summary>
    internal static IReadOnlyDictionary<string, string> CreateSettings { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal) { ["allow_suspicious_low_cardinality_types"] = "1" };

    /// <summary>The hidden column that holds when a row arrived, UTC.</summary>
    public const string IngestTimeColumn = "_IngestTime";

    /// <summary>The hidden column that holds a number made from the deduplication token of a row's append; 0 without one.</summary>
    internal const string BatchColumn = "_Batch";

    private static readonly Lazy<IReadOnlyDictionary<string, PhysicalTable>> Lazy = new(
        static () => HuntingSchema.Tables.Values.ToDictionary(static t => t.Name, static t => new PhysicalTable(t), StringComparer.Ordinal));

    private PhysicalTable(HuntingTable table)
    {
        Table = table;
        var rules = StorageRules.Current;
        SortingKey = [TenantColumn, .. rules.SortingKey(table)];
        TimeColumn = table.OrdinalOf("Timestamp") >= 0 ? "Timestamp"
            : table.OrdinalOf("ActivityTimestamp") >= 0 ? "ActivityTimestamp" : null;
        CountedColumns = rules.Counted(table);
        DeviceColumn = table.OrdinalOf("DeviceId") >= 0 ? "DeviceId" : null;
        Columns =
        [
            .. table.Columns.Select(c => Physical(c, rules)),
            new PhysicalColumn(TenantColumn, TenantType, KqlType.Guid, "", false, false),
            new PhysicalColumn(IngestTimeColumn, "DateTime64(7, 'UTC')", KqlType.DateTime, "Delta(8), ZSTD(1)", false, false),
            new PhysicalColumn(BatchColumn, "UInt64", KqlType.Long, "ZSTD(1)", false, false),
        ];
    }

    /// <summary>All tables by name.</summary>
    public static IReadOnlyDictionary<string, PhysicalTable> All => Lazy.Value;

    /// <summary>What the table means.</summary>
    public HuntingTable Table { get; }

    /// <summary>Columns: those of the hunting table in its order, then the hidden ones.</summary>
    public IReadOnlyList<PhysicalColumn> Columns { get; }

    /// <summary>Columns that rows are sorted by.</summary>
    public IReadOnlyList<string> SortingKey { get; }

    /// <summary>The column whose day decides the partition; null when the table holds a state rather than events.</summary>
    public string? TimeColumn { get; }

    /// <summary>Columns by which rows are counted beforehand, hour by hour; empty for most tables.</summary>
    public IReadOnlyList<string> CountedColumns { get; }

    /// <summary>The column that names the device, when there is one.</summary>
    public string? DeviceColumn { get; }

    internal string Create(string database)
    {
        var sql = new StringBuilder();
        sql.Append($"CREATE TABLE IF NOT EXISTS {ClickHouseName.Quote(database)}.{ClickHouseName.Quote(Table.Name)} (\n");
        sql.AppendJoin(",\n", Columns.Select(static c => c.Definition).Concat(Indexes().Select(static i => "INDEX " + i.Definition))
            .Concat(Projections().Select(static p => "PROJECTION " + p.Definition)));
        sql.Append("\n) ENGINE = MergeTree");
        if (TimeColumn is not null) sql.Append($"\nPARTITION BY toYYYYMMDD({ClickHouseName.Quote(TimeColumn)})");
        sql.Append("\nORDER BY (").AppendJoin(", ", SortingKey.Select(ClickHouseName.Quote)).Append(')');
        return sql.ToString();
    }

    internal IEnumerable<(string Name, string Definition)> Indexes()
    {
        foreach (var column in Columns)
        {
            if (column.HasTermIndex)
                yield return ($"terms_{column.Name}", $"{ClickHouseName.Quote("terms_" + column.Name)} lower({ClickHouseName.Quote(column.Name)}) TYPE text(tokenizer = 'splitByNonAlpha')");
            if (column.HasValueIndex)
                yield return ($"values_{column.Name}", $"{ClickHouseName.Quote("values_" + column.Name)} {ClickHouseName.Quote(column.Name)} TYPE bloom_filter(0.01) GRANULARITY 4");
        }

        yield return ("batch", $"{ClickHouseName.Quote("batch")} {ClickHouseName.Quote(BatchColumn)} TYPE bloom_filter(0.001) GRANULARITY 1");
        yield return ("arrival", $"{ClickHouseName.Quote("arrival")} {ClickHouseName.Quote(IngestTimeColumn)} TYPE minmax GRANULARITY 1");
    }

    internal IEnumerable<(string Name, string Definition)> Projections()
    {
        if (CountedColumns.Count == 0 || TimeColumn is null) yield break;
        // The day is the partition's: conditions on it leave whole partitions out, also where older ones have no counts yet.
        yield return (CountsProjection, CountedBy(CountsProjection, [DayOf(TimeColumn), HourOf(TimeColumn)]));
        yield return (TotalsProjection, CountedBy(TotalsProjection, [DayOf(TimeColumn)]));
    }

    private string CountedBy(string name, string[] times)
    {
        var keys = string.Join(", ", [ClickHouseName.Quote(TenantColumn), .. times, .. CountedColumns.Select(ClickHouseName.Quote)]);
        return $"{ClickHouseName.Quote(name)} (SELECT {keys}, count() GROUP BY {keys})";
    }

    /// <summary>The day of a time, as the partition has it.</summary>
    internal static string DayOf(string column) => $"toYYYYMMDD({ClickHouseName.Quote(column)})";

    /// <summary>The hour of a time, as the compiler writes <c>bin(column, 1h)</c>: the engine knows its counts by this text.</summary>
    internal static string HourOf(string column) => FunctionTable.Find("bin")!(new SqlCall(
        "bin", [new SqlValue(ClickHouseName.Quote(column), KqlType.DateTime, false), SqlConstant.Of(TimeSpan.FromHours(1), KqlType.TimeSpan)], KqlType.DateTime, null!)).Text;

    private PhysicalColumn Physical(HuntingColumn column, StorageRules rules)
    {
        var isTime = column.Name == TimeColumn;
        var inKey = SortingKey.Contains(column.Name, StringComparer.Ordinal);
        var type = column.Type switch
        {
            KqlType.String => rules.IsPlain(column) ? "String" : "LowCardinality(String)",
            KqlType.Dynamic => "String",
            KqlType.Bool => "Nullable(Bool)",
            KqlType.Int => "Nullable(Int32)",
            KqlType.Long => "Nullable(Int64)",
            KqlType.Real => "Nullable(Float64)",
            KqlType.Decimal => "Nullable(Decimal(38, 17))",
            KqlType.DateTime => isTime ? "DateTime64(7, 'UTC')" : "Nullable(DateTime64(7, 'UTC'))",
            KqlType.TimeSpan => "Nullable(Int64)",
            KqlType.Guid => "Nullable(UUID)",
            _ => throw new InvalidOperationException($"Column {column.Name} has no type."),
        };
        if (inKey && type.StartsWith("Nullable(", StringComparison.Ordinal))
            throw new InvalidOperationException($"Column {column.Name} of {Table.Name} may be null and cannot be in the sorting key.");
        var codec = column.Type switch
        {
            // Within a day the upper bits are the same: cutting them off is as dense as ZSTD and read five times faster, which every time filter feels.
            KqlType.DateTime when isTime => "T64",
            KqlType.DateTime => "Delta(8), ZSTD(1)",
            KqlType.String or KqlType.Dynamic when rules.IsCompressed(column) => "ZSTD(1)",
            _ => "",
        };
        return new PhysicalColumn(column.Name, type, column.Type, codec, rules.HasTermIndex(column), rules.HasValueIndex(column));
    }
}
