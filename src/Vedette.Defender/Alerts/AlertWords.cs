using System.Collections.Frozen;
using Vedette.Defender.State;

namespace Vedette.Defender.Alerts;

/// <summary>
/// The words that alert updates accept. The service's pages spell some of them differently; all spellings are taken, one is given back. Words
/// compare without regard to case. <c>Apt</c> and <c>SecurityPersonnel</c> were withdrawn in 2022 and are refused.
/// </summary>
public static class AlertWords
{
    /// <summary>Statuses that may be set.</summary>
    public static readonly FrozenDictionary<string, AlertStatus> Statuses = Words<AlertStatus>(
        ("New", AlertStatus.New), ("InProgress", AlertStatus.InProgress), ("Resolved", AlertStatus.Resolved));

    /// <summary>Classifications that may be set.</summary>
    public static readonly FrozenDictionary<string, AlertClassification> Classifications = Words<AlertClassification>(
        ("TruePositive", AlertClassification.TruePositive),
        ("InformationalExpectedActivity", AlertClassification.InformationalExpectedActivity),
        ("Informational, expected activity", AlertClassification.InformationalExpectedActivity),
        ("FalsePositive", AlertClassification.FalsePositive),
        ("Unknown", AlertClassification.Unknown));

    /// <summary>Determinations that may be set. None is bound to a classification: the service's own sample pairs them freely.</summary>
    public static readonly FrozenDictionary<string, AlertDetermination> Determinations = Words<AlertDetermination>(
        ("NotAvailable", AlertDetermination.NotAvailable),
        ("MultiStagedAttack", AlertDetermination.MultiStagedAttack),
        ("MaliciousUserActivity", AlertDetermination.MaliciousUserActivity),
        ("CompromisedUser", AlertDetermination.CompromisedUser),
        ("CompromisedAccount", AlertDetermination.CompromisedUser),
        ("Malware", AlertDetermination.Malware),
        ("Phishing", AlertDetermination.Phishing),
        ("UnwantedSoftware", AlertDetermination.UnwantedSoftware),
        ("SecurityTesting", AlertDetermination.SecurityTesting),
        ("LineOfBusinessApplication", AlertDetermination.LineOfBusinessApplication),
        ("ConfirmedUserActivity", AlertDetermination.ConfirmedUserActivity),
        ("ConfirmedActivity", AlertDetermination.ConfirmedUserActivity),
        ("Clean", AlertDetermination.Clean),
        ("NotMalicious", AlertDetermination.Clean),
        ("InsufficientData", AlertDetermination.InsufficientData),
        ("NotEnoughDataToValidate", AlertDetermination.InsufficientData),
        ("NoEnoughDataToValidate", AlertDetermination.InsufficientData),
        ("Other", AlertDetermination.Other));

    /// <summary>Severities of an alert that a caller creates.</summary>
    public static readonly FrozenDictionary<string, AlertSeverity> CreatedSeverities = Words<AlertSeverity>(
        ("Low", AlertSeverity.Low), ("Medium", AlertSeverity.Medium), ("High", AlertSeverity.High));

    /// <summary>Categories of an alert that a caller creates, as they are given back.</summary>
    public static readonly FrozenDictionary<string, string> CreatedCategories = new[]
    {
        "General", "CommandAndControl", "Collection", "CredentialAccess", "DefenseEvasion", "Discovery", "Exfiltration", "Exploit", "Execution",
        "InitialAccess", "LateralMovement", "Malware", "Persistence", "PrivilegeEscalation", "Ransomware", "SuspiciousActivity",
    }.ToFrozenDictionary(word => word, word => word, StringComparer.OrdinalIgnoreCase);

    private static FrozenDictionary<string, T> Words<T>(params (string Word, T Value)[] words) =>
        words.ToFrozenDictionary(w => w.Word, w => w.Value, StringComparer.OrdinalIgnoreCase);
}
