using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vedette.Defender;
using Vedette.Defender.Outbox;
using Vedette.Defender.Tests;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

if (args[0] == "demo") return await Vedette.Defender.Tests.Demo.DemoChild.RunAsync(args[1], args[2]);

// The child process of the tests that kill one, over a given PostgreSQL database and a ClickHouse folder of its own. "serve" runs the domain
// until it is killed; "count TABLE" delivers what is left in the outbox and tells the number of rows and of different report ids of a table.
var (command, connectionString, folder) = (args[0], args[1], args[2]);
await using var engine = EmbeddedClickHouse.Open(Path.Combine(folder, "telemetry"), 2);
await new HuntingDatabase(engine, "hunting").EnsureAsync();
await using var store = new HuntingStore(engine, "hunting", TimeProvider.System);
await using var database = NpgsqlDataSource.Create(connectionString);
await using var services = new ServiceCollection()
    .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
    .AddSingleton(database)
    .AddSingleton<IHuntingStore>(store)
    .AddSingleton<IHuntingService, HuntingUnavailable>()
    .AddVedetteDefender(new DefenderOptions { FilesFolder = Path.Combine(folder, "files") })
    .BuildServiceProvider();

if (command == "serve")
{
    foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(default);
    Console.WriteLine("ready");
    await Task.Delay(TimeSpan.FromMinutes(2));
    return 1;
}

await services.GetRequiredService<OutboxDispatcher>().DeliverAsync(default);
var row = (await engine.RowsAsync(new ClickHouseStatement($"SELECT count(), uniqExact(ReportId) FROM hunting.{args[3]}")))[0];
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row[0]} {row[1]}"));
return 0;
