using Dapper;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Vedette.Defender.Detections;

/// <summary>Looks at regular times, by the product's clock, which rules of which tenants are due.</summary>
internal sealed partial class DetectionScheduler(
    DetectionEngine engine, NpgsqlDataSource database, DetectionOptions options, TimeProvider clock, ILogger<DetectionScheduler> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var tenant in await TenantsAsync(stoppingToken)) await engine.RunDueAsync(tenant, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailure(exception);
            }
        }
    }

    // Tenants with devices, found by leaping through the index rather than reading it. A demo tenant that is being filled runs its rules itself.
    private async Task<IReadOnlyList<Guid>> TenantsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var tenants = await connection.QueryAsync<Guid>(new CommandDefinition(
            """
            WITH RECURSIVE tenants(id) AS (
                (SELECT tenant_id FROM defender.machines ORDER BY tenant_id LIMIT 1)
                UNION ALL
                SELECT (SELECT tenant_id FROM defender.machines WHERE tenant_id > tenants.id ORDER BY tenant_id LIMIT 1) FROM tenants WHERE tenants.id IS NOT NULL)
            SELECT id FROM tenants
            WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM defender.demo_tenants AS demo WHERE demo.tenant_id = tenants.id AND demo.completed_at IS NULL)
            """,
            cancellationToken: cancellationToken));
        return tenants.AsList();
    }

    [LoggerMessage(LogLevel.Error, "The detection rules could not be run; they will be tried again.")]
    private partial void LogFailure(Exception exception);
}
