using System.Text.Json.Nodes;

namespace Vedette.Clients.Tests;

/// <summary>
/// <c>vedette trust --install</c> and <c>--remove</c> change a system's store, and programs without any setting reach the server by the real
/// names, or do not. Debian's own programs do it here; those of other systems are played, and curl answers for all. Run on copies of the system's folders in a mount namespace of their own: the machine is not changed.
/// </summary>
[Collection(MatrixCollection.Name)]
public sealed class TrustTests(MatrixServer server)
{
    private const string Url = "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration";

    [Theory]
    [InlineData("debian", "/usr/local/share/ca-certificates")]
    [InlineData("fedora", "/etc/pki/ca-trust/source/anchors")]
    [InlineData("arch", "/etc/ca-certificates/trust-source/anchors")]
    [InlineData("suse", "/etc/pki/trust/anchors")]
    public async Task Installed_every_program_trusts_the_server_and_removed_none_does(string layout, string folder)
    {
        var steps = (await RunAsync(layout)).ToDictionary(step => (string)step["step"]!);
        foreach (var step in new[] { "before", "removed" })
        {
            ((string)steps[step]["curl"]!).ShouldBe("60", $"{step}: curl does not trust the certificate");
            if (layout != "debian") continue;
            ((string)steps[step]["dotnet"]!).ShouldBe("SecureConnectionError", step);
            ((string)steps[step]["python"]!).ShouldBe("CERTIFICATE_VERIFY_FAILED", step);
        }

        ((string)steps["installed"]["code"]!).ShouldBe("0", steps["installed"].ToJsonString());
        foreach (var program in layout == "debian" ? (string[])["curl", "dotnet", "python"] : ["curl"]) ((string)steps["installed"][program]!).ShouldBe("200", program);
        ((string)steps["installed"]["files"]!).ShouldMatch($@"^{folder}/vedette-[0-9a-f]{{12}}\.crt -rw-r--r--$");
        ((string)steps["removed"]["code"]!).ShouldBe("0", steps["removed"].ToJsonString());
        ((string)steps["removed"]["files"]!).ShouldBeEmpty();
        ((string)steps["removed"]["store"]!).ShouldBe((string)steps["before"]["store"]!, "the store is as it was");
        ((string)steps["again"]["code"]!).ShouldBe("0");
        ((string)steps["again"]["output"]!).ShouldContain("nothing to remove");
    }

    [Fact]
    public async Task A_system_that_keeps_its_certificates_elsewhere_is_told_so_and_nothing_is_changed()
    {
        var steps = (await RunAsync("unknown")).ToDictionary(step => (string)step["step"]!);
        ((string)steps["installed"]["code"]!).ShouldNotBe("0");
        ((string)steps["installed"]["output"]!).ShouldContain("none of the known places");
        ((string)steps["removed"]["store"]!).ShouldBe((string)steps["before"]["store"]!);
    }

    private Task<IReadOnlyList<JsonNode>> RunAsync(string layout)
    {
        var own = typeof(TrustTests).Assembly.Location;
        return server.RunAsync(
            ["unshare", "--mount", "--propagation", "private", "bash", Path.Combine(ClientProcess.ProjectFolder, "matrix", "trust.sh"), layout, Url, own, Path.Combine(Path.GetDirectoryName(own)!, "vedette.dll"), server.Data],
            "", new Dictionary<string, string>(), trusting: false);
    }
}
