using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Vedette.Telemetry.Hunting;

/// <summary>The list of hosts that <c>externaldata</c> may read, understood.</summary>
internal sealed class ExternalHosts
{
    private const int HttpsPort = 443;

    // Addresses that are no place on the public network. Sources: the registries of special-purpose addresses for IPv4 and IPv6.
    private static readonly IPNetwork[] Private = [.. new[]
    {
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    }.Select(text => IPNetwork.Parse(text))];

    private readonly HashSet<(string Host, int Port)> _names = [];
    private readonly List<(string Suffix, int Port)> _suffixes = [];
    private readonly List<IPNetwork> _networks = [];

    /// <summary>Reads the list.</summary>
    /// <exception cref="FormatException">An entry is none of the known forms; the message names it.</exception>
    public ExternalHosts(IEnumerable<string> entries)
    {
        foreach (var entry in entries.Select(e => e.Trim()))
        {
            if (IPNetwork.TryParse(entry, out var network)) _networks.Add(network);
            else if (IPAddress.TryParse(entry.Trim('[', ']'), out var address)) _networks.Add(new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));
            else AddName(entry);
        }
    }

    /// <summary>What is wrong with an entry; null when nothing is.</summary>
    public static string? Problem(string entry)
    {
        try
        {
            _ = new ExternalHosts([entry]);
            return null;
        }
        catch (FormatException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Whether an address of the web may be asked for.</summary>
    public bool Allows(Uri uri)
    {
        var host = uri.IdnHost.TrimEnd('.').ToLowerInvariant();
        return IPAddress.TryParse(host.Trim('[', ']'), out var address)
            ? Names(address) || _names.Contains((host, uri.Port))
            : _names.Contains((host, uri.Port)) || _suffixes.Exists(s => s.Port == uri.Port && host.EndsWith(s.Suffix, StringComparison.Ordinal));
    }

    /// <summary>Whether an address may be connected to: it is public, or the list names it.</summary>
    public bool AllowsConnection(IPAddress address) => !IsPrivate(address) || Names(address);

    private static bool IsPrivate(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Array.Exists(Private, network => network.Contains(plain));
    }

    private bool Names(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _networks.Exists(network => network.Contains(plain));
    }

    private void AddName(string entry)
    {
        var text = entry.ToLowerInvariant();
        var port = HttpsPort;
        if (text.LastIndexOf(':') is > 0 and var colon)
        {
            if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535) throw Wrong(entry);
            text = text[..colon];
        }

        var any = text.StartsWith("*.", StringComparison.Ordinal);
        var name = any ? text[2..] : text;
        if (IPAddress.TryParse(name.Trim('[', ']'), out _) && !any) _names.Add((name, port));
        else if (Uri.CheckHostName(name) != UriHostNameType.Dns) throw Wrong(entry);
        else if (any) _suffixes.Add(("." + name, port));
        else _names.Add((name, port));
    }

    private static FormatException Wrong(string entry) =>
        new($"'{entry}' is not a host that externaldata could read: use a name, name:port, *.name, an address or a network.");
}
