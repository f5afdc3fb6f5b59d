using Npgsql;
using Vedette.Foundation.Migrations;
using Vedette.Foundation.Snapshots;
using Vedette.Testing;

namespace Vedette.Foundation.Tests.Snapshots;

public sealed class SchemaSnapshotsTests
{
    private static readonly Migration Tables = new("0001_tables", () =>
        """
        CREATE TABLE a_children (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int NOT NULL, twice int GENERATED ALWAYS AS (parent * 2) STORED);
        CREATE TABLE parents (id int PRIMARY KEY, name text);
        ALTER TABLE a_children ADD FOREIGN KEY (parent) REFERENCES parents (id);
        """);

    [Fact]
    public async Task Restoring_brings_back_rows_references_and_numbers()
    {
        await using var database = await OpenAsync();
        var snapshots = new SchemaSnapshots(database.DataSource, "room");
        await RunAsync(database.DataSource, "INSERT INTO room.parents VALUES (1, 'one'), (2, 'two'); INSERT INTO room.a_children (parent) VALUES (1), (2), (2)");
        await snapshots.TakeAsync("before", new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), default);
        await RunAsync(database.DataSource, "DELETE FROM room.a_children; UPDATE room.parents SET name = 'changed'; INSERT INTO room.parents VALUES (3, 'three'); INSERT INTO room.a_children (parent) VALUES (3)");

        await snapshots.RestoreAsync("before", default);
        (await TextAsync(database.DataSource, "SELECT string_agg(name, ',' ORDER BY id) FROM room.parents")).ShouldBe("one,two");
        (await TextAsync(database.DataSource, "SELECT string_agg(id || ':' || twice, ',' ORDER BY id) FROM room.a_children")).ShouldBe("1:2,2:4,3:4");
        await RunAsync(database.DataSource, "INSERT INTO room.a_children (parent) VALUES (1)");
        (await TextAsync(database.DataSource, "SELECT max(id)::text FROM room.a_children")).ShouldBe("4");
        (await snapshots.ListAsync(default)).ShouldBe([("before", new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc))]);
    }

    [Fact]
    public async Task Emptying_starts_numbers_anew_and_keeps_the_record_of_migrations()
    {
        await using var database = await OpenAsync();
        await RunAsync(database.DataSource, "INSERT INTO room.parents VALUES (1, 'one'); INSERT INTO room.a_children (parent) VALUES (1), (1)");
        await new SchemaSnapshots(database.DataSource, "room").EmptyAsync(default);
        await RunAsync(database.DataSource, "INSERT INTO room.parents VALUES (7, 'x'); INSERT INTO room.a_children (parent) VALUES (7)");
        (await TextAsync(database.DataSource, "SELECT string_agg(id::text, ',') FROM room.a_children")).ShouldBe("1");
        (await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [Tables])])).ShouldBe(0);
    }

    [Fact]
    public async Task A_snapshot_of_other_tables_is_refused_and_nothing_is_lost()
    {
        await using var database = await OpenAsync();
        var snapshots = new SchemaSnapshots(database.DataSource, "room");
        await snapshots.TakeAsync("old", DateTime.UtcNow, default);
        await RunAsync(database.DataSource, "INSERT INTO room.parents VALUES (1, 'kept')");
        await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [Tables, new Migration("0002_more", () => "ALTER TABLE parents ADD extra int")])]);
        await Should.ThrowAsync<InvalidOperationException>(snapshots.RestoreAsync("old", default));
        (await TextAsync(database.DataSource, "SELECT name FROM room.parents")).ShouldBe("kept");
        await Should.ThrowAsync<KeyNotFoundException>(snapshots.RestoreAsync("other", default));
        (await snapshots.DeleteAsync("old", default)).ShouldBeTrue();
        (await snapshots.DeleteAsync("old", default)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("1st")]
    [InlineData("Name")]
    [InlineData("a;drop")]
    [InlineData("a2345678901234567890123456789012")]
    public void Names_that_could_mean_something_else_are_refused(string name) => SchemaSnapshots.IsName(name).ShouldBeFalse();

    private static async Task<TestDatabase> OpenAsync()
    {
        var database = await TestPostgres.CreateAsync();
        await MigrationRunner.ApplyAsync(database.DataSource, [new MigrationSet("room", [Tables])]);
        return database;
    }

    private static async Task RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string?> TextAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (string?)await command.ExecuteScalarAsync();
    }
}
