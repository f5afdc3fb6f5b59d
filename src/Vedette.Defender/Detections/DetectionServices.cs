using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vedette.Defender.Alerts;
using Vedette.Defender.Correlation;
using Vedette.Defender.Demo;
using Vedette.Defender.Detections.Custom;
using Vedette.Telemetry.Hunting;

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
        services.AddSingleton<DetectionEngine>();
        services.AddSingleton<IAlertCorrelator, AlertCorrelator>();
        services.AddSingleton<DemoTenant>();
        services.AddHostedService<DetectionScheduler>();
        return services;
    }
}
