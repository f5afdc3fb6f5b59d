using Vedette.Server.Http;

namespace Vedette.Server.Endpoint.Telemetry;

/// <summary>Writes sightings as the statistics that domains and addresses have in common.</summary>
internal static class SightingResult
{
    /// <summary>An answer that names the thing under its own key.</summary>
    public static JsonResult Of(ApiCall call, string key, string value, Sighting seen) => new((json, _) =>
    {
        json.WriteStartObject();
        json.WriteString("@odata.context"u8, $"{call.ServiceRoot}/$metadata#{call.Endpoint.Context}");
        json.WriteString(key, value);
        json.WriteNumber("organizationPrevalence"u8, seen.Devices);
        if (seen.First is { } first) json.WriteString("orgFirstSeen"u8, first);
        else json.WriteNull("orgFirstSeen"u8);
        if (seen.Last is { } last) json.WriteString("orgLastSeen"u8, last);
        else json.WriteNull("orgLastSeen"u8);
        json.WriteEndObject();
        return ValueTask.CompletedTask;
    });
}
