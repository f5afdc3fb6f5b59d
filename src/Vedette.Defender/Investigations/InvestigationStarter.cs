using Microsoft.EntityFrameworkCore;
using Vedette.Defender.State;

namespace Vedette.Defender.Investigations;

/// <summary>Wakes the runner of investigations.</summary>
public sealed class InvestigationSignal : WorkSignal;

/// <summary>
/// Ties new alerts to investigations, within the transaction that stores the alert: one investigation at a time looks into a device, and
/// further alerts of the device join it.
/// </summary>
public sealed class InvestigationStarter(TenantSettingsStore settings, InvestigationSignal signal)
{
    private const string Automatic = "Automation";

    /// <summary>Whether the tenant's investigations start by themselves. Asked before the transaction begins, because it may need a connection.</summary>
    internal async ValueTask<bool> IsAutomaticAsync(Guid tenantId, CancellationToken cancellationToken) =>
        (await settings.GetAsync(tenantId, cancellationToken)).AutomatedInvestigations;

    /// <summary>Lets an open investigation of the device take the alert in, or begins one. The caller saves.</summary>
    /// <param name="state">The unit of work.</param>
    /// <param name="alert">The new alert.</param>
    /// <param name="machine">Its device.</param>
    /// <param name="request">Who asked for it and why; null when nobody did.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    internal static async Task<bool> AttachAsync(DefenderDbContext state, Alert alert, Machine machine, InvestigationRequest? request, CancellationToken cancellationToken)
    {
        if (!InvestigationFacts.CanInvestigate(machine))
        {
            alert.InvestigationState = InvestigationState.UnsupportedOs;
            return false;
        }

        if (machine.OnboardingStatus != OnboardingStatus.Onboarded) return false;
        if (request is null && await LevelAsync(state, machine, cancellationToken) == AutomationLevel.None) return false;
        var open = await state.Investigations.FirstOrDefaultAsync(
            i => i.TenantId == alert.TenantId && i.MachineId == machine.Id && InvestigationFacts.Open.Contains(i.State), cancellationToken);
        if (open is null)
        {
            open = new Investigation
            {
                TenantId = alert.TenantId,
                StartTime = alert.AlertCreationTime,
                State = InvestigationState.Running,
                MachineId = machine.Id,
                ComputerDnsName = machine.ComputerDnsName,
                TriggeringAlertId = alert.Id,
            };
            state.Investigations.Add(open);
            await state.SaveChangesAsync(cancellationToken);
        }

        alert.InvestigationId = open.Id;
        alert.InvestigationState = open.State;
        await state.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO defender.investigation_work (investigation_id, tenant_id, requested_by, comment, collected)
            VALUES ({open.Id}, {alert.TenantId}, {request?.By ?? Automatic}, {request?.Comment}, false)
            ON CONFLICT (investigation_id) DO UPDATE SET collected = false
            """,
            cancellationToken);
        return true;
    }

    /// <summary>The transaction is committed.</summary>
    internal void Committed() => signal.Raise();

    /// <summary>What may happen on a device without asking; devices without a group are remediated fully, as in the service.</summary>
    internal static async Task<AutomationLevel> LevelAsync(DefenderDbContext state, Machine machine, CancellationToken cancellationToken) =>
        await state.DeviceGroups.AsNoTracking().Where(g => g.TenantId == machine.TenantId && g.Id == machine.RbacGroupId).Select(g => (AutomationLevel?)g.AutomationLevel)
            .FirstOrDefaultAsync(cancellationToken) ?? AutomationLevel.Full;
}

/// <summary>Somebody's wish that a device be investigated.</summary>
/// <param name="By">Who asks.</param>
/// <param name="Comment">Why.</param>
public sealed record InvestigationRequest(string By, string? Comment);
