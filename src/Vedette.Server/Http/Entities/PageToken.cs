using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NpgsqlTypes;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Http.Entities;

/// <summary>
/// Where a page begins. In an order that allows it, it is behind the last row of the page before, so that deleting what earlier pages showed
/// loses nothing; else it is a number of items to pass over.
/// </summary>
/// <param name="Offset">Items to pass over.</param>
/// <param name="After">Key of the last item of the page before, or null.</param>
internal sealed record PageToken(int Offset, string? After)
{
    private const char Key = 'k';
    private const char Number = 'n';
    private const char Row = 's';
    private const int Longest = 1_000;

    /// <summary>Place of the last row of the page before, or null.</summary>
    public IReadOnlyList<string>? Place { get; private init; }

    /// <summary>Reads the token of a request.</summary>
    /// <exception cref="ApiException">It is not one of this surface's.</exception>
    public static PageToken Read(ApiCall call, ODataQuery query, EntityTable table, PageOrder? order)
    {
        if (query.SkipToken is not { } token) return new PageToken(query.Skip, null);
        if (token.Length is > 0 and < Longest && Base64Url.IsValid(token))
        {
            var text = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token));
            if (text.Length > 1 && text[0] == Key && query.OrderBy.Count == 0 && order is null) return new PageToken(0, text[1..]);
            if (text.Length > 1 && text[0] == Row && order is not null && ReadPlace(text[1..]) is { } place) return new PageToken(0, null) { Place = place };
            if (text.Length > 1 && text[0] == Number && int.TryParse(text.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)) return new PageToken(offset, null);
        }

        throw call.Refuse("BadPageToken", table.Name);
    }

    /// <summary>The token of the next page.</summary>
    /// <param name="query">The options of this one.</param>
    /// <param name="written">Items of this one.</param>
    /// <param name="last">The key of its last item, or the item's place in an order.</param>
    public string Next(ODataQuery query, int written, IReadOnlyList<string> last) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(last switch
    {
        [var one, var tie] => Row + JsonSerializer.Serialize(new[] { one, tie }, PlaceJson.Default.StringArray),
        [var key] when query.OrderBy.Count == 0 => $"{Key}{key}",
        _ => $"{Number}{(Offset + written).ToString(CultureInfo.InvariantCulture)}",
    }));

    /// <summary>The condition that the page begins where the token says; null when that is a number.</summary>
    public SqlCondition? Condition(EntityTable table, PageOrder? order) => Place is { } place
        ? order!.Behind(place)
        : After is { } key ? sql => sql.Add($" AND {table.Key.Sql} > {sql.Parameter(key, NpgsqlDbType.Text)}") : null;

    private static string[]? ReadPlace(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, PlaceJson.Default.StringArray) is [{ }, { }] place ? place : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class PlaceJson : System.Text.Json.Serialization.JsonSerializerContext;
