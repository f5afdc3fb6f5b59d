using Microsoft.Extensions.DependencyInjection.Extensions;
using Vedette.Foundation;
using Vedette.Foundation.Snapshots;
using Vedette.Server.Http.Entities;
using Vedette.Server.Http.Steps;

namespace Vedette.Server.Http;

/// <summary>Composes what all API surfaces share.</summary>
public static class HttpServices
{
    /// <summary>
    /// Adds the request pipeline. Needs from elsewhere: <see cref="Identity.Tokens.AccessTokenValidator"/> and <see cref="Npgsql.NpgsqlDataSource"/>.
    /// </summary>
    public static IServiceCollection AddVedetteHttp(this IServiceCollection services)
    {
        services.AddOptions<HttpSettings>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IIdentifierSource, RandomIdentifierSource>();
        services.TryAddSingleton<IFaultScript, NoFaults>();
        services.TryAddSingleton<RefusalLog>();
        services.TryAddSingleton<RequestJournal>();
        services.TryAddSingleton<QuotaPolicy>();
        services.TryAddSingleton<QuotaLedger>();
        services.TryAddSingleton(new HuntingSettings());
        services.TryAddSingleton<HuntingLedger>();
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<HuntingLedger>());
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<QuotaLedger>());
        services.TryAddSingleton<TableVersions>();
        services.TryAddSingleton<PageCache>();
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<PageCache>());
        services.TryAddSingleton<PagePositions>();
        services.AddSingleton<IStateCache>(provider => provider.GetRequiredService<PagePositions>());
        services.TryAddSingleton<EntityReader>();
        services.TryAddSingleton<ResolveHost>();
        services.TryAddSingleton<Authenticate>();
        services.TryAddSingleton<ResolveUser>();
        services.TryAddSingleton<Authorise>();
        services.TryAddSingleton<Throttle>();
        services.TryAddSingleton<ScriptFaults>();
        services.TryAddSingleton<ParseOData>();
        services.TryAddSingleton<ReadBody>();
        services.TryAddSingleton<Handle>();
        services.TryAddSingleton<Shape>();
        services.TryAddSingleton<RequestPipeline>();
        return services;
    }

    /// <summary>Puts the pipeline in front of whatever else the application serves. Calling it again does nothing.</summary>
    internal static void UseRequestPipeline(this WebApplication application)
    {
        const string mark = "Vedette.RequestPipeline";
        var properties = ((IApplicationBuilder)application).Properties;
        if (!properties.TryAdd(mark, true)) return;
        RequestPipeline? pipeline = null;
        application.Use(async (http, next) =>
        {
            pipeline ??= application.Services.GetRequiredService<RequestPipeline>();
            if (!await pipeline.TryHandleAsync(http)) await next(http);
        });
    }
}
