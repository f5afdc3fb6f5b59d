using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Vedette.Server.Http;

namespace Vedette.Server.Tests.Http;

/// <summary>What hunting may cost a tenant, by a clock that the test sets.</summary>
public sealed class HuntingLedgerTests
{
    private static readonly Guid Tenant = Guid.NewGuid();
    private readonly SettableClock _clock = new(new DateTimeOffset(2026, 11, 20, 12, 4, 0, TimeSpan.Zero));
    private readonly QuotaPolicy _policy = new(Options.Create(new HttpSettings()));

    [Fact]
    public void Run_time_in_an_hour_and_in_a_day_is_bounded_by_the_service_values()
    {
        var settings = new HuntingSettings();
        var ledger = Ledger(settings);
        for (var i = 0; i < 5; i++)
        {
            ledger.Wait(Tenant, settings.Endpoint).ShouldBeNull();
            _clock.Advance(TimeSpan.FromMinutes(2));
            ledger.Add(Tenant, settings.Endpoint, TimeSpan.FromMinutes(2), TimeSpan.Zero);
        }

        // The first run ended eight minutes ago and leaves the hour in 52.
        ledger.Wait(Tenant, settings.Endpoint).ShouldBe(TimeSpan.FromMinutes(52));
        ledger.Wait(Tenant, settings.ThreatProtection).ShouldBeNull();
        ledger.Wait(Guid.NewGuid(), settings.Endpoint).ShouldBeNull();
        _clock.Advance(TimeSpan.FromMinutes(52));
        ledger.Wait(Tenant, settings.Endpoint).ShouldBeNull();

        for (var hour = 0; hour < 17; hour++)
        {
            _clock.Advance(TimeSpan.FromHours(1));
            ledger.Add(Tenant, settings.Endpoint, TimeSpan.FromMinutes(10), TimeSpan.Zero);
        }

        // Three hours in eighteen: the day is full, and its oldest runs are those from the beginning.
        _clock.Advance(TimeSpan.FromHours(1));
        ledger.Wait(Tenant, settings.Endpoint).ShouldNotBeNull().ShouldBeInRange(TimeSpan.FromHours(4), TimeSpan.FromHours(6));
    }

    [Fact]
    public void Processor_time_counts_over_all_surfaces_until_the_next_window()
    {
        var settings = new HuntingSettings();
        var ledger = Ledger(settings);
        var allowance = TimeSpan.FromMinutes(15) * 0.5 * Environment.ProcessorCount;
        settings.CpuAllowance.ShouldBe(allowance);
        ledger.Add(Tenant, settings.Endpoint, TimeSpan.Zero, allowance * 0.6);
        ledger.Wait(Tenant, settings.Graph).ShouldBeNull();
        ledger.Add(Tenant, settings.ThreatProtection, TimeSpan.Zero, allowance * 0.4);

        // It is 12:04, and windows begin at each quarter.
        ledger.Wait(Tenant, settings.Graph).ShouldBe(TimeSpan.FromMinutes(11));
        ledger.Wait(Guid.NewGuid(), settings.Graph).ShouldBeNull();
        _clock.Advance(TimeSpan.FromMinutes(11));
        ledger.Wait(Tenant, settings.Graph).ShouldBeNull();
        ledger.Add(Tenant, settings.Graph, TimeSpan.Zero, allowance * 0.9);
        ledger.Wait(Tenant, settings.Graph).ShouldBeNull();
    }

    [Fact]
    public void Limits_can_be_scaled_switched_off_and_left_out()
    {
        var settings = new HuntingSettings { CpuShare = 0 };
        settings.CpuAllowance.ShouldBeNull();
        var ledger = Ledger(settings);
        ledger.Add(Tenant, settings.Endpoint, TimeSpan.FromMinutes(6), TimeSpan.FromDays(1));
        ledger.Wait(Tenant, settings.Endpoint).ShouldBeNull();
        _policy.Scale = 0.5;
        ledger.Wait(Tenant, settings.Endpoint).ShouldBe(TimeSpan.FromHours(1));
        _policy.Mode = QuotaMode.Off;
        ledger.Wait(Tenant, settings.Endpoint).ShouldBeNull();
        _policy.Mode = QuotaMode.Real;
        ledger.Forget();
        ledger.Wait(Tenant, settings.Endpoint).ShouldBeNull();
    }

    private HuntingLedger Ledger(HuntingSettings settings) => new(_clock, _policy, settings, NullLogger<HuntingLedger>.Instance);
}
