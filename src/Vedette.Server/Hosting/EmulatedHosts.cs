using System.Collections.Frozen;
using Vedette.Identity.Protocol;

namespace Vedette.Server.Hosting;

/// <summary>What a host of the real services serves.</summary>
internal enum HostRole
{
    /// <summary>The authority: tokens, sign-in, metadata.</summary>
    Authority,

    /// <summary>The Defender APIs, below <c>/api</c>.</summary>
    Defender,

    /// <summary>Graph, below <c>/v1.0</c>, <c>/beta</c> and <c>/oidc</c>.</summary>
    Graph,
}

/// <summary>One host name of the real services.</summary>
/// <param name="Name">The name, in lower case.</param>
/// <param name="Role">What it serves.</param>
/// <param name="Cloud">The cloud it belongs to, which names the authority for its challenges.</param>
internal sealed record EmulatedHost(string Name, HostRole Role, AuthorityCloud Cloud);

/// <summary>
/// The host names of the real services that this server can answer to (<c>up --hosts</c>, <c>up --proxy</c>). The authority for certificates is
/// constrained to exactly these.
/// </summary>
internal static class EmulatedHosts
{
    private static readonly string[] PublicApis =
    [
        "api.securitycenter.microsoft.com", "api-us.securitycenter.microsoft.com", "api-eu.securitycenter.microsoft.com", "api-uk.securitycenter.microsoft.com",
        "api-au.securitycenter.microsoft.com", "api-in.securitycenter.microsoft.com",
        "api.securitycenter.windows.com", "api-us.securitycenter.windows.com", "api-eu.securitycenter.windows.com", "api-uk.securitycenter.windows.com",
        "api.security.microsoft.com", "api-us.security.microsoft.com", "api-eu.security.microsoft.com", "api-uk.security.microsoft.com", "api-au.security.microsoft.com",
        "us.api.security.microsoft.com", "eu.api.security.microsoft.com", "uk.api.security.microsoft.com", "au.api.security.microsoft.com",
        "swa.api.security.microsoft.com", "ina.api.security.microsoft.com", "aea.api.security.microsoft.com",
    ];

    private static readonly string[] GovernmentApis =
    [
        "api-gcc.securitycenter.microsoft.us", "api-gov.securitycenter.microsoft.us", "api-gcc.security.microsoft.us", "api-gov.security.microsoft.us",
    ];

    /// <summary>Every host.</summary>
    public static IReadOnlyList<EmulatedHost> All { get; } =
    [
        .. AuthorityClouds.All.SelectMany(cloud => cloud.Hosts.Select(name => new EmulatedHost(name, HostRole.Authority, cloud))),
        .. PublicApis.Select(name => new EmulatedHost(name, HostRole.Defender, AuthorityClouds.Public)),
        .. GovernmentApis.Select(name => new EmulatedHost(name, HostRole.Defender, AuthorityClouds.Government)),
        new EmulatedHost("graph.microsoft.com", HostRole.Graph, AuthorityClouds.Public),
        new EmulatedHost("graph.microsoft.us", HostRole.Graph, AuthorityClouds.Government),
        new EmulatedHost("dod-graph.microsoft.us", HostRole.Graph, AuthorityClouds.Government),
    ];

    private static readonly FrozenDictionary<string, EmulatedHost> ByName = All.ToFrozenDictionary(host => host.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Finds a host by its name, ignoring case; null for any other name.</summary>
    public static EmulatedHost? Find(string? name) => name is null ? null : ByName.GetValueOrDefault(name);

    /// <summary>True for the names that the server has by itself.</summary>
    public static bool IsOwnName(string? name) => string.Equals(name, "localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Lines for a hosts file that lead every name to this machine.</summary>
    public static string HostsFile() => string.Concat(All.Select(host => $"127.0.0.1 {host.Name}\n"));
}
