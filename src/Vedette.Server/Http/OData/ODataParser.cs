using System.Globalization;
using Microsoft.OData;
using Microsoft.OData.UriParser;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Http.OData;

/// <summary>Reads the OData options of a request with the OData library and checks each property against the row's abilities.</summary>
internal static class ODataParser
{
    /// <summary>Longest filter that is read; longer ones are refused.</summary>
    public const int MaximumFilterLength = 32 * 1024;

    private static readonly ODataUriResolver Resolver = new() { EnableCaseInsensitive = true };

    /// <summary>Reads the options of a call.</summary>
    /// <exception cref="ApiException">An option is unknown, malformed or not allowed; the text names it.</exception>
    public static ODataQuery Parse(ApiCall call, EntityTable? table)
    {
        var options = call.Http.Request.Query;
        if (options.Count == 0) return ODataQuery.Empty;
        var abilities = call.Endpoint.OData;
        // A call without OData abilities passes over all options, as single reads of the service do.
        if (!abilities.Any) return ODataQuery.Empty;
        if (table is null) throw new InvalidOperationException($"The row '{call.Endpoint.Key}' has OData abilities, but no entity table is called '{call.Endpoint.Entity}'.");
        var given = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in options)
        {
            if (!name.StartsWith('$')) continue;
            if (!call.Surface.Dialect.Options.Contains(name)) throw call.Refuse("UnsupportedOption", name);
            if (values.Count > 1) throw Bad(call, $"Query option '{name.ToLowerInvariant()}' was specified more than once, but it must be specified at most once.");
            given[name.ToLowerInvariant()] = values[0] ?? "";
        }

        if (given.Count == 0) return ODataQuery.Empty;
        call.Surface.Dialect.Weigh(call, given);
        try
        {
            var query = new ODataQuery
            {
                Top = Number(call, given, "$top", abilities.Top is not null, abilities.Top),
                Skip = Number(call, given, "$skip", abilities.Skip, abilities.MaxSkip) ?? 0,
                Count = Flag(call, given, abilities.Count),
                Select = Names(call, given, "$select", table, abilities.Select ? IsSelectable : null),
                Expand = Names(call, given, "$expand", table, abilities.Expand.Count > 0 ? IsExpandable : null) ?? ODataQuery.Empty.Expand,
                Filter = Filter(call, given, table, abilities),
                OrderBy = Order(call, given, table, abilities),
                SkipToken = given.GetValueOrDefault("$skiptoken"),
                Search = given.TryGetValue("$search", out var words) ? ODataSearch.Parse(call, words, table, abilities) : [],
            };
            call.Surface.Dialect.Check(call, query);
            return query;
        }
        catch (ODataException error)
        {
            throw Bad(call, error.Message);
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or OverflowException or InvalidCastException or NullReferenceException)
        {
            // The parser has faults of its own for some malformed texts; for the caller they are what they are: a text that cannot be read.
            throw Bad(call, "The query cannot be parsed.");
        }

        bool IsSelectable(EntityProperty property) =>
            property.Returned && !abilities.NotSelectable.Contains(property.Name, StringComparer.OrdinalIgnoreCase);

        bool IsExpandable(EntityProperty property) => abilities.Expand.Contains(property.Name, StringComparer.OrdinalIgnoreCase);
    }

    private static SingleValueNode? Filter(ApiCall call, Dictionary<string, string> given, EntityTable table, ODataAbilities abilities)
    {
        if (!given.TryGetValue("$filter", out var text)) return null;
        if (abilities.Filter.Count == 0) throw NotAllowed(call, "Filter");
        if (text.Length > MaximumFilterLength) throw Bad(call, $"The $filter option is longer than {MaximumFilterLength} characters.");
        SingleValueNode node;
        try
        {
            node = Parser(table, "$filter", FilterText.Normalise(text)).ParseFilter().Expression;
        }
        catch (ODataException error) when (call.Surface.Dialect.FilterFault.Length > 0)
        {
            throw new ODataException(call.Surface.Dialect.FilterFault + error.Message);
        }

        ODataNames.Check(node, name =>
        {
            if (!abilities.Filter.Contains(name, StringComparer.OrdinalIgnoreCase))
                throw new ApiException(call.Surface.Dialect.NotUsable(call, table.Name, name, "$filter"));
        });
        // Translating here and throwing the result away finds what has no meaning before the handler starts.
        _ = new FilterSql(table, new SqlText()).Translate(node);
        return node;
    }

    private static List<(SingleValueNode, bool)> Order(ApiCall call, Dictionary<string, string> given, EntityTable table, ODataAbilities abilities)
    {
        var keys = new List<(SingleValueNode, bool)>();
        if (!given.TryGetValue("$orderby", out var text)) return keys;
        if (abilities.OrderBy.Count == 0) throw NotAllowed(call, "OrderBy");
        for (var clause = Parser(table, "$orderby", text).ParseOrderBy(); clause is not null; clause = clause.ThenBy)
        {
            ODataNames.Check(clause.Expression, name =>
            {
                if (!abilities.OrderBy.Contains(name, StringComparer.OrdinalIgnoreCase))
                    throw new ApiException(call.Surface.Dialect.NotUsable(call, table.Name, name, "$orderby"));
            });
            _ = new FilterSql(table, new SqlText()).Translate(clause.Expression);
            keys.Add((clause.Expression, clause.Direction == OrderByDirection.Descending));
        }

        return keys;
    }

    private static HashSet<string>? Names(
        ApiCall call, Dictionary<string, string> given, string option, EntityTable table, Func<EntityProperty, bool>? isAllowed)
    {
        if (!given.TryGetValue(option, out var text)) return null;
        if (isAllowed is null) throw NotAllowed(call, option == "$select" ? "Select" : "Expand");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            // Options nested in an expansion, evidence($select=…), are read over: the service returns the whole evidence.
            var open = item.IndexOf('(', StringComparison.Ordinal);
            var name = open < 0 ? item : item[..open];
            if (name == "*")
            {
                foreach (var all in table.Properties.Where(isAllowed)) names.Add(all.Name);
                continue;
            }

            var property = table.Find(name)
                ?? throw Bad(call, $"Could not find a property named '{name}' on type '{table.Namespace}.{table.Name}'.");
            if (!isAllowed(property)) throw new ApiException(call.Surface.Dialect.NotUsable(call, table.Name, property.Name, option));
            names.Add(property.Name);
        }

        return names;
    }

    private static int? Number(ApiCall call, Dictionary<string, string> given, string option, bool isAllowed, int? most)
    {
        if (!given.TryGetValue(option, out var text)) return null;
        if (!isAllowed) throw NotAllowed(call, option == "$top" ? "Top" : "Skip");
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw Bad(call, $"Invalid value '{text}' for {option} query option found. The {option} query option requires a non-negative integer value.");
        if (option == "$top" && call.Endpoint.OData.ClampTop) return Math.Min(number, most ?? int.MaxValue);
        return number <= (most ?? int.MaxValue)
            ? number
            : throw new ApiException(call.Surface.Dialect.TooMany(call, option, number, most!.Value));
    }

    private static bool Flag(ApiCall call, Dictionary<string, string> given, bool isAllowed)
    {
        if (!given.TryGetValue("$count", out var text)) return false;
        if (!isAllowed) throw NotAllowed(call, "Count");
        return bool.TryParse(text, out var flag)
            ? flag
            : throw Bad(call, $"Invalid value '{text}' for $count query option found. Valid values are 'true' or 'false'.");
    }

    /// <summary>SQL of a filter that does not stand in a request, such as that of a subscription.</summary>
    /// <exception cref="FormatException">It cannot be read, or names a property that is not allowed; the message says which.</exception>
    public static string Condition(EntityTable table, string filter, IReadOnlyList<string> allowed, SqlText sql)
    {
        try
        {
            var node = Parser(table, "$filter", FilterText.Normalise(filter)).ParseFilter().Expression;
            ODataNames.Check(node, name =>
            {
                if (!allowed.Contains(name, StringComparer.OrdinalIgnoreCase)) throw new ODataException($"The property '{name}' cannot be used in the $filter query option.");
            });
            return new FilterSql(table, sql).Translate(node);
        }
        catch (Exception fault) when (fault is ODataException or ApiException or ArgumentException or FormatException or OverflowException or InvalidCastException or NullReferenceException)
        {
            throw new FormatException($"Invalid filter clause: {(fault is ODataException ? fault.Message : "The query cannot be parsed.")}", fault);
        }
    }

    private static ODataQueryOptionParser Parser(EntityTable table, string option, string text)
    {
        var (model, type, set) = EdmModels.For(table);
        return new ODataQueryOptionParser(model, type, set, new Dictionary<string, string> { [option] = text }) { Resolver = Resolver };
    }

    private static ApiException NotAllowed(ApiCall call, string option) => Bad(
        call, $"Query option '{option}' is not allowed.");

    private static ApiException Bad(ApiCall call, string text) => call.Refuse("ODataError", text);
}
