using System.Collections.Concurrent;
using System.Globalization;
using NpgsqlTypes;
using Vedette.Foundation.Snapshots;

namespace Vedette.Server.Http.Entities;

/// <summary>
/// Remembers behind which row each next link goes on, so that a long list is not counted through again for every page, and so that a client
/// that follows the links neither loses nor doubles a row when others come or go meanwhile. A link that is not remembered (any more) counts.
/// </summary>
internal sealed class PagePositions : IStateCache
{
    private const int Most = 20_000;
    private readonly ConcurrentDictionary<string, object[]> _positions = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _oldest = new();

    /// <summary>The values of the row behind which a page begins; null when they are not known.</summary>
    public object[]? Find(ApiCall call, int skip) => _positions.GetValueOrDefault(Key(call, skip));

    /// <summary>Notes the last row of a page.</summary>
    public void Note(ApiCall call, int skip, object[] row)
    {
        var key = Key(call, skip);
        if (!_positions.ContainsKey(key)) _oldest.Enqueue(key);
        _positions[key] = row;
        while (_positions.Count > Most && _oldest.TryDequeue(out var oldest)) _positions.TryRemove(oldest, out _);
    }

    /// <inheritdoc/>
    public void Forget()
    {
        _positions.Clear();
        _oldest.Clear();
    }

    /// <summary>The condition that a row lies behind another. The bound on the first expression alone is what an index can serve.</summary>
    public static SqlCondition Behind(IReadOnlyList<string> keyset, object[] row, bool descends) => sql =>
    {
        var values = row.Select(value => value switch
        {
            long number => sql.Parameter(number, NpgsqlDbType.Bigint),
            int number => sql.Parameter(number, NpgsqlDbType.Integer),
            Guid id => sql.Parameter(id, NpgsqlDbType.Uuid),
            DateTime time => sql.Parameter(time, NpgsqlDbType.TimestampTz),
            _ => sql.Parameter((string)value, NpgsqlDbType.Text),
        }).ToArray();
        var behind = descends ? '<' : '>';
        sql.Add($" AND {keyset[0]} {behind}= {values[0]} AND ({string.Join(", ", keyset)}) {behind} ({string.Join(", ", values)})");
    };

    // Whoever asks otherwise, or for something else, has positions of their own.
    private static string Key(ApiCall call, int skip)
    {
        var options = call.Http.Request.Query.Where(pair => !pair.Key.Equals("$skip", StringComparison.OrdinalIgnoreCase))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{call.Caller.TenantId:N}/{call.Caller.ApplicationId:N}/{call.Caller.ObjectId:N}/{call.Endpoint.Key}/{call.RelativePath}?{string.Join('&', options)}#{skip}");
    }
}
