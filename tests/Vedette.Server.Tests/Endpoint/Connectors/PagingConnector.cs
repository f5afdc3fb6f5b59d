using System.Globalization;
using System.Text.Json;

namespace Vedette.Server.Tests.Endpoint.Connectors;

/// <summary>
/// A connector of the kind that feeds a security data store: it reads everything once and then what is new, page by page, over HTTP alone.
/// Machines go by id; alerts by the time of their creation, and because several may have the same time, each round begins at the last time
/// again and leaves out what it has.
/// </summary>
internal sealed class PagingConnector(EndpointHost host, int page)
{
    private DateTime _boundary = DateTime.UnixEpoch;
    private HashSet<string> _atBoundary = [];

    /// <summary>Machines by id, in the order in which they came.</summary>
    public List<string> Machines { get; } = [];

    /// <summary>Alerts by id with the number of pieces of evidence, in the order in which they came.</summary>
    public List<(string Id, int Evidence)> Alerts { get; } = [];

    /// <summary>Calls made.</summary>
    public int Calls { get; private set; }

    /// <summary>Reads every machine.</summary>
    public async Task ReadMachinesAsync()
    {
        for (var last = ""; ;)
        {
            var items = await GetAsync($"/api/machines?$filter=id gt '{last}'&$orderby=id&$top={page}", "Machine.Read.All");
            Machines.AddRange(items.Select(Id));
            if (items.Count < page) return;
            last = Id(items[^1]);
        }
    }

    /// <summary>Reads every machine by position, as many clients do: right as long as machines only change and none comes or goes.</summary>
    public async Task<List<string>> ReadMachinesByPositionAsync()
    {
        var ids = new List<string>();
        while (true)
        {
            var items = await GetAsync($"/api/machines?$top={page}&$skip={ids.Count}", "Machine.Read.All");
            ids.AddRange(items.Select(Id));
            if (items.Count < page) return ids;
        }
    }

    /// <summary>Reads the alerts that it does not have.</summary>
    public async Task ReadAlertsAsync()
    {
        while (true)
        {
            var from = _boundary.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
            var items = await GetAsync($"/api/alerts?$filter=alertCreationTime ge {from}&$orderby=alertCreationTime&$expand=evidence&$top={page + _atBoundary.Count}", "Alert.Read.All");
            var fresh = items.Where(item => !_atBoundary.Contains(Id(item))).ToArray();
            Alerts.AddRange(fresh.Select(item => (Id(item), item.GetProperty("evidence").GetArrayLength())));
            if (items.Count > 0)
            {
                var last = Time(items[^1]);
                var there = items.Where(item => Time(item) == last).Select(Id);
                _atBoundary = last == _boundary ? [.. _atBoundary, .. there] : [.. there];
                _boundary = last;
            }

            if (fresh.Length < page) return;
        }
    }

    private static string Id(JsonElement item) => item.GetProperty("id").GetString()!;

    private static DateTime Time(JsonElement item) => item.GetProperty("alertCreationTime").GetDateTime().ToUniversalTime();

    private async Task<IReadOnlyList<JsonElement>> GetAsync(string path, string role)
    {
        Calls++;
        var answer = await host.GetAsync(path, role);
        answer.Status.ShouldBe(200, answer.Body);
        return answer.Value;
    }
}
