using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Defender.Alerts;
using Vedette.Defender.Correlation;
using Vedette.Defender.Demo;
using Vedette.Defender.Detections.Custom;
using Vedette.Foundation.Snapshots;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Detections;

/// <summary>Composes detections, correlation and the demo tenant.</summary>
public static class DetectionServices
{
    /// <summary>
    /// Adds the detection engine with its schedule, the correlation of alerts into incidents and the demo tenant. Needs what
    /// <see cref="DefenderServices.AddVedetteDefender"/> adds.
    /// </summary>
    public static IServiceCollection AddVedetteDetections(this IServiceCollection services, DetectionOptions? options = null)
    {
        services.AddSingleton(options ?? new DetectionOptions());
        services.AddSingleton(provider => new RuleCatalogue(
            provider.GetRequiredService<DetectionOptions>(), provider.GetService<HuntingCatalogue>(), provider.GetService<ILogger<RuleCatalogue>>(),
            provider.GetRequiredService<ITenantRules>()));
        services.AddSingleton(provider => new DetectionArrivals(provider.GetService<HuntingCatalogue>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IArrivalListener>(provider => provider.GetRequiredService<DetectionArrivals>());
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<DetectionArrivals>());
        services.AddSingleton(provider => new DetectionEngine(
            provider.GetRequiredService<IHuntingService>(), provider.GetRequiredService<IHuntingStore>(), provider.GetRequiredService<AlertIntake>(),
            provider.GetRequiredService<RuleCatalogue>(), provider.GetRequiredService<DetectionArrivals>(), provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<DetectionOptions>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DetectionEngine>>(),
            provider.GetService<IRuleResponder>()));
        services.AddSingleton<IAlertCorrelator, AlertCorrelator>();
        services.AddSingleton<DemoTenant>();
        services.AddHostedService<DetectionScheduler>();
        return services;
    }
}
