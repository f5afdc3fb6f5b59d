using Vedette.Identity.Directory;
using Vedette.Server.Http;

namespace Vedette.Server.Control.Operations;

/// <summary><c>requests.list</c>: the latest API calls with what each needed, had and got.</summary>
internal sealed class ListRequests(RequestJournal journal) : Operation<ListRequests.Input>("requests.list")
{
    private const int Most = 10_000;

    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        if (input.Limit is < 1 or > Most) throw new OperationException("bad_input", $"limit is from 1 to {Most}.");
        var entries = journal.Latest
            .Where(entry => (input.Client is null || entry.ApplicationId == input.Client)
                && (input.Status is null || entry.Status == input.Status)
                && (input.Call is null || entry.Call.Contains(input.Call, StringComparison.OrdinalIgnoreCase)))
            .Take(input.Limit)
            .ToArray();
        return Task.FromResult<object?>(new { recording = journal.Enabled, requests = entries });
    }

    /// <param name="Client">Only calls of this application.</param>
    /// <param name="Status">Only calls answered with this status.</param>
    /// <param name="Call">Only calls whose verb and path template contain this.</param>
    /// <param name="Limit">Calls to return, at most.</param>
    internal sealed record Input(Guid? Client = null, int? Status = null, string? Call = null, int Limit = 100);
}

/// <summary><c>requests.clear</c>: forgets the calls and the uses of permissions.</summary>
internal sealed class ClearRequests(RequestJournal journal) : Operation<ClearRequests.Input>("requests.clear")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        journal.Clear();
        return Task.FromResult<object?>(new { cleared = true });
    }

    internal sealed record Input;
}

/// <summary><c>permissions.report</c>: for each application, which of its application permissions its calls used and which they never needed.</summary>
internal sealed class ReportPermissions(RequestJournal journal, DirectoryStore directory) : Operation<ReportPermissions.Input>("permissions.report")
{
    protected override Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        var snapshot = directory.Current;
        var applications = snapshot.Tenants
            .SelectMany(tenant => snapshot.Principals(tenant.Id))
            .Where(principal => input.Client is null || principal.AppId == input.Client)
            .Select(principal => Describe(snapshot, principal))
            .Where(report => report.Used.Count + report.NeverUsed.Count > 0)
            .OrderBy(report => report.TenantId).ThenBy(report => report.DisplayName, StringComparer.Ordinal).ThenBy(report => report.ApplicationId);
        return Task.FromResult<object?>(new { recording = journal.Enabled, applications = applications.ToArray() });
    }

    private ApplicationReport Describe(DirectorySnapshot snapshot, ServicePrincipal principal)
    {
        var used = new List<UsedPermission>();
        var unused = new List<UnusedPermission>();
        var apis = snapshot.Assignments(principal.Id).Select(assignment => assignment.ResourceId).Distinct().Select(snapshot.Principal).OfType<ServicePrincipal>();
        foreach (var api in apis)
        {
            var name = snapshot.Resource(api.AppId)?.DisplayName ?? api.AppId.ToString();
            foreach (var permission in snapshot.Roles(principal.Id, api.Id))
            {
                if (journal.Uses.TryGetValue((principal.TenantId, principal.AppId, api.AppId, permission), out var use)) used.Add(new(name, permission, use.Calls, use.Last));
                else unused.Add(new(name, permission));
            }
        }

        return new ApplicationReport(principal.TenantId, principal.AppId, snapshot.Application(principal.AppId)?.DisplayName ?? "", used, unused);
    }

    internal sealed record Input(Guid? Client = null);

    private sealed record ApplicationReport(
        Guid TenantId, Guid ApplicationId, string DisplayName, IReadOnlyList<UsedPermission> Used, IReadOnlyList<UnusedPermission> NeverUsed);

    private sealed record UsedPermission(string Resource, string Permission, long Calls, DateTime Last);

    private sealed record UnusedPermission(string Resource, string Permission);
}
