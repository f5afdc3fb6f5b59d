using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Vedette.Server.Access;

/// <summary>Composes what the surfaces ask about people.</summary>
internal static class AccessServices
{
    /// <summary>Adds the directory's side; every surface that has users calls it.</summary>
    public static IServiceCollection AddDirectoryPeople(this IServiceCollection services)
    {
        services.TryAddSingleton<DirectoryPeople>();
        return services;
    }
}
