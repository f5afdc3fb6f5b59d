using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Vedette.Foundation.Postgres;

// The child process of the tests. "serve FOLDER" starts an engine, writes a row, tells the engine's process number, then waits to be killed;
// "measure FOLDER" tells how long a start takes in a fresh process.
var watch = Stopwatch.StartNew();
var options = new PostgresOptions { DataFolder = args[1] };
if (args[0] == "measure")
{
    var engine = await EmbeddedPostgres.StartAsync(options);
    var ready = watch.ElapsedMilliseconds;
    await using (var first = NpgsqlDataSource.Create(engine.ConnectionString)) await using (await first.OpenConnectionAsync()) Console.Write($"ready {ready} ms, connected {watch.ElapsedMilliseconds} ms, ");
    watch.Restart();
    await engine.DisposeAsync();
    Console.WriteLine($"stopped in {watch.ElapsedMilliseconds} ms");
    return 0;
}

var database = await EmbeddedPostgres.StartAsync(options);
await using var source = NpgsqlDataSource.Create(database.ConnectionString);
await using (var command = source.CreateCommand("CREATE TABLE IF NOT EXISTS lives (at timestamptz); INSERT INTO lives VALUES (now());"))
{
    await command.ExecuteNonQueryAsync();
}

Console.WriteLine(database.ProcessId.ToString(CultureInfo.InvariantCulture));
await Task.Delay(TimeSpan.FromMinutes(2));
return 1;
