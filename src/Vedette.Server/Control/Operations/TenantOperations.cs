using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary><c>tenant.create</c>: makes a tenant.</summary>
internal sealed class CreateTenant(DirectoryService directory) : DirectoryOperation<CreateTenant.Input>("tenant.create")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.CreateTenantAsync(new CreateTenantRequest(input.Name, input.Domain, input.Id), cancellationToken);

    internal sealed record Input(string Name, string? Domain, Guid? Id);
}

/// <summary><c>tenant.list</c>: all tenants.</summary>
internal sealed class ListTenants(DirectoryService directory) : DirectoryOperation<ListTenants.Input>("tenant.list")
{
    protected override Task<object?> RunAsync(Input input, CancellationToken cancellationToken) => Task.FromResult<object?>(directory.ListTenants());

    internal sealed record Input;
}

/// <summary><c>tenant.show</c>: one tenant.</summary>
internal sealed class ShowTenant(DirectoryService directory) : DirectoryOperation<TenantInput>("tenant.show")
{
    protected override Task<object?> RunAsync(TenantInput input, CancellationToken cancellationToken) => Task.FromResult<object?>(directory.FindTenant(input.Tenant));
}

/// <summary><c>tenant.domain</c>: adds or takes away a verified domain.</summary>
internal sealed class SetTenantDomain(DirectoryService directory) : DirectoryOperation<SetTenantDomain.Input>("tenant.domain")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) => input.Remove
        ? await directory.RemoveDomainAsync(input.Tenant, input.Domain, cancellationToken)
        : await directory.AddDomainAsync(input.Tenant, input.Domain, cancellationToken);

    internal sealed record Input(string Tenant, string Domain, bool Remove);
}

/// <summary><c>tenant.mfa</c>: whether people need a second factor.</summary>
internal sealed class SetTenantMfa(DirectoryService directory) : DirectoryOperation<SetTenantMfa.Input>("tenant.mfa")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.RequireMfaAsync(input.Tenant, input.Required, cancellationToken);

    internal sealed record Input(string Tenant, bool Required);
}
