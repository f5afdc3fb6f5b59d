using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Vedette.Defender.Demo;
using Vedette.Defender.Tests.Demo;
using Vedette.Kql;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Import;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Telemetry.Sql;
using Vedette.Testing;
using Xunit.Abstractions;

namespace Vedette.Defender.Tests.Conformance;

/// <summary>
/// Public hunting queries over real rows: thirty days of the demo organisation, all recorded attacks, and a few made-up rows in the tables that neither fills.
/// </summary>
[Trait("Category", "Conformance")]
public sealed class HuntingExecutionTests(ITestOutputHelper output)
{
    private static readonly Guid Tenant = Guid.Parse("6f2c1c1e-3b0f-4a54-9a5d-0c0f6a3f8a12");

    /// <summary>Queries that the language itself refuses over these rows.</summary>
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["m365d-0582"] = "column 'DeviceId' already exists", // The rows' bags have a DeviceId of their own, and bag_unpack by default refuses that.
    };

    [Fact]
    public async Task Every_query_that_binds_runs_over_data()
    {
        var database = await FilledDatabaseAsync();
        var plain = Service(new TelemetryOptions { Database = database });
        var mirrored = Service(new TelemetryOptions { Database = database, TimeGenerated = true });
        var (total, answered, external, failures) = (0, 0, 0, new ConcurrentBag<string>());
        await Parallel.ForEachAsync(Queries().Where(q => q.Defender || q.NeedsTimeGenerated), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (query, stop) =>
        {
            Interlocked.Increment(ref total);
            try
            {
                var result = await (query.NeedsTimeGenerated ? mirrored : plain).RunAsync(new HuntingRequest(Tenant, query.Text), stop);
                if (result.Rows.Count > 0) Interlocked.Increment(ref answered);
                if (Refused.ContainsKey(query.Id)) failures.Add($"{query.Id}: runs though it should be refused");
            }
            catch (HuntingException error)
            {
                // No address is open to externaldata here: such queries run over made-up files.
                if (error.Message.StartsWith("externaldata is switched off", StringComparison.Ordinal))
                {
                    Interlocked.Increment(ref external);
                    if (await RunOverMadeUpFilesAsync(database, query.Text, stop) is { } failure) failures.Add($"{query.Id}: {failure}");
                }
                else if (!(Refused.TryGetValue(query.Id, out var words) && error.Message.Contains(words, StringComparison.Ordinal)))
                    failures.Add($"{query.Id}: {error.Failure} {error.Message} {error.InnerException?.Message}");
            }
        });

        output.WriteLine($"{total - failures.Count} of {total} queries run, {external} of them over made-up files for externaldata, {Refused.Count} refused by the language; {answered} find rows.");
        failures.Order(StringComparer.Ordinal).ShouldBeEmpty();
        answered.ShouldBeGreaterThan(170);
    }

    [Fact]
    public void Other_queries_are_refused_naming_what_is_unknown_or_warned_of_what_was_retired()
    {
        var options = new TelemetryOptions();
        var (plain, mirrored) = (Service(options), Service(options with { TimeGenerated = true }));
        var (accepted, failures) = (0, new List<string>());
        foreach (var query in Queries().Where(q => !q.Defender && !q.NeedsTimeGenerated))
        {
            var compilation = plain.Compile(query.Text);
            if (!compilation.Succeeded && mirrored.Compile(query.Text) is { Succeeded: true } other) compilation = other;
            var errors = compilation.Diagnostics.Where(d => d.Severity == KqlSeverity.Error).Select(d => d.Message).ToList();
            if (compilation.Succeeded)
            {
                accepted++;
                if (query.Unknown.Count > 0 || !compilation.Diagnostics.Any(d => d.Severity == KqlSeverity.Warning && d.Message.Contains("renamed or retired", StringComparison.Ordinal)))
                    failures.Add($"{query.Id}: accepted without a warning");
            }
            else if (query.Unknown.Count == 0 ? !errors.Exists(e => e.Contains('\'', StringComparison.Ordinal) || e.Contains("no tabular statement", StringComparison.Ordinal))
                : !query.Unknown.Any(t => errors.Exists(e => e.Contains($"'{t}'", StringComparison.Ordinal))))
            {
                failures.Add($"{query.Id}: {string.Join("; ", errors)}");
            }
            else if (query.Unknown.Count == 0)
            {
                output.WriteLine($"{query.Id}: {string.Join("; ", errors)}");
            }
        }

        output.WriteLine($"{accepted} more queries run with retired columns.");
        failures.ShouldBeEmpty();
        accepted.ShouldBeGreaterThan(10);
    }

    private static HuntingService Service(TelemetryOptions options) => new(TestEngine.Shared, options, new HuntingCatalogue(options), TimeProvider.System);

    private static async Task<string?> RunOverMadeUpFilesAsync(string database, string query, CancellationToken cancellationToken)
    {
        var catalogue = new HuntingCatalogue(new TelemetryOptions { Database = database });
        var context = new SqlContext
        {
            TenantId = Tenant,
            FindTable = catalogue.FindTable,
            Now = DateTime.UtcNow,
            OpenExternal = static (address, _) => Task.FromResult<Stream>(new MemoryStream(address.AbsolutePath.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
                ? []
                : "# comment\r\n192.0.2.1,\"a, b\",2026-01-02,x\nd41d8cd98f00b204e9800998ecf8427e,c\n\n"u8.ToArray())),
        };
        try
        {
            var compilation = catalogue.Bind(query);
            if (compilation.Root is not { } root) return compilation.Diagnostics[0].Message;
            var prepared = await SqlCompiler.Compile(root, context).PrepareAsync(TestEngine.Shared, cancellationToken: cancellationToken);
            await using var reader = await TestEngine.Shared.QueryAsync(prepared.Statement, cancellationToken);
            while (await reader.ReadAsync() is not null)
            {
            }

            return null;
        }
        catch (Exception error) when (error is HuntingException or ClickHouseException)
        {
            return error.Message;
        }
    }

    private static async Task<string> FilledDatabaseAsync()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        await using var store = new HuntingStore(TestEngine.Shared, database, TimeProvider.System);
        var now = DateTime.UtcNow;
        var rows = DemoGeneratorTests.Generate(Tenant, 1, now);
        foreach (var chunk in rows.Chunk(40_000)) await store.AppendAsync(Tenant, chunk, null, CancellationToken.None);
        var report = await new LogImporter(store, new InMemoryImportJournal(), null, TimeProvider.System)
            .ImportAsync(Tenant, Directory.GetFiles(Path.Combine(Shared, "data", "security-datasets"), "*.zip"), new ImportOptions { ShiftToNow = true }, null, CancellationToken.None);
        var filled = rows.Select(row => row.Table.Name).Concat(report.RowsPerTable.Keys).ToHashSet(StringComparer.Ordinal);
        await store.AppendAsync(Tenant, [.. HuntingSchema.Tables.Values.Where(table => !filled.Contains(table.Name)).SelectMany(table => MadeUp(table, now))], null, CancellationToken.None);
        return database;
    }

    /// <summary>Rows for a table that nothing else fills: one without any value but its time, others with values of each column's type.</summary>
    private static IEnumerable<HuntingRow> MadeUp(HuntingTable table, DateTime now)
    {
        for (var i = 0; i < 20; i++)
        {
            var row = new HuntingRow(table);
            foreach (var column in table.Columns)
            {
                if (column.Type == KqlType.DateTime) row.Values[column.Ordinal] = now.AddHours(-i * 7).AddTicks(-column.Ordinal);
                else if (i > 0) row.Values[column.Ordinal] = MadeUp(column, i);
            }

            yield return row;
        }
    }

    private static object? MadeUp(HuntingColumn column, int i) => column.Type switch
    {
        KqlType.Bool => i % 2 == 0,
        KqlType.Int => i,
        KqlType.Long => (long)i * 1000,
        KqlType.Real => i / 4.0,
        KqlType.Decimal => (decimal)i,
        KqlType.TimeSpan => TimeSpan.FromMinutes(i),
        KqlType.Guid => new Guid(i, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]),
        KqlType.Dynamic => (i % 3) switch
        {
            0 => "[{\"Name\":\"a\",\"Value\":" + i.ToString(CultureInfo.InvariantCulture) + "},\"text\"]",
            1 => "{\"Name\":\"a\",\"Id\":[1,2.5,null],\"at\":\"2026-01-02T03:04:05Z\"}",
            _ => "\"text\"",
        },
        _ when column.Name.Contains("IP", StringComparison.Ordinal) => "192.0.2." + i.ToString(CultureInfo.InvariantCulture),
        _ when column.Name is "AdditionalFields" or "RawEventData" => "{\"Name\":\"a\",\"Value\":" + i.ToString(CultureInfo.InvariantCulture) + "}",
        _ => (i % 4) switch { 0 => "", 1 => "not json {", 2 => "some words, (and) \\ signs: \"'", _ => "user" + i.ToString(CultureInfo.InvariantCulture) + "@example.com" },
    };

    private static string Shared => Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE") is { Length: > 0 } folder
        ? folder
        : throw new InvalidOperationException("Conformance tests need VEDETTE_CONFORMANCE to name the folder with the shared data.");

    private static IEnumerable<(string Id, string Text, bool Defender, bool NeedsTimeGenerated, IReadOnlyList<string> Unknown)> Queries()
    {
        foreach (var line in File.ReadLines(Path.Combine(Shared, "kql", "hunting_queries.jsonl")))
        {
            using var document = JsonDocument.Parse(line);
            var query = document.RootElement;
            yield return (query.GetProperty("id").GetString()!, query.GetProperty("query").GetString()!,
                query.GetProperty("defender").GetBoolean(), query.GetProperty("needs_TimeGenerated").GetBoolean(),
                [.. query.GetProperty("unknown_tables").EnumerateArray().Select(t => t.GetString()!)]);
        }
    }
}
