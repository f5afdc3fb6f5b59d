using Microsoft.Extensions.DependencyInjection;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Ingest;
using Vedette.Telemetry.Schema;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

public sealed class HuntingFunctionTests : IAsyncLifetime
{
    private static readonly Guid Tenant = Guid.NewGuid();
    private static readonly DateTime Noon = new(2026, 11, 10, 12, 0, 0, DateTimeKind.Utc);
    private static readonly string Known = new('a', 40);
    private static readonly string Unsigned = new('b', 40);

    private ServiceProvider _services = null!;

    public async Task InitializeAsync()
    {
        var database = await TestEngine.NewDatabaseAsync();
        await new HuntingDatabase(TestEngine.Shared, database).EnsureAsync();
        _services = new ServiceCollection().AddSingleton(TestEngine.Shared).AddVedetteTelemetry(new TelemetryOptions { Database = database }).BuildServiceProvider();
        var rows = new List<HuntingRow>
        {
            Row("DeviceProcessEvents", ("DeviceId", "d1"), ("SHA1", Known), ("SHA256", new string('1', 64)), ("FileName", "tool.exe"), ("FileSize", 1234L),
                ("ProcessVersionInfoCompanyName", "Contoso"), ("ProcessVersionInfoProductName", "Tool")),
            Row("DeviceFileEvents", ("DeviceId", "d2"), ("SHA1", Known.ToUpperInvariant()), ("FileName", "tool.exe"), ("FileSize", 1234L), ("Timestamp", Noon.AddDays(1))),
            Row("DeviceFileEvents", ("DeviceId", "d2"), ("SHA1", Unsigned), ("FileName", "note.txt")),
            Row("DeviceFileCertificateInfo", ("SHA1", Known), ("Signer", "Contoso Ltd"), ("Issuer", "Contoso CA"), ("IsSigned", true), ("IsTrusted", true), ("IsRootSignerMicrosoft", false)),
            Row("DeviceNetworkInfo", ("DeviceId", "d1"), ("DeviceName", "PC1"), ("MacAddress", "01"), ("NetworkAdapterType", "Ethernet"),
                ("IPAddresses", "[{\"IPAddress\":\"10.0.0.5\",\"SubnetPrefix\":24},{\"IPAddress\":\"203.0.113.9\"}]"), ("ConnectedNetworks", "[]")),
            Row("DeviceNetworkInfo", ("DeviceId", "d1"), ("DeviceName", "PC1"), ("MacAddress", "01"), ("Timestamp", Noon.AddHours(-5)),
                ("IPAddresses", "[{\"IPAddress\":\"10.0.0.99\"}]")),
            Row("DeviceNetworkInfo", ("DeviceId", "d2"), ("MacAddress", "02"), ("Timestamp", Noon.AddHours(2)), ("IPAddresses", "[{\"IPAddress\":\"10.0.0.5\"}]")),
            Row("DeviceNetworkEvents", ("DeviceId", "d3"), ("RemoteIP", "10.0.0.5")),
            Row("DeviceNetworkEvents", ("DeviceId", "d4"), ("RemoteIP", "203.0.113.9")),
        };
        await _services.GetRequiredService<IHuntingStore>().AppendAsync(Tenant, rows, null, default);
        await _services.GetRequiredService<IHuntingStore>().AppendAsync(
            Guid.NewGuid(), [Row("DeviceProcessEvents", ("DeviceId", "elsewhere"), ("SHA1", Unsigned)), Row("DeviceNetworkEvents", ("DeviceId", "d9"), ("RemoteIP", "10.0.0.5"))], null, default);
    }

    public async Task DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public async Task FileProfile_tells_what_the_tenant_knows_of_a_file()
    {
        var result = await RunAsync(
            $"datatable(n:long, SHA1:string)[1,'{Known}', 2,'{Unsigned}', 3,'{new string('c', 40)}', 4,'not a hash', 5,''] | sort by n asc | invoke FileProfile() "
            + "| project n, SHA1, FileSize, GlobalPrevalence, GlobalFirstSeen, GlobalLastSeen, Signer, IsCertificateValid, SignatureState, IsExecutable, Publisher, SoftwareName, ProfileAvailability | sort by n asc");
        result.Rows.Count.ShouldBe(5);
        result.Rows[0].ShouldBe([1L, Known, 1234, 2, Noon, Noon.AddDays(1), "Contoso Ltd", true, "SignedValid", true, "Contoso", "Tool", "Available"]);
        result.Rows[1][3].ShouldBe(1);
        result.Rows[1][8].ShouldBe("Unknown");
        result.Rows[1][12].ShouldBe("Available");
        result.Rows[2][3].ShouldBeNull();
        result.Rows[2][12].ShouldBe("Missing");
        result.Rows[3][12].ShouldBe("");
        result.Rows[4][12].ShouldBe("");
    }

    [Fact]
    public async Task FileProfile_takes_a_column_by_name_or_text_and_a_number_of_rows()
    {
        foreach (var argument in new[] { "SHA256", "'SHA256'" })
        {
            var result = await RunAsync($"DeviceProcessEvents | invoke FileProfile({argument}, 1000) | project FileName, GlobalPrevalence, ProfileAvailability");
            result.Rows.ShouldHaveSingleItem().ShouldBe(["tool.exe", 1, "Available"]);
        }

        var some = await RunAsync("DeviceFileEvents | sort by SHA1 asc | invoke FileProfile(SHA1, 1) | summarize count() by ProfileAvailability | sort by ProfileAvailability asc");
        some.Rows.Select(r => (r[0], r[1])).ShouldBe([("", 1L), ("Available", 1L)]);
        (await RunAsync("range n from 1 to 1500 step 1 | extend SHA1 = '" + Known + "' | invoke FileProfile(SHA1, 5000) | where ProfileAvailability == 'Available' | count"))
            .Rows[0][0].ShouldBe(1000L);
    }

    [Fact]
    public async Task DeviceFromIP_gives_the_newest_holder_of_a_local_address_up_to_a_time()
    {
        (await RunAsync("datatable(IP:string)['10.0.0.5', '203.0.113.9', '10.9.9.9'] | invoke DeviceFromIP()")).Rows.ShouldHaveSingleItem().ShouldBe(["10.0.0.5", "d2"]);
        (await RunAsync("datatable(IP:string)['10.0.0.5'] | invoke DeviceFromIP(IP, datetime(2026-11-10 13:00))")).Rows.ShouldHaveSingleItem().ShouldBe(["10.0.0.5", "d1"]);
    }

    [Fact]
    public async Task AssignedIPAddresses_gives_the_newest_addresses_by_device_id_or_name()
    {
        foreach (var device in new[] { "d1", "pc1" })
        {
            var rows = (await RunAsync($"AssignedIPAddresses('{device}') | sort by IPAddress asc")).Rows;
            rows.Select(r => (r[0], r[1], r[2], r[3])).ShouldBe([(Noon, "10.0.0.5", "Private", "Ethernet"), (Noon, "203.0.113.9", "Public", "Ethernet")]);
        }

        (await RunAsync("AssignedIPAddresses('d1', datetime(2026-11-10 11:00)) | project IPAddress")).Rows.ShouldHaveSingleItem().ShouldBe(["10.0.0.99"]);
    }

    [Fact]
    public async Task SeenBy_gives_the_devices_that_talked_to_a_device_of_the_same_tenant()
    {
        (await RunAsync("DeviceNetworkInfo | where DeviceId == 'd1' | invoke SeenBy()")).Rows.ShouldHaveSingleItem().ShouldBe(["d3"]);
        (await RunAsync("DeviceNetworkInfo | take 1 | invoke SeenBy('d1')")).Rows.ShouldHaveSingleItem().ShouldBe(["d3"]);
    }

    private static HuntingRow Row(string table, params (string Column, object Value)[] values)
    {
        var row = HuntingRow.For(table);
        row["Timestamp"] = Noon;
        foreach (var (column, value) in values) row[column] = value;
        return row;
    }

    private Task<HuntingResult> RunAsync(string query) =>
        _services.GetRequiredService<IHuntingService>().RunAsync(new HuntingRequest(Tenant, query), default);
}
