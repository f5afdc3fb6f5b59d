using System.Globalization;
using System.Text.Json;
using NpgsqlTypes;
using Vedette.Defender;
using Vedette.Defender.Indicators;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint.Indicators;

/// <summary>
/// Indicators: listing, submitting, importing and deleting. An application with <c>Ti.ReadWrite</c> alone only sees and deletes what it
/// submitted itself; expired indicators are not listed.
/// </summary>
internal sealed class IndicatorHandlers(IndicatorService indicators, EntityReader reader, TimeProvider clock) : IEndpointHandlers
{
    private const string All = "Ti.ReadWrite.All";

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, ApiHandler>> Handlers =>
    [
        new("GET /api/indicators", call => reader.CollectionAsync(call, IndicatorTable.Indicators, InForce(call))),
        new("POST /api/indicators", SubmitAsync),
        new("POST /api/indicators/import", ImportAsync),
        new("DELETE /api/indicators/{id}", DeleteAsync),
        new("POST /api/indicators/BatchDelete", DeleteManyAsync),
    ];

    private SqlCondition InForce(ApiCall call) => sql =>
    {
        sql.Add($" AND (i.expiration_time IS NULL OR i.expiration_time > {sql.Parameter(clock.GetUtcNow().UtcDateTime, NpgsqlDbType.TimestampTz)})");
        if (OnlyOf(call) is { } creator) Where.Equals("i.created_by", creator)(sql);
    };

    private async ValueTask<ApiResult> SubmitAsync(ApiCall call)
    {
        var outcome = (await indicators.SubmitAsync(call.Asker(), Creator(call), [Draft(call.Body)], call.Aborted))[0];
        if (outcome.Error is { } error) return call.Refused(error);
        return await reader.EntityAsync(call, IndicatorTable.Indicators, sql => sql.Add($" AND i.id = {sql.Parameter(outcome.Value.Id)}"))
            ?? (ApiResult)call.Error("ResourceNotFound", "Indicator", outcome.Value.Id);
    }

    // A wrong item does not fail the call: its failure stands beside the others' success.
    private async ValueTask<ApiResult> ImportAsync(ApiCall call)
    {
        var items = call.Body.Value("Indicators")!.Value;
        var count = items.GetArrayLength();
        if (count > call.Endpoint.MaxItems) return call.Error("MaximumBatchSizeExceeded", count, call.Endpoint.MaxItems);
        if (count == 0) return call.Error("MissingRequiredParameter", "Indicators");
        if (items.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object)) return call.Error("InvalidRequestBody");
        var drafts = items.EnumerateArray().Select(item => Draft(new RequestBody(item))).ToArray();
        var outcomes = await indicators.SubmitAsync(call.Asker(), Creator(call), drafts, call.Aborted);
        return new JsonResult((json, _) =>
        {
            json.WriteStartObject();
            json.WriteStartArray("value"u8);
            for (var i = 0; i < drafts.Length; i++) WriteOutcome(json, call, drafts[i], outcomes[i]);
            json.WriteEndArray();
            json.WriteEndObject();
            return ValueTask.CompletedTask;
        });
    }

    private async ValueTask<ApiResult> DeleteAsync(ApiCall call)
    {
        var id = call.Route["id"];
        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _)) return call.Error("ResourceNotFound", "Indicator", id);
        return Deleted(call, await indicators.DeleteAsync(call.Asker(), OnlyOf(call), [id], call.Aborted));
    }

    private async ValueTask<ApiResult> DeleteManyAsync(ApiCall call) =>
        Deleted(call, await indicators.DeleteAsync(call.Asker(), OnlyOf(call), call.Body.Texts("IndicatorIds")!, call.Aborted));

    private static ApiResult Deleted(ApiCall call, Outcome<int> outcome) => outcome.Error is { } error ? call.Refused(error) : EmptyResult.Instance;

    private static void WriteOutcome(Utf8JsonWriter json, ApiCall call, IndicatorDraft draft, Outcome<Indicator> outcome)
    {
        json.WriteStartObject();
        if (outcome.Error is null) json.WriteString("id"u8, outcome.Value.Id.ToString(CultureInfo.InvariantCulture));
        else json.WriteNull("id"u8);
        json.WriteString("indicator"u8, draft.IndicatorValue);
        json.WriteBoolean("isFailed"u8, outcome.Error is not null);
        if (outcome.Error is { } error) json.WriteString("failureReason"u8, call.Refused(error).Message);
        else json.WriteNull("failureReason"u8);
        json.WriteEndObject();
    }

    private static string? OnlyOf(ApiCall call) => call.Caller.IsUser || call.Caller.Permissions.Contains(All) ? null : Creator(call);

    private static string Creator(ApiCall call) => call.Caller.IsUser ? call.Caller.Requestor : call.Caller.ApplicationId.ToString();

    private static IndicatorDraft Draft(RequestBody body) => new()
    {
        IndicatorValue = body.Text("indicatorValue"),
        IndicatorType = body.Text("indicatorType"),
        Action = body.Text("action"),
        Title = body.Text("title"),
        Description = body.Text("description"),
        Application = body.Text("application"),
        ExpirationTime = body.Time("expirationTime"),
        Severity = body.Text("severity"),
        RecommendedActions = body.Text("recommendedActions"),
        RbacGroupNames = Names(body, "rbacGroupNames"),
        RbacGroupIds = Names(body, "rbacGroupIds"),
        EducateUrl = body.Text("educateUrl"),
        BypassDurationHours = body.Number("bypassDurationHours"),
        GenerateAlert = body.Flag("generateAlert"),
        ExternalId = body.Text("externalId"),
        Category = body.Number("category"),
        MitreTechniques = Names(body, "mitreTechniques"),
        HistoricalDetection = body.Flag("historicalDetection"),
    };

    // The page says a text with commas, its sample sends a list: both are read.
    private static IReadOnlyList<string> Names(RequestBody body, string key) => body.Value(key) switch
    {
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)],
        { ValueKind: JsonValueKind.String } text => text.GetString()!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        _ => [],
    };
}
