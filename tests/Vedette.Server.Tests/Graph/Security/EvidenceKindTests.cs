using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Defender.Alerts.Evidence;
using Vedette.Defender.State;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.Graph.Security;

/// <summary>Every kind of evidence goes through the store and comes out as Graph's type, full and empty.</summary>
public sealed class EvidenceKindTests(SecurityFixture graph) : IClassFixture<SecurityFixture>
{
    [Fact]
    public void There_are_forty_eight_kinds_and_each_has_a_type()
    {
        EvidenceKinds.All.Count().ShouldBe(48);
        Enum.GetValues<EvidenceKind>().ShouldBe(EvidenceKinds.All.Select(type => type.Kind!.Value), ignoreOrder: true);
    }

    [Fact]
    public async Task Every_kind_keeps_all_it_is_given()
    {
        var (_, alerts) = await graph.IncidentAsync(alert: a => a.MachineId = null);
        var kinds = Enum.GetValues<EvidenceKind>();
        foreach (var kind in kinds)
        {
            var details = Full(EvidenceKinds.Of(kind), 3);
            foreach (var property in EvidenceKinds.Base.Where(p => p.Name != "createdDateTime")) details[property.Name] = Sample(property, 3);
            await graph.Host.SeedAsync(Seed.Evidence(alerts[0], kind, e => e.Details = details.ToJsonString()));
        }

        foreach (var root in new[] { "/v1.0", "/beta" })
        {
            var answer = await graph.GetAsync($"{root}/security/alerts_v2/{alerts[0].Id}", "SecurityAlert.Read.All", ("Prefer", "include-unknown-enum-members"));
            answer.Status.ShouldBe(200, answer.Body);
            var evidence = answer.Json.GetProperty("evidence").EnumerateArray().ToArray();
            evidence.Length.ShouldBe(kinds.Length);
            foreach (var (kind, item) in kinds.Zip(evidence))
            {
                var type = EvidenceKinds.Of(kind);
                item.GetProperty("@odata.type").GetString().ShouldBe("#microsoft.graph.security." + type.Name);
                ShouldHold(type, Full(type, 3), item, kind.ToString());
                item.GetProperty("tags")[0].GetString().ShouldBe("text");
                item.GetProperty("verdict").GetString().ShouldBe(EvidenceKinds.Base.Single(p => p.Name == "verdict").Members![0]);
            }
        }
    }

    [Fact]
    public async Task Every_kind_without_anything_has_all_properties_all_the_same()
    {
        var (_, alerts) = await graph.IncidentAsync(alert: a => a.MachineId = null);
        var kinds = Enum.GetValues<EvidenceKind>();
        foreach (var kind in kinds) await graph.Host.SeedAsync(Seed.Evidence(alerts[0], kind, e => e.DetectionStatus = null));
        var evidence = (await graph.GetAsync($"/v1.0/security/alerts_v2/{alerts[0].Id}", "SecurityAlert.Read.All")).Json.GetProperty("evidence").EnumerateArray().ToArray();
        foreach (var (kind, item) in kinds.Zip(evidence))
        {
            var type = EvidenceKinds.Of(kind);
            item.EnumerateObject().Select(property => property.Name)
                .ShouldBe(["@odata.type", .. EvidenceKinds.Base.Select(property => property.Name), .. type.Properties.Select(property => property.Name)], kind.ToString());
            foreach (var property in type.Properties)
            {
                var value = item.GetProperty(property.Name).ValueKind;
                if (property.IsList) value.ShouldBe(JsonValueKind.Array, $"{kind}.{property.Name}");
                else if (property.NotNull) value.ShouldNotBe(JsonValueKind.Null, $"{kind}.{property.Name}");
                else value.ShouldBe(JsonValueKind.Null, $"{kind}.{property.Name}");
            }
        }
    }

    [Fact]
    public void Details_refuse_names_that_a_kind_does_not_have()
    {
        EvidenceKinds.Details(EvidenceKind.Url, ("url", "https://x.example"), ("verdict", "malicious")).ShouldBe("""{"url":"https://x.example","verdict":"malicious"}""");
        EvidenceKinds.Details(EvidenceKind.Url, ("url", null), ("tags", new JsonArray())).ShouldBeNull();
        Should.Throw<ArgumentException>(() => EvidenceKinds.Details(EvidenceKind.Url, ("color", "red")));
    }

    private static JsonObject Full(EvidenceType type, int depth)
    {
        var value = new JsonObject();
        foreach (var property in type.Properties)
            if (Sample(property, depth) is { } sample) value[property.Name] = sample;
        return value;
    }

    private static JsonNode? Sample(EvidenceProperty property, int depth)
    {
        JsonNode? one = property switch
        {
            { Members: { } members } => members[0],
            { Type: "String" } => "text",
            { Type: "Guid" } => "6f9619ff-8b86-d011-b42d-00c04fc964ff",
            { Type: "DateTimeOffset" } => "2026-11-01T08:00:00Z",
            { Type: "Int32" or "Int64" } => 7,
            { Type: "Double" } => 1.5,
            { Type: "Boolean" } => true,
            { Type: "dictionary" } => new JsonObject { ["app"] = "web" },
            { Type: EvidenceKinds.Any } => new JsonObject { ["@odata.type"] = "#microsoft.graph.security.azureResourceEvidence", ["resourceId"] = "/subscriptions/x" },
            _ when depth == 0 => null,
            _ => Full(EvidenceKinds.Find(property.Type)!, depth - 1),
        };
        return property.IsList && one is not null ? new JsonArray(one) : one;
    }

    private static void ShouldHold(EvidenceType type, JsonObject given, JsonElement item, string where)
    {
        foreach (var property in type.Properties.Where(p => given.ContainsKey(p.Name)))
        {
            var value = item.GetProperty(property.Name);
            var at = $"{where}.{property.Name}";
            if (property.IsList)
            {
                value.GetArrayLength().ShouldBe(1, at);
                value = value[0];
            }

            var expected = property.IsList ? given[property.Name]![0]! : given[property.Name]!;
            if (property.Type == EvidenceKinds.Any) value.GetProperty("resourceId").GetString().ShouldBe("/subscriptions/x", at);
            else if (EvidenceKinds.Find(property.Type) is { } inner) ShouldHold(inner, expected.AsObject(), value, at);
            else JsonNode.DeepEquals(JsonNode.Parse(value.GetRawText()), expected).ShouldBeTrue($"{at}: {value} instead of {expected}");
        }
    }
}
