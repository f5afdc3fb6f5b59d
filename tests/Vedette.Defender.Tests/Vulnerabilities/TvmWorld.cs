using Dapper;
using Npgsql;
using Vedette.Agent.Contract;
using Vedette.Defender.Vulnerabilities.Assessment;
using Vedette.Defender.Vulnerabilities.Inventory;
using Vedette.Defender.Vulnerabilities.Knowledge;

namespace Vedette.Defender.Tests.Vulnerabilities;

/// <summary>Short words for tests of vulnerability management.</summary>
internal static class TvmWorld
{
    public static KnowledgeEntry Cve(string id, double cvss, string package, string? fixedIn, Func<KnowledgeEntry, KnowledgeEntry>? change = null)
    {
        var entry = new KnowledgeEntry(id)
        {
            Description = $"About {id}.",
            Cvss = cvss,
            PublishedOn = new DateTime(2025, 1, 2, 0, 0, 0, DateTimeKind.Utc),
            Affected = [new AffectedRange("cpe", package) { Fixed = fixedIn }],
        };
        return change?.Invoke(entry) ?? entry;
    }

    public static async Task LearnAsync(this DefenderWorld world, params KnowledgeEntry[] entries)
    {
        var store = world.Get<KnowledgeStore>();
        await store.AddAsync(KnowledgeSource.Nvd, entries, default);
        await store.FinishAsync(new ImportedFeed("Nvd", "test.json", null, world.Now, entries.Length, entries.Length), default);
    }

    public static Task ReportAsync(this DefenderWorld world, int machine, params SoftwareItem[] software) =>
        world.Get<InventoryIntake>().ReportInventoryAsync(new DeviceSession(DefenderWorld.Tenant, DefenderWorld.MachineId(machine)), new InventoryReport { Software = software }, default);

    public static Task AssessAsync(this DefenderWorld world) => world.Get<VulnerabilityAssessment>().EnsureFreshAsync(DefenderWorld.Tenant, default);

    public static async Task<IReadOnlyList<T>> QueryAsync<T>(this DefenderWorld world, string sql, object? parameters = null)
    {
        await using var connection = await world.Get<NpgsqlDataSource>().OpenConnectionAsync();
        return (await connection.QueryAsync<T>(sql, parameters)).AsList();
    }

    public static async Task<T> OneAsync<T>(this DefenderWorld world, string sql) => (await world.QueryAsync<T>(sql)).Single();
}
