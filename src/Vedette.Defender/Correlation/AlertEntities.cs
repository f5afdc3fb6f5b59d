using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Vedette.Defender.State;

namespace Vedette.Defender.Correlation;

/// <summary>The entities by which an alert is linked with others, as keys of the form <c>kind:value</c>.</summary>
internal static class AlertEntities
{
    /// <summary>Longest key that is stored; longer ones do not link.</summary>
    private const int LongestKey = 400;

    /// <summary>Most keys of one alert.</summary>
    private const int MostKeys = 200;

    /// <summary>The keys of an alert.</summary>
    public static IReadOnlyList<string> Of(Alert alert, CorrelationRules rules)
    {
        var keys = new SortedSet<string>(StringComparer.Ordinal);
        if (alert.MachineId is { Length: > 0 } machine) keys.Add("device:" + machine);
        foreach (var evidence in alert.Evidence)
        {
            switch (evidence.EntityType)
            {
                case EvidenceKind.User: Add(keys, User(evidence, alert, rules)); break;
                case EvidenceKind.Process:
                    Add(keys, Process(alert, evidence.ProcessId, evidence.ProcessCreationTime));
                    Add(keys, Process(alert, evidence.ParentProcessId, evidence.ParentProcessCreationTime));
                    Add(keys, File(evidence, rules));
                    break;
                case EvidenceKind.File: Add(keys, File(evidence, rules)); break;
                case EvidenceKind.Ip: Add(keys, Address(evidence)); break;
            }
        }

        return [.. keys.Take(MostKeys)];
    }

    /// <summary>
    /// The keys by which an incident is looked for. A device is also looked for as the other end of a connection, and the other end as a
    /// device.
    /// </summary>
    public static IReadOnlyList<(string Key, TimeSpan Window)> Wanted(IReadOnlyList<string> keys, CorrelationRules rules)
    {
        var wanted = new List<(string, TimeSpan)>();
        foreach (var key in keys)
        {
            if (rules.Window(KindOf(key)) is { } window) wanted.Add((key, window));
            if (rules.Window("peer") is not { } near) continue;
            if (key.StartsWith("device:", StringComparison.Ordinal)) wanted.Add(("peer:" + key["device:".Length..], near));
            if (key.StartsWith("peer:", StringComparison.Ordinal)) wanted.Add(("device:" + key["peer:".Length..], near));
        }

        return wanted;
    }

    /// <summary>Private addresses among an alert's evidence, which may belong to devices of the tenant.</summary>
    public static IReadOnlyList<string> PrivateAddresses(Alert alert) =>
        [.. alert.Evidence
            .Where(evidence => evidence.EntityType == EvidenceKind.Ip && IPAddress.TryParse(evidence.IpAddress, out var address) && IsLocal(address) && !IPAddress.IsLoopback(address))
            .Select(evidence => evidence.IpAddress!).Distinct(StringComparer.Ordinal).Take(20)];

    /// <summary>Kind of a key.</summary>
    public static string KindOf(string key) => key[..key.IndexOf(':', StringComparison.Ordinal)];

    private static void Add(SortedSet<string> keys, string? key)
    {
        if (key is not null && key.Length <= LongestKey) keys.Add(key);
    }

    // Local accounts of the same name exist on many devices; only a security identifier or a domain makes an account one person.
    private static string? User(AlertEvidence evidence, Alert alert, CorrelationRules rules)
    {
        if (evidence.AccountName is not { Length: > 0 } name || rules.IsCommonAccount(name)) return null;
        if (evidence.UserSid is { } sid && sid.StartsWith("S-1-5-21-", StringComparison.Ordinal)) return "user:" + sid;
        var domain = evidence.DomainName is { Length: > 0 } known ? known : alert.MachineId ?? "";
        return $"user:{domain.ToLowerInvariant()}\\{name.ToLowerInvariant()}";
    }

    private static string? Process(Alert alert, long? id, DateTime? created) => id is > 4 && created is { } time && alert.MachineId is { } machine
        ? string.Create(CultureInfo.InvariantCulture, $"process:{machine}/{id}/{time.Ticks / TimeSpan.TicksPerMillisecond}")
        : null;

    private static string? File(AlertEvidence evidence, CorrelationRules rules)
    {
        if ((evidence.Sha256 ?? evidence.Sha1) is not { Length: > 0 } hash) return null;
        return evidence.FilePath is { Length: > 0 } path && rules.IsCommonFolder(path + (path.Contains('/', StringComparison.Ordinal) ? "/" : "\\")) ? null : "file:" + hash;
    }

    private static string? Address(AlertEvidence evidence) =>
        IPAddress.TryParse(evidence.IpAddress, out var address) && !IsLocal(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address) ? "address:" + address : null;

    private static bool IsLocal(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal || address.IsIPv6Multicast) return true;
        if (address.AddressFamily != AddressFamily.InterNetwork) return false;
        var bytes = address.GetAddressBytes();
        return bytes[0] is 0 or 10 or >= 224 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 169 && bytes[1] == 254);
    }
}
