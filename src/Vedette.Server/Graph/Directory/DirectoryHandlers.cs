using Vedette.Identity.Directory;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Directory;

/// <summary>What all handlers of the directory share: the directory's refusals become answers.</summary>
internal abstract class DirectoryHandlers : IGraphHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers => Rows.Select(row => KeyValuePair.Create(row.Key, Guarded(row.Value)));

    /// <summary>Verb and path template of each row with its handler.</summary>
    protected abstract IEnumerable<KeyValuePair<string, ApiHandler>> Rows { get; }

    /// <summary>Answers a list; a count of everything needs the header that announces eventual consistency.</summary>
    protected static ValueTask<ApiResult> ListAsync(ApiCall call, EntityReader reader, EntityTable table, SqlCondition? condition = null) =>
        call.Route.CountOnly && !GraphDialect.IsEventual(call.Http)
            ? new(call.Error("BadRequest", "$count is not currently supported."))
            : reader.CollectionAsync(call, table, condition);

    /// <summary>Answers one entity, or that there is none.</summary>
    protected static async ValueTask<ApiResult> OneAsync(ApiCall call, EntityReader reader, EntityTable table, object id) =>
        await reader.EntityAsync(call, table, Where.Equals(table.Key.Sql, id.ToString()!)) ?? call.Error("ResourceNotFound", id);

    /// <summary>Answers an entity that was made just now.</summary>
    protected static ValueTask<ApiResult> CreatedAsync(ApiCall call, EntityReader reader, EntityTable table, string collection, Guid id)
    {
        call.Http.Response.Headers.Location = $"{call.ServiceRoot}/{collection}/{id}";
        return OneAsync(call, reader, table, id);
    }

    private static ApiHandler Guarded(ApiHandler handler) => async call =>
    {
        if (AcceptedProperties.Check(call) is { } unknown) return unknown;
        try
        {
            return await handler(call);
        }
        catch (DirectoryException refused)
        {
            return call.Error(
                refused.Problem switch
                {
                    DirectoryProblem.NotFound => "DirectoryNotFound",
                    DirectoryProblem.Duplicate => "Duplicate",
                    _ => "BadRequest",
                },
                refused.Message);
        }
    };
}
