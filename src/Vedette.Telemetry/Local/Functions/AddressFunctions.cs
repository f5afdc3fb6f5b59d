using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Text.Json.Nodes;
using Vedette.Kql;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>IPv6, with IPv4 as the part ::ffff:0:0/96 of it.</summary>
internal static class AddressFunctions
{
    public static void Add(IDictionary<string, LocalFunction> table)
    {
        table["parse_ipv6"] = c => Parse(c.Text(0)) is { } a ? Canonical(Mask(a.Value, a.Prefix)) : null;
        table["parse_ipv6_mask"] = c => Parse(c.Text(0)) is { } a && c.Long(1) is >= 0 and <= 128 and var bits
            ? Canonical(Mask(a.Value, Math.Min(a.Prefix, (int)bits)))
            : null;
        table["ipv6_compare"] = c => Masked(c) is { } p ? p.Left.CompareTo(p.Right) switch { < 0 => -1L, > 0 => 1L, _ => 0L } : null;
        table["ipv6_is_match"] = c => Masked(c) is { } p ? p.Left == p.Right : null;
        table["ipv6_is_in_range"] = c => InRange(c.Text(0), c.Text(1));
        table["ipv6_is_in_any_range"] = c => Parse(c.Text(0)) is null ? null : Ranges(c).Any(r => InRange(c.Text(0), r) == true);
        table["ipv4_range_to_cidr_list"] = RangeToCidr;
    }

    /// <summary>Whether an address lies in a range; null when either cannot be read.</summary>
    public static bool? InRange(string address, string range) => Parse(address) is { } a && Parse(range) is { } r
        ? Mask(a.Value, r.Prefix) == Mask(r.Value, r.Prefix)
        : null;

    /// <summary>Whether an address lies in a network.</summary>
    public static bool Matches(UInt128 address, (UInt128 Value, int Prefix) network) => Mask(address, network.Prefix) == Mask(network.Value, network.Prefix);

    /// <summary>An address with its prefix length, counted in 128 bits.</summary>
    public static (UInt128 Value, int Prefix)? Parse(string text)
    {
        var slash = text.IndexOf('/');
        var head = (slash < 0 ? text : text[..slash]).Trim();
        if (!IPAddress.TryParse(head, out var address) || (address.AddressFamily == AddressFamily.InterNetwork && head.Split('.').Length != 4))
            return null;
        var v4 = address.AddressFamily == AddressFamily.InterNetwork;
        // ::192.168.1.1 is the same address as ::ffff:192.168.1.1 to Kusto.
        var embedded = !v4 && head.Contains('.', StringComparison.Ordinal);
        var bytes = v4 ? address.MapToIPv6().GetAddressBytes() : address.GetAddressBytes();
        var value = new UInt128(BitConverter.ToUInt64([.. bytes[..8].Reverse()]), BitConverter.ToUInt64([.. bytes[8..].Reverse()]));
        if (embedded && value >> 32 == UInt128.Zero)
            value |= (UInt128)0xffff << 32;
        var prefix = 128;
        if (slash >= 0)
        {
            if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefix))
                return null;
            if ((v4 || embedded) && prefix <= 32)
                prefix += 96;
            if (prefix > 128)
                return null;
        }

        return (value, prefix);
    }

    private static IEnumerable<string> Ranges(LocalCall c) => Enumerable.Range(1, c.Count - 1).SelectMany(i => c.TypeOf(i) == KqlType.Dynamic && c.Array(i) is { } list ? list.Select(LocalJson.Text) : [c.Text(i)]);

    private static UInt128 Mask(UInt128 value, int prefix) => prefix <= 0 ? UInt128.Zero : value & (UInt128.MaxValue << (128 - prefix));

    private static (UInt128 Left, UInt128 Right)? Masked(LocalCall c)
    {
        if (Parse(c.Text(0)) is not { } a || Parse(c.Text(1)) is not { } b)
            return null;
        if (c.Has(2) && c.Long(2) is not (>= 0 and <= 128))
            return null;
        var prefix = Math.Min(a.Prefix, b.Prefix);
        if (c.Has(2) && c.Long(2) is { } bits)
            prefix = Math.Min(prefix, (int)(bits <= 32 && c.Text(0).Contains('.') && !c.Text(0).Contains(':') ? bits + 96 : bits));
        return (Mask(a.Value, prefix), Mask(b.Value, prefix));
    }

    private static string Canonical(UInt128 value) =>
        string.Join(':', Enumerable.Range(0, 8).Select(i => ((ushort)(value >> (112 - (16 * i)))).ToString("x4", CultureInfo.InvariantCulture)));

    private static JsonNode? RangeToCidr(LocalCall c)
    {
        if (Parse(c.Text(0)) is not { } from || Parse(c.Text(1)) is not { } to)
            return null;
        var (low, high) = ((ulong)(uint)from.Value, (ulong)(uint)to.Value);
        var list = new JsonArray();
        while (low <= high)
        {
            var size = low == 0 ? 32 : BitOperations.TrailingZeroCount((uint)low);
            while (size > 0 && low + (1UL << size) - 1 > high)
                size--;
            list.Add($"{low >> 24}.{(low >> 16) & 255}.{(low >> 8) & 255}.{low & 255}/{32 - size}");
            low += 1UL << size;
        }

        return list;
    }
}
