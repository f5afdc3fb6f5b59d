using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Import.Tables;
using Vedette.Telemetry.Ingest;

namespace Vedette.Telemetry;

/// <summary>Registers the telemetry room.</summary>
public static class TelemetryServices
{
    /// <summary>
    /// Adds <see cref="TelemetryEngine"/> (start it with <see cref="TelemetryEngine.StartAsync"/>), <see cref="IClickHouse"/>,
    /// <see cref="IHuntingStore"/> and <see cref="IHuntingService"/>. An <see cref="IClickHouse"/> that is registered already is used as it is
    /// and never closed: its owner opens it and makes the database.
    /// </summary>
    public static IServiceCollection AddVedetteTelemetry(this IServiceCollection services, TelemetryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.TryAddSingleton<TelemetryEngine>();
        services.TryAddSingleton<IClickHouse>(static provider => provider.GetRequiredService<TelemetryEngine>());
        services.AddSingleton<IHuntingStore>(static provider =>
        {
            var settings = provider.GetRequiredService<TelemetryOptions>();
            return new HuntingStore(
                provider.GetRequiredService<IClickHouse>(), settings.Database, provider.GetRequiredService<TimeProvider>(), settings.Store,
                provider.GetServices<IArrivalListener>());
        });
        services.AddSingleton<ArrivalReader>();
        services.AddSingleton<StoredRows>();
        services.AddSingleton<HuntingCatalogue>();
        services.AddSingleton<HuntingService>();
        services.AddSingleton<IHuntingService>(static provider => provider.GetRequiredService<HuntingService>());
        return services;
    }
}
