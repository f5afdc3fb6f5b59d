using System.IO.Compression;
using System.Text;
using Vedette.Agent.Contract;
using Vedette.Defender.Vulnerabilities.Knowledge;

namespace Vedette.Defender.Tests.Vulnerabilities;

public sealed class KnowledgeImporterTests : IDisposable
{
    private const string Osv =
        """
        {"schema_version":"1.6.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2025-02-03T04:05:06Z","published":"2025-02-01T00:00:00Z","aliases":["CVE-2025-0001"],
         "summary":"Short","details":"A flaw in left-trim.","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
         "affected":[
          {"package":{"ecosystem":"npm","name":"left-trim"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"2.0.0"},{"last_affected":"2.0.4"}]}]},
          {"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"lefttrim"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.0-2ubuntu1"}]}]},
          {"package":{"ecosystem":"Alpine:v3.18","name":"lefttrim"},"versions":["1.0-r0"],"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},
          {"ranges":[{"type":"GIT","repo":"https://code.example/left","events":[{"introduced":"0"}]}]}]}
        """;

    private const string Debian =
        """
        {"openssl":{
          "CVE-2024-0001":{"description":"A flaw in OpenSSL.","scope":"local","releases":{
            "bookworm":{"status":"resolved","repositories":{"bookworm":"3.0.15-1~deb12u1"},"fixed_version":"3.0.13-1~deb12u1","urgency":"medium"},
            "bullseye":{"status":"open","repositories":{"bullseye":"1.1.1w-0+deb11u1"},"urgency":"high**"},
            "sid":{"status":"resolved","repositories":{"sid":"3.3.2-2"},"fixed_version":"0","urgency":"unimportant"},
            "potato":{"status":"open","repositories":{},"urgency":"low"}}},
          "CVE-2024-0002":{"releases":{"bookworm":{"status":"undetermined","repositories":{}}}}},
         "zlib":{"CVE-2024-0001":{"releases":{"bookworm":{"status":"open","repositories":{}}}}}}
        """;

    private const string Nvd =
        """
        {"resultsPerPage":2,"startIndex":0,"totalResults":2,"format":"NVD_CVE","version":"2.0","timestamp":"2025-03-04T05:06:07.890","vulnerabilities":[
         {"cve":{"id":"CVE-2025-1000","published":"2025-01-02T03:04:05.000","lastModified":"2025-02-02T00:00:00.000","vulnStatus":"Analyzed","cisaExploitAdd":"2025-01-05",
           "descriptions":[{"lang":"es","value":"Un fallo."},{"lang":"en","value":"A flaw in a browser."}],
           "metrics":{"cvssMetricV31":[{"source":"other","type":"Secondary","cvssData":{"baseScore":5.0,"vectorString":"CVSS:3.1/x"}},{"source":"nvd@nist.gov","type":"Primary","cvssData":{"baseScore":8.8,"baseSeverity":"HIGH","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"}}]},
           "configurations":[{"operator":"AND","nodes":[
             {"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:acme:web\\:browser:*:*:*:*:*:*:*:*","versionStartIncluding":"10.0","versionEndExcluding":"12.5"},
                {"vulnerable":true,"criteria":"cpe:2.3:a:acme:reader:7.1:sp1:*:*:*:*:*:*"}]},
             {"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":false,"criteria":"cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"}]}]}],
           "references":[{"url":"https://exploit.example/1","tags":["Exploit","Third Party Advisory"]}]}},
         {"cve":{"id":"CVE-2025-1001","vulnStatus":"Rejected","descriptions":[],"metrics":{}}}]}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("vedette-kb-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_osv_record_gives_its_cve_its_score_and_its_ranges_and_says_what_it_cannot_use()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var report = await ImportAsync(world, "GHSA.json", Osv);
        (report.Source, report.Records, report.Understood, report.Ranges).ShouldBe((KnowledgeSource.Osv, 1, 1, 4));
        (await world.OneAsync<(double, string, string)>("SELECT cvss, severity, description FROM defender.kb_vulnerabilities WHERE id = 'CVE-2025-0001'")).ShouldBe((9.8, "Critical", "A flaw in left-trim."));
        (await world.QueryAsync<string>("SELECT concat_ws('|', scheme, package, introduced, fixed, last_affected, array_to_string(versions, ',')) FROM defender.kb_affected ORDER BY 1"))
            .ShouldBe(["Alpine:v3.18|lefttrim|1.0-r0", "npm|left-trim|1.2.3|", "npm|left-trim|2.0.0|2.0.4|", "Ubuntu:22.04|lefttrim|1.0-2ubuntu1|"], ignoreOrder: true);
        report.Notes.Select(n => n.Reason).ShouldBe(["affected entry without a package", "ranges of Alpine, whose order of versions is not known"], ignoreOrder: true);
    }

    [Fact]
    public async Task Osv_comes_as_lines_as_an_array_and_in_a_zip_and_records_replace_themselves()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var line = Osv.ReplaceLineEndings("");
        var other = line.Replace("GHSA-aaaa-bbbb-cccc", "PYSEC-2025-1", StringComparison.Ordinal).Replace("\"CVE-2025-0001\"", "\"CVE-2025-0002\"", StringComparison.Ordinal);
        (await ImportAsync(world, "all.jsonl", $"{line}\n{other}\n")).Understood.ShouldBe(2);
        (await ImportAsync(world, "all.json", $"[{line},{other}]")).Understood.ShouldBe(2);
        var zip = Path.Combine(_folder, "all.zip");
        await using (var archive = await ZipFile.OpenAsync(zip, ZipArchiveMode.Create))
        {
            foreach (var (name, text) in new[] { ("a.json", line), ("b.json", other.Replace("\"modified\"", "\"withdrawn\":\"2025-03-01T00:00:00Z\",\"modified\"", StringComparison.Ordinal)) })
            {
                await using var entry = await archive.CreateEntry(name).OpenAsync();
                await entry.WriteAsync(Encoding.UTF8.GetBytes(text));
            }
        }

        (await world.Get<KnowledgeImporter>().ImportAsync(zip, null, default)).Records.ShouldBe(2);
        (await world.QueryAsync<string>("SELECT DISTINCT vulnerability_id FROM defender.kb_affected")).ShouldBe(["CVE-2025-0001"]);
        (await world.OneAsync<long>("SELECT count(*) FROM defender.kb_affected")).ShouldBe(4);
    }

    [Fact]
    public async Task Debians_tracker_is_matched_by_the_rules_of_its_versions()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await world.AddMachineAsync();
        var report = await ImportAsync(world, "tracker.json", Debian);
        (report.Source, report.Records, report.Understood).ShouldBe((KnowledgeSource.Debian, 2, 3));
        report.Notes.Select(n => n.Reason).ShouldBe(["release 'potato', which is not known", "state 'undetermined'"], ignoreOrder: true);
        await world.ReportAsync(
            1,
            new SoftwareItem("debian", "libssl3", "3.0.11-1~deb12u2") { Scheme = "Debian:12", Package = "openssl" },
            new SoftwareItem("debian", "openssl", "3.0.15-1~deb12u1") { Scheme = "Debian:12" },
            new SoftwareItem("debian", "libssl1.1", "1.1.1w-0+deb11u1") { Scheme = "Debian:11", Package = "openssl" },
            new SoftwareItem("debian", "zlib1g", "1.2.13") { Scheme = "Debian:12", Package = "zlib" },
            new SoftwareItem("debian", "openssl", "3.3.2-2") { Scheme = "Debian:sid" });
        await world.AssessAsync();
        (await world.QueryAsync<(string, string, string?)>(
            "SELECT v.name, w.vulnerability_id, w.fixed_version FROM defender.version_vulnerabilities w JOIN defender.software_versions v ON v.id = w.version_id ORDER BY v.name"))
            .ShouldBe([("libssl1.1", "CVE-2024-0001", null), ("libssl3", "CVE-2024-0001", "3.0.13-1~deb12u1"), ("zlib1g", "CVE-2024-0001", null)]);
    }

    [Fact]
    public async Task Nvd_gives_scores_ranges_of_products_and_signs_of_exploits()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var report = await ImportAsync(world, "nvdcve-2.0.json.gz", Nvd, gzip: true);
        (report.Source, report.Released, report.Records, report.Understood).ShouldBe((KnowledgeSource.Nvd, "2025-03-04T05:06:07.890", 2, 2));
        (await world.OneAsync<(double, string, bool, bool, string)>("SELECT cvss, description, public_exploit, exploit_verified, exploit_uris[1] FROM defender.kb_vulnerabilities"))
            .ShouldBe((8.8, "A flaw in a browser.", true, true, "https://exploit.example/1"));
        (await world.QueryAsync<string>("SELECT concat_ws('|', scheme, package, introduced, fixed, array_to_string(versions, ',')) FROM defender.kb_affected ORDER BY 1"))
            .ShouldBe(["cpe|acme:reader|7.1-sp1", "cpe|acme:web:browser|10.0|12.5|"], ignoreOrder: true);
    }

    [Fact]
    public async Task Known_exploits_and_probabilities_add_to_what_other_feeds_say_in_any_order()
    {
        await using var world = await DefenderWorld.CreateAsync();
        var epss = await ImportAsync(world, "epss.csv", "#model_version:v2025.03.14,score_date:2025-11-20T12:55:00Z\ncve,epss,percentile\nCVE-2025-1000,0.91234,0.99\nCVE-x,y\n");
        (epss.Source, epss.Released, epss.Records, epss.Understood, epss.Notes.Single().Reason).ShouldBe((KnowledgeSource.Epss, "2025-11-20T12:55:00Z", 2, 1, "line that is no score"));
        var kev = await ImportAsync(
            world, "kev.json",
            """{"title":"CISA Catalog","catalogVersion":"2025.11.19","dateReleased":"2025-11-19T00:00:00Z","count":1,"vulnerabilities":[{"cveID":"CVE-2025-1000","vendorProject":"Acme","product":"Browser","shortDescription":"Exploited.","knownRansomwareCampaignUse":"Known"}]}""");
        (kev.Source, kev.Released, kev.Understood).ShouldBe((KnowledgeSource.Kev, "2025-11-19T00:00:00Z", 1));
        await ImportAsync(world, "nvd.json", Nvd);
        await ImportAsync(world, "tracker.json", Debian.Replace("CVE-2024-0001", "CVE-2025-1000", StringComparison.Ordinal));
        (await world.OneAsync<(double, double, bool, string, string)>("SELECT cvss, epss, exploit_in_kit, description, tags[1] FROM defender.kb_vulnerabilities WHERE id = 'CVE-2025-1000'"))
            .ShouldBe((8.8, 0.91234, true, "A flaw in a browser.", "KnownExploited"));
        var status = await world.Get<KnowledgeStore>().StatusAsync(default);
        (status.Exploited, status.Feeds.Count).ShouldBe((1, 4));
    }

    [Theory]
    [InlineData("""{"hello":"world"}""")]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task What_is_no_feed_is_refused(string text)
    {
        await using var world = await DefenderWorld.CreateAsync();
        (await Should.ThrowAsync<InvalidDataException>(ImportAsync(world, "x.json", text))).Message.ShouldContain("none of the feeds");
    }

    [Fact]
    public async Task A_feed_that_breaks_off_is_refused_with_the_reason()
    {
        await using var world = await DefenderWorld.CreateAsync();
        await Should.ThrowAsync<InvalidDataException>(ImportAsync(world, "nvd.json", Nvd[..^40]));
    }

    [Fact]
    public async Task A_package_larger_than_the_first_piece_of_the_file_is_read()
    {
        await using var world = await DefenderWorld.CreateAsync();
        const string one = """
            "CVE-2020-NNNN":{"description":"A description that makes the package longer than the first piece.","releases":{"bookworm":{"status":"open","repositories":{}}}}
            """;
        var many = string.Join(',', Enumerable.Range(1, 2000).Select(n => one.Replace("NNNN", n.ToString("0000", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)));
        (await ImportAsync(world, "large.json", "{\"linux\":{" + many + "}}")).Understood.ShouldBe(2000);
    }

    [Theory]
    [InlineData("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8)]
    [InlineData("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0)]
    [InlineData("CVSS:3.0/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N", 2.2)]
    [InlineData("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.1)]
    [InlineData("CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 5.4)]
    [InlineData("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0)]
    [InlineData("CVSS:3.1/AV:N/AC:L", null)]
    [InlineData("AV:N/AC:L/Au:N/C:P/I:P/A:P", null)]
    public void Scores_follow_from_vectors(string vector, double? score) => CvssScore.Of(vector).ShouldBe(score);

    private async Task<KnowledgeReport> ImportAsync(DefenderWorld world, string name, string text, bool gzip = false)
    {
        var path = Path.Combine(_folder, name);
        await using (var file = File.Create(path))
        {
            await using var content = gzip ? new GZipStream(file, CompressionLevel.Fastest) : (Stream)file;
            await content.WriteAsync(Encoding.UTF8.GetBytes(text));
        }

        return await world.Get<KnowledgeImporter>().ImportAsync(path, null, default);
    }
}
