using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary>Turns the directory's refusals into those of operations.</summary>
internal abstract class DirectoryOperation<TInput>(string name) : Operation<TInput>(name)
    where TInput : class
{
    /// <inheritdoc/>
    protected sealed override async Task<object?> RunAsync(TInput input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(input, cancellationToken);
        }
        catch (DirectoryException exception)
        {
            throw new OperationException(exception.Problem.ToString(), exception.Message, exception);
        }
    }

    /// <summary>Runs the operation.</summary>
    protected abstract Task<object?> RunAsync(TInput input, CancellationToken cancellationToken);
}

/// <summary><c>app.create</c>: registers an application.</summary>
internal sealed class CreateApplication(DirectoryService directory) : DirectoryOperation<CreateApplication.Input>("app.create")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.CreateApplicationAsync(
            new CreateApplicationRequest(input.Name)
            {
                Native = input.Native,
                MultiTenant = input.MultiTenant,
                RedirectUris = input.RedirectUris ?? [],
                SinglePageRedirectUris = input.SinglePageRedirectUris ?? [],
                Tenant = input.Tenant,
            },
            cancellationToken);

    internal sealed record Input(string Name, bool Native, bool MultiTenant, string[]? RedirectUris, string? Tenant, string[]? SinglePageRedirectUris = null);
}

/// <summary><c>app.grant</c>: adds permissions to what an application asks for.</summary>
internal sealed class GrantPermissions(DirectoryService directory) : DirectoryOperation<GrantPermissions.Input>("app.grant")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.GrantAsync(new GrantRequest(input.Application, input.Permissions, input.Resource, input.Delegated, input.Tenant), cancellationToken);

    internal sealed record Input(string Application, string[] Permissions, string? Resource, bool Delegated, string? Tenant);
}

/// <summary><c>app.consent</c>: admin consent for everything an application asks for.</summary>
internal sealed class ConsentApplication(DirectoryService directory) : DirectoryOperation<ApplicationInput>("app.consent")
{
    protected override async Task<object?> RunAsync(ApplicationInput input, CancellationToken cancellationToken) =>
        await directory.ConsentAsync(input.Application, input.Tenant, cancellationToken);
}

/// <summary><c>app.secret</c>: a new client secret, shown once.</summary>
internal sealed class AddSecret(DirectoryService directory) : DirectoryOperation<AddSecret.Input>("app.secret")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.AddSecretAsync(input.Application, input.Name, TimeSpan.FromDays(input.Days), input.Tenant, cancellationToken);

    internal sealed record Input(string Application, string? Name, int Days, string? Tenant);
}

/// <summary><c>app.list</c>: the applications of a tenant.</summary>
internal sealed class ListApplications(DirectoryService directory) : DirectoryOperation<TenantInput>("app.list")
{
    protected override Task<object?> RunAsync(TenantInput input, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(directory.ListApplications(input.Tenant));
}

/// <summary><c>app.show</c>: one application.</summary>
internal sealed class ShowApplication(DirectoryService directory) : DirectoryOperation<ApplicationInput>("app.show")
{
    protected override Task<object?> RunAsync(ApplicationInput input, CancellationToken cancellationToken) =>
        Task.FromResult<object?>(directory.GetApplication(input.Application, input.Tenant));
}

/// <summary><c>app.delete</c>: removes an application.</summary>
internal sealed class DeleteApplication(DirectoryService directory) : DirectoryOperation<ApplicationInput>("app.delete")
{
    protected override async Task<object?> RunAsync(ApplicationInput input, CancellationToken cancellationToken) =>
        await directory.DeleteApplicationAsync(input.Application, input.Tenant, cancellationToken);
}

/// <summary>Names an application.</summary>
/// <param name="Application">Application id, object id or unique display name.</param>
/// <param name="Tenant">Tenant id or domain; the first tenant when null.</param>
internal sealed record ApplicationInput(string Application, string? Tenant);
