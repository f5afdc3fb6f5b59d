using Vedette.Kql;

namespace Vedette.Telemetry.Sql;

/// <summary>What a statement is written for: whose rows, which of them, and when.</summary>
public sealed record SqlContext
{
    /// <summary>The tenant whose rows are visible.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>Finds the physical table of a schema table.</summary>
    /// <remarks>Null means that the table does not exist here.</remarks>
    public required Func<string, SqlTable?> FindTable { get; init; }

    /// <summary>
    /// Tables known to hold no row of anybody, so that a union need not look at them; null when nothing is known. They keep their columns.
    /// </summary>
    public IReadOnlySet<string>? EmptyTables { get; init; }

    /// <summary>The instant that <c>now()</c> gives, UTC.</summary>
    public required DateTime Now { get; init; }

    /// <summary>Only rows whose time is inside this window (start included, end not) are visible; null means all.</summary>
    public (DateTime From, DateTime To)? Window { get; init; }

    /// <summary>Only rows that arrived in this window (start included, end not) are visible; null means all.</summary>
    public (DateTime From, DateTime To)? IngestionWindow { get; init; }

    /// <summary>
    /// How much earlier than <see cref="IngestionWindow"/> rows may have arrived of tables that only stand beside those that a query begins with: on
    /// the right of a join, or in a subquery.
    /// </summary>
    public TimeSpan BesideLookBack { get; init; }

    /// <summary>Device ids that the caller may see; null means all.</summary>
    public IReadOnlyCollection<string>? VisibleDevices { get; init; }

    /// <summary>
    /// Opens what <c>externaldata</c> names: the host has decided that the address may be read. Null when no address may be.
    /// </summary>
    public Func<Uri, CancellationToken, Task<Stream>>? OpenExternal { get; init; }

    /// <summary>What plug-ins that call services may reach, and what they have fetched. Null when they may reach nothing.</summary>
    internal Hunting.ExternalSession? External { get; init; }

    /// <summary>Characters that the files of one <c>externaldata</c> may hold.</summary>
    public int ExternalCharacters { get; init; } = 32 * 1024 * 1024;

    /// <summary>Tells calls apart whose values have nothing to do with each other, for the engine computes equal expressions once.</summary>
    internal CallCounter Calls { get; init; } = new();

    /// <summary>What <c>current_principal()</c> and its like give.</summary>
    public string Principal { get; init; } = "";

    /// <summary>What <c>current_database()</c> gives.</summary>
    public string Database { get; init; } = "hunting";
}

/// <summary>Numbers calls.</summary>
internal sealed class CallCounter
{
    private int _last;

    public int Next() => ++_last;
}

/// <summary>Where a schema table lives in the engine.</summary>
/// <param name="Database">Database name.</param>
/// <param name="Name">Table name.</param>
/// <param name="Columns">Columns by the schema's names.</param>
/// <param name="TimeColumn">The column that carries the row's time, or null.</param>
/// <param name="DeviceColumn">The column that carries the device id, or null.</param>
public sealed record SqlTable(
    string Database, string Name, IReadOnlyDictionary<string, SqlTableColumn> Columns, string? TimeColumn, string? DeviceColumn)
{
    /// <summary>Columns by which the engine counts rows beforehand, hour by hour of <see cref="TimeColumn"/>.</summary>
    public IReadOnlyCollection<string> CountedColumns { get; init; } = [];
}

/// <summary>A physical column.</summary>
/// <param name="Name">Its name in the engine.</param>
/// <param name="Type">Its KQL type; the engine's type is the one that stands for it.</param>
/// <param name="Nullable">Whether it is Nullable in the engine.</param>
/// <param name="IsDictionary">Whether the engine keeps the values in dictionaries.</param>
public sealed record SqlTableColumn(string Name, KqlType Type, bool Nullable, bool IsDictionary = false);
