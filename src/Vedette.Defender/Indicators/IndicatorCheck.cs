using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Vedette.Defender.State;

namespace Vedette.Defender.Indicators;

/// <summary>
/// Whether an indicator may be as it is sent. Source: the service's pages on indicators. <c>Alert</c> and <c>AlertAndBlock</c> ended in
/// January 2022 and are refused.
/// </summary>
internal static partial class IndicatorCheck
{
    private static readonly IndicatorType[] Network = [IndicatorType.IpAddress, IndicatorType.DomainName, IndicatorType.Url];
    private static readonly IndicatorAction[] Retired = [IndicatorAction.Alert, IndicatorAction.AlertAndBlock];

    /// <summary>What the texts mean, or why not.</summary>
    internal static Outcome<(IndicatorType Type, IndicatorAction Action, AlertSeverity Severity, string Value)> Read(IndicatorDraft draft, DateTime now)
    {
        foreach (var (name, value) in new[]
        {
            ("indicatorValue", draft.IndicatorValue), ("indicatorType", draft.IndicatorType), ("action", draft.Action), ("title", draft.Title), ("description", draft.Description),
        })
        {
            if (string.IsNullOrWhiteSpace(value)) return new DomainError(Refusal.MissingRequiredParameter, name);
        }

        if (Member<IndicatorType>(draft.IndicatorType) is not { } type) return new DomainError(Refusal.InvalidInput, "indicatorType");
        if (Member<IndicatorAction>(draft.Action) is not { } action || Retired.Contains(action)) return new DomainError(Refusal.InvalidInput, "action");
        if (Member<AlertSeverity>(draft.Severity ?? nameof(AlertSeverity.Informational)) is not { } severity || severity == AlertSeverity.UnSpecified)
            return new DomainError(Refusal.InvalidInput, "severity");
        if (action == IndicatorAction.BlockAndRemediate && Network.Contains(type))
            return new DomainError(Refusal.BadRequest, $"Action {action} is not supported for indicators of type {type}.");
        if (type == IndicatorType.CertificateThumbprint && action is not (IndicatorAction.Allowed or IndicatorAction.BlockAndRemediate))
            return new DomainError(Refusal.BadRequest, $"Action {action} is not supported for indicators of type {type}.");
        if (action == IndicatorAction.Audit && draft.GenerateAlert != true)
            return new DomainError(Refusal.BadRequest, "Action Audit requires generateAlert to be true.");
        if (draft.EducateUrl is { Length: > 0 } && (type != IndicatorType.Url || action is not (IndicatorAction.Block or IndicatorAction.Warn)))
            return new DomainError(Refusal.InvalidInput, "educateUrl");
        if (draft.ExpirationTime <= now) return new DomainError(Refusal.InvalidInput, "expirationTime");
        return Value(type, draft.IndicatorValue!.Trim()) is { } wrong ? wrong : (type, action, severity, Normal(type, draft.IndicatorValue.Trim()));
    }

    private static DomainError? Value(IndicatorType type, string value) => type switch
    {
        IndicatorType.FileMd5 => Hash(value, 32),
        IndicatorType.FileSha1 or IndicatorType.CertificateThumbprint => Hash(value, 40),
        IndicatorType.FileSha256 => Hash(value, 64),
        IndicatorType.IpAddress => IsExternal(value) ? null : new DomainError(Refusal.InvalidIpAddress, value),
        IndicatorType.DomainName => DomainName().IsMatch(value) ? null : new DomainError(Refusal.InvalidDomainName, value),
        _ => Uri.TryCreate(value.Contains("://", StringComparison.Ordinal) ? value : "http://" + value, UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https" && url.Host.Contains('.', StringComparison.Ordinal)
                ? null
                : new DomainError(Refusal.InvalidUrl, value),
    };

    private static DomainError? Hash(string value, int length) =>
        value.Length == length && value.All(char.IsAsciiHexDigit) ? null : new DomainError(Refusal.InvalidHashValue, value);

    // A single address outside the organisation: no range, nothing private, no loopback.
    private static bool IsExternal(string value)
    {
        if (!IPAddress.TryParse(value, out var address) || IPAddress.IsLoopback(address)) return false;
        if (address.AddressFamily == AddressFamily.InterNetworkV6) return !address.IsIPv6LinkLocal && !address.IsIPv6UniqueLocal && !address.IsIPv6SiteLocal;
        if (value.Count(c => c == '.') != 3) return false;
        var bytes = address.GetAddressBytes();
        return !(bytes[0] is 0 or 10 || (bytes[0] == 172 && bytes[1] is >= 16 and <= 31) || (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 169 && bytes[1] == 254));
    }

    private static string Normal(IndicatorType type, string value) => type is IndicatorType.Url or IndicatorType.IpAddress ? value : value.ToLowerInvariant();

    private static T? Member<T>(string? text)
        where T : struct, Enum =>
        Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text![0]) ? value : null;

    [GeneratedRegex(@"^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$")]
    private static partial Regex DomainName();
}
