using System.Collections.Frozen;
using Vedette.Defender.Alerts;
using Vedette.Defender.State;

namespace Vedette.Defender.Incidents;

/// <summary>The words that incident updates accept, without regard to case.</summary>
public static class IncidentWords
{
    /// <summary>Statuses that may be set. <c>Redirected</c> is not among them: an incident becomes that by being merged.</summary>
    public static readonly FrozenDictionary<string, IncidentStatus> Statuses = new Dictionary<string, IncidentStatus>
    {
        ["Active"] = IncidentStatus.Active,
        ["InProgress"] = IncidentStatus.InProgress,
        ["Resolved"] = IncidentStatus.Resolved,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Determinations that may be set: those of alerts, and the two that were withdrawn in 2022, which old scripts still send.</summary>
    public static readonly FrozenDictionary<string, AlertDetermination> Determinations = AlertWords.Determinations
        .Append(KeyValuePair.Create("Apt", AlertDetermination.MultiStagedAttack))
        .Append(KeyValuePair.Create("SecurityPersonnel", AlertDetermination.SecurityTesting))
        .ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
}
