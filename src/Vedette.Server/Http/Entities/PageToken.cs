using System.Buffers.Text;
using System.Globalization;
using System.Text;
using NpgsqlTypes;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Http.Entities;

/// <summary>
/// Where a page begins. Without an order of the client's own it is after a key, so that deleting what earlier pages showed loses nothing;
/// with one it is a number of items to pass over.
/// </summary>
/// <param name="Offset">Items to pass over.</param>
/// <param name="After">Key of the last item of the page before, or null.</param>
internal sealed record PageToken(int Offset, string? After)
{
    private const char Key = 'k';
    private const char Number = 'n';

    /// <summary>Reads the token of a request.</summary>
    /// <exception cref="ApiException">It is not one of this surface's.</exception>
    public static PageToken Read(ApiCall call, ODataQuery query, EntityTable table)
    {
        if (query.SkipToken is not { } token) return new PageToken(query.Skip, null);
        if (token.Length is > 0 and < 400 && Base64Url.IsValid(token))
        {
            var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token));
            if (text.Length > 1 && text[0] == Key && query.OrderBy.Count == 0) return new PageToken(0, text[1..]);
            if (text.Length > 1 && text[0] == Number && int.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)) return new PageToken(offset, null);
        }

        throw call.Refuse("BadPageToken", table.Name);
    }

    /// <summary>The token of the next page.</summary>
    public string Next(ODataQuery query, int written, string lastKey) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(
        query.OrderBy.Count == 0 ? $"{Key}{lastKey}" : $"{Number}{(Offset + written).ToString(CultureInfo.InvariantCulture)}"));

    /// <summary>The condition that the page begins after its key; null when it does not.</summary>
    public SqlCondition? Condition(EntityTable table) =>
        After is { } key ? sql => sql.Add($" AND {table.Key.Sql} > {sql.Parameter(key, NpgsqlDbType.Text)}") : null;
}
