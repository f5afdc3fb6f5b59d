using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>Addresses as rows hold them, and their class in the service's words.</summary>
internal static class IpKinds
{
    /// <summary>An address in its shortest spelling, IPv4 where it is mapped into IPv6; null when the text is no address.</summary>
    public static string? Normalise(string? text) => Parse(text)?.ToString();

    /// <summary>Whether the text is an address of the device itself.</summary>
    public static bool IsLoopback(string text) =>
        Parse(text) is not { } address || IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>The class of an address; null when the text is none.</summary>
    public static string? Kind(string? text)
    {
        if (Parse(text, keepMapped: true) is not { } address) return null;
        if (address.IsIPv4MappedToIPv6) return "FourToSixMapping";
        if (IPAddress.IsLoopback(address)) return "Loopback";
        if (address.IsIPv6Teredo) return "Teredo";
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            if (address.IsIPv6LinkLocal) return "LinkLocal";
            if (address.IsIPv6Multicast) return "Multicast";
            return address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal ? "Private" : address.Equals(IPAddress.IPv6Any) ? "Reserved" : "Public";
        }

        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        return (bytes[0], bytes[1]) switch
        {
            (255, 255) when bytes[2] == 255 && bytes[3] == 255 => "Broadcast",
            (10, _) or (192, 168) or (172, >= 16 and <= 31) => "Private",
            (169, 254) => "LinkLocal",
            (>= 224 and <= 239, _) => "Multicast",
            (0, _) or (>= 240, _) or (100, >= 64 and <= 127) => "Reserved",
            _ => "Public",
        };
    }

    private static IPAddress? Parse(string? text, bool keepMapped = false)
    {
        if (text is null || text.Length < 2 || !IPAddress.TryParse(text.AsSpan().Trim(), out var address)) return null;

        // "1" parses as 0.0.0.1; a log that writes a bare number means something else.
        if (address.AddressFamily == AddressFamily.InterNetwork && text.AsSpan().Count('.') != 3) return null;
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0) address = new IPAddress(address.GetAddressBytes());
        return address.IsIPv4MappedToIPv6 && !keepMapped ? address.MapToIPv4() : address;
    }
}

/// <content>Network vocabularies.</content>
internal static partial class Converters
{
    private static readonly Dictionary<string, string> Protocols = new(StringComparer.Ordinal)
    {
        ["tcp"] = "Tcp", ["udp"] = "Udp", ["6"] = "Tcp", ["17"] = "Udp", ["1"] = "Icmp", ["58"] = "IcmpV6", ["icmp"] = "Icmp",
    };

    // Sysmon: "type:  5 name;::ffff:1.2.3.4;". The service gives a JSON array of the answers as text.
    private static string DnsResult(string text)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var answer in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var isTyped = answer.StartsWith("type:", StringComparison.Ordinal);
                var words = isTyped ? answer[5..].Trim().Split(' ', 2) : [];
                writer.WriteStartObject();
                if (words.Length == 2)
                {
                    writer.WriteString("DnsQueryType", words[0]);
                    writer.WriteString("Result", words[1]);
                }
                else
                {
                    writer.WriteString("Result", IpKinds.Normalise(answer) ?? answer);
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
