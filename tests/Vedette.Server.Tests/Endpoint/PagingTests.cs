using Vedette.Server.Http;

namespace Vedette.Server.Tests.Endpoint;

public sealed class PagingTests : IAsyncLifetime
{
    private const int Count = 10_007;
    private const string Role = "Machine.Read.All";
    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await _host.SeedAsync(Seed.Machine(1));
        await _host.ExecuteAsync(
            $"""
            INSERT INTO defender.machines
                (tenant_id, id, computer_dns_name, first_seen, last_seen, os_platform, os_processor, version, health_status, device_value, rbac_group_id,
                risk_score, exposure_level, machine_tags, defender_av_status, onboarding_status, os_architecture, managed_by, managed_by_status,
                ip_addresses, is_potential_duplication, is_excluded, device_type, isolation, is_code_execution_restricted, channel)
            SELECT tenant_id, lpad(to_hex(number), 40, '0'), 'pc-' || number, first_seen, last_seen, os_platform, os_processor, version, health_status, device_value,
                rbac_group_id, risk_score, exposure_level, machine_tags, defender_av_status, onboarding_status, os_architecture, managed_by,
                managed_by_status, ip_addresses, is_potential_duplication, is_excluded, device_type, isolation, is_code_execution_restricted, channel
            FROM defender.machines, generate_series(2, {Count}) AS number
            """);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Links_to_the_next_page_only_past_the_cap_and_never_with_top()
    {
        var first = await _host.GetAsync("/api/machines?$filter=osProcessor ne null and osPlatform eq 'Linux'", Role);
        first.Status.ShouldBe(400, "osProcessor cannot be filtered");

        first = await _host.GetAsync("/api/v1.0/machines?$filter=osPlatform eq 'Linux'&$orderby=computerDnsName desc", Role);
        first.Value.Count.ShouldBe(10_000);
        var link = first.Json.GetProperty("@odata.nextLink").GetString()!;
        link.ShouldBe($"{_host.Client.BaseAddress}api/v1.0/machines?$filter=osPlatform%20eq%20%27Linux%27&$orderby=computerDnsName%20desc&$skip=10000");
        var second = await _host.SendAsync(HttpMethod.Get, new Uri(link).PathAndQuery, null, EndpointHost.Token(Role));
        second.Value.Count.ShouldBe(7);
        second.Json.TryGetProperty("@odata.nextLink", out _).ShouldBeFalse();
        first.Ids.Concat(second.Ids).Distinct().Count().ShouldBe(Count);

        var topped = await _host.GetAsync("/api/machines?$top=10000&$count=true", Role);
        topped.Value.Count.ShouldBe(10_000);
        topped.Json.GetProperty("@odata.count").GetInt64().ShouldBe(Count);
        topped.Json.TryGetProperty("@odata.nextLink", out _).ShouldBeFalse();
        (await _host.GetAsync("/api/machines?$top=10001", Role)).ShouldFail(
            400, "ODataError", "The query specified in the URI is not valid. The limit of '10000' for Top query has been exceeded. The value from the incoming request is '10001'.");
    }

    [Fact]
    public async Task Repeats_the_host_that_the_client_used()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_host.Client.BaseAddress!, "/api/machines"));
        request.Headers.Host = "api-eu.securitycenter.microsoft.com";
        request.Headers.Authorization = new("Bearer", EndpointHost.Token(Role));
        using var response = await _host.Client.SendAsync(request);
        var answer = await Answer.ReadAsync(response);
        answer.Json.GetProperty("@odata.context").GetString().ShouldBe("http://api-eu.securitycenter.microsoft.com/api/$metadata#Machines");
        answer.Json.GetProperty("@odata.nextLink").GetString().ShouldBe("http://api-eu.securitycenter.microsoft.com/api/machines?$skip=10000");
    }
}
