using Vedette.Server.Http.Entities;

namespace Vedette.Server.Http.OData;

/// <summary>
/// Reads <c>$search</c>: quoted clauses of the form <c>"property:text"</c>, joined by AND or OR, AND binding less; a clause without a
/// property looks into all that can be searched.
/// </summary>
internal static class ODataSearch
{
    private const int MostClauses = 20;

    /// <summary>Reads the option.</summary>
    /// <exception cref="ApiException">It is malformed, or names a property that cannot be searched.</exception>
    public static IReadOnlyList<IReadOnlyList<(EntityProperty Property, string Text)>> Parse(ApiCall call, string text, EntityTable table, ODataAbilities abilities)
    {
        if (abilities.Search.Count == 0) throw call.Refuse("ODataError", "Query option '$search' is not allowed.");
        var groups = new List<IReadOnlyList<(EntityProperty, string)>>();
        var group = new List<(EntityProperty, string)>();
        var rest = text.AsSpan().Trim();
        while (true)
        {
            var close = rest.Length > 1 && rest[0] == '"' ? rest[1..].IndexOf('"') : -1;
            if (close < 1 || groups.Count + group.Count >= MostClauses) throw Malformed();
            Add(rest[1..(close + 1)].ToString());
            rest = rest[(close + 2)..].Trim();
            if (rest.IsEmpty) break;
            if (rest.StartsWith("AND ", StringComparison.OrdinalIgnoreCase))
            {
                groups.Add(group);
                group = [];
                rest = rest[4..].Trim();
            }
            else if (rest.StartsWith("OR ", StringComparison.OrdinalIgnoreCase))
            {
                rest = rest[3..].Trim();
            }
            else
            {
                throw Malformed();
            }
        }

        groups.Add(group);
        return groups;

        void Add(string clause)
        {
            var colon = clause.IndexOf(':', StringComparison.Ordinal);
            var words = clause[(colon + 1)..].Trim();
            if (words.Length == 0) throw Malformed();
            var names = colon < 0 ? abilities.Search : abilities.Search.Where(name => name.Equals(clause[..colon].Trim(), StringComparison.OrdinalIgnoreCase)).ToArray();
            if (names.Count == 0) throw new ApiException(call.Surface.Dialect.NotUsable(call, table.Name, clause[..colon].Trim(), "$search"));
            group.AddRange(names.Select(name => (table.Find(name)!, words)));
        }

        ApiException Malformed() => call.Refuse("ODataError", $"Syntax error in the $search option: '{text}'. Use \"property:text\" in double quotes.");
    }
}
