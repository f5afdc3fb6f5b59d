using Vedette.Defender.Demo;
using Vedette.Identity.Directory;
using Vedette.Server.Control;

namespace Vedette.Server.Hosting;

/// <summary>Makes sure that the demo organisation's people, devices, telemetry and alerts are there.</summary>
internal static class DemoOrganisation
{
    public static async Task EnsureAsync(IServiceProvider services, Guid tenantId, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        await services.GetRequiredService<DirectoryService>().EnsurePeopleAsync(tenantId, [.. DemoTenant.People(tenantId).Select(Known)], cancellationToken);
        var summary = await services.GetRequiredService<DemoTenant>().EnsureAsync(
            tenantId,
            cancellationToken,
            filling: () => progress.Report(new OperationProgress("Making the demo organisation: 30 days of 40 devices, this first time only", 0, null)));
        if (summary.FailedRules > 0)
        {
            progress.Report(new OperationProgress($"{summary.FailedRules} detection rules failed over the demo telemetry: see the log", 0, null));
        }
    }

    // They have no password: only the demo user can sign in until somebody is given one.
    private static KnownPerson Known(DemoPerson person) => KnownPerson.Of(
        person.ObjectId, person.UserPrincipalName, person.DisplayName, person.GivenName, person.Surname, mail: null, person.JobTitle, person.Department, group: person.Department);
}
