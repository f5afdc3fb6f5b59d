using Npgsql;
using Vedette.Foundation.Migrations;
using Vedette.Testing;

namespace Vedette.Foundation.Tests.Migrations;

public sealed class MigrationRunnerTests
{
    private static readonly Migration First = new("0001_things", () => "CREATE TABLE things (id int PRIMARY KEY); INSERT INTO things VALUES (1);");

    private static readonly Migration Second = new("0002_more", () => "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2; $$; INSERT INTO things VALUES (two());");

    [Fact]
    public async Task Steps_run_once_in_order_and_only_what_is_missing()
    {
        await using var database = await TestPostgres.CreateAsync();
        (await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [First])])).ShouldBe(1);
        (await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [Second, First])])).ShouldBe(1);
        (await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [Second, First])])).ShouldBe(0);
        (await Scalar<long>(database.DataSource, "SELECT count(*) FROM room.things")).ShouldBe(2);
    }

    [Fact]
    public async Task A_step_that_fails_leaves_nothing_and_runs_again()
    {
        await using var database = await TestPostgres.CreateAsync();
        var broken = new Migration("0002_more", () => "INSERT INTO things VALUES (7); SELECT nonsense;");
        await Should.ThrowAsync<PostgresException>(MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [First, broken])]));
        (await Scalar<long>(database.DataSource, "SELECT count(*) FROM room.things")).ShouldBe(1);
        (await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [First, Second])])).ShouldBe(1);
    }

    [Fact]
    public async Task Servers_that_start_together_apply_each_step_once()
    {
        await using var database = await TestPostgres.CreateAsync();
        foreach (var round in Enumerable.Range(0, 20))
        {
            var sets = new[] { new MigrationSet($"one{round}", [First, Second]), new MigrationSet($"two{round}", [First]) };
            var applied = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => MigrationRunner.ApplyAsync(database.DataSource, sets)));
            applied.Sum().ShouldBe(3);
        }
    }

    [Fact]
    public async Task A_newer_database_is_refused_by_name()
    {
        await using var database = await TestPostgres.CreateAsync();
        await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [First, Second])]);
        var refusal = await Should.ThrowAsync<InvalidOperationException>(MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [First])]));
        refusal.Message.ShouldContain("0002_more");
    }

    private static async Task<T> Scalar<T>(NpgsqlDataSource source, string query)
    {
        await using var command = source.CreateCommand(query);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
