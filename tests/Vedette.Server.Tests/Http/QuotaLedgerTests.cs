using Microsoft.Extensions.Options;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Http;

public sealed class QuotaLedgerTests
{
    private static readonly Guid Tenant = Guid.NewGuid();
    private static readonly Guid Application = Guid.NewGuid();
    private readonly SettableClock _clock = new(new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Refuses_the_call_after_the_last_allowed_one_and_tells_the_wait()
    {
        var ledger = new QuotaLedger(_clock, new QuotaPolicy(Options.Create(new HttpSettings())));
        var row = Row(perMinute: 3, perHour: 100);
        for (var i = 0; i < 3; i++)
        {
            ledger.Take(row, Tenant, Application).ShouldBeNull();
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        var excess = ledger.Take(row, Tenant, Application).ShouldNotBeNull();
        excess.Maximum.ShouldBe(3);
        excess.WindowText.ShouldBe("00:01:00");
        excess.RetryAfter.ShouldBe(30);
    }

    [Fact]
    public void Allows_again_after_exactly_the_wait_and_does_not_count_refused_calls()
    {
        var ledger = new QuotaLedger(_clock, new QuotaPolicy(Options.Create(new HttpSettings())));
        var row = Row(perMinute: 2, perHour: null);
        ledger.Take(row, Tenant, Application).ShouldBeNull();
        ledger.Take(row, Tenant, Application).ShouldBeNull();
        for (var i = 0; i < 5; i++) ledger.Take(row, Tenant, Application).ShouldNotBeNull();
        _clock.Advance(TimeSpan.FromSeconds(59));
        ledger.Take(row, Tenant, Application).ShouldNotBeNull().RetryAfter.ShouldBe(1);
        _clock.Advance(TimeSpan.FromSeconds(1));
        ledger.Take(row, Tenant, Application).ShouldBeNull();
    }

    [Fact]
    public void Holds_the_hour_limit_while_the_minute_limit_is_met()
    {
        var ledger = new QuotaLedger(_clock, new QuotaPolicy(Options.Create(new HttpSettings())));
        var row = Row(perMinute: 100, perHour: 1500);
        for (var i = 0; i < 1500; i++)
        {
            ledger.Take(row, Tenant, Application).ShouldBeNull($"call {i}");
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        var excess = ledger.Take(row, Tenant, Application).ShouldNotBeNull();
        (excess.Maximum, excess.WindowText, excess.RetryAfter).ShouldBe((1500, "01:00:00", 2100));
    }

    [Fact]
    public void Counts_routes_tenants_and_applications_apart()
    {
        var ledger = new QuotaLedger(_clock, new QuotaPolicy(Options.Create(new HttpSettings())));
        var (row, other) = (Row(perMinute: 1, perHour: null), Row(perMinute: 1, perHour: null));
        ledger.Take(row, Tenant, Application).ShouldBeNull();
        ledger.Take(other, Tenant, Application).ShouldBeNull();
        ledger.Take(row, Guid.NewGuid(), Application).ShouldBeNull();
        ledger.Take(row, Tenant, Guid.NewGuid()).ShouldBeNull();
        ledger.Take(row, Tenant, Application).ShouldNotBeNull();
    }

    [Fact]
    public void Shares_a_limit_per_tenant_among_its_applications()
    {
        var ledger = new QuotaLedger(_clock, new QuotaPolicy(Options.Create(new HttpSettings())));
        var row = new ApiEndpoint { Group = "", Name = "", Method = "POST", Path = "/api/x", Limits = new CallLimits { PerMinute = 1, PerTenant = true } };
        ledger.Take(row, Tenant, Application).ShouldBeNull();
        ledger.Take(row, Tenant, Guid.NewGuid()).ShouldNotBeNull();
    }

    private static ApiEndpoint Row(int? perMinute, int? perHour) => new()
    {
        Group = "", Name = "", Method = "GET", Path = "/api/x", Limits = new CallLimits { PerMinute = perMinute, PerHour = perHour },
    };
}
