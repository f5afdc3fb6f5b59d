using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Vedette.Defender.Investigations;

/// <summary>Goes on with open investigations: at once when one begins, every second while one is under way, else now and then.</summary>
internal sealed partial class InvestigationRunner(InvestigationService investigations, InvestigationSignal signal, TimeProvider clock, ILogger<InvestigationRunner> log) : BackgroundService
{
    private static readonly TimeSpan Busy = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            var underWay = 0;
            try
            {
                underWay = await investigations.RunOpenAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailure(exception);
            }

            try
            {
                await signal.WaitAsync(underWay > 0 ? Busy : Idle, clock, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Automated investigations stopped for a moment.")]
    private partial void LogFailure(Exception exception);
}
