using System.Text;
using Vedette.Agent.Contract;
using Vedette.Defender.LiveResponse;

namespace Vedette.Defender.Tests.LiveResponse;

public sealed class ScriptInterpreterTests
{
    [Theory]
    [InlineData("echo hello   world", "hello world\n", 0)]
    [InlineData("A=1; B=\"$A 2\"\necho \"${B}\" '$B' \\$B", "1 2 $B $B\n", 0)]
    [InlineData("echo one > a.txt\necho two >> a.txt\ncat a.txt", "one\ntwo\n", 0)]
    [InlineData("echo \"# no comment\" # a comment", "# no comment\n", 0)]
    [InlineData("echo $1 $2 $# $HOSTNAME $NOTHING", "x y z 2 host \n", 0)]
    [InlineData("cat missing", "", 1)]
    [InlineData("cat missing\necho on", "on\n", 0)]
    [InlineData("exit 7\necho never", "", 7)]
    [InlineData("touch d/a d/b\nls d\nmv d/a d/c\nls d\nrm d/b\nls d", "a\nb\nb\nc\nc\n", 0)]
    [InlineData("echo -n x", null, 0)]
    [InlineData("for x in a b", null, 0)]
    [InlineData("echo $(id)", null, 0)]
    [InlineData("echo 'open", null, 0)]
    [InlineData("cat ../../../../../../etc/shadow", "", 1)]
    public async Task Runs_shell_scripts(string script, string? output, int exitCode) => await RunAsync("Linux", ScriptLanguage.Shell, script, "x 'y z'", output, exitCode);

    [Theory]
    [InlineData("Write-Host 'a' \"b`tc\"", "a b\tc\n", 0)]
    [InlineData("$x = 'v 1'\n$Y = $X\necho \"<$y>\" $args[1] $env:COMPUTERNAME", "<v 1> y z HOST\n", 0)]
    [InlineData("Set-Content C:\\Temp\\a.txt 'one'\nTest-Path 'c:/temp/A.TXT'\nRemove-Item C:\\Temp\\a.txt\nTest-Path C:\\Temp\\a.txt", "True\nFalse\n", 0)]
    [InlineData("Set-Content a 'abc'\nCopy-Item -Path a -Destination b -Force\nGet-Content -Path b -Raw", "abc\n", 0)]
    [InlineData("Set-Content a 'abc'\nGet-FileHash a -Algorithm SHA1", "SHA1            03CFD743661F07975FA2F1220C5194CBAFF48451  C:\\ProgramData\\Microsoft\\Windows Defender Advanced Threat Protection\\Downloads\\a\n", 0)]
    [InlineData("Get-Content missing", "", 0)]
    [InlineData("if ($true) { exit 1 }", null, 0)]
    [InlineData("[Convert]::ToBase64String('x')", null, 0)]
    public async Task Runs_PowerShell_scripts(string script, string? output, int exitCode) => await RunAsync("Windows11", ScriptLanguage.PowerShell, script, "x 'y z'", output, exitCode);

    [Fact]
    public async Task Bounds_what_a_script_may_fill()
    {
        var disk = Disk("Linux");
        var doubling = string.Join('\n', Enumerable.Repeat("cat a >> a", 40).Prepend("echo x > a"));
        (await Should.ThrowAsync<ScriptProblem>(() => RunAsync(disk, "Linux", ScriptLanguage.Shell, doubling, null))).Message.ShouldContain("at most");
        (await Should.ThrowAsync<ScriptProblem>(() => RunAsync(disk, "Linux", ScriptLanguage.Shell, string.Join('\n', Enumerable.Repeat("echo x", 10_001)), null)))
            .Message.ShouldBe("The script has more than 10000 statements.");
    }

    [Fact]
    public void The_page_on_live_response_lists_every_command()
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "live-response.md"));
        foreach (var language in Enum.GetValues<ScriptLanguage>())
            foreach (var name in ScriptCommands.Names(language)) page.ShouldContain($"`{name}`");
    }

    private static async Task RunAsync(string platform, ScriptLanguage language, string script, string arguments, string? output, int exitCode)
    {
        if (output is null)
        {
            await Should.ThrowAsync<ScriptProblem>(() => RunAsync(Disk(platform), platform, language, script, arguments));
            return;
        }

        var result = await RunAsync(Disk(platform), platform, language, script, arguments);
        (result.Output, result.ExitCode).ShouldBe((output, exitCode));
    }

    private static Task<ScriptResult> RunAsync(DeviceDisk disk, string platform, ScriptLanguage language, string script, string? arguments) =>
        ScriptInterpreter.RunAsync(new ScriptPlace(disk, "host", platform, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc)), language, script, arguments);

    private static DeviceDisk Disk(string platform) =>
        new(new DeviceSession(Guid.Empty, "d"), PathStyle.Of(platform), [], _ => Task.FromResult<byte[]?>(Encoding.UTF8.GetBytes("stored")));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Vedette.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The solution's folder was not found above the tests.");
    }
}
