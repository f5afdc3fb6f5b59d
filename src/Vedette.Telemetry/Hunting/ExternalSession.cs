using System.Collections.Concurrent;
using Vedette.Telemetry.Local;

namespace Vedette.Telemetry.Hunting;

/// <summary>
/// What one query has fetched from the network. A query whose columns only running reveals runs in part twice: the same call is made once, so that both runs see
/// the same rows.
/// </summary>
/// <param name="connector">The way to the network.</param>
/// <param name="time">The clock.</param>
internal sealed class ExternalSession(ExternalConnector connector, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<LocalTable>>> _fetched = new(StringComparer.Ordinal);

    /// <summary>The way to the network.</summary>
    public ExternalConnector Connector { get; } = connector;

    /// <summary>Identifies the query to the services that it calls.</summary>
    public string RequestId { get; } = $"Vedette.{Guid.NewGuid()}";

    /// <summary>The time, UTC.</summary>
    public DateTime UtcNow => time.GetUtcNow().UtcDateTime;

    /// <summary>The rows of a call, fetched by the first who asks.</summary>
    public Task<LocalTable> OnceAsync(string key, Func<Task<LocalTable>> fetch) => _fetched.GetOrAdd(key, _ => new Lazy<Task<LocalTable>>(fetch)).Value;
}
