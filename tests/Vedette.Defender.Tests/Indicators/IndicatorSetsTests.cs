using Vedette.Defender.Indicators;
using Vedette.Defender.State;
using Vedette.Telemetry.Ingest;

namespace Vedette.Defender.Tests.Indicators;

public sealed class IndicatorSetsTests
{
    private static readonly DateTime Now = new(2026, 3, 4, 5, 6, 7, DateTimeKind.Utc);

    [Theory]
    [InlineData(IndicatorType.DomainName, "bad.example", "https://bad.example/x", true)]
    [InlineData(IndicatorType.DomainName, "bad.example", "a.b.BAD.example", true)]
    [InlineData(IndicatorType.DomainName, "bad.example", "notbad.example", false)]
    [InlineData(IndicatorType.DomainName, "bad.example", "bad.example.org", false)]
    [InlineData(IndicatorType.Url, "https://bad.example/a", "http://bad.example/a/", true)]
    [InlineData(IndicatorType.Url, "bad.example/a", "https://bad.example/a?q=1", true)]
    [InlineData(IndicatorType.Url, "bad.example/a", "https://bad.example/ab", false)]
    [InlineData(IndicatorType.Url, "http://bad.example", "https://bad.example/any/path", true)]
    [InlineData(IndicatorType.IpAddress, "203.0.113.9", "http://203.0.113.9:8080/x", true)]
    public void Finds_hosts_and_web_addresses(IndicatorType type, string indicator, string url, bool found) =>
        new IndicatorSets([Fact(1, type, indicator)]).ByUrl(url).Any().ShouldBe(found);

    [Fact]
    public void Looks_at_hashes_addresses_urls_and_certificates_of_every_table_of_devices()
    {
        var sets = new IndicatorSets(
        [
            Fact(1, IndicatorType.FileSha1, new string('a', 40)), Fact(2, IndicatorType.FileMd5, new string('b', 32)), Fact(3, IndicatorType.IpAddress, "203.0.113.9"),
            Fact(4, IndicatorType.CertificateThumbprint, new string('c', 40)), Fact(5, IndicatorType.FileSha256, new string('d', 64)),
        ]);
        Hits(sets, "DeviceProcessEvents", ("SHA1", new string('A', 40)), ("InitiatingProcessSHA256", new string('d', 64))).ShouldBe([1, 5]);
        Hits(sets, "DeviceFileEvents", ("MD5", new string('b', 32)), ("FileOriginIP", "203.0.113.9")).ShouldBe([2, 3]);
        Hits(sets, "DeviceNetworkEvents", ("RemoteIP", "203.0.113.9")).ShouldBe([3]);
        Hits(sets, "DeviceFileCertificateInfo", ("SignerHash", new string('c', 40))).ShouldBe([4]);
        Hits(sets, "DeviceNetworkEvents", ("RemoteIP", "203.0.113.8")).ShouldBeEmpty();
    }

    [Fact]
    public void Passes_over_what_has_expired_is_older_or_is_allowed()
    {
        var expired = Fact(1, IndicatorType.IpAddress, "203.0.113.9") with { Expires = Now };
        Hits(new IndicatorSets([expired]), "DeviceNetworkEvents", ("RemoteIP", "203.0.113.9")).ShouldBeEmpty();
        var later = Fact(1, IndicatorType.IpAddress, "203.0.113.9") with { Created = Now.AddHours(1) };
        Hits(new IndicatorSets([later]), "DeviceNetworkEvents", ("RemoteIP", "203.0.113.9")).ShouldBeEmpty();
        Hits(new IndicatorSets([later with { HistoricalDetection = true }]), "DeviceNetworkEvents", ("RemoteIP", "203.0.113.9")).ShouldBe([1]);
        var allowed = Fact(2, IndicatorType.IpAddress, "203.0.113.9") with { Action = IndicatorAction.Allowed };
        Hits(new IndicatorSets([Fact(1, IndicatorType.IpAddress, "203.0.113.9"), allowed]), "DeviceNetworkEvents", ("RemoteIP", "203.0.113.9")).ShouldBeEmpty();
    }

    private static IEnumerable<long> Hits(IndicatorSets sets, string table, params (string Column, object Value)[] values)
    {
        var row = HuntingRow.For(table);
        row["Timestamp"] = Now;
        row["DeviceId"] = "d";
        foreach (var (column, value) in values) row[column] = value;
        return IndicatorWatch.Find(sets, [row], Now).Select(h => h.Indicator.Id).Order();
    }

    private static IndicatorFact Fact(long id, IndicatorType type, string value) =>
        new(id, type, value, IndicatorAction.Block, Now.AddDays(-1), null) { Title = "t", Description = "d" };
}
