using System.Globalization;
using Vedette.Defender.Actions;
using Vedette.Defender.State;

namespace Vedette.Defender.Investigations;

/// <summary>What an investigation finds an entity to be.</summary>
public enum Verdict
{
    /// <summary>Nothing speaks against it.</summary>
    NoThreatsFound,

    /// <summary>Something speaks against it, not enough to act.</summary>
    Suspicious,

    /// <summary>It is to be remediated.</summary>
    Malicious,
}

/// <summary>What becomes of an entity.</summary>
public enum Remediation
{
    /// <summary>There is nothing to do.</summary>
    NotNeeded,

    /// <summary>It waits to be ordered, or for a person's approval.</summary>
    Pending,

    /// <summary>The device was told.</summary>
    Ordered,

    /// <summary>It is done.</summary>
    Done,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>A person decided against it.</summary>
    Rejected,
}

/// <summary>An entity that an investigation looked at.</summary>
/// <param name="Kind"><c>File</c>, <c>Process</c>, <c>Ip</c> or <c>Url</c>.</param>
/// <param name="Value">SHA-1, name and number, address or web address.</param>
/// <param name="Verdict">What it was found to be.</param>
/// <param name="Reason">Why.</param>
public sealed record InvestigatedEntity(string Kind, string Value, Verdict Verdict, string Reason)
{
    /// <summary>Number of the row; 0 while it is not stored.</summary>
    public long Id { get; init; }

    /// <summary>Name of a file.</summary>
    public string? Name { get; init; }

    /// <summary>Path of a file.</summary>
    public string? Path { get; init; }

    /// <summary>What becomes of it.</summary>
    public Remediation Remediation { get; init; }

    /// <summary>The machine action that remediates it.</summary>
    public Guid? ActionId { get; init; }
}

/// <summary>What is published about automated investigations.</summary>
internal static class InvestigationFacts
{
    /// <summary>States from which an investigation goes on.</summary>
    public static readonly InvestigationState[] Open = [InvestigationState.Queued, InvestigationState.Running, InvestigationState.PendingApproval, InvestigationState.PendingResource];

    private const int OldestWindows10 = 1709;
    private static readonly string[] OlderServers = ["WindowsServer2008", "WindowsServer2012", "WindowsServer2016"];
    private static readonly string[] TemporaryFolders = [@"\temp\", @"\tmp\", @"\downloads\", @"\appdata\local\", "/tmp/", "/var/tmp/"];
    private static readonly string[] CoreFolders = [@"c:\windows\", @"c:\program files\", @"c:\program files (x86)\", "/usr/", "/bin/", "/sbin/", "/lib"];

    /// <summary>Whether a device's system can be investigated: Windows 11, Windows 10 from 1709 on, Windows Server from 2019 on. Source: the service's page.</summary>
    public static bool CanInvestigate(Machine machine)
    {
        if (ActionFacts.FamilyOf(machine.OsPlatform) != OsFamily.Windows || OlderServers.Any(old => machine.OsPlatform.StartsWith(old, StringComparison.OrdinalIgnoreCase))) return false;
        if (!machine.OsPlatform.Equals("Windows10", StringComparison.OrdinalIgnoreCase)) return !machine.OsPlatform.StartsWith("Windows7", StringComparison.OrdinalIgnoreCase) && !machine.OsPlatform.StartsWith("Windows8", StringComparison.OrdinalIgnoreCase);
        return !int.TryParse(machine.Version, NumberStyles.None, CultureInfo.InvariantCulture, out var release) || release >= OldestWindows10;
    }

    /// <summary>Whether a file may be remediated without asking. Source: the service's page on automation levels.</summary>
    public static bool ActsAlone(AutomationLevel level, string? path) => level switch
    {
        AutomationLevel.Full => true,
        AutomationLevel.SemiNonTempFolders => IsIn(path, TemporaryFolders),
        AutomationLevel.SemiCoreFolders => path is not null && !IsIn(path, CoreFolders),
        _ => false,
    };

    /// <summary>Whether a path is part of the system.</summary>
    public static bool IsCore(string? path) => IsIn(path, CoreFolders);

    private static bool IsIn(string? path, string[] folders)
    {
        if (path is null) return false;
        var lower = path.ToLowerInvariant();
        return folders.Any(folder => folder.StartsWith("c:", StringComparison.Ordinal) || folder[0] == '/' ? lower.StartsWith(folder, StringComparison.Ordinal) : (lower + "\\").Contains(folder, StringComparison.Ordinal));
    }
}
