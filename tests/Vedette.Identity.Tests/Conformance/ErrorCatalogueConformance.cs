using System.Text.Json;
using Vedette.Identity.Protocol;
using Vedette.Identity.Resources;

namespace Vedette.Identity.Tests.Conformance;

[Trait("Category", "Conformance")]
public sealed class ErrorCatalogueConformance
{
    [Fact]
    public void Every_error_has_the_word_the_status_and_the_text_of_the_contract()
    {
        using var contract = Read("spec/identity/entra_errors.json");
        var numbers = new HashSet<int>();
        foreach (var entry in contract.RootElement.EnumerateArray())
        {
            var number = entry.GetProperty("aadsts").GetInt32();
            numbers.Add(number);
            ErrorCatalogue.Numbers.ShouldContain(number);
            var error = ErrorCatalogue.Create(number);
            error.Error.ShouldBe(entry.GetProperty("error").GetString(), $"AADSTS{number}");
            error.Status.ShouldBe(entry.GetProperty("http").GetInt32(), $"AADSTS{number}");
            error.HasErrorUri.ShouldBe(entry.TryGetProperty("error_uri", out var uri) && uri.GetBoolean(), $"AADSTS{number}");
            error.Suberror.ShouldBe(entry.TryGetProperty("suberror", out var suberror) ? suberror.GetString() : null, $"AADSTS{number}");
            if (entry.TryGetProperty("text", out var text)) error.Text.ShouldStartWith(text.GetString()!.Replace("<t>", "{0}", StringComparison.Ordinal).Replace("<name>", "{0}", StringComparison.Ordinal));
        }

        // Two more that public client libraries name, for pages that redeem codes across origins.
        ErrorCatalogue.Numbers.Except(numbers).Order().ShouldBe([9002326, 9002327]);
        ErrorCatalogue.CreateVariant(90002, "metadata").Error.ShouldBe("invalid_tenant");
        ErrorCatalogue.CreateVariant(900561, "token").Status.ShouldBe(405);
    }

    [Theory]
    [InlineData("spec/endpoint/endpoints.json", "fc780465-2017-40d4-a0c5-307022471b92,8ee8fdad-f234-4243-8f3b-15c294843740")]
    [InlineData("spec/xdr-graph/xdr_endpoints.json", "8ee8fdad-f234-4243-8f3b-15c294843740")]
    [InlineData("spec/xdr-graph/graph_endpoints.json", "00000003-0000-0000-c000-000000000000")]
    public void Every_application_permission_that_an_endpoint_names_can_be_granted(string file, string resources)
    {
        using var contract = Read(file);
        var offered = resources.Split(',').Select(Guid.Parse)
            .SelectMany(id => ResourceCatalogue.Default.TryGet(id, out var resource) ? resource.AppRoles : []).Select(role => role.Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var missing = contract.RootElement.EnumerateArray()
            .Where(endpoint => endpoint.TryGetProperty("permissions", out var permissions) && permissions.ValueKind == JsonValueKind.Object)
            .SelectMany(endpoint => Names(endpoint.GetProperty("permissions")))
            .Where(name => !offered.Contains(name)).Distinct().ToArray();
        missing.ShouldBeEmpty();
    }

    private static IEnumerable<string> Names(JsonElement permissions) =>
        permissions.TryGetProperty("application", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!).Where(name => !name.Contains(' ', StringComparison.Ordinal))
            : [];

    private static JsonDocument Read(string file)
    {
        var folder = Environment.GetEnvironmentVariable("VEDETTE_CONFORMANCE")
            ?? throw new InvalidOperationException("Set VEDETTE_CONFORMANCE to the folder that holds the shared specification.");
        return JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, file)));
    }
}
