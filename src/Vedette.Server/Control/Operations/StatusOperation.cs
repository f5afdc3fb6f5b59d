using Npgsql;
using Vedette.Server.Hosting;

namespace Vedette.Server.Control.Operations;

/// <summary><c>status</c>: where the server listens and what it holds.</summary>
internal sealed class StatusOperation(ServerState state, DataFolder folder, NpgsqlDataSource database) : Operation<StatusOperation.Input>("status")
{
    protected override async Task<object?> RunAsync(Input input, IProgress<OperationProgress> progress, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT (SELECT count(*) FROM defender.machines), (SELECT count(*) FROM defender.alerts), (SELECT count(*) FROM defender.incidents)");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new
        {
            running = state.Address is not null,
            https = state.Address?.Https,
            http = state.Address?.Http,
            startMs = state.Address?.StartMilliseconds,
            tenantId = state.Demo?.TenantId,
            clientId = state.Demo?.ClientId,
            credentials = folder.DemoCredentials,
            caCertificate = state.AuthorityCertificateFile,
            data = folder.Root,
            devices = reader.GetInt64(0),
            alerts = reader.GetInt64(1),
            incidents = reader.GetInt64(2),
        };
    }

    internal sealed record Input;
}
