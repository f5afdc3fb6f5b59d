using System.Buffers;
using Microsoft.EntityFrameworkCore;
using Vedette.Defender.State;
using Vedette.Server.Http;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Http;

/// <summary>Kept answers are never older than the request, whatever changes the rows and whoever else is writing.</summary>
public sealed class PageCacheTests : IAsyncLifetime
{
    private EndpointHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await EndpointHost.StartAsync(settings => settings.Quotas = QuotaMode.Off);
        await _host.SeedAsync(Seed.Machine(1), Seed.Machine(2), Seed.Alert(1), Seed.Alert(2));
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task A_change_is_seen_by_the_next_request_also_of_evidence_and_by_plain_SQL()
    {
        for (var round = 0; round < 3; round++) (await TitlesAsync()).ShouldBe(["Alert 2", "Alert 1"]);
        await _host.ExecuteAsync("UPDATE defender.alerts SET title = 'Renamed' WHERE title = 'Alert 1'");
        for (var round = 0; round < 3; round++) (await TitlesAsync()).ShouldBe(["Alert 2", "Renamed"]);
        var expanded = "/api/alerts?$top=5&$expand=evidence";
        for (var round = 0; round < 3; round++) (await _host.GetAsync(expanded, "Alert.Read.All")).Value[0].GetProperty("evidence").GetArrayLength().ShouldBe(0);
        await _host.SeedAsync(Seed.Evidence(Seed.Alert(2), EvidenceKind.Ip, e => e.IpAddress = "203.0.113.9"));
        (await _host.GetAsync(expanded, "Alert.Read.All")).Value[0].GetProperty("evidence").GetArrayLength().ShouldBe(1);
        await _host.ExecuteAsync("DELETE FROM defender.alerts WHERE title = 'Renamed'");
        (await TitlesAsync()).ShouldBe(["Alert 2"]);
    }

    [Fact]
    public async Task An_answer_made_while_somebody_was_writing_does_not_outlive_the_commit()
    {
        await using var state = _host.Context();
        await using var transaction = await state.Database.BeginTransactionAsync();
        await state.Database.ExecuteSqlAsync($"UPDATE defender.alerts SET title = 'Late' WHERE title = 'Alert 1'");
        for (var round = 0; round < 4; round++) (await TitlesAsync()).ShouldBe(["Alert 2", "Alert 1"]);
        await transaction.CommitAsync();
        (await TitlesAsync()).ShouldBe(["Alert 2", "Late"]);
    }

    [Fact]
    public async Task Answers_of_other_queries_hosts_and_versions_are_kept_apart()
    {
        for (var round = 0; round < 3; round++)
        {
            (await _host.GetAsync("/api/machines?$top=1", "Machine.Read.All")).Ids.Count.ShouldBe(1);
            (await _host.GetAsync("/api/machines?$filter=osPlatform eq 'Linux'", "Machine.Read.All")).Ids.ShouldBe([Seed.MachineId(1)]);
            (await _host.GetAsync("/api/v1.0/machines?$top=1", "Machine.Read.All")).Json.GetProperty("@odata.context").GetString().ShouldEndWith("/api/v1.0/$metadata#Machines");
            var kept = await _host.GetAsync("/api/machines", "Machine.Read.All");
            kept.Ids.Count.ShouldBe(2);
            kept.ContentType.ShouldBe("application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8");
            kept.Headers.GetValues("OData-Version").ShouldBe(["4.0"]);
        }
    }

    [Fact]
    public async Task Reading_and_writing_at_once_every_reader_sees_what_was_committed_before()
    {
        var written = 0;
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var n = 1; n <= 60; n++)
            {
                await _host.ExecuteAsync($"UPDATE defender.alerts SET incident_id = {1000 + n} WHERE title = 'Alert 1'");
                Volatile.Write(ref written, n);
            }

            await stop.CancelAsync();
        });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var before = Volatile.Read(ref written);
                var seen = (await _host.GetAsync("/api/alerts?$top=5", "Alert.Read.All")).Value[1].GetProperty("incidentId").GetInt64();
                if (before > 0) seen.ShouldBeGreaterThanOrEqualTo(1000 + before);
            }
        })));
        await writer;
    }

    [Fact]
    public void A_recording_is_whole_or_none()
    {
        var output = new ArrayBufferWriter<byte>();
        var small = new RecordingWriter(output, 4);
        small.Write("abc"u8);
        small.Record.ShouldBe("abc"u8.ToArray());
        small.Write("de"u8);
        small.Record.ShouldBeNull();
        output.WrittenSpan.ToArray().ShouldBe("abcde"u8.ToArray());
    }

    private async Task<IEnumerable<string?>> TitlesAsync() =>
        (await _host.GetAsync("/api/alerts?$top=5", "Alert.Read.All")).Value.Select(a => a.GetProperty("title").GetString()).ToArray();
}
