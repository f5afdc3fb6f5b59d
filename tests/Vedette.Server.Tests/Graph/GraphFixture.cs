using Vedette.Server.Tests.Access;

namespace Vedette.Server.Tests.Graph;

/// <summary>One host for a class of tests, with a token of an application that may do everything in the directory.</summary>
public sealed class GraphFixture : IAsyncLifetime
{
    internal const string Resource = "https://graph.microsoft.com";

    internal static readonly string[] Everything =
    [
        "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "Directory.Read.All", "User.ReadWrite.All", "Group.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
    ];

    internal DirectoryHost Host { get; private set; } = null!;

    internal string Token { get; private set; } = "";

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        Host = await DirectoryHost.StartAsync();
        Token = await Host.TokenAsync(await Host.AddClientAsync(Everything, "graph"), Resource);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Host.DisposeAsync();
}
