namespace Vedette.EndToEnd.Tests;

/// <summary>Starting, stopping and being killed.</summary>
public sealed class LifeCycleTests
{
    [Fact]
    public async Task Ctrl_C_ends_everything_and_the_same_application_is_there_after_a_restart()
    {
        var folder = VedetteProcess.NewFolder();
        string client, secret;
        await using (var first = await VedetteProcess.StartAsync(folder, "--empty"))
        {
            (client, secret) = (first.ClientId, first.ClientSecret);
            var token = await first.TokenAsync();
            (await first.InterruptAsync()).ShouldBe(0);
            first.ProcessesOnData().ShouldBeEmpty();

            await using var second = await VedetteProcess.StartAsync(folder, "--empty");
            second.ClientId.ShouldBe(client);
            second.ClientSecret.ShouldBe(secret);
            // Signing keys outlive a restart, so does a token.
            (await second.ApiAsync(HttpMethod.Get, "/api/alerts", token)).Status.ShouldBe(200);
        }
    }

    [Theory]
    [InlineData("-INT")]
    [InlineData("-TERM")]
    public async Task A_signal_right_after_the_start_ends_it_in_order(string signal)
    {
        // Two listeners hear the signal, ours and the host's, in either order: several rounds meet both.
        var folder = VedetteProcess.NewFolder();
        for (var round = 0; round < 4; round++)
        {
            await using var server = await VedetteProcess.StartAsync(folder, "--empty");
            (await server.SignalAsync(signal)).ShouldBe(0, server.Log);
            server.KeepData = true;
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_killed_server_leaves_no_child_behind_and_starts_again()
    {
        await using var server = await VedetteProcess.StartAsync(null, "--empty");
        var app = (await server.JsonAsync("app", "create", "Survivor"))!;
        await server.KillAsync();
        for (var attempt = 0; server.ProcessesOnData().Count > 0 && attempt < 100; attempt++) await Task.Delay(100);
        server.ProcessesOnData().ShouldBeEmpty();

        await using var again = await VedetteProcess.StartAsync(server.Data, "--empty");
        ((string)(await again.JsonAsync("app", "show", (string)app["appId"]!))!["displayName"]!).ShouldBe("Survivor");
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_is_refused_in_words()
    {
        await using var server = await VedetteProcess.StartAsync(null, "--empty");
        var (code, _, error) = await VedetteProcess.CommandAsync("up", "--json", "--data", server.Data, "--https", "0", "--http", "0");
        code.ShouldBe(1);
        error.ShouldContain(server.Data);
    }

    [Fact]
    public async Task Commands_work_without_a_server()
    {
        var folder = VedetteProcess.NewFolder();
        var (code, output, error) = await VedetteProcess.CommandAsync("app", "create", "Made offline", "--data", folder, "--json");
        code.ShouldBe(0, error);
        output.ShouldContain("Made offline");
        await using var server = await VedetteProcess.StartAsync(folder, "--empty");
        (await server.JsonAsync("app", "list"))!.ToJsonString().ShouldContain("Made offline");
    }

    [Theory]
    [InlineData("up", "--https", "99999")]
    [InlineData("up", "--quotas", "some")]
    [InlineData("app", "create")]
    [InlineData("frobnicate")]
    [InlineData("hunt")]
    public async Task A_wrong_command_line_says_so_and_exits_with_2(params string[] words)
    {
        var (code, output, error) = await VedetteProcess.CommandAsync(words);
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain("vedette: ");
    }

    [Fact]
    public async Task Secrets_are_readable_by_their_owner_only_and_never_logged()
    {
        await using var server = await VedetteProcess.StartAsync(null, "--empty", "--verbose");
        var token = await server.TokenAsync();
        await server.ApiAsync(HttpMethod.Get, "/api/alerts", token);
        server.Log.ShouldNotContain(server.ClientSecret);
        server.Log.ShouldNotContain(token.Split('.')[2]);
        var keys = Path.Combine(server.Data, "keys");
        foreach (var part in new[] { "keys", "files", "telemetry", "postgres" })
        {
            File.GetUnixFileMode(Path.Combine(server.Data, part)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, part);
        }

        foreach (var file in Directory.EnumerateFiles(keys).Where(file => !file.EndsWith(".pem", StringComparison.Ordinal)))
        {
            (File.GetUnixFileMode(file) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)).ShouldBe(UnixFileMode.None, file);
        }
    }
}
