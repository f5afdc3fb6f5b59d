using Microsoft.OData.UriParser;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Http.OData;

/// <summary>The OData options of a request, parsed and checked against the row's abilities.</summary>
internal sealed record ODataQuery
{
    /// <summary>No options.</summary>
    public static ODataQuery Empty { get; } = new();

    /// <summary>The condition, or null.</summary>
    public SingleValueNode? Filter { get; init; }

    /// <summary>Properties to order by, first key first.</summary>
    public IReadOnlyList<(SingleValueNode Expression, bool Descending)> OrderBy { get; init; } = [];

    /// <summary>Properties to return, in the entity's order; null means all.</summary>
    public IReadOnlySet<string>? Select { get; init; }

    /// <summary>Properties to return in full.</summary>
    public IReadOnlySet<string> Expand { get; init; } = new HashSet<string>();

    /// <summary>Most items to return.</summary>
    public int? Top { get; init; }

    /// <summary>Items to pass over.</summary>
    public int Skip { get; init; }

    /// <summary>Where the page begins, as an earlier page's link said it.</summary>
    public string? SkipToken { get; init; }

    /// <summary>Texts to look for: one list of properties and words for each clause, all of which must hold.</summary>
    public IReadOnlyList<IReadOnlyList<(EntityProperty Property, string Text)>> Search { get; init; } = [];

    /// <summary>True when the number of all items is asked for too.</summary>
    public bool Count { get; init; }
}
