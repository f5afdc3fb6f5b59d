namespace Vedette.Server.Insight;

/// <summary>Composes what explains refusals, tokens and what happened.</summary>
internal static class InsightServices
{
    public static IServiceCollection AddInsight(this IServiceCollection services)
    {
        services.AddSingleton<TokenInspector>();
        services.AddSingleton<RefusalExplainer>();
        services.AddSingleton<AuditQuery>();
        services.AddHostedService<RefusalKeeper>();
        return services;
    }
}
