using Microsoft.Extensions.DependencyInjection;
using Vedette.Foundation;

namespace Vedette.Defender.Streaming;

/// <summary>Composes the export of raw events.</summary>
public static class StreamingServices
{
    /// <summary>
    /// Adds the exports and the worker that delivers. Needs what <see cref="DefenderServices.AddVedetteDefender"/> needs, an
    /// <see cref="Vedette.Telemetry.Ingest.ArrivalReader"/> and an <see cref="ISecretBox"/>.
    /// </summary>
    public static IServiceCollection AddVedetteStreaming(this IServiceCollection services)
    {
        services.AddSingleton<DataExportStore>();
        services.AddSingleton<DataExporter>();
        services.AddHostedService(provider => provider.GetRequiredService<DataExporter>());
        return services;
    }
}
