using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Vedette.Foundation.Postgres;
using Vedette.Testing;

namespace Vedette.Foundation.Tests.Postgres;

public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-postgres-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task State_survives_a_stop_and_a_start()
    {
        var options = new PostgresOptions { DataFolder = _folder };
        await using (var first = await StateDatabase.OpenAsync(options))
        {
            await Execute(first.DataSource, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (42);");
        }

        await using var second = await StateDatabase.OpenAsync(options);
        (await Scalar(second.DataSource, "SELECT id FROM kept")).ShouldBe(42);
        (await Scalar(second.DataSource, "SHOW server_encoding")).ShouldBe("UTF8");
        (await Scalar(second.DataSource, "SELECT upper('éß')")).ShouldBe("Éß");
    }

    [Fact]
    public async Task Nothing_but_the_socket_is_open_and_only_with_the_password()
    {
        await using var engine = await EmbeddedPostgres.StartAsync(new PostgresOptions { DataFolder = _folder });
        await using (var source = NpgsqlDataSource.Create(engine.ConnectionString + ";Pooling=false")) (await Scalar(source, "SHOW listen_addresses")).ShouldBe("");

        var text = new NpgsqlConnectionStringBuilder(engine.ConnectionString) { Password = "guess", Pooling = false };
        await using var guess = new NpgsqlConnection(text.ConnectionString);
        (await Should.ThrowAsync<PostgresException>(guess.OpenAsync())).SqlState.ShouldBe(PostgresErrorCodes.InvalidPassword);

        File.GetUnixFileMode(Path.Combine(_folder, "postgres.password")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(Path.Combine(_folder, "postgres")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (Environment.IsPrivilegedProcess) OwnerOf(engine.ProcessId).ShouldNotBe("0");
    }

    [Fact]
    public async Task A_killed_server_leaves_no_process_and_its_work_is_kept()
    {
        for (var life = 1; life <= 3; life++)
        {
            using var server = ChildProcess.Start(typeof(EmbeddedPostgresTests), "serve", _folder);
            var engine = int.Parse(await server.ReadLineAsync(), CultureInfo.InvariantCulture);
            Directory.Exists($"/proc/{engine}").ShouldBeTrue();
            await server.KillAsync();

            // The next life starts at once, while the engine may still be on its way out.
            await using var next = await StateDatabase.OpenAsync(new PostgresOptions { DataFolder = _folder });
            await EndsAsync(engine);
            (await Scalar(next.DataSource, "SELECT count(*) FROM lives")).ShouldBe((long)life);
        }
    }

    [Fact]
    public async Task A_killed_server_needs_no_successor_to_end_its_engine()
    {
        using var server = ChildProcess.Start(typeof(EmbeddedPostgresTests), "serve", _folder);
        var engine = int.Parse(await server.ReadLineAsync(), CultureInfo.InvariantCulture);
        await server.KillAsync();
        await EndsAsync(engine);
    }

    [Fact]
    public async Task A_killed_engine_recovers_although_its_process_number_is_taken()
    {
        var options = new PostgresOptions { DataFolder = _folder };
        await using (var first = await EmbeddedPostgres.StartAsync(options))
        {
            await using var source = NpgsqlDataSource.Create(first.ConnectionString + ";Pooling=false");
            await Execute(source, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (42);");
            Process.GetProcessById(first.ProcessId).Kill();
            await first.Ended;
        }

        var note = Path.Combine(_folder, "postgres", "postmaster.pid");
        var lines = await File.ReadAllLinesAsync(note);
        lines[0] = "1";
        await File.WriteAllLinesAsync(note, lines);
        await using var second = await StateDatabase.OpenAsync(options);
        (await Scalar(second.DataSource, "SELECT id FROM kept")).ShouldBe(42);
    }

    [Fact]
    public async Task A_long_path_gets_a_short_socket()
    {
        var deep = Path.Combine(_folder, new string('x', 60), new string('y', 60));
        Directory.CreateDirectory(deep);
        File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var options = new PostgresOptions { DataFolder = deep };
        string socket;
        await using (var engine = await EmbeddedPostgres.StartAsync(options))
        {
            await using var source = NpgsqlDataSource.Create(engine.ConnectionString + ";Pooling=false");
            (await Scalar(source, "SELECT 1")).ShouldBe(1);
            socket = new NpgsqlConnectionStringBuilder(engine.ConnectionString).Host!;
            socket.ShouldStartWith("/tmp/");
        }

        Directory.Exists(socket).ShouldBeFalse();
    }

    [Fact]
    public async Task Folders_that_the_engine_s_user_cannot_enter_are_no_obstacle()
    {
        // As root the engine is another user's process, which cannot enter this folder; as an ordinary user it can.
        var closed = Path.Combine(_folder, "closed", "data");
        var options = new PostgresOptions { DataFolder = closed, SharedFolder = Path.Combine("/var/tmp", Path.GetFileName(_folder)) };
        try
        {
            await using (var first = await StateDatabase.OpenAsync(options)) await Execute(first.DataSource, "CREATE TABLE kept (id int)");
            await using (var second = await StateDatabase.OpenAsync(options)) (await Scalar(second.DataSource, "SELECT count(*) FROM kept")).ShouldBe(0L);

            // An emptied data folder starts afresh, and its old cluster goes.
            Directory.Delete(closed, recursive: true);
            await using (var third = await StateDatabase.OpenAsync(options)) (await Scalar(third.DataSource, "SELECT to_regclass('kept')::text")).ShouldBe(DBNull.Value);
            if (Environment.IsPrivilegedProcess) Directory.GetDirectories(Path.Combine(options.SharedFolder, "state")).Length.ShouldBe(1);
        }
        finally
        {
            if (Directory.Exists(options.SharedFolder)) Directory.Delete(options.SharedFolder, recursive: true);
        }
    }

    [Fact]
    public async Task A_broken_cluster_is_explained_in_the_engine_s_words()
    {
        var options = new PostgresOptions { DataFolder = _folder };
        await (await EmbeddedPostgres.StartAsync(options)).DisposeAsync();
        File.Delete(Path.Combine(_folder, "postgres", "global", "pg_control"));
        var failure = await Should.ThrowAsync<PostgresStartException>(EmbeddedPostgres.StartAsync(options));
        failure.Message.ShouldContain("pg_control");
    }

    [Fact]
    public async Task A_start_that_was_cut_short_is_made_again()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "postgres.new", "base"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "postgres.new", "PG_VERSION"), "18");
        await using var database = await StateDatabase.OpenAsync(new PostgresOptions { DataFolder = _folder });
        (await Scalar(database.DataSource, "SELECT 1")).ShouldBe(1);
    }

    private static async Task EndsAsync(int process)
    {
        var watch = Stopwatch.StartNew();
        while (Directory.Exists($"/proc/{process}") && watch.Elapsed < TimeSpan.FromSeconds(10)) await Task.Delay(10);
        Directory.Exists($"/proc/{process}").ShouldBeFalse();
    }

    private static string OwnerOf(int process) =>
        File.ReadLines($"/proc/{process}/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1];

    private static async Task Execute(NpgsqlDataSource source, string statement)
    {
        await using var command = source.CreateCommand(statement);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<object?> Scalar(NpgsqlDataSource source, string query)
    {
        await using var command = source.CreateCommand(query);
        return await command.ExecuteScalarAsync();
    }
}
