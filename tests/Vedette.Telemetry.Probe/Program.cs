// What tests need a process of its own for: dying while the engine is open, and opening it for the first time.
//   append FOLDER APPENDS ROWS   appends numbered batches, printing each number before and after; meant to be killed
//   count FOLDER                 prints rows and distinct rows
//   open FOLDER                  opens, checks the schema, runs one query, prints milliseconds of each
//   import FOLDER NOW CHUNK FILE…  imports files, printing each chunk that is stored; meant to be killed
//   tables FOLDER                prints each table's rows, distinct rows and fingerprint
//   room FOLDER                  runs the room as the product does: start, append while starting, hunt, stop
//   leave FOLDER                 runs a query and ends without closing anything
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

var started = Stopwatch.GetTimestamp();
var tenant = Guid.Parse("11111111-1111-1111-1111-111111111111");
var folder = args[1];
switch (args[0])
{
    case "append":
    {
        await using var engine = EmbeddedClickHouse.Open(folder, connections: 2, deferredDatabase: "vedette");
        await new HuntingDatabase(engine, "vedette").EnsureAsync();
        await using var store = new HuntingStore(engine, "vedette", TimeProvider.System);
        var rows = int.Parse(args[3], CultureInfo.InvariantCulture);
        for (var append = 0; append < int.Parse(args[2], CultureInfo.InvariantCulture); append++)
        {
            Console.WriteLine($"begin {append}");
            await store.AppendAsync(tenant, Rows(append, rows), $"append {append}", CancellationToken.None);
            Console.WriteLine($"end {append}");
        }

        break;
    }

    case "count":
    {
        await using var engine = EmbeddedClickHouse.Open(folder, connections: 2, deferredDatabase: "vedette");
        foreach (var table in new[] { "DeviceProcessEvents", "DeviceNetworkEvents" })
        {
            var counts = (await engine.RowsAsync(new(
                $"SELECT toInt64(count()), toInt64(uniqExact(ReportId)), toInt64(uniqExact(_Batch)) FROM vedette.{table}")))[0];
            Console.WriteLine($"{table} {counts[0]} {counts[1]} {counts[2]}");
        }

        break;
    }

    case "open":
    {
        await using var engine = EmbeddedClickHouse.Open(folder, deferredDatabase: "vedette");
        var opened = Stopwatch.GetElapsedTime(started);
        await new HuntingDatabase(engine, "vedette").EnsureAsync();
        var ensured = Stopwatch.GetElapsedTime(started);
        var count = await engine.ScalarAsync("SELECT toInt64(count()) FROM vedette.DeviceProcessEvents WHERE Timestamp > now() - INTERVAL 1 DAY");
        var answered = Stopwatch.GetElapsedTime(started);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"open {opened.TotalMilliseconds:F0} schema {ensured.TotalMilliseconds:F0} query {answered.TotalMilliseconds:F0} rows {count}"));
        break;
    }

    case "import":
        await Vedette.Telemetry.Probe.ImportProbe.ImportAsync(folder, args[2], args[3], args[4..]);
        break;

    case "tables":
        await Vedette.Telemetry.Probe.ImportProbe.TablesAsync(folder);
        break;

    case "room":
    {
        await using var services = new ServiceCollection().AddVedetteTelemetry(new TelemetryOptions { Folder = folder }).BuildServiceProvider();
        var append = services.GetRequiredService<IHuntingStore>().AppendAsync(tenant, Rows(0, 30), "room", CancellationToken.None);
        var engine = services.GetRequiredService<TelemetryEngine>();
        await engine.StartAsync();
        await append;
        var result = await services.GetRequiredService<IHuntingService>().RunAsync(
            new HuntingRequest(tenant, "DeviceProcessEvents | where InitiatingProcessCommandLine has 'step7' | count"), CancellationToken.None);
        Console.WriteLine($"found {result.Rows[0][0]}");
        await engine.StopAsync();
        try
        {
            await engine.ExecuteAsync("SELECT 1");
        }
        catch (ObjectDisposedException)
        {
            Console.WriteLine("stopped");
        }

        break;
    }

    case "leave":
    {
        var engine = EmbeddedClickHouse.Open(folder, connections: 2, deferredDatabase: "vedette");
        Console.WriteLine(await engine.ScalarAsync("SELECT toInt32(42)"));
        break;
    }

    default:
        Console.Error.WriteLine("append, count, open, import, tables or leave");
        return 2;
}

return 0;

static List<HuntingRow> Rows(int append, int count)
{
    var rows = new List<HuntingRow>(count * 2);
    for (var i = 0; i < count; i++)
    {
        // Three days and two tables, so that an append takes six parts.
        foreach (var table in new[] { "DeviceProcessEvents", "DeviceNetworkEvents" })
        {
            var row = HuntingRow.For(table);
            row["Timestamp"] = new DateTime(2026, 11, 1 + i % 3, 0, 0, 0, DateTimeKind.Utc).AddSeconds(i);
            row["DeviceId"] = $"device{i % 7}";
            row["ReportId"] = (long)append * 1_000_000 + i;
            row["InitiatingProcessCommandLine"] = $"\"C:\\Windows\\System32\\svchost.exe\" -k step{i} -append {append}";
            rows.Add(row);
        }
    }

    return rows;
}
