using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Vedette.Server.Graph;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;
using Vedette.Server.ThreatProtection;

namespace Vedette.Server.Tests.ThreatProtection;

/// <summary>Ten thousand incidents with an alert each, behind both APIs that list them.</summary>
public sealed class PolledIncidents : IAsyncLifetime
{
    internal const int Count = 10_000;
    internal const int First = 100_001;

    internal EndpointHost Host { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        Host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off, services => services.AddVedetteThreatProtection().AddVedetteGraphSecurity());
        await Host.SeedAsync(Seed.Machine(1));

        // Twenty incidents share each moment, and the order of their making is another than that of their changes.
        await Host.ExecuteAsync(
            $"""
            INSERT INTO defender.incidents (id, tenant_id, name, severity, status, tags, comments, created_time, last_update_time)
            SELECT {First} + n, '{EndpointHost.Tenant}', 'Incident ' || n, 'Medium', 'Active', '{"{}"}', '[]', now() - interval '2 days' + n * 7919 % {Count} * interval '1 second',
                date_trunc('second', now()) - interval '1 day' + n / 20 * interval '100 milliseconds' FROM generate_series(0, {Count - 1}) AS n;
            INSERT INTO defender.alerts (tenant_id, id, incident_id, severity, status, detection_source, service_source, category, title, description, alert_creation_time, first_event_time, last_event_time,
                last_update_time, machine_id, rbac_group_id, mitre_techniques, logged_on_users, comments)
            SELECT tenant_id, 'da' || id, id, 'Medium', 'New', 'WindowsDefenderAtp', 'Microsoft Defender for Endpoint', 'Execution', 'Alert', 'd', created_time, created_time, created_time,
                last_update_time, '{Seed.MachineId(1)}', 0, '{"{}"}', '[]', '[]' FROM defender.incidents;
            ANALYZE defender.incidents; ANALYZE defender.alerts;
            """);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Host.DisposeAsync();
}

/// <summary>Pollers follow update times, many of them equal, through ten thousand incidents that change while they read.</summary>
public sealed class PollerTests(PolledIncidents incidents) : IClassFixture<PolledIncidents>
{
    private const int Changes = 300;
    private readonly EndpointHost _host = incidents.Host;
    private int _version;

    [Fact]
    public async Task Nothing_is_missed_and_nothing_taken_twice()
    {
        using var quiet = new CancellationTokenSource();
        var writers = Task.WhenAll(Enumerable.Range(0, 3).Select(WriteAsync));
        _ = writers.ContinueWith(_ => quiet.CancelAsync(), TaskScheduler.Default);
        var pollers = await Task.WhenAll(PollByPagesAsync(quiet.Token), PollByBoundaryAsync(quiet.Token));
        await writers;

        await using var state = _host.Context();
        var final = await state.Incidents.AsNoTracking().ToDictionaryAsync(i => i.Id, i => (i.LastUpdateTime, i.AssignedTo));
        final.Count.ShouldBe(PolledIncidents.Count);
        final.Values.Count(incident => incident.AssignedTo is not null).ShouldBeGreaterThan(100);
        foreach (var taken in pollers)
        {
            taken.Select(change => (change.Id, change.Time)).ShouldBeUnique();
            var last = taken.GroupBy(change => change.Id).ToDictionary(group => group.Key, group => group.Last());
            final.Where(pair => !last.TryGetValue(pair.Key, out var seen) || (seen.Time, seen.Owner) != (pair.Value.LastUpdateTime, pair.Value.AssignedTo)).ShouldBeEmpty();

            // Each change of an incident has a later time than the one before: what is told last is what is so.
            foreach (var group in taken.GroupBy(change => change.Id))
                group.Zip(group.Skip(1)).ShouldAllBe(pair => pair.First.Time < pair.Second.Time && Version(pair.First.Owner) <= Version(pair.Second.Owner));
        }
    }

    [Fact]
    public async Task Keeping_the_filter_and_letting_the_skip_grow_ends_with_the_documented_refusal()
    {
        var skip = 0;
        while (true)
        {
            var page = await GetAsync($"/v1.0/security/incidents?$filter=lastUpdateDateTime ge 2020-01-01T00:00:00Z&$orderby=lastUpdateDateTime asc&$top=50&$skip={skip}", Graph);
            if (page.Status == 400)
            {
                skip.ShouldBe(550);
                page.Message.ShouldBe("The query specified in the URI is not valid. The limit of '500' for Skip query has been exceeded. The value from the incoming request is '550'.");
                return;
            }

            page.Status.ShouldBe(200, page.Body);
            page.Value.Count.ShouldBe(50);
            skip += 50;
        }
    }

    // All pages of what has changed since a moment, newest incidents first. While a round is being read, incidents change on pages that have been
    // passed: the next round goes on from the highest time that was known before this one began.
    private async Task<List<Change>> PollByPagesAsync(CancellationToken quiet)
    {
        var taken = new List<Change>();
        var known = new HashSet<(long, DateTime)>();
        var (boundary, highest) = (DateTime.UnixEpoch, DateTime.UnixEpoch);
        while (true)
        {
            var last = quiet.IsCancellationRequested;
            var (before, count) = (highest, taken.Count);
            var next = $"/api/incidents?$filter=lastUpdateTime+ge+{Text(boundary)}";
            while (next is not null)
            {
                var page = await GetAsync(next, Xdr);
                page.Status.ShouldBe(200, page.Body);
                foreach (var item in page.Value)
                {
                    var change = new Change(item.GetProperty("incidentId").GetInt64(), item.GetProperty("lastUpdateTime").GetDateTime(), item.GetProperty("assignedTo").GetString());
                    if (known.Add((change.Id, change.Time))) taken.Add(change);
                    if (change.Time > highest) highest = change.Time;
                }

                next = Link(page);
            }

            if (last && taken.Count == count) return taken;
            boundary = before;
            known.RemoveWhere(change => change.Item2 < boundary);
        }
    }

    // One page after the other in the order of changes, each from the time at which the one before ended. Only a page that holds nothing but that
    // time needs its link.
    private async Task<List<Change>> PollByBoundaryAsync(CancellationToken quiet)
    {
        var taken = new List<Change>();
        var atBoundary = new HashSet<long>();
        var boundary = DateTime.UnixEpoch;
        string? link = null;
        while (true)
        {
            var last = quiet.IsCancellationRequested;
            var page = await GetAsync(link ?? $"/v1.0/security/incidents?$filter=lastUpdateDateTime ge {Text(boundary)}&$orderby=lastUpdateDateTime asc&$top=50", Graph);
            page.Status.ShouldBe(200, page.Body);
            var (count, start) = (taken.Count, boundary);
            foreach (var item in page.Value)
            {
                var change = new Change(
                    long.Parse(item.GetProperty("id").GetString()!, CultureInfo.InvariantCulture), item.GetProperty("lastUpdateDateTime").GetDateTime(), item.GetProperty("assignedTo").GetString());
                if (change.Time > boundary)
                {
                    boundary = change.Time;
                    atBoundary.Clear();
                }

                if (atBoundary.Add(change.Id)) taken.Add(change);
            }

            link = boundary == start ? Link(page) : null;
            if (last && link is null && taken.Count == count) return taken;
        }
    }

    private async Task WriteAsync(int writer)
    {
        var random = new Random(writer);
        for (var change = 0; change < Changes / 3; change++)
        {
            if (change % 10 == 9)
            {
                var ids = Enumerable.Range(0, 20).Select(_ => $"da{PolledIncidents.First + random.Next(PolledIncidents.Count)}").Distinct();
                var answer = await SendAsync(HttpMethod.Post, "/api/alerts/batchUpdate", new { alertIds = ids, comment = "Together." }, EndpointHost.Token("Alert.ReadWrite.All"));
                answer.Status.ShouldBe(200, answer.Body);
                continue;
            }

            var owner = string.Create(CultureInfo.InvariantCulture, $"v{Interlocked.Increment(ref _version)}");
            var id = PolledIncidents.First + (writer * 3_333) + random.Next(3_333);
            var changed = writer == 0
                ? await SendAsync(HttpMethod.Patch, $"/v1.0/security/incidents/{id}", new { assignedTo = owner }, Graph)
                : await SendAsync(HttpMethod.Patch, $"/api/incidents/{id}", new { assignedTo = owner }, Xdr);
            changed.Status.ShouldBe(200, changed.Body);
        }
    }

    private static int Version(string? owner) => owner is null ? 0 : int.Parse(owner.AsSpan(1), CultureInfo.InvariantCulture);

    private static string Text(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);

    private static string? Link(Answer page) => page.Json.TryGetProperty("@odata.nextLink", out var link) ? new Uri(link.GetString()!).PathAndQuery : null;

    private Task<Answer> GetAsync(string path, string token) => SendAsync(HttpMethod.Get, path, null, token);

    private Task<Answer> SendAsync(HttpMethod method, string path, object? body, string token) => _host.SendAsync(method, path, body, token);

    private static string Xdr { get; } = EndpointHost.TokenFor(EndpointHost.ThreatProtection, "Incident.ReadWrite.All");

    private static string Graph { get; } = EndpointHost.Write(d => d with { Audience = "https://graph.microsoft.com", Roles = ["SecurityIncident.ReadWrite.All"], GraphClaims = true });

    private sealed record Change(long Id, DateTime Time, string? Owner);
}
