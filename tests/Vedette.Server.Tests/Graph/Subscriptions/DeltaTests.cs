using System.Text.Json;
using Vedette.Defender.State;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Subscriptions;

public sealed class DeltaTests(ChangesFixture changes) : IClassFixture<ChangesFixture>
{
    [Theory]
    [InlineData("alerts_v2")]
    [InlineData("incidents")]
    public async Task The_first_round_tells_everything_and_later_ones_what_changed(string collection)
    {
        var known = new List<Alert>();
        for (var count = 0; count < 5; count++) known.Add(await changes.AlertAsync());
        string Key(Alert alert) => collection == "incidents" ? $"{alert.IncidentId}" : alert.Id;
        var (all, link) = await RoundAsync($"/v1.0/security/{collection}/delta?$top=2");
        all.Select(item => item.GetProperty("id").GetString()!).ShouldBeUnique();
        known.Select(Key).Except(all.Select(item => item.GetProperty("id").GetString()!)).ShouldBeEmpty();
        all[0].TryGetProperty("severity", out _).ShouldBeTrue();
        link.ShouldContain("$deltatoken=");

        (var nothing, link) = await RoundAsync(link);
        nothing.ShouldBeEmpty();

        await ResolveAsync(known[1]);
        var added = await changes.AlertAsync();
        await changes.Host.ExecuteAsync($"DELETE FROM defender.alerts WHERE id = '{known[2].Id}'; DELETE FROM defender.incidents WHERE id = {known[2].IncidentId}");
        (var changed, link) = await RoundAsync(link);
        changed.Select(item => $"{item.GetProperty("id").GetString()} {(item.TryGetProperty("@removed", out var removed) ? removed.GetProperty("reason").GetString() : "")}").Order(StringComparer.Ordinal)
            .ShouldBe(new[] { $"{Key(known[1])} ", $"{Key(added)} ", $"{Key(known[2])} deleted" }.Order(StringComparer.Ordinal));
        changed.Single(item => item.GetProperty("id").GetString() == Key(known[1])).GetProperty("status").GetString().ShouldBe("resolved");
        (await RoundAsync(link)).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_changes_while_a_round_is_read_comes_with_the_next()
    {
        var alerts = new[] { await changes.AlertAsync(), await changes.AlertAsync(), await changes.AlertAsync() };
        var first = await changes.SendAsync(HttpMethod.Get, "/v1.0/security/alerts_v2/delta", null, ChangesFixture.Readers, prefer: "odata.maxpagesize=1");
        first.Value.Count.ShouldBe(1);
        foreach (var alert in alerts) await ResolveAsync(alert);
        var (_, link) = await RoundAsync(first.Json.GetProperty("@odata.nextLink").GetString()!);
        (await RoundAsync(link)).Items.Select(item => item.GetProperty("id").GetString()).ShouldBe(alerts.Select(alert => alert.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_change_that_commits_late_is_not_missed()
    {
        var (early, late) = (await changes.AlertAsync(), await changes.AlertAsync());
        await using var state = changes.Host.Context();
        await using var transaction = await state.Database.BeginTransactionAsync();
        (await state.Alerts.FindAsync(late.TenantId, late.Id))!.AssignedTo = "late";
        await state.SaveChangesAsync();

        // A later transaction commits first; a round begins and ends before the earlier one does.
        await ResolveAsync(early, wait: false);
        var (_, link) = await RoundAsync("/v1.0/security/alerts_v2/delta");
        await transaction.CommitAsync();
        (var missed, link) = await RoundAsync(link);
        missed.ShouldHaveSingleItem().GetProperty("assignedTo").GetString().ShouldBe("late");
        (await RoundAsync(link)).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Options_go_on_with_the_links_and_what_a_filter_lets_go_is_told_as_removed()
    {
        var stays = await changes.AlertAsync(AlertSeverity.High, a => a.AssignedTo = "filter test");
        var goes = await changes.AlertAsync(AlertSeverity.High, a => a.AssignedTo = "filter test");
        var (first, link) = await RoundAsync("/beta/security/alerts_v2/microsoft.graph.delta()?$filter=assignedTo eq 'filter test' and status eq 'new'&$select=id,status");
        first.Select(item => item.GetProperty("id").GetString()).ShouldBe(new[] { stays.Id, goes.Id }.Order(StringComparer.Ordinal));
        first[0].EnumerateObject().Select(p => p.Name).ShouldBe(["id", "status"]);
        await ResolveAsync(goes);
        var round = (await RoundAsync(link)).Items.ShouldHaveSingleItem();
        round.GetRawText().ShouldBe($$$"""{"id":"{{{goes.Id}}}","@removed":{"reason":"changed"}}""");

        var expanded = await changes.GetAsync("/v1.0/security/incidents/delta()?$expand=alerts&$top=1");
        expanded.Value[0].GetProperty("alerts").ValueKind.ShouldBe(JsonValueKind.Array);
    }

    [Fact]
    public async Task A_round_can_begin_now_and_a_token_of_another_state_begins_anew()
    {
        var (nothing, link) = await RoundAsync("/v1.0/security/incidents/delta?$deltatoken=latest");
        nothing.ShouldBeEmpty();
        var alert = await changes.AlertAsync();
        (await RoundAsync(link)).Items.ShouldHaveSingleItem().GetProperty("id").GetString().ShouldBe($"{alert.IncidentId}");

        (await changes.GetAsync("/v1.0/security/incidents/delta?$deltatoken=nonsense")).ShouldFail(400, "BadRequest", "The specified page token value is invalid or has expired.");
        (await changes.GetAsync("/v1.0/security/incidents?$deltatoken=latest")).Status.ShouldBe(400);
        (await changes.GetAsync("/v1.0/security/incidents/delta", "SecurityAlert.Read.All")).Status.ShouldBe(403);
        await changes.Host.ExecuteAsync("SELECT nextval('changes.epoch')");
        var anew = await changes.GetAsync(link);
        anew.ShouldFail(410, "syncStateNotFound", "The sync state is no longer known. Start again without a token.");
        anew.Headers.Location!.ToString().ShouldEndWith("/v1.0/security/incidents/delta");
    }

    private async Task ResolveAsync(Alert alert, bool wait = true)
    {
        if (!wait)
        {
            await changes.Host.ExecuteAsync($"UPDATE defender.alerts SET status = 'Resolved' WHERE id = '{alert.Id}'");
            return;
        }

        var answer = await changes.SendAsync(HttpMethod.Patch, $"/v1.0/security/alerts_v2/{alert.Id}", new { status = "resolved" }, "SecurityAlert.ReadWrite.All");
        answer.Status.ShouldBe(200, answer.Body);
    }

    private async Task<(List<JsonElement> Items, string DeltaLink)> RoundAsync(string path)
    {
        var items = new List<JsonElement>();
        for (var pages = 0; pages < 1_000; pages++)
        {
            var page = await changes.GetAsync(path);
            page.Status.ShouldBe(200, page.Body);
            items.AddRange(page.Value);
            if (page.Json.TryGetProperty("@odata.deltaLink", out var delta))
            {
                page.Json.TryGetProperty("@odata.nextLink", out _).ShouldBeFalse();
                return (items, delta.GetString()!);
            }

            path = page.Json.GetProperty("@odata.nextLink").GetString()!;
        }

        throw new InvalidOperationException("The round does not end.");
    }
}
