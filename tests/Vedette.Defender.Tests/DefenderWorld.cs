using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vedette.Defender.State;
using Vedette.Foundation;
using Vedette.Telemetry;
using Vedette.Telemetry.Engine;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Defender.Tests;

/// <summary>The domain over a PostgreSQL database and a ClickHouse database of its own, with a clock that the test moves.</summary>
internal sealed class DefenderWorld : IAsyncDisposable
{
    private readonly string _files = Directory.CreateTempSubdirectory("vedette-files-").FullName;
    private readonly Lazy<string> _telemetry = new(() => MakeTelemetryAsync().GetAwaiter().GetResult());
    private readonly TestDatabase _database;
    private readonly ServiceProvider _services;

    private DefenderWorld(TestDatabase database, Action<IServiceCollection>? more, Func<DefenderOptions, DefenderOptions>? change, DateTime start)
    {
        Clock = new ManualClock(start);
        _database = database;
        var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(Clock)
            .AddSingleton<IIdentifierSource>(new SeededIdentifierSource(7))
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddSingleton(database.DataSource)
            .AddSingleton<IHuntingStore>(_ => new HuntingStore(TestEngine.Shared, Telemetry, TimeProvider.System));
        services.AddSingleton<IHuntingService>(_ =>
        {
            var settings = new TelemetryOptions { Database = Telemetry };
            return new HuntingService(TestEngine.Shared, settings, new HuntingCatalogue(settings), Clock);
        });
        more?.Invoke(services);
        var options = new DefenderOptions { FilesFolder = _files };
        _services = services.AddVedetteDefender(change?.Invoke(options) ?? options).BuildServiceProvider();
    }

    public static Guid Tenant { get; } = Guid.Parse("11111111-2222-4333-8444-555555555555");

    public static Caller Caller { get; } = new(Tenant, "soc1@example.test");

    public ManualClock Clock { get; }

    public DateTime Now => Clock.GetUtcNow().UtcDateTime;

    /// <summary>The name of the world's ClickHouse database, which is made when a test first needs it.</summary>
    public string Telemetry => _telemetry.Value;

    public string ConnectionString => _database.ConnectionString;

    public static async Task<DefenderWorld> CreateAsync(Action<IServiceCollection>? more = null, Func<DefenderOptions, DefenderOptions>? change = null, DateTime? start = null)
    {
        var database = await TestPostgres.CreateAsync(DefenderState.Migrations);
        return new DefenderWorld(database, more, change, start ?? new DateTime(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc));
    }

    public static string MachineId(int number) => $"{number:x40}";

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public DefenderDbContext Open() => Get<IDbContextFactory<DefenderDbContext>>().CreateDbContext();

    public Task SetTimingAsync(ActionTiming timing) => Get<TenantSettingsStore>().SetAsync(Tenant, s => s.ActionTiming = timing, default);

    public async Task<Machine> AddMachineAsync(int number = 1, Action<Machine>? change = null)
    {
        var machine = new Machine
        {
            TenantId = Tenant,
            Id = MachineId(number),
            ComputerDnsName = $"pc-{number}.example.test",
            FirstSeen = Now.AddDays(-10),
            LastSeen = Now,
            OsPlatform = "Windows11",
            OsProcessor = "x64",
            Version = "23H2",
            OsBuild = 22631,
            Channel = DeviceChannelKind.Simulated,
        };
        change?.Invoke(machine);
        await using var state = Open();
        state.Machines.Add(machine);
        await state.SaveChangesAsync();
        return machine;
    }

    /// <summary>Adds an event of a device at the present moment.</summary>
    public Task AppendAsync(string table, params (string Column, object Value)[] values)
    {
        var row = HuntingRow.For(table);
        row["Timestamp"] = Now;
        row["DeviceId"] = MachineId(1);
        row["ReportId"] = 77L;
        foreach (var (column, value) in values) row[column] = value;
        return Get<IHuntingStore>().AppendAsync(Tenant, [row], null, default);
    }

    /// <summary>Rows of a ClickHouse query over the world's telemetry, as text.</summary>
    public async Task<List<string>> HuntAsync(string sql)
    {
        var answer = await TestEngine.Shared.RowsAsync(new ClickHouseStatement(sql.Replace("hunting.", Telemetry + ".", StringComparison.Ordinal)));
        return [.. answer.Select(row => string.Join('|', row.Select(v => Convert.ToString(v, System.Globalization.CultureInfo.InvariantCulture))))];
    }

    private static async Task<string> MakeTelemetryAsync()
    {
        var name = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, name).EnsureAsync();
        return name;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(_files, recursive: true);
    }
}

/// <summary>For tests that need no queries: each is refused.</summary>
internal sealed class HuntingUnavailable : IHuntingService
{
    public Task<HuntingResult> RunAsync(HuntingRequest request, CancellationToken cancellationToken) =>
        throw new HuntingException(HuntingFailure.Internal, "There is no hunting in this test.");
}
