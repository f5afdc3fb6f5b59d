using Vedette.Defender.Vulnerabilities.Versions;

namespace Vedette.Defender.Tests.Vulnerabilities;

public sealed class VersionOrderTests
{
    [Theory]
    [InlineData("Debian:12", "1.0~rc1-1", "1.0-1")]
    [InlineData("Debian:12", "1.0-1", "1.0-1+deb12u1")]
    [InlineData("Debian:12", "3.0.11-1~deb12u1", "3.0.11-1")]
    [InlineData("Debian:12", "3.0.11-1~deb12u2", "3.0.13-1~deb12u1")]
    [InlineData("Debian:12", "9.99", "1:0.1")]
    [InlineData("Debian:12", "1.2.3-9", "1.2.3-10")]
    [InlineData("Debian:12", "1.0a", "1.0+")]
    [InlineData("Debian:12", "1.0", "1.0a")]
    [InlineData("Ubuntu:22.04", "8.9p1-3ubuntu0.6", "8.9p1-3ubuntu0.10")]
    [InlineData("Ubuntu:22.04", "1.18.0-6ubuntu14.4", "1.18.0-6ubuntu14.5")]
    [InlineData("Red Hat:9", "1.0~rc1-1.el9", "1.0-1.el9")]
    [InlineData("Red Hat:9", "1.0-1.el9", "1.0^git1-1.el9")]
    [InlineData("Rocky Linux:9", "3.0.7-9.el9", "3.0.7-16.el9_2")]
    [InlineData("AlmaLinux:9", "1.0.a", "1.0.1")]
    [InlineData("npm", "1.0.0-alpha", "1.0.0-alpha.1")]
    [InlineData("npm", "1.0.0-alpha.1", "1.0.0-alpha.beta")]
    [InlineData("npm", "1.0.0-beta.2", "1.0.0-beta.11")]
    [InlineData("npm", "1.0.0-rc.1", "1.0.0")]
    [InlineData("Go", "v1.9.0", "v1.10.0")]
    [InlineData("NuGet", "13.0.0", "13.0.0.1")]
    [InlineData("PyPI", "1.0.dev1", "1.0a1")]
    [InlineData("PyPI", "1.0a1", "1.0rc1")]
    [InlineData("PyPI", "1.0rc1", "1.0")]
    [InlineData("PyPI", "1.0", "1.0.post1")]
    [InlineData("PyPI", "2.9", "1!0.1")]
    [InlineData("cpe", "10.0.26100.4349", "10.0.26100.4652")]
    [InlineData("cpe", "10.0.9999.1", "10.0.10240.0")]
    [InlineData("cpe", "137.0.7151.104", "137.0.7151.119")]
    [InlineData("cpe", "2.4.49-beta1", "2.4.49")]
    [InlineData("cpe", "1.1.1", "1.1.1w")]
    [InlineData("cpe", "8.0.0-rc2", "8.0")]
    public void The_first_is_older(string scheme, string older, string newer)
    {
        var compare = VersionOrder.Of(scheme)!;
        compare(older, newer).ShouldBeLessThan(0);
        compare(newer, older).ShouldBeGreaterThan(0);
        compare(older, older).ShouldBe(0);
        compare(newer, newer).ShouldBe(0);
    }

    [Theory]
    [InlineData("Debian:12", "1.0-0", "1.0")]
    [InlineData("Debian:12", "0:1.01-1", "1.1-1")]
    [InlineData("npm", "1.2.3+build5", "v1.2.3")]
    [InlineData("PyPI", "1.0", "1.0.0")]
    [InlineData("cpe", "10.0.26100", "10.0.26100.0")]
    [InlineData("Red Hat:9", "1.0", "1.0-5.el9")]
    public void Both_are_the_same(string scheme, string one, string other) => VersionOrder.Of(scheme)!(one, other).ShouldBe(0);

    [Fact]
    public void A_scheme_without_known_rules_has_none() => VersionOrder.Of("Homebrew").ShouldBeNull();

    [Fact]
    public void The_greatest_follows_the_rules_of_the_scheme() =>
        VersionOrder.Greatest("Debian:12", ["1.0-9", "1.0-10", "1.0-10~bpo1"]).ShouldBe("1.0-10");
}
