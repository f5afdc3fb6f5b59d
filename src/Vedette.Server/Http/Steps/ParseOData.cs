using Vedette.Server.Http.Entities;
using Vedette.Server.Http.OData;

namespace Vedette.Server.Http.Steps;

/// <summary>Reads <c>$filter</c>, <c>$orderby</c>, <c>$top</c> and their kin against the abilities of the row.</summary>
internal sealed class ParseOData(IEnumerable<IEntityDirectory> directories) : IRequestStep
{
    private readonly Dictionary<string, EntityTable> _tables = directories.SelectMany(d => d.Tables).ToDictionary(t => t.Name, StringComparer.Ordinal);

    /// <inheritdoc/>
    public ValueTask<ApiError?> RunAsync(ApiCall call)
    {
        if (call.Http.Request.QueryString.HasValue)
        {
            // "Alert collection" and "Alert" name the entity that the row returns.
            var entity = call.Endpoint.Entity;
            call.Query = ODataParser.Parse(call, _tables.GetValueOrDefault(entity));
        }

        return default;
    }
}

/// <summary>The entity tables of a surface.</summary>
internal interface IEntityDirectory
{
    /// <summary>All tables.</summary>
    IEnumerable<EntityTable> Tables { get; }
}
