using System.Collections.Concurrent;
using Vedette.Foundation.Snapshots;

namespace Vedette.Server.Http.Entities;

/// <summary>
/// Finished answers of lists, each good as long as the version of its table is the one it was made under. Connectors ask for the same page over
/// and over, and most of the time nothing has changed.
/// </summary>
internal sealed class PageCache(TableVersions versions) : IStateCache
{
    /// <summary>Largest answer that is kept, in bytes.</summary>
    public const int MostBytes = 512 * 1024;

    private const long MostBytesInAll = 64L * 1024 * 1024;
    private const int MostKeys = 20_000;
    private readonly ConcurrentDictionary<string, (long Version, byte[]? Answer)> _pages = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Asks for the version of a table.</summary>
    public Task<TableVersion> VersionAsync(string sequence) => versions.CurrentAsync(sequence);

    /// <summary>A kept answer that is still the present one.</summary>
    public byte[]? Find(string key, long version) => _pages.TryGetValue(key, out var page) && page.Version == version ? page.Answer : null;

    /// <summary>Whether an answer is worth keeping: it is asked for the second time while nothing has changed.</summary>
    public bool IsRepeated(string key, long version)
    {
        if (_pages.TryGetValue(key, out var page) && page.Version == version) return true;
        if (_pages.Count >= MostKeys) Forget();
        _pages[key] = (version, null);
        return false;
    }

    /// <summary>Keeps an answer.</summary>
    public void Keep(string key, long version, byte[] answer)
    {
        // Rarely full, so it is emptied rather than sorted by use.
        if (Interlocked.Add(ref _bytes, answer.Length) > MostBytesInAll) Forget();
        _pages[key] = (version, answer);
    }

    /// <inheritdoc/>
    public void Forget()
    {
        _pages.Clear();
        Interlocked.Exchange(ref _bytes, 0);
    }

    /// <summary>
    /// What tells answers of a list apart; null when the answer is not one to keep: the table has no version, or the filter goes by the present time.
    /// </summary>
    public static string? KeyOf(ApiCall call, EntityTable table)
    {
        if (table.VersionSequence is null) return null;
        var query = call.Http.Request.QueryString.Value ?? "";
        if (query.Length > 2048 || query.Contains("now", StringComparison.OrdinalIgnoreCase)) return null;
        var groups = call.Endpoint.DeviceGroups && call.Caller.DeviceGroups is { } seen ? string.Join(',', seen.Order()) : "*";
        return $"{call.Caller.TenantId:N} {groups} {call.Endpoint.Key} {call.ServiceRoot} {call.RelativePath} {query}";
    }
}
