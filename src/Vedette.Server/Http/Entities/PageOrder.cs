using NpgsqlTypes;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Http.Entities;

/// <summary>
/// An order in which a page can begin behind the last row of the one before: one property that is never null and what breaks ties, both in
/// the same direction. Rows that come or go meanwhile then neither move others out of sight nor show them twice.
/// </summary>
/// <param name="By">What the order goes by.</param>
/// <param name="Tie">What breaks ties.</param>
/// <param name="Descending">Whether the greatest comes first.</param>
internal sealed record PageOrder(EntityProperty By, EntityProperty Tie, bool Descending)
{
    /// <summary>The order of a query; null when its pages can only be counted to, or go on by key.</summary>
    public static PageOrder? Of(EntityTable table, ODataQuery query)
    {
        var tie = table.Tie ?? table.Key;
        if (query.OrderBy.Count == 0) return table.NewestBy is { } newest ? new PageOrder(newest, tie, true) : null;
        return query.OrderBy is [{ Expression: Microsoft.OData.UriParser.SingleValuePropertyAccessNode node, Descending: var descending }]
            && table.Find(node.Property.Name) is { NotNull: true, Kind: not (ValueKind.Strings or ValueKind.Json) } property
                ? new PageOrder(property with { Sql = property.OrderSql, Kind = property.Values is null ? property.Kind : ValueKind.Int32 }, tie, descending)
                : null;
    }

    /// <summary>SQL of a row's place, as texts.</summary>
    public IEnumerable<string> Place => [$"({By.Sql})::text", $"({Tie.Sql})::text"];

    /// <summary>The condition that a row lies behind a place.</summary>
    public SqlCondition Behind(IReadOnlyList<string> place) => sql => sql.Add(
        $" AND ({By.Sql}, {Tie.Sql}) {(Descending ? '<' : '>')} ({Value(sql, By, place[0])}, {Value(sql, Tie, place[1])})");

    private static string Value(SqlText sql, EntityProperty property, string text)
    {
        var placeholder = sql.Parameter(text, NpgsqlDbType.Text);
        return property.Kind switch
        {
            ValueKind.Int32 or ValueKind.Int64 => $"{placeholder}::bigint",
            ValueKind.Double => $"{placeholder}::float8",
            ValueKind.Boolean => $"{placeholder}::boolean",
            ValueKind.Time => $"{placeholder}::timestamptz",
            ValueKind.Guid => $"{placeholder}::uuid",
            _ => placeholder,
        };
    }
}
