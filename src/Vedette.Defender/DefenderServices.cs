using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;
using Vedette.Agent.Contract;
using Vedette.Defender.Access;
using Vedette.Defender.Actions;
using Vedette.Defender.Alerts;
using Vedette.Defender.Detections.Custom;
using Vedette.Defender.Devices;
using Vedette.Defender.Generation;
using Vedette.Defender.Import;
using Vedette.Defender.Incidents;
using Vedette.Defender.Indicators;
using Vedette.Defender.Investigations;
using Vedette.Defender.LiveResponse;
using Vedette.Defender.Machines;
using Vedette.Defender.Outbox;
using Vedette.Defender.State;
using Vedette.Defender.Vulnerabilities;
using Vedette.Foundation;
using Vedette.Foundation.Snapshots;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender;

/// <summary>Composes the domain.</summary>
public static class DefenderServices
{
    /// <summary>
    /// Adds the domain's services. Needs an <see cref="NpgsqlDataSource"/> whose schema is up to date (<see cref="DefenderState.Migrations"/>),
    /// an <see cref="Vedette.Telemetry.Ingest.IHuntingStore"/>, an <see cref="Vedette.Telemetry.Hunting.IHuntingService"/> and logging.
    /// </summary>
    public static IServiceCollection AddVedetteDefender(this IServiceCollection services, DefenderOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IIdentifierSource, RandomIdentifierSource>();
        services.AddPooledDbContextFactory<DefenderDbContext>((provider, builder) => Configure(builder, provider.GetRequiredService<NpgsqlDataSource>()));

        services.AddHostedService<StateWarmUp>();
        services.AddSingleton<TenantSettingsStore>();
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<TenantSettingsStore>());
        services.AddSingleton<AccessService>();
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<AccessService>());
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton<OutboxDispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<OutboxDispatcher>());
        services.AddSingleton<MachineService>();
        services.AddSingleton<AlertIntake>();
        services.AddSingleton<AlertService>();
        services.AddSingleton<AlertByReference>();
        services.AddSingleton<LoadGenerator>();
        services.AddSingleton<IncidentService>();
        services.AddSingleton<IndicatorService>();
        services.AddSingleton<ThreatIntelligence.ThreatIndicatorService>();
        services.AddSingleton<IndicatorCache>();
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<IndicatorCache>());
        services.AddSingleton<IndicatorMatches>();
        services.AddSingleton<IndicatorHistorySignal>();
        services.AddSingleton<IndicatorHistory>();
        services.AddHostedService(provider => provider.GetRequiredService<IndicatorHistory>());
        WatchForIndicators(services);
        services.AddSingleton<FileStore>();
        services.AddSingleton<ActionService>();
        services.AddSingleton<DeviceWake>();
        services.AddSingleton<IDeviceChannel, DeviceChannel>();
        services.AddSingleton<InvestigationPackage>();
        services.AddSingleton<LibraryService>();
        services.AddSingleton<DeviceDisks>();
        services.AddSingleton<SimulatedSession>();
        services.AddSingleton<SimulatedAgent>();
        services.AddSingleton<SimulatedDevices>();
        if (options.SimulateDevices) services.AddHostedService(provider => provider.GetRequiredService<SimulatedDevices>());
        services.AddSingleton<InvestigationSignal>();
        services.AddSingleton<InvestigationStarter>();
        services.AddSingleton<InvestigationCollector>();
        services.AddSingleton<InvestigationService>();
        services.AddHostedService<InvestigationRunner>();
        services.AddSingleton<IImportJournal, ImportJournal>();
        services.AddSingleton<ImportedAlerts>();
        services.AddSingleton<IDeviceObserver, DeviceObserver>();
        services.AddVulnerabilityManagement();
        services.AddCustomRules();
        return services;
    }

    // Every event passes the watch on its way into the store that was registered before.
    private static void WatchForIndicators(IServiceCollection services)
    {
        var store = services.LastOrDefault(service => service.ServiceType == typeof(IHuntingStore))
            ?? throw new InvalidOperationException("The telemetry store must be added before the domain.");
        services.Replace(ServiceDescriptor.Singleton<IHuntingStore>(provider => new IndicatorWatch(
            (IHuntingStore)(store.ImplementationInstance ?? store.ImplementationFactory?.Invoke(provider) ?? ActivatorUtilities.CreateInstance(provider, store.ImplementationType!)),
            provider.GetRequiredService<IndicatorCache>(),
            provider.GetRequiredService<IndicatorMatches>(),
            provider.GetRequiredService<TimeProvider>())));
    }

    internal static void Configure(DbContextOptionsBuilder builder, NpgsqlDataSource database) =>
        builder.UseNpgsql(database).EnableThreadSafetyChecks(false);
}
