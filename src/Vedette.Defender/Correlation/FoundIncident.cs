using Vedette.Defender.State;

namespace Vedette.Defender.Correlation;

/// <summary>An open incident that an alert fits, with what decides whether it may become one with another.</summary>
internal sealed class FoundIncident
{
    /// <summary>Number of the incident.</summary>
    public long Id { get; set; }

    /// <summary>Owner; null when nobody has it.</summary>
    public string? AssignedTo { get; set; }

    /// <summary>What it was found to be.</summary>
    public string? Classification { get; set; }

    /// <summary>More exactly, what it was.</summary>
    public string? Determination { get; set; }

    /// <summary>Number of its alerts.</summary>
    public int Alerts { get; set; }

    /// <summary>Incidents that were merged into it just now.</summary>
    public List<long> Holds { get; } = [];

    /// <summary>Whether somebody has classified it.</summary>
    public bool IsClassified => Classification is not null and not nameof(AlertClassification.Unknown);

    /// <summary>Whether somebody has determined what it was.</summary>
    public bool IsDetermined => Determination is not null and not nameof(AlertDetermination.NotAvailable);

    /// <summary>Notes that another incident became part of this one.</summary>
    public void Take(FoundIncident other)
    {
        Holds.Add(other.Id);
        Alerts += other.Alerts;
        AssignedTo ??= other.AssignedTo;
        Classification ??= other.Classification;
        Determination ??= other.Determination;
    }
}
