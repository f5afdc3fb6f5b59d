using Vedette.Identity.Directory;

namespace Vedette.Server.Control.Operations;

/// <summary><c>user.create</c>: a person who can sign in.</summary>
internal sealed class CreateUser(DirectoryService directory) : DirectoryOperation<CreateUser.Input>("user.create")
{
    // The template id of the directory role that may consent for everybody.
    private static readonly Guid GlobalAdministrator = new("62e90394-69f5-4237-9190-012177145e10");

    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.CreateUserAsync(
            new CreateUserRequest(input.UserPrincipalName, input.DisplayName ?? input.UserPrincipalName.Split('@')[0])
            {
                Tenant = input.Tenant,
                Password = input.Password,
                DirectoryRoles = input.Admin ? [GlobalAdministrator] : [],
            },
            cancellationToken);

    internal sealed record Input(string UserPrincipalName, string? DisplayName, string? Password, bool Admin, string? Tenant);
}

/// <summary><c>user.list</c>: the users of a tenant.</summary>
internal sealed class ListUsers(DirectoryService directory) : DirectoryOperation<ListUsers.Input>("user.list")
{
    protected override async Task<object?> RunAsync(Input input, CancellationToken cancellationToken) =>
        await directory.ListUsersAsync(input.Tenant, top: 1000, cancellationToken: cancellationToken);

    internal sealed record Input(string? Tenant);
}
