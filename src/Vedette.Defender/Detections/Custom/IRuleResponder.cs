using Vedette.Defender.State;

namespace Vedette.Defender.Detections.Custom;

/// <summary>Does what a rule wants done to the devices, files, users and messages of a match.</summary>
public interface IRuleResponder
{
    /// <summary>
    /// Does each response to each target once for an alert, however often it is called for that alert: a run that is repeated after a crash
    /// catches up on what was left. What cannot be done is recorded with the reason and stops nothing.
    /// </summary>
    /// <param name="rule">The rule that matched.</param>
    /// <param name="alert">The alert that holds the match.</param>
    /// <param name="targets">What the responses are to be done to.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task RespondAsync(DetectionRule rule, Alert alert, IReadOnlyList<ResponseTarget> targets, CancellationToken cancellationToken);

    /// <summary>Told after the runs of a tenant's rules were recorded: switches off what failed again and again.</summary>
    Task RunsEndedAsync(Guid tenantId, IReadOnlyList<DetectionRun> runs, CancellationToken cancellationToken);
}
