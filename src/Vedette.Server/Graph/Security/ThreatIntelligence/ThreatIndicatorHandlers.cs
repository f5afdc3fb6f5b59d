using System.Text.Json;
using NpgsqlTypes;
using Vedette.Defender;
using Vedette.Defender.ThreatIntelligence;
using Vedette.Server.Endpoint;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Security.ThreatIntelligence;

/// <summary>
/// Threat indicators, one or many at a time. Callers see and change what they submitted themselves. Of many, each stands for itself: when some
/// fail the answer is partial content, and the failures stand among the indicators.
/// </summary>
internal sealed class ThreatIndicatorHandlers(EntityReader reader, ThreatIndicatorService indicators, TimeProvider clock) : IGraphSecurityHandlers
{
    private const string Representation = "return=representation";

    /// <inheritdoc/>
    public IEnumerable<EntityTable> Tables => [ThreatIndicatorTable.All];

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /security/tiIndicators", call => reader.CollectionAsync(call, ThreatIndicatorTable.All, Own(call))),
        new("POST /security/tiIndicators", CreateAsync),
        new("GET /security/tiIndicators/{id}", call => GetAsync(call, call.Route["id"])),
        new("PATCH /security/tiIndicators/{id}", UpdateAsync),
        new("DELETE /security/tiIndicators/{id}", DeleteAsync),
        new("POST /security/tiIndicators/submitTiIndicators", SubmitManyAsync),
        new("POST /security/tiIndicators/updateTiIndicators", UpdateManyAsync),
        new("POST /security/tiIndicators/deleteTiIndicators", call => DeleteManyAsync(call, indicators.DeleteAsync)),
        new("POST /security/tiIndicators/deleteTiIndicatorsByExternalId", call => DeleteManyAsync(call, indicators.DeleteByExternalIdAsync)),
    ];

    private delegate Task<IReadOnlySet<string>> Deletion(Caller caller, string creator, IReadOnlyList<string> ids, CancellationToken cancel);

    private SqlCondition Own(ApiCall call) => sql => sql
        .Add($" AND t.created_by = {sql.Parameter(Creator(call), NpgsqlDbType.Text)}")
        .Add($" AND (t.expires IS NULL OR t.expires > {sql.Parameter(clock.GetUtcNow().UtcDateTime, NpgsqlDbType.TimestampTz)})");

    private async ValueTask<ApiResult> GetAsync(ApiCall call, string id) =>
        await reader.EntityAsync(call, ThreatIndicatorTable.All, Own(call) + Where.Equals("t.id", id.ToLowerInvariant())) ?? (ApiResult)NotFound(call, id);

    private async ValueTask<ApiResult> CreateAsync(ApiCall call)
    {
        var outcome = (await indicators.SubmitAsync(call.Asker(), Creator(call), [call.Body.Root], call.Aborted))[0];
        return outcome.Error is { } error ? call.Refused(error) : await GetAsync(call, outcome.Value);
    }

    private async ValueTask<ApiResult> UpdateAsync(ApiCall call)
    {
        var outcome = await indicators.UpdateAsync(call.Asker(), Creator(call), call.Route["id"], call.Body.Root, call.Aborted);
        if (outcome.Error is { } error) return call.Refused(error);
        if (!call.Http.Request.Headers["Prefer"].Any(value => value?.Contains(Representation, StringComparison.OrdinalIgnoreCase) == true)) return EmptyResult.Instance;
        call.Status = StatusCodes.Status200OK;
        call.Http.Response.Headers["Preference-Applied"] = Representation;
        return await GetAsync(call, outcome.Value);
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call)
    {
        var id = call.Route["id"].ToLowerInvariant();
        return (await indicators.DeleteAsync(call.Asker(), Creator(call), [id], call.Aborted)).Count > 0 ? EmptyResult.Instance : NotFound(call, call.Route["id"]);
    }

    private async ValueTask<ApiResult> SubmitManyAsync(ApiCall call)
    {
        if (Items(call, out var items) is { } wrong) return wrong;
        return await ManyAsync(call, await indicators.SubmitAsync(call.Asker(), Creator(call), items, call.Aborted));
    }

    private async ValueTask<ApiResult> UpdateManyAsync(ApiCall call)
    {
        if (Items(call, out var items) is { } wrong) return wrong;
        var outcomes = new List<Outcome<string>>();
        foreach (var item in items)
        {
            outcomes.Add(item.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String
                ? await indicators.UpdateAsync(call.Asker(), Creator(call), id.GetString()!, item, call.Aborted)
                : new DomainError(Refusal.MissingRequiredParameter, "id"));
        }

        return await ManyAsync(call, outcomes);
    }

    private async ValueTask<ApiResult> DeleteManyAsync(ApiCall call, Deletion delete)
    {
        var ids = call.Body.Texts("value")!;
        if (ids.Count > call.Endpoint.MaxItems) return call.Error("TooManyIndicators");
        var gone = await delete(call.Asker(), Creator(call), ids, call.Aborted);
        var errors = ids.Select(id => gone.Contains(id) ? null : NotFound(call, id)).ToArray();
        if (errors.Any(error => error is not null)) call.Status = StatusCodes.Status206PartialContent;
        return Values(call, json =>
        {
            foreach (var error in errors) WriteResult(json, error);
        });
    }

    // The indicators as they are now, each failure in the place of its indicator.
    private async ValueTask<ApiResult> ManyAsync(ApiCall call, IReadOnlyList<Outcome<string>> outcomes)
    {
        if (outcomes.Any(outcome => outcome.Error is not null)) call.Status = StatusCodes.Status206PartialContent;
        var ids = outcomes.Where(outcome => outcome.Error is null).Select(outcome => outcome.Value).Distinct().ToArray();
        var stored = await reader.ObjectsAsync(call, ThreatIndicatorTable.All, Own(call) + Where.In("t.id", ids));
        return Values(call, json =>
        {
            foreach (var outcome in outcomes)
            {
                if (outcome.Error is { } error) WriteResult(json, call.Refused(error));
                else if (stored.TryGetValue(outcome.Value, out var indicator)) indicator.WriteTo(json);
            }
        });
    }

    private static JsonResult Values(ApiCall call, Action<Utf8JsonWriter> write) => new((json, _) =>
    {
        json.WriteStartObject();
        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
        json.WriteStartArray("value"u8);
        write(json);
        json.WriteEndArray();
        json.WriteEndObject();
        return ValueTask.CompletedTask;
    });

    private static void WriteResult(Utf8JsonWriter json, ApiError? error)
    {
        json.WriteStartObject();
        json.WriteString("@odata.type"u8, "#microsoft.graph.resultInfo");
        json.WriteNumber("code"u8, error?.Template.Status ?? StatusCodes.Status200OK);
        json.WriteString("message"u8, error?.Message ?? "");
        json.WriteNumber("subcode"u8, 0);
        json.WriteEndObject();
    }

    private static ApiError? Items(ApiCall call, out IReadOnlyList<JsonElement> items)
    {
        items = [.. call.Body.Value("value")!.Value.EnumerateArray()];
        if (items.Count > call.Endpoint.MaxItems) return call.Error("TooManyIndicators");
        return items.Any(item => item.ValueKind != JsonValueKind.Object) ? call.Error("InvalidRequestBody") : null;
    }

    private static string Creator(ApiCall call) => call.Caller.IsUser ? call.Caller.Requestor : call.Caller.ApplicationId.ToString();

    private static ApiError NotFound(ApiCall call, string id) => call.Error("ResourceNotFound", "tiIndicator", id);
}
