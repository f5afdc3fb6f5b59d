namespace Vedette.Server.Graph.DetectionRules;

/// <summary>Composes the detection-rule API of Graph.</summary>
internal static class GraphDetectionRuleServices
{
    /// <summary>Adds the handlers.</summary>
    public static IServiceCollection AddGraphDetectionRules(this IServiceCollection services) => services;
}
