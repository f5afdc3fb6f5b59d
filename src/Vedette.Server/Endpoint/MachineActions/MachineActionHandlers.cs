using System.Globalization;
using Vedette.Defender;
using Vedette.Defender.Actions;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.MachineActions;

/// <summary>Reads machine actions and hands out the links to what they produced.</summary>
internal sealed class MachineActionHandlers(ActionService actions, TenantSettingsStore tenants, EntityReader reader, SignedLinks links) : IEndpointHandlers
{
    // Source: the page on live response results. The page on packages only says that the link is short-lived.
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromMinutes(30);

    // Live response sessions that a person opened in the portal are never listed. Source: the page on live response.
    private const string OfTheApi = " AND NOT (x.type = 'LiveResponse' AND x.request_source = 'Portal')";

    private const string Open = " AND x.status IN ('Pending', 'InProgress')";

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/machineactions", ListAsync),
        new("GET /api/machineactions/{id}", GetAsync),
        new("GET /api/machineactions/{id}/getPackageUri", PackageAsync),
        new("GET /api/machineactions/{id}/GetLiveResponseResultDownloadLink(index={index})", LiveResponseResultAsync),
    ];

    /// <summary>The action's id from the path.</summary>
    /// <exception cref="ApiException">It is not a GUID.</exception>
    public static Guid Key(ApiCall call) =>
        Guid.TryParse(call.Route["id"], out var id) ? id : throw call.Refuse("InvalidKey", call.Route["id"], "Edm.Guid");

    /// <summary>There is no such action.</summary>
    public static ApiError NotFound(ApiCall call, Guid id) => call.Error("ResourceNotFound", "Machine action", id);

    // Reading is what moves actions on where the tenant says so; the answer still shows what was there before.
    private async ValueTask<ApiResult> ListAsync(ApiCall call)
    {
        var answer = await reader.CollectionAsync(call, MachineActionTable.Actions, sql => sql.Add(OfTheApi));
        var tenant = await tenants.GetAsync(call.Caller.TenantId, call.Aborted);
        if (tenant.ActionTiming.Mode == ActionTimingMode.AfterReads)
            await actions.NoteReadsAsync(call.Caller.TenantId, await reader.KeysAsync(call, MachineActionTable.Actions, sql => sql.Add(Open)), call.Aborted);
        return answer;
    }

    private async ValueTask<ApiResult> GetAsync(ApiCall call)
    {
        var id = Key(call);
        var answer = await reader.EntityAsync(call, MachineActionTable.Actions, Where.Equals("x.id", id));
        if (answer is null) return NotFound(call, id);
        await actions.NoteReadsAsync(call.Caller.TenantId, [id], call.Aborted);
        return answer;
    }

    private async ValueTask<ApiResult> PackageAsync(ApiCall call)
    {
        var outcome = await actions.PackageAsync(call.Asker(), Key(call), call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : Link(call, outcome.Value.Name);
    }

    private async ValueTask<ApiResult> LiveResponseResultAsync(ApiCall call)
    {
        var id = Key(call);
        if (!int.TryParse(call.Route["index"], NumberStyles.None, CultureInfo.InvariantCulture, out var index)) return call.Error("InvalidInput", "index");
        var outcome = await actions.GetAsync(call.Asker(), id, call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        var action = outcome.Value;
        if (action.Type != MachineActionType.LiveResponse) return call.Error("BadRequest", $"Machine action {id} is of type {action.Type}, not LiveResponse.");
        return index < action.Commands.Count && action.Commands[index].ResultFile is { } file
            ? Link(call, file)
            : call.Error("NotFound", $"Machine action {id} has no result for the command with index {index}.");
    }

    private TextResult Link(ApiCall call, string file)
    {
        var request = call.Http.Request;
        return new TextResult($"{request.Scheme}://{request.Host.Value}{links.Make(file, LinkLifetime)}");
    }
}
