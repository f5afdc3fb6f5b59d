// Measures how fast log events become hunting rows, without storage, on one thread:
//   dotnet run -c Release --project bench/Vedette.Import.Bench -- FILE [SECONDS]
// Rates are per second of processor time, so a busy machine does not lower them.
// Prints the passes apart: reading alone, the survey (fingerprint, clocks, processes) and the mapping that gives the rows.
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Mapping;
using Vedette.Telemetry.Import.Reading;
using Vedette.Telemetry.Ingest;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: Vedette.Import.Bench FILE [SECONDS]");
    return 2;
}

var file = args[0];
var seconds = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 10;
var limits = new ImportLimits();
var table = MappingTable.Default;
var tenant = Guid.Parse("6f2c1c1e-3b0f-4a54-9a5d-0c0f6a3f8a11");

Run(TimeSpan.FromSeconds(Math.Min(3, seconds)));
var result = Run(TimeSpan.FromSeconds(seconds));
var culture = CultureInfo.InvariantCulture;
Console.WriteLine(string.Create(culture, $"file {Path.GetFileName(file)}: {result.Events:N0} events, {result.Bytes / 1048576.0:N1} MiB unpacked, {result.Rows:N0} rows, {result.Rounds} rounds"));
Console.WriteLine(string.Create(culture, $"read only           {result.Events / result.Read.TotalSeconds,12:N0} events/s  {result.Bytes / 1048576.0 / result.Read.TotalSeconds,8:N0} MiB/s"));
Console.WriteLine(string.Create(culture, $"read + survey       {result.Events / result.Survey.TotalSeconds,12:N0} events/s"));
Console.WriteLine(string.Create(culture, $"read + map          {result.Events / result.Map.TotalSeconds,12:N0} events/s  (parse and map alone)"));
Console.WriteLine(string.Create(culture, $"both passes         {result.Events / (result.Survey + result.Map).TotalSeconds,12:N0} events/s  (what an import spends before storage)"));
Console.WriteLine(string.Create(culture, $"allocated by map    {result.MapBytes / result.Events,12:N0} bytes/event"));
return 0;

Result Run(TimeSpan duration)
{
    var sum = new Result();
    var clock = Stopwatch.StartNew();
    while (clock.Elapsed < duration)
    {
        var started = Environment.CpuUsage.TotalTime;
        Pass(table.Names.Fork(), null, static _ => { });
        sum.Read += Environment.CpuUsage.TotalTime - started;

        var names = table.Names.Fork();
        var mapper = new EventMapper(tenant, table, names);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        started = Environment.CpuUsage.TotalTime;
        Pass(names, hash, mapper.Survey);
        mapper.EndSurvey(Convert.ToHexStringLower(hash.GetHashAndReset()));
        sum.Survey += Environment.CpuUsage.TotalTime - started;

        mapper.MoveBy(TimeSpan.Zero);
        var rows = new List<HuntingRow>();
        long given = 0;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        started = Environment.CpuUsage.TotalTime;
        var (events, bytes) = Pass(names, null, source =>
        {
            mapper.Map(source, rows);
            if (rows.Count < 5000) return;
            given += rows.Count;
            rows.Clear();
        });
        sum.Map += Environment.CpuUsage.TotalTime - started;
        sum.MapBytes += GC.GetAllocatedBytesForCurrentThread() - allocated;
        sum.Events += events;
        sum.Bytes += bytes;
        sum.Rows += given + rows.Count;
        sum.Rounds++;
    }

    return sum;
}

(long Events, long Bytes) Pass(FieldNames names, IncrementalHash? hash, Action<LogEvent> visit)
{
    using var handle = LogFiles.Open(file, limits);
    var batch = new EventBatch();
    var reader = new LogReader(names, new ProviderFamilies(table.Families), limits, null);
    foreach (var part in reader.Read(handle, () =>
    {
        batch.Clear();
        return batch;
    }, hash))
    {
        for (var index = 0; index < part.Count; index++) visit(part[index]);
    }

    return (reader.Events, reader.BytesRead);
}

internal sealed class Result
{
    public TimeSpan Read { get; set; }

    public TimeSpan Survey { get; set; }

    public TimeSpan Map { get; set; }

    public long MapBytes { get; set; }

    public long Events { get; set; }

    public long Bytes { get; set; }

    public long Rows { get; set; }

    public int Rounds { get; set; }
}
