using System.Text.Json;
using Vedette.Defender;
using Vedette.Defender.Machines;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Machines;

/// <summary>Tags and values machines.</summary>
internal sealed class MachineChangeHandlers(MachineService machines, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("POST /api/machines/{id}/tags", TagAsync),
        new("POST /api/machines/AddOrRemoveTagForMultipleMachines", TagManyAsync),
        new("POST /api/machines/{id}/setDeviceValue", SetValueAsync),
        new("PATCH /api/machines/{id}", UpdateAsync),
    ];

    private async ValueTask<ApiResult> TagAsync(ApiCall call) =>
        await AnswerAsync(call, await machines.SetTagAsync(call.Asker(), call.Route["id"], call.Body.Text("Value")!, IsAdd(call), call.Aborted));

    private async ValueTask<ApiResult> TagManyAsync(ApiCall call)
    {
        var ids = call.Body.Texts("MachineIds")!;
        if (ids.Count > call.Endpoint.MaxItems) return call.Error("MaximumBatchSizeExceeded", ids.Count, call.Endpoint.MaxItems);
        var outcome = await machines.SetTagOnManyAsync(call.Asker(), ids, call.Body.Text("Value")!, IsAdd(call), call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        return await reader.CollectionAsync(call, MachineTable.Machines, Where.In("m.id", outcome.Value.Select(m => m.Id)));
    }

    private async ValueTask<ApiResult> SetValueAsync(ApiCall call) =>
        await AnswerAsync(call, await machines.UpdateAsync(
            call.Asker(), call.Route["id"], null, Vocabulary.Read<DeviceValue>(call.Body.Text("DeviceValue")), call.Aborted));

    // The list that is sent becomes the set of tags; a key that is absent or null leaves its property as it is.
    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        if (call.Body.Root.ValueKind != JsonValueKind.Object) return call.Error("InvalidRequestBody") with { Explanation = "the body is empty" };
        return await AnswerAsync(call, await machines.UpdateAsync(
            call.Asker(), call.Route["id"], call.Body.Texts("machineTags"), Vocabulary.Read<DeviceValue>(call.Body.Text("deviceValue")), call.Aborted));
    }

    private async ValueTask<ApiResult> AnswerAsync(ApiCall call, Outcome<Machine> outcome) => outcome.Error is { } error
        ? call.Refused(error)
        : await reader.EntityAsync(call, MachineTable.Machines, MachineHandlers.WithId(outcome.Value.Id)) ?? (ApiResult)call.Error("MachineNotFound", call.Route["id"]);

    private static bool IsAdd(ApiCall call) => string.Equals(call.Body.Text("Action"), "Add", StringComparison.OrdinalIgnoreCase);
}
