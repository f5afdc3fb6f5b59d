using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vedette.Defender.Demo;
using Vedette.Defender.Detections;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Schema;

namespace Vedette.Defender.Tests.Demo;

/// <summary>Fills the demo tenant in a process that the test may kill; tells "started", then the rows it made and the rows that are stored.</summary>
internal static class DemoChild
{
    public static Guid Tenant { get; } = Guid.Parse("5f0c1d52-6d0f-4c6e-9a44-2f8f6b1f3a10");

    public static async Task<int> RunAsync(string connectionString, string folder)
    {
        await using var engine = EmbeddedClickHouse.Open(Path.Combine(folder, "telemetry"), 4);
        await new HuntingDatabase(engine, "hunting").EnsureAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var services = new ServiceCollection()
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddSingleton(database)
            .AddSingleton<IClickHouse>(engine)
            .AddVedetteTelemetry(new TelemetryOptions { Database = "hunting" })
            .AddVedetteDefender(new DefenderOptions { FilesFolder = Path.Combine(folder, "files") })
            .AddVedetteDetections()
            .BuildServiceProvider();
        Console.WriteLine("started");
        var summary = await services.GetRequiredService<DemoTenant>().EnsureAsync(Tenant, CancellationToken.None);
        var stored = await services.GetRequiredService<IHuntingService>().RunAsync(new HuntingRequest(Tenant, "union withsource=Source * | where Source !startswith 'Alert' | count"), CancellationToken.None);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{summary.Rows} {stored.Rows[0][0]}"));
        return 0;
    }
}
