using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry;

/// <summary>Settings of the telemetry room.</summary>
public sealed record TelemetryOptions
{
    /// <summary>Folder of the embedded engine; made when it does not exist. Not used with <see cref="ClusterUrl"/>.</summary>
    public string Folder { get; init; } = "";

    /// <summary>
    /// Address of a ClickHouse server, for instance <c>https://user:password@clickhouse.example:8443</c>; null for the embedded engine.
    /// </summary>
    public Uri? ClusterUrl { get; init; }

    /// <summary>Name of the database.</summary>
    public string Database { get; init; } = "vedette";

    /// <summary>Days that events are kept.</summary>
    public int RetentionDays { get; init; } = 30;

    /// <summary>How often old days are looked for.</summary>
    public TimeSpan RetentionInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Statements that run at the same time in the embedded engine; others wait.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>Limits of a hunting query that brings none of its own.</summary>
    public HuntingLimits Limits { get; init; } = new();

    /// <summary>Memory of one hunting query, at most.</summary>
    public long QueryMemoryBytes { get; init; } = DefaultQueryMemory();

    /// <summary>Whether every table with a Timestamp also answers to TimeGenerated, as it does where the tables are mirrored to a workspace.</summary>
    public bool TimeGenerated { get; init; }

    /// <summary>What becomes of queries that use columns which were renamed or retired.</summary>
    public RetiredColumns RetiredColumns { get; init; } = RetiredColumns.Warn;

    /// <summary>What <c>externaldata</c> may read; nothing by default.</summary>
    public ExternalDataOptions ExternalData { get; init; } = new();

    /// <summary>Compiled queries that are kept.</summary>
    public int QueryCacheSize { get; init; } = 1_000;

    /// <summary>How appends are put together.</summary>
    public HuntingStoreOptions Store { get; init; } = new();

    private static long DefaultQueryMemory()
    {
        var machine = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Math.Clamp(machine / 4, 512L << 20, 8L << 30);
    }
}
