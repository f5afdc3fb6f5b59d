using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;
using Vedette.Foundation;
using Vedette.Foundation.Snapshots;
using Vedette.Telemetry.Hunting;

namespace Vedette.Defender.Detections.Custom;

/// <summary>Composes the rules that tenants make.</summary>
internal static class CustomRuleServices
{
    /// <summary>Adds their store and what acts on matches.</summary>
    public static IServiceCollection AddCustomRules(this IServiceCollection services)
    {
        services.TryAddSingleton(new DetectionOptions());
        services.AddSingleton(provider => new CustomRuleStore(
            provider.GetRequiredService<NpgsqlDataSource>(), provider.GetService<HuntingCatalogue>(), provider.GetService<ILogger<CustomRuleStore>>()));
        services.AddSingleton<ITenantRules>(provider => provider.GetRequiredService<CustomRuleStore>());
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<CustomRuleStore>());
        services.AddSingleton(provider => new CustomRuleService(
            provider.GetRequiredService<CustomRuleStore>(), provider.GetRequiredService<HuntingCatalogue>(), provider.GetRequiredService<DetectionOptions>(),
            provider.GetRequiredService<IIdentifierSource>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ResponseJournal>();
        services.AddSingleton<IRuleResponder, RuleResponder>();
        return services;
    }
}
