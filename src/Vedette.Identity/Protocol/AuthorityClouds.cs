namespace Vedette.Identity.Protocol;

/// <summary>One cloud of the real authority: the names it answers to, and what its metadata says.</summary>
/// <param name="InstanceName">The <c>cloud_instance_name</c> of its metadata.</param>
/// <param name="PreferredNetwork">Host that clients are told to call, which its v2 issuers carry.</param>
/// <param name="PreferredCache">Host under which clients keep their tokens.</param>
/// <param name="Hosts">All host names, which mean the same.</param>
/// <param name="GraphHost">Host of Graph in this cloud.</param>
/// <param name="RegionScope">The <c>tenant_region_scope</c> of its tenants.</param>
/// <param name="RbacUrl">The <c>rbac_url</c> of its metadata.</param>
public sealed record AuthorityCloud(
    string InstanceName, string PreferredNetwork, string PreferredCache, IReadOnlyList<string> Hosts, string GraphHost, string RegionScope, string RbacUrl);

/// <summary>The clouds whose hosts this authority can stand in for.</summary>
public static class AuthorityClouds
{
    /// <summary>The public cloud.</summary>
    public static AuthorityCloud Public { get; } = new(
        "microsoftonline.com", "login.microsoftonline.com", "login.windows.net",
        ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"], "graph.microsoft.com", "NA", "https://pas.windows.net");

    /// <summary>The cloud of the United States government.</summary>
    public static AuthorityCloud Government { get; } = new(
        "microsoftonline.us", "login.microsoftonline.us", "login.microsoftonline.us",
        ["login.microsoftonline.us", "login.usgovcloudapi.net"], "graph.microsoft.us", "USGov", "https://pasff.usgovcloudapi.net");

    /// <summary>All clouds.</summary>
    public static IReadOnlyList<AuthorityCloud> All { get; } = [Public, Government];

    /// <summary>The cloud that a host name belongs to; null for any other host.</summary>
    public static AuthorityCloud? Find(string host) => All.FirstOrDefault(cloud => cloud.Hosts.Contains(host, StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// The base address that v2 issuers carry for clients of an authority: the cloud's preferred host when it was reached by one of a
    /// cloud's names, else the address itself.
    /// </summary>
    /// <param name="authority">Scheme, host and port as the client used them.</param>
    public static string IssuerBase(string authority) =>
        Uri.TryCreate(authority, UriKind.Absolute, out var address) && Find(address.Host) is { } cloud ? "https://" + cloud.PreferredNetwork : authority;
}
