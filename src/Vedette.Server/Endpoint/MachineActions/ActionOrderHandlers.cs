using System.Text.Json;
using Vedette.Defender;
using Vedette.Defender.Actions;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Endpoint.MachineActions;

/// <summary>Orders machine actions and cancels them.</summary>
internal sealed class ActionOrderHandlers(ActionService actions, EntityReader reader) : IEndpointHandlers
{
    // Path, kind, and the body key that gives the scope.
    private static readonly (string Row, MachineActionType Type, string? ScopeKey)[] Orders =
    [
        ("isolate", MachineActionType.Isolate, "IsolationType"),
        ("unisolate", MachineActionType.Unisolate, null),
        ("restrictCodeExecution", MachineActionType.RestrictCodeExecution, null),
        ("unrestrictCodeExecution", MachineActionType.UnrestrictCodeExecution, null),
        ("runAntiVirusScan", MachineActionType.RunAntiVirusScan, "ScanType"),
        ("collectInvestigationPackage", MachineActionType.CollectInvestigationPackage, null),
        ("StopAndQuarantineFile", MachineActionType.StopAndQuarantineFile, null),
        ("offboard", MachineActionType.Offboard, null),
        ("runliveresponse", MachineActionType.LiveResponse, null),
    ];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        .. Orders.Select(order => KeyValuePair.Create<string, ApiHandler>(
            $"POST /api/machines/{{id}}/{order.Row}", call => OrderAsync(call, order.Type, order.ScopeKey))),
        new("POST /api/machineactions/{id}/cancel", CancelAsync),
    ];

    private async ValueTask<ApiResult> OrderAsync(ApiCall call, MachineActionType type, string? scopeKey)
    {
        var order = new ActionOrder(type, call.Body.Text("Comment"))
        {
            Scope = scopeKey is null ? null : call.Body.Text(scopeKey),
            Sha1 = call.Body.Text("Sha1"),
            Commands = type == MachineActionType.LiveResponse ? Commands(call) : [],
            ExternalId = call.Body.Text("ExternalId"),
        };
        if (order.FurtherPermission is { } permission && Authorise.MissingRole(call, permission) is { } refused) return refused;
        return await AnswerAsync(call, await actions.RequestAsync(call.Asker(), call.Route["id"], order, call.Aborted));
    }

    private async ValueTask<ApiResult> CancelAsync(ApiCall call) =>
        await AnswerAsync(call, await actions.CancelAsync(call.Asker(), MachineActionHandlers.Key(call), call.Body.Text("Comment"), call.Aborted));

    private async ValueTask<ApiResult> AnswerAsync(ApiCall call, Outcome<MachineAction> outcome) => outcome.Error is { } error
        ? call.Refused(error)
        : await reader.EntityAsync(call, MachineActionTable.Actions, Where.Equals("x.id", outcome.Value.Id))
            ?? (ApiResult)MachineActionHandlers.NotFound(call, outcome.Value.Id);

    // [{ "type": …, "params": [{ "key": …, "value": … }] }]
    private static List<LiveResponseCommand> Commands(ApiCall call)
    {
        var commands = new List<LiveResponseCommand>();
        foreach (var item in call.Body.Value("Commands")!.Value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || Text(item, "type") is not { } type) throw Malformed(call);
            var parameters = new List<LiveResponseParameter>();
            if (item.TryGetProperty("params", out var list))
            {
                if (list.ValueKind != JsonValueKind.Array) throw Malformed(call);
                foreach (var pair in list.EnumerateArray())
                {
                    if (pair.ValueKind != JsonValueKind.Object || Text(pair, "key") is not { } key) throw Malformed(call);
                    parameters.Add(new LiveResponseParameter(key, Text(pair, "value") ?? ""));
                }
            }

            commands.Add(new LiveResponseCommand(type, parameters));
        }

        return commands;
    }

    private static string? Text(JsonElement item, string key) =>
        item.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static ApiException Malformed(ApiCall call) => call.Refuse("InvalidRequestBody");
}
