using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Vedette.Defender.State;

/// <summary>
/// Builds the entity model and compiles the commonest queries in the background after the start, so that neither the start nor the first caller
/// waits for it.
/// </summary>
internal sealed partial class StateWarmUp(IDbContextFactory<DefenderDbContext> states, ILogger<StateWarmUp> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await using var state = await states.CreateDbContextAsync(stoppingToken);
            await state.Machines.AsNoTracking().FirstOrDefaultAsync(m => m.TenantId == Guid.Empty && m.Id == "", stoppingToken);
            await state.MachineActions.AsNoTracking().FirstOrDefaultAsync(a => a.TenantId == Guid.Empty && a.Id == Guid.Empty, stoppingToken);
            await state.Alerts.Include(a => a.Evidence).FirstOrDefaultAsync(a => a.TenantId == Guid.Empty && a.Id == "", stoppingToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFailure(exception);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The state's queries could not be prepared ahead.")]
    private partial void LogFailure(Exception exception);
}
