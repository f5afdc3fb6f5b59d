using Vedette.Defender.Access;
using Vedette.Defender.State;

namespace Vedette.Defender.Actions;

/// <summary>What somebody wants a device to do.</summary>
/// <param name="Type">Kind of action.</param>
/// <param name="Comment">Why; every kind but live response needs it.</param>
public sealed record ActionOrder(MachineActionType Type, string? Comment)
{
    /// <summary>Isolation type or scan type as the caller gave it; null takes the default where there is one.</summary>
    public string? Scope { get; init; }

    /// <summary>SHA-1 of the file to stop.</summary>
    public string? Sha1 { get; init; }

    /// <summary>Commands of a live response session.</summary>
    public IReadOnlyList<LiveResponseCommand> Commands { get; init; } = [];

    /// <summary>The caller's own correlation identifier.</summary>
    public string? ExternalId { get; init; }

    /// <summary>The permission that the order's contents ask of a signed-in user besides what its kind does: scripts and files of one's own are advanced live response.</summary>
    public string? FurtherPermission => Type == MachineActionType.LiveResponse && Commands.Any(OrderCheck.IsAdvanced) ? DefenderPermission.LiveResponseAdvanced : null;
}
