// Generates events and times hunting work on them, through the compiler and as hand-written SQL.
//   generate FOLDER [ROWS=1000000] [DEVICES=5000] [DAYS=30]   makes both tables, ROWS rows each
//   run FOLDER [NAME…]                                        times every workload, or the named ones: median of five
//   append FOLDER [ROWS=300000]                               rows/s of DeviceProcessEvents through the store
//   size FOLDER                                               bytes by table and the largest columns
//   wide FOLDER                                               memory of an answer of 100,000 rows with all columns
//   sql FOLDER STATEMENT                                      times one statement
//   explain FOLDER NAME|QUERY                                 the SQL that a workload or a query becomes
using System.Diagnostics;
using System.Globalization;
using Vedette.Hunting.Bench;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
const string database = "vedette";
var tenant = Guid.Parse("11111111-1111-1111-1111-111111111111");
if (args.Length < 2)
{
    Console.Error.WriteLine("generate, run, append, size, wide, explain or sql, then a folder");
    return 2;
}

long Number(int position, long usual) => args.Length > position ? long.Parse(args[position]) : usual;
await using var engine = EmbeddedClickHouse.Open(args[1], deferredDatabase: database);
await new HuntingDatabase(engine, database).EnsureAsync();
switch (args[0])
{
    case "generate":
        var rows = Number(2, 1_000_000);
        await new EventGenerator(engine, database, tenant).RunAsync(rows, rows, (int)Number(3, 5000), (int)Number(4, 30));
        foreach (var table in new[] { "DeviceProcessEvents", "DeviceNetworkEvents" }) await engine.ExecuteAsync($"OPTIMIZE TABLE {database}.{table} FINAL");
        break;

    case "run":
        await RunAsync(args[2..]);
        break;

    case "append":
        await AppendAsync((int)Number(2, 300_000));
        break;

    case "size":
        foreach (var row in await engine.RowsAsync(new(
            $"SELECT table, toInt64(sum(bytes_on_disk)), toInt64(sum(rows)), toInt64(count()) FROM system.parts WHERE active AND database = '{database}' GROUP BY table ORDER BY 2 DESC LIMIT 5")))
            Console.WriteLine($"{row[0],-24} {(long)row[1]! / 1e6,10:N1} MB {row[2],12:N0} rows {row[3],5} parts");
        foreach (var row in await engine.RowsAsync(new(
            $"SELECT column, toInt64(sum(column_data_compressed_bytes)), toInt64(sum(column_data_uncompressed_bytes)) FROM system.parts_columns WHERE active AND database = '{database}' AND table = 'DeviceProcessEvents' GROUP BY column ORDER BY 2 DESC LIMIT 14")))
            Console.WriteLine($"  {row[0],-32} {(long)row[1]! / 1e6,8:N1} MB of {(long)row[2]! / 1e6,8:N1}");
        foreach (var row in await engine.RowsAsync(new(
            $"SELECT name, toInt64(data_compressed_bytes) FROM system.data_skipping_indices WHERE database = '{database}' AND table = 'DeviceProcessEvents' ORDER BY 2 DESC")))
            Console.WriteLine($"  index {row[0],-32} {(long)row[1]! / 1e6,8:N1} MB");
        break;

    case "wide":
        await WideAsync();
        break;

    case "explain":
        var settings = new TelemetryOptions { Database = database };
        Console.WriteLine(new HuntingService(engine, settings, new HuntingCatalogue(settings), TimeProvider.System)
            .Explain(new HuntingRequest(tenant, Workload.All.FirstOrDefault(w => w.Name == args[2])?.Kql ?? args[2])));
        break;

    case "sql":
        await TimeAsync(args[2], async () => await DrainAsync(new ClickHouseStatement(args[2])));
        break;

    default:
        Console.Error.WriteLine($"'{args[0]}' is not a command.");
        return 2;
}

return 0;

async Task RunAsync(string[] names)
{
    var options = new TelemetryOptions { Database = database };
    var service = new HuntingService(engine, options, new HuntingCatalogue(options), TimeProvider.System);
    Console.WriteLine($"{"workload",-18} {"KQL ms",9} {"SQL ms",9} {"ratio",6} {"KQL cpu",9} {"SQL cpu",9} {"ratio",6}");
    var (product, cpuProduct) = (0.0, 0.0);
    var count = 0;
    foreach (var work in Workload.All.Where(w => names.Length == 0 || names.Contains(w.Name)))
    {
        var sql = new ClickHouseStatement(work.Sql.Replace("{db}", database).Replace("{t}", $"_TenantId = '{tenant}'"));
        try
        {
            var (ours, theirs) = (new List<(double Wall, double Cpu)>(), new List<(double Wall, double Cpu)>());
            for (var i = 0; i < 6; i++)
            {
                // In turns, so that the state of caches and of the machine is the same for both; the first round is for warming up.
                var one = await OnceAsync(() => service.RunAsync(new HuntingRequest(tenant, work.Kql), default));
                var two = await OnceAsync(() => DrainAsync(sql));
                if (i == 0) continue;
                ours.Add(one);
                theirs.Add(two);
            }

            var (mine, rival) = (Median(ours.Select(t => t.Wall)), Median(theirs.Select(t => t.Wall)));
            var (mineCpu, rivalCpu) = (Median(ours.Select(t => t.Cpu)), Median(theirs.Select(t => t.Cpu)));
            product += Math.Log(mine / rival);
            cpuProduct += Math.Log(mineCpu / rivalCpu);
            count++;
            Console.WriteLine($"{work.Name,-18} {mine,9:F1} {rival,9:F1} {mine / rival,6:F2} {mineCpu,9:F1} {rivalCpu,9:F1} {mineCpu / rivalCpu,6:F2}");
        }
        catch (HuntingException error)
        {
            Console.WriteLine($"{work.Name,-18} {error.Message} {error.InnerException?.Message}");
        }
    }

    if (count > 0) Console.WriteLine($"geometric mean of {count} ratios: time {Math.Exp(product / count):F2}, processor {Math.Exp(cpuProduct / count):F2}");
}

async Task WideAsync()
{
    var options = new TelemetryOptions { Database = database, Limits = new HuntingLimits { MaxBytes = 1L << 40 } };
    var service = new HuntingService(engine, options, new HuntingCatalogue(options), TimeProvider.System);
    await service.RunAsync(new HuntingRequest(tenant, "DeviceProcessEvents | take 10"), default);
    var before = Resident();
    var result = await service.RunAsync(new HuntingRequest(tenant, "DeviceProcessEvents | take 100000"), default);
    var held = Resident();
    var cells = 0L;
    foreach (var row in result.Rows) cells += row.Count(static value => value is not null and not "");
    Console.WriteLine($"{result.Rows.Count:N0} rows, {result.Columns.Count} columns, {cells:N0} filled cells, about {result.Statistics.ResultBytes / 1e6:N0} MB of JSON");
    Console.WriteLine($"resident: {before >> 20} MB before, {held >> 20} MB with the answer, {Resident() >> 20} MB after reading it through");

    static long Resident()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}

async Task AppendAsync(int count)
{
    const int batch = 50_000;
    await using var store = new HuntingStore(engine, database, TimeProvider.System);
    var events = Enumerable.Range(0, batch).Select(MakeProcess).ToList();
    var clock = Stopwatch.StartNew();
    for (var i = 0; i < count; i += batch) await store.AppendAsync(tenant, events, $"bench {Guid.NewGuid()}", default);
    Console.WriteLine($"{count / clock.Elapsed.TotalSeconds:N0} rows/s, one append after the other; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MB");
    clock.Restart();
    await Task.WhenAll(Enumerable.Range(0, count / batch).Select(_ => store.AppendAsync(tenant, events, $"bench {Guid.NewGuid()}", default)));
    Console.WriteLine($"{count / clock.Elapsed.TotalSeconds:N0} rows/s, all at once; peak memory {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MB");
}

static HuntingRow MakeProcess(int i)
{
    var row = HuntingRow.For("DeviceProcessEvents");
    var program = $"tool{i % 300}.exe";
    row["Timestamp"] = EventGenerator.End.AddSeconds(-i);
    row["DeviceId"] = $"{i % 5000:x40}";
    row["DeviceName"] = $"pc-{i % 5000:D5}.contoso.example";
    row["ActionType"] = "ProcessCreated";
    row["FileName"] = program;
    row["FolderPath"] = $"C:\\Program Files\\Vendor {i % 211}\\bin\\{program}";
    row["SHA1"] = $"{i % 300:x40}";
    row["SHA256"] = $"{i % 300:x64}";
    row["ProcessId"] = (long)i;
    row["ProcessCommandLine"] = $"\"C:\\Program Files\\Vendor {i % 211}\\bin\\{program}\" /run /task \"\\Vendor\\Job {i % 3000}\" /session {i} --id {i * 7919L:x16} --trace C:\\ProgramData\\Logs\\{i % 10000}.log";
    row["ProcessCreationTime"] = EventGenerator.End.AddSeconds(-i - 1);
    row["AccountDomain"] = "CONTOSO";
    row["AccountName"] = $"user{i % 3000}";
    row["AccountSid"] = $"S-1-5-21-1004336348-1177238915-682003330-{i % 3000}";
    row["InitiatingProcessFileName"] = "explorer.exe";
    row["InitiatingProcessFolderPath"] = "C:\\Windows\\explorer.exe";
    row["InitiatingProcessCommandLine"] = $"C:\\Windows\\explorer.exe /factory,{{{i % 2000:x8}-0000-4000-8000-000000000000}} -Embedding";
    row["InitiatingProcessId"] = (long)(i % 65536);
    row["InitiatingProcessCreationTime"] = EventGenerator.End.AddHours(-5);
    row["ReportId"] = (long)i;
    return row;
}

async Task TimeAsync(string name, Func<Task> work)
{
    var times = new List<double>();
    for (var i = 0; i < 6; i++) times.Add((await OnceAsync(work)).Wall);
    Console.WriteLine($"{Median(times.Skip(1)),9:F1} ms  {name}");
}

async Task DrainAsync(ClickHouseStatement statement)
{
    await using var reader = await engine.QueryAsync(statement);
    while (await reader.ReadAsync() is not null)
    {
    }
}

// Processor time says more than wall time where others use the machine.
static async Task<(double Wall, double Cpu)> OnceAsync(Func<Task> work)
{
    var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
    await work();
    return (Stopwatch.GetElapsedTime(started).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
}

static double Median(IEnumerable<double> values)
{
    var sorted = values.Order().ToArray();
    return sorted[sorted.Length / 2];
}
