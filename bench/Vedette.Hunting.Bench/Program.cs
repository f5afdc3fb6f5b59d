// Generates events and times hunting work on them, through the compiler and against rivals. FOLDER is the data folder.
//   prepare FOLDER [ROWS=10000000]                            makes what is missing: both tables, ROWS rows each, and the same rows in DuckDB
//   contest FOLDER [--json FILE] [--rounds N] [--queries FILE] [NAME…]
//                                                             every workload, or the named ones, by every contestant in turns; then the gain of
//                                                             the term index, memory of a wide answer, and compile times of the queries in FILE
//   append FOLDER [ROWS=300000]                               rows/s of DeviceProcessEvents through the store
//   size FOLDER                                               bytes by table and the largest columns
//   wide FOLDER                                               memory of an answer of 100,000 rows with all columns
//   sql FOLDER STATEMENT…                                     times SELECTs, prints EXPLAINs and PRINT SELECTs, runs others once; @FILE holds one
//   kql FOLDER QUERY…                                         times queries
//   compile FILE [SLOWEST=10]                                 time from text to SQL of every query in a file of JSON lines
//   explain FOLDER NAME|QUERY                                 the SQL that a workload or a query becomes
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
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
    Console.Error.WriteLine("prepare, contest, append, size, wide, sql, compile or explain, then a folder");
    return 2;
}

long Number(int position, long usual) => args.Length > position ? long.Parse(args[position]) : usual;
if (args[0] == "compile")
{
    new CompileBench(new HuntingCatalogue(new TelemetryOptions { Database = database }), args[1]).Run((int)Number(2, 10));
    return 0;
}

// One connection, so that statements of a session (USE) hold for all.
await using var engine = EmbeddedClickHouse.Open(Path.Combine(args[1], "clickhouse"), connections: 1, deferredDatabase: database);
await new HuntingDatabase(engine, database).EnsureAsync();
var options = new TelemetryOptions { Database = database };
switch (args[0])
{
    case "prepare":
        await new BenchData(engine, database, tenant, args[1]).PrepareAsync(Number(2, 10_000_000));
        break;

    case "contest":
        await ContestAsync(args[2..]);
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
        _ = await WideAsync();
        break;

    case "explain":
        Console.WriteLine(new HuntingService(engine, options, new HuntingCatalogue(options), TimeProvider.System)
            .Explain(new HuntingRequest(tenant, Workload.All.FirstOrDefault(w => w.Name == args[2])?.Kql ?? args[2])));
        break;

    case "sql":
        foreach (var text in args[2..])
        {
            try
            {
                await SqlAsync(text is ['@', ..] ? await File.ReadAllTextAsync(text[1..]) : text);
            }
            catch (ClickHouseException error)
            {
                Console.WriteLine($"{error.Message}  {text}");
            }
        }

        break;

    case "kql":
        var hunting = new HuntingService(engine, options, new HuntingCatalogue(options), TimeProvider.System);
        foreach (var text in args[2..]) await TimeAsync(text, () => hunting.RunAsync(new HuntingRequest(tenant, text), default));
        break;

    default:
        Console.Error.WriteLine($"'{args[0]}' is not a command.");
        return 2;
}

return 0;

async Task ContestAsync(string[] rest)
{
    string? Option(string name) => Array.IndexOf(rest, name) is >= 0 and var at && at + 1 < rest.Length ? rest[at + 1] : null;
    var named = rest.Where((word, i) => !word.StartsWith("--", StringComparison.Ordinal) && (i == 0 || !rest[i - 1].StartsWith("--", StringComparison.Ordinal))).ToHashSet();
    // The dialect cannot name a database.
    await engine.ExecuteAsync($"USE {database}");
    var service = new HuntingService(engine, options, new HuntingCatalogue(options), TimeProvider.System);
    var kusto = new Dictionary<string, string> { ["allow_experimental_kusto_dialect"] = "1", ["dialect"] = "kusto" };
    // What makes hand-written statements on these tables faster as well.
    var tuned = new Dictionary<string, string> { ["optimize_use_implicit_projections"] = "0" };
    List<IContestant> contestants =
    [
        new CompiledContestant(service, tenant),
        new ClickHouseContestant(engine, "SQL", tuned, w => w.Sql.Replace("{db}", database).Replace("{t}", $"_TenantId = '{tenant}'")),
    ];
    if (File.Exists(BenchData.DuckFile(args[1]))) contestants.Add(new DuckDbContestant(BenchData.PackageFolder(args[1]), BenchData.DuckFile(args[1])));
    contestants.Add(new DialectContestant(engine, kusto));
    var figures = await new Contest(contestants, int.Parse(Option("--rounds") ?? "5")).RunAsync(Workload.All.Where(w => named.Count == 0 || named.Contains(w.Name)));
    foreach (var contestant in contestants) await contestant.DisposeAsync();
    if (named.Count > 0) return;
    var gain = await TermIndexGainAsync(service);
    var wide = await WideAsync();
    var compile = Option("--queries") is { } file ? new CompileBench(new HuntingCatalogue(options), file).Run(0) : null;
    if (Option("--json") is { } output)
        await File.WriteAllTextAsync(output, JsonSerializer.Serialize(new { figures.Means, figures.Workloads, TermIndexGain = gain, WideAnswerMegabytes = wide, Compile = compile }, new JsonSerializerOptions { WriteIndented = true, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals }));
}

// has on a rare term, with the index and reading the column.
async Task<double> TermIndexGainAsync(HuntingService service)
{
    const string query = "DeviceProcessEvents | where ProcessCommandLine has 'enc' | count";
    var unindexed = new ClickHouseStatement(
        $"SELECT count() FROM {database}.DeviceProcessEvents WHERE _TenantId = '{tenant}' AND hasToken(lower(ProcessCommandLine), 'enc') SETTINGS use_skip_indexes = 0");
    var (with, without) = (new List<double>(), new List<double>());
    for (var i = 0; i < 5; i++)
    {
        with.Add((await OnceAsync(() => service.RunAsync(new HuntingRequest(tenant, query), default))).Wall);
        without.Add((await OnceAsync(() => DrainAsync(unindexed))).Wall);
    }

    Console.WriteLine($"has on a rare term: {with.Min():F1} ms with the index, {without.Min():F1} ms without, {without.Min() / with.Min():F0} times faster");
    return without.Min() / with.Min();
}

// The most memory that the process holds above its idle state while it makes, keeps and reads an answer.
async Task<long> WideAsync()
{
    var service = new HuntingService(
        engine, options with { Limits = new HuntingLimits { MaxBytes = 1L << 40 } }, new HuntingCatalogue(options), TimeProvider.System);
    await service.RunAsync(new HuntingRequest(tenant, "DeviceProcessEvents | take 10"), default);
    GC.Collect();
    var before = Resident();
    var (peak, done) = (0L, false);
    var watch = Task.Run(async () =>
    {
        while (!Volatile.Read(ref done))
        {
            peak = Math.Max(peak, Resident());
            await Task.Delay(2);
        }
    });
    var result = await service.RunAsync(new HuntingRequest(tenant, "DeviceProcessEvents | take 100000"), default);
    var cells = 0L;
    foreach (var row in result.Rows) cells += row.Count(static value => value is not null and not "");
    Volatile.Write(ref done, true);
    await watch;
    Console.WriteLine($"{result.Rows.Count:N0} rows, {result.Columns.Count} columns, {cells:N0} filled cells, about {result.Statistics.ResultBytes / 1e6:N0} MB of JSON: "
        + $"{before >> 20} MB resident before, {peak >> 20} MB at most, {(peak - before) >> 20} MB more");
    return (peak - before) >> 20;

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
    var times = new List<(double Wall, double Cpu)>();
    for (var i = 0; i < 6; i++) times.Add(await OnceAsync(work));
    Console.WriteLine($"{times.Skip(1).Min(static t => t.Wall),9:F1} ms {times.Skip(1).Min(static t => t.Cpu),9:F1} ms of processors  {name[..Math.Min(name.Length, 250)]}");
}

Task SqlAsync(string text) =>
    text.StartsWith("SELECT", StringComparison.Ordinal) || text.StartsWith("WITH", StringComparison.Ordinal) ? TimeAsync(text, () => DrainAsync(new ClickHouseStatement(text)))
    : text.StartsWith("EXPLAIN", StringComparison.Ordinal) ? PrintAsync($"SELECT * FROM ({text})")
    : text.StartsWith("PRINT ", StringComparison.Ordinal) ? PrintAsync(text[6..])
    : engine.ExecuteAsync(text);

async Task PrintAsync(string text)
{
    foreach (var row in await engine.RowsAsync(new ClickHouseStatement(text))) Console.WriteLine(string.Join(" | ", row));
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
