using Vedette.Defender.Alerts;
using Vedette.Defender.State;
using Vedette.Server.Endpoint.Users;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Alerts;

/// <summary>Changes alerts, one or many, and tells the user that an alert is about.</summary>
internal sealed class AlertChangeHandlers(AlertService alerts, EntityReader reader) : IEndpointHandlers
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("PATCH /api/alerts/{id}", UpdateAsync),
        new("POST /api/alerts/batchUpdate", UpdateManyAsync),
        new("GET /api/alerts/{id}/user", UserAsync),
    ];

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var outcome = await alerts.UpdateAsync(call.Asker(), call.Route["id"], Change(call.Body), call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        return await reader.EntityAsync(call, AlertTable.Alerts, Where.Equals("a.id", outcome.Value.Id))
            ?? (ApiResult)call.Error("ResourceNotFound", "Alert", call.Route["id"]);
    }

    private async ValueTask<ApiResult> UpdateManyAsync(ApiCall call)
    {
        var ids = call.Body.Texts("alertIds")!;
        if (ids.Count == 0) return call.Error("MissingRequiredParameter", "alertIds");
        var outcome = await alerts.UpdateManyAsync(call.Asker(), ids, Change(call.Body), call.Aborted);
        return outcome.Error is { } error ? call.Refused(error) : EmptyResult.Instance;
    }

    private async ValueTask<ApiResult> UserAsync(ApiCall call)
    {
        var outcome = await alerts.RelatedUserAsync(call.Asker(), call.Route["id"], call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        var user = outcome.Value;
        return await reader.EntityAsync(call, UserTable.Users, UserTable.Named(user.AccountDomain, user.AccountName)) ?? Unseen(call, user);
    }

    // A user that no log-on tells of: what the alert says is all there is.
    private static JsonResult Unseen(ApiCall call, LogonUser user) => new((json, _) =>
    {
        json.WriteStartObject();
        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
        json.WriteString("id"u8, user.AccountDomain.Length > 0 ? $@"{user.AccountDomain}\{user.AccountName}" : user.AccountName);
        json.WriteString("accountName"u8, user.AccountName);
        json.WriteString("accountDomain"u8, user.AccountDomain);
        json.WriteString("accountSid"u8, user.AccountSid);
        json.WriteString("firstSeen"u8, user.FirstSeen);
        json.WriteString("lastSeen"u8, user.LastSeen);
        json.WriteNull("mostPrevalentMachineId"u8);
        json.WriteNull("leastPrevalentMachineId"u8);
        json.WriteString("logonTypes"u8, string.Join(", ", user.LogonTypes));
        json.WriteNull("logOnMachinesCount"u8);
        json.WriteBoolean("isDomainAdmin"u8, user.IsDomainAdmin);
        json.WriteNull("isOnlyNetworkUser"u8);
        json.WriteEndObject();
        return ValueTask.CompletedTask;
    });

    // A key that is absent or null leaves its property as it is.
    private static AlertUpdate Change(RequestBody body) => new()
    {
        Status = body.Text("status"),
        AssignedTo = body.Text("assignedTo"),
        Classification = body.Text("classification"),
        Determination = body.Text("determination"),
        Comment = body.Text("comment"),
    };
}
