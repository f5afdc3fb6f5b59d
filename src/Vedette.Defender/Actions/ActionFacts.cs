using System.Collections.Frozen;
using Vedette.Defender.State;

namespace Vedette.Defender.Actions;

/// <summary>Families of operating systems.</summary>
[Flags]
internal enum OsFamily
{
    None = 0,
    Windows = 1,
    MacOs = 2,
    Linux = 4,
    Mobile = 8,
}

/// <summary>What the service documents about one kind of machine action.</summary>
/// <param name="Type">The kind.</param>
/// <param name="Systems">Systems that can do it.</param>
/// <param name="NeedsComment">Whether the order must give a reason.</param>
/// <param name="Repeated">How a repeated order is refused while the first is under way.</param>
/// <param name="Scopes">Scopes it knows, the default first; empty when it knows none.</param>
/// <param name="ScopeRequired">Whether the order must name a scope.</param>
internal sealed record ActionFact(
    MachineActionType Type,
    OsFamily Systems,
    bool NeedsComment,
    Refusal Repeated,
    IReadOnlyList<ScopeFact> Scopes,
    bool ScopeRequired = false)
{
    /// <summary>Name of the body's key for the scope, for messages.</summary>
    public string ScopeKey { get; init; } = "";

    /// <summary>Oldest release of Windows 10 that can do it.</summary>
    public int Windows10Release { get; init; } = 1703;
}

/// <summary>One scope of an action.</summary>
/// <param name="Name">As the API spells it.</param>
/// <param name="Systems">Systems that can do it.</param>
/// <param name="Windows10Release">Oldest release of Windows 10 that can do it.</param>
/// <param name="Onboarded">Whether the device must be onboarded (true) or must not be (false).</param>
internal sealed record ScopeFact(string Name, OsFamily Systems, int Windows10Release = 1703, bool Onboarded = true);

/// <summary>
/// The table of machine actions. Source: the service's pages of each action. Where they name Windows only for what a Linux agent can do as
/// well (restrict excepted), Linux is allowed.
/// </summary>
internal static class ActionFacts
{
    private const OsFamily Managed = OsFamily.Windows | OsFamily.MacOs | OsFamily.Linux;

    internal static readonly FrozenDictionary<MachineActionType, ActionFact> Table = new ActionFact[]
    {
        new(MachineActionType.Isolate, Managed, true, Refusal.ActionInProgress,
        [
            new("Full", Managed),
            new("Selective", OsFamily.Windows, 1709),
            new("UnManagedDevice", Managed | OsFamily.Mobile, Onboarded: false),
        ]) { ScopeKey = "IsolationType" },
        new(MachineActionType.Unisolate, Managed, true, Refusal.ActionInProgress, []),
        new(MachineActionType.RestrictCodeExecution, OsFamily.Windows, true, Refusal.ActionInProgress, []) { Windows10Release = 1709 },
        new(MachineActionType.UnrestrictCodeExecution, OsFamily.Windows, true, Refusal.ActionInProgress, []) { Windows10Release = 1709 },
        new(MachineActionType.RunAntiVirusScan, Managed, true, Refusal.ActionInProgress, [new("Quick", Managed), new("Full", Managed)], true)
        {
            ScopeKey = "ScanType",
            Windows10Release = 1709,
        },
        new(MachineActionType.CollectInvestigationPackage, Managed, true, Refusal.ActionInProgress, []),
        new(MachineActionType.StopAndQuarantineFile, Managed, true, Refusal.ActionInProgress, []),
        new(MachineActionType.Offboard, OsFamily.Windows, true, Refusal.ActionInProgress, []),
        new(MachineActionType.LiveResponse, Managed, false, Refusal.ActiveRequestAlreadyExists, []),
    }.ToFrozenDictionary(f => f.Type);

    /// <summary>The family that a platform's name belongs to.</summary>
    internal static OsFamily FamilyOf(string platform) => platform switch
    {
        _ when platform.StartsWith("Windows", StringComparison.OrdinalIgnoreCase) => OsFamily.Windows,
        _ when platform.StartsWith("mac", StringComparison.OrdinalIgnoreCase) => OsFamily.MacOs,
        _ when platform.Equals("iOS", StringComparison.OrdinalIgnoreCase) || platform.Equals("Android", StringComparison.OrdinalIgnoreCase) => OsFamily.Mobile,
        "" or "Other" or "Unknown" => OsFamily.None,
        _ => OsFamily.Linux,
    };

    internal static bool IsFinal(MachineActionStatus status) => status is not (MachineActionStatus.Pending or MachineActionStatus.InProgress);
}
