using Vedette.Defender.Demo;
using Vedette.Server.Control;

namespace Vedette.Server.Hosting;

/// <summary>Makes sure that the demo organisation's devices, telemetry and alerts are there.</summary>
internal static class DemoOrganisation
{
    public static async Task EnsureAsync(IServiceProvider services, Guid tenantId, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var summary = await services.GetRequiredService<DemoTenant>().EnsureAsync(
            tenantId,
            cancellationToken,
            filling: () => progress.Report(new OperationProgress("Making the demo organisation: 30 days of 40 devices, this first time only", 0, null)));
        if (summary.FailedRules > 0)
        {
            progress.Report(new OperationProgress($"{summary.FailedRules} detection rules failed over the demo telemetry: see the log", 0, null));
        }
    }
}
