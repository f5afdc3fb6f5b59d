using Vedette.Kql;

namespace Vedette.Telemetry.Hunting;

/// <summary>A hunting query to run.</summary>
/// <param name="TenantId">Whose telemetry: no other rows are visible.</param>
/// <param name="Query">KQL text.</param>
public sealed record HuntingRequest(Guid TenantId, string Query)
{
    /// <summary>Only rows whose time is inside this window are visible; null means the retention period.</summary>
    public (DateTime From, DateTime To)? Window { get; init; }

    /// <summary>
    /// When set, only rows that arrived in this window are visible: how scheduled detections look at each row once. Both ends UTC.
    /// </summary>
    public (DateTime From, DateTime To)? IngestionWindow { get; init; }

    /// <summary>
    /// How much earlier than <see cref="IngestionWindow"/> rows may have arrived of tables that only stand beside those that the query begins with:
    /// on the right of a join, or in a subquery. An event of now is so joined with the logon of an hour ago.
    /// </summary>
    public TimeSpan BesideLookBack { get; init; }

    /// <summary>Device ids the caller may see; null means all.</summary>
    public IReadOnlyCollection<string>? VisibleDevices { get; init; }

    /// <summary>Whether columns that were renamed or retired are refused whatever the settings say.</summary>
    public bool Strict { get; init; }

    /// <summary>Values for what the query declares with <c>declare query_parameters</c>, by name, as text or KQL literals; null for none.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>Limits to apply; null means those of the settings.</summary>
    public HuntingLimits? Limits { get; init; }

    /// <summary>When given, told how the query ran.</summary>
    public HuntingTrace? Trace { get; init; }
}

/// <summary>What bounds one query. Source: the service's published limits; the defaults are those of the Endpoint API.</summary>
public sealed record HuntingLimits
{
    /// <summary>Rows in an answer, at most.</summary>
    public int MaxRows { get; init; } = 100_000;

    /// <summary>Bytes of an answer, at most.</summary>
    public long MaxBytes { get; init; } = 124L * 1024 * 1024;

    /// <summary>Whether an answer with more bytes is cut to those rows that fit; else it is refused.</summary>
    public bool CutsLargeAnswers { get; init; }

    /// <summary>Run time of one query.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(200);

    /// <summary>How far back rows are visible.</summary>
    public TimeSpan LookBack { get; init; } = TimeSpan.FromDays(30);
}

/// <summary>A column of an answer.</summary>
public sealed record HuntingResultColumn(string Name, KqlType Type);

/// <summary>
/// An answer. Row values are .NET values of the column's type as <see cref="Ingest.HuntingRow"/> describes them; dynamic values are JSON text.
/// </summary>
public sealed record HuntingResult(
    IReadOnlyList<HuntingResultColumn> Columns,
    IReadOnlyList<object?[]> Rows,
    HuntingStatistics Statistics)
{
    /// <summary>Whether there were more rows than the limits let through.</summary>
    public bool IsCut { get; init; }

    /// <summary>What there is to say about the query although it ran.</summary>
    public IReadOnlyList<KqlDiagnostic> Warnings { get; init; } = [];
}

/// <summary>What a query cost, all its parts together.</summary>
public sealed record HuntingStatistics(TimeSpan ExecutionTime, TimeSpan CpuTime, long PeakMemoryBytes, long RowsRead, long BytesRead, long ResultBytes);

/// <summary>Compiles and runs KQL over a tenant's telemetry.</summary>
public interface IHuntingService
{
    /// <summary>Runs a query.</summary>
    /// <exception cref="HuntingException">The query is wrong, too heavy or over a limit.</exception>
    Task<HuntingResult> RunAsync(HuntingRequest request, CancellationToken cancellationToken);
}

/// <summary>Why a query was refused or stopped.</summary>
public enum HuntingFailure
{
    /// <summary>The text is not KQL.</summary>
    Syntax,

    /// <summary>Names or types do not fit.</summary>
    Semantic,

    /// <summary>It ran longer than allowed.</summary>
    Timeout,

    /// <summary>It needed more memory or rows than allowed.</summary>
    ExcessiveResources,

    /// <summary>The answer is larger than allowed.</summary>
    ResultTooLarge,

    /// <summary>The feature cannot be had here; the message names it.</summary>
    Unsupported,

    /// <summary>The engine failed.</summary>
    Internal,
}

/// <summary>A hunting query could not be answered.</summary>
public sealed class HuntingException(HuntingFailure failure, string message, int? line = null, int? column = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The kind of failure.</summary>
    public HuntingFailure Failure { get; } = failure;

    /// <summary>Line in the query, from 1, when known.</summary>
    public int? Line { get; } = line;

    /// <summary>Column in the line, from 1, when known.</summary>
    public int? Column { get; } = column;

    /// <summary>What part of the query it is about, where that is known and <see cref="Line"/> is yet to be found in the text.</summary>
    internal TextSpan? Place { get; set; }

    /// <summary>The same with line and column in the query's text.</summary>
    internal HuntingException In(string query)
    {
        if (Line is not null || Place is not { } place) return this;
        var (line, column) = place.PlaceIn(query);
        return new HuntingException(Failure, Message, line, column, InnerException) { Hint = Hint };
    }

    /// <summary>A name that the author may have meant, when there is one close to a name that is not known.</summary>
    public string? Hint { get; init; }

    /// <summary>The service's words, and the hint after them when there is one: what people see, where programs see <see cref="Exception.Message"/>.</summary>
    public string Advice => Hint is null ? Message : $"{Message}{(Message.EndsWith('.') ? "" : ".")} Did you mean '{Hint}'?";
}
