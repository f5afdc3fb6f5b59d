using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Streaming;

/// <summary>The hunting tables that the service streams. Source: the streaming API's list of event types.</summary>
public static class StreamedTables
{
    /// <summary>All of them; an export may name others too.</summary>
    public static IReadOnlyList<string> Default { get; } =
    [
        "AlertEvidence", "AlertInfo", "CloudAppEvents", "DeviceEvents", "DeviceFileCertificateInfo", "DeviceFileEvents", "DeviceImageLoadEvents", "DeviceInfo",
        "DeviceLogonEvents", "DeviceNetworkEvents", "DeviceNetworkInfo", "DeviceProcessEvents", "DeviceRegistryEvents", "EmailAttachmentInfo", "EmailEvents",
        "EmailPostDeliveryEvents", "EmailUrlInfo", "IdentityLogonEvents", "IdentityQueryEvents", "IdentityDirectoryEvents", "UrlClickEvents",
    ];

    /// <summary>The word that stands for every hunting table.</summary>
    public const string All = "all";

    /// <summary>The tables that a list of names asks for: what the service streams when it is empty, every table for the word <c>all</c>.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> names) => names switch
    {
        [] => Default,
        [var word] when word.Equals(All, StringComparison.OrdinalIgnoreCase) => [.. HuntingSchema.Tables.Keys.Order(StringComparer.Ordinal)],
        _ => names,
    };

    /// <summary>Category of a table's records.</summary>
    public static string Category(string table) => $"AdvancedHunting-{table}";

    /// <summary>Container of a table's records in a storage account.</summary>
    public static string Container(string table) => $"insights-logs-advancedhunting-{table.ToLowerInvariant()}";

    /// <summary>Path of the hour's records within the container.</summary>
    public static string HourPath(Guid tenantId, DateTime arrived) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"tenantId={tenantId}/y={arrived:yyyy}/m={arrived:MM}/d={arrived:dd}/h={arrived:HH}/m=00/PT1H.json");
}
