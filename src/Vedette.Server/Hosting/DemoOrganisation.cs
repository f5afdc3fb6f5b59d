using Vedette.Defender.Demo;
using Vedette.Server.Control;

namespace Vedette.Server.Hosting;

/// <summary>Makes sure that the demo organisation's devices, telemetry and alerts are there.</summary>
internal static class DemoOrganisation
{
    public static async Task EnsureAsync(IServiceProvider services, Guid tenantId, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        progress.Report(new OperationProgress("Making sure of the demo organisation (about ten seconds, the first time only)", 0, null));
        var summary = await services.GetRequiredService<DemoTenant>().EnsureAsync(tenantId, cancellationToken);
        if (summary.FailedRules > 0)
        {
            progress.Report(new OperationProgress($"{summary.FailedRules} detection rules failed over the demo telemetry: see the log", 0, null));
        }
    }
}
