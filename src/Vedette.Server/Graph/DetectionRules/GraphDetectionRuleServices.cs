using Vedette.Defender.Detections.Custom;

namespace Vedette.Server.Graph.DetectionRules;

/// <summary>Composes the detection-rule API of Graph.</summary>
internal static class GraphDetectionRuleServices
{
    /// <summary>Adds the handlers, and lets rules act on accounts of the directory.</summary>
    public static IServiceCollection AddGraphDetectionRules(this IServiceCollection services)
    {
        services.AddSingleton<IAccountActor, DirectoryAccountActor>();
        services.AddSingleton<IGraphSecurityHandlers, DetectionRuleHandlers>();
        return services;
    }
}
