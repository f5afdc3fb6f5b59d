using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Vedette.Server.Http;
using Vedette.Server.OpenApi;
using Vedette.Server.Tests.Endpoint;

namespace Vedette.Server.Tests.OpenApi;

public sealed class SurfaceDescriptionTests
{
    [Fact]
    public async Task The_document_is_valid_and_holds_every_answered_call()
    {
        await using var host = await EndpointHost.StartAsync();
        foreach (var surface in host.Services.GetServices<ApiSurface>())
        {
            var text = await SurfaceDescription.Of(surface, "1.0").SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1);
            var read = OpenApiDocument.Parse(text, "json");
            read.Diagnostic!.Errors.ShouldBeEmpty(string.Join('\n', read.Diagnostic.Errors));
            read.Diagnostic.Warnings.ShouldBeEmpty(string.Join('\n', read.Diagnostic.Warnings));
            var described = read.Document!.Paths.SelectMany(path => path.Value.Operations!.Select(operation => $"{operation.Key.Method} {path.Key}"));
            described.Order().ShouldBe(surface.Handlers.Keys.Select(row => row.Key).Order());
            var ids = read.Document.Paths.SelectMany(path => path.Value.Operations!.Values.Select(operation => operation.OperationId)).ToArray();
            ids.ShouldBeUnique();
        }
    }

    [Fact]
    public async Task A_call_tells_its_permissions_options_and_answer()
    {
        await using var host = await EndpointHost.StartAsync();
        var surface = host.Services.GetServices<ApiSurface>().Single(s => s.Name == "Endpoint");
        var document = JsonNode.Parse(await SurfaceDescription.Of(surface, "1.0").SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1))!;
        var list = document["paths"]!["/api/alerts"]!["get"]!;
        list["x-application-permissions"]!.ToJsonString().ShouldBe("""[["Alert.Read.All","Alert.ReadWrite.All"]]""");
        list["parameters"]!.AsArray().Select(parameter => (string)parameter!["name"]!).ShouldContain("$filter");
        ((string)list["responses"]!["200"]!["content"]!["application/json"]!["schema"]!["properties"]!["value"]!["items"]!["$ref"]!).ShouldBe("#/components/schemas/Alert");
        document["components"]!["schemas"]!["Alert"]!["properties"]!["severity"]!["enum"]!.AsArray().Select(value => (string?)value).ShouldContain("High");
        var isolate = document["paths"]!["/api/machines/{id}/isolate"]!["post"]!;
        isolate["requestBody"]!["content"]!["application/json"]!["schema"]!["properties"]!["Comment"].ShouldNotBeNull();
    }
}
