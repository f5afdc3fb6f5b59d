using System.Text;
using System.Text.Json.Nodes;
using Vedette.Foundation.Storage;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>infer_storage_schema and its sibling against a storage emulator.</summary>
public sealed class StorageSchemaTests(StorageSchemaTests.Store store) : IClassFixture<StorageSchemaTests.Store>
{
    private const string Host = StorageEmulator.Account + ".blob.test";

    [Theory]
    [InlineData("'DataFormat':'json', 'FileExtension':'.json', 'FileNamePrefix':'js-'", "source:string, created_at:datetime, author_id:long, time_millisec:long, ratio:real, tags:dynamic, ok:bool")]
    [InlineData("'DataFormat':'csv', 'FileExtension':'.csv'", "Column1:string, Column2:string, Column3:string, Column4:string")]
    [InlineData("'DataFormat':'csv', 'FileExtension':'.csv', 'InferenceOptions':{'UseFirstRowAsHeader':true}", "id:long, when:datetime, ['a b']:real, span:timespan")]
    [InlineData("'DataFormat':'csv', 'FileExtension':'.csv', 'Mode':'any', 'InferenceOptions':{'UseFirstRowAsHeader':true}", "id:long, when:string")]
    [InlineData("'DataFormat':'csv', 'FileExtension':'.csv', 'Mode':'all', 'InferenceOptions':{'UseFirstRowAsHeader':true}", "id:long, when:string, ['a b']:real, span:timespan")]
    [InlineData("'DataFormat':'parquet', 'FileExtension':'.parquet'", "id:long, ['na me']:string, at:datetime, ratio:real, ok:bool, bag:dynamic, cost:decimal")]
    public async Task Columns_are_inferred(string options, string schema) =>
        (await RunAsync($"let o = dynamic({{'StorageContainers':[{Container()}], {options}}}); evaluate infer_storage_schema(o)")).Print().ShouldBe("CslSchema:string / " + schema);

    [Fact]
    public async Task Better_types_are_suggested()
    {
        var result = await RunAsync($"evaluate infer_storage_schema_with_suggestions(dynamic({{'StorageContainers':[{Container()}], 'FileExtension':'.json', 'DataFormat':'json'}}))");
        result.Columns.ShouldHaveSingleItem().Name.ShouldBe("SuggestedTableSchema");
        var columns = JsonNode.Parse((string)result.Rows[0][0]!)!["Columns"]!.AsArray();
        columns[2]!.ToJsonString().ShouldBe(
            """{"OriginalColumn":{"Name":"author_id","CslType":{"type":"long","IsNumeric":true,"IsSummable":true}},"RecommendedColumn":{"Name":"author_id","CslType":{"type":"string","IsNumeric":false,"IsSummable":false}},"ApplicableTransformationMapping":"None"}""");
        columns.Select(c => $"{c!["RecommendedColumn"]!["CslType"]!["type"]} {c["ApplicableTransformationMapping"]}").Take(4)
            .ShouldBe(["string None", "datetime None", "string None", "datetime DateTimeFromUnixMilliseconds"]);
    }

    [Theory]
    [InlineData("'DataFormat':'sstream'", "infer_storage_schema: the format 'sstream' cannot be read; use one of ")]
    [InlineData("'DataFormat':'csv', 'Mode':'first'", "infer_storage_schema: the Mode 'first' is none of any, last, all.")]
    [InlineData("'DataFormat':'csv', 'FileNamePrefix':'none'", "infer_storage_schema: no file was found.")]
    public async Task Options_that_mean_nothing_are_refused(string options, string message) =>
        (await FailAsync($"evaluate infer_storage_schema(dynamic({{'StorageContainers':[{Container()}], {options}}}))")).ShouldStartWith(message);

    [Theory]
    [InlineData("https://" + Host + ":{0}/events;bm9uc2Vuc2U=", "infer_storage_schema: '" + Host + "' answered 403.")]
    [InlineData("https://" + Host + ":{0}/events;impersonate", "infer_storage_schema: 'impersonate' is not understood: give an account key, a token or a shared access signature.")]
    [InlineData("https://other.test:{0}/events;bm9uc2Vuc2U=", "infer_storage_schema: The host 'other.test:{0}' is not on the list of hosts that may be read.")]
    [InlineData("abfss://x@y/z", "infer_storage_schema: a storage container needs an https address.")]
    public async Task Containers_that_must_not_be_read_are_not(string container, string message) =>
        (await FailAsync($"evaluate infer_storage_schema(dynamic({{'StorageContainers':['{string.Format(container, store.Port)}'], 'DataFormat':'csv'}}))")).ShouldBe(string.Format(message, store.Port));

    private string Container() => $"'https://{Host}:{store.Port}/events/in;{StorageEmulator.Key}'";

    private Task<Vedette.Telemetry.Hunting.HuntingResult> RunAsync(string query) => ExternalQueries.RunAsync(query, ExternalQueries.Allow($"{Host}:{store.Port}"), "blob.test");

    private Task<string> FailAsync(string query) => ExternalQueries.FailAsync(query, ExternalQueries.Allow($"{Host}:{store.Port}"), "blob.test");

    /// <summary>A storage account with a few files.</summary>
    public sealed class Store : IAsyncLifetime
    {
        private readonly TestCertificate _certificate = new("blob.test");
        private StorageEmulator? _emulator;

        public int Port => _emulator!.Port;

        public async Task InitializeAsync()
        {
            _emulator = await StorageEmulator.StartAsync(_certificate);
            using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true };
            using var client = new HttpClient(handler);
            var account = StorageAccount.Parse(_emulator.ConnectionString);
            await PutAsync(client, account, "events", [("restype", "container")], [], (byte[]?)null);
            await PutAsync(client, account, "events/in/a.csv", [], Block, "id,when\n1,never\n");
            await PutAsync(client, account, "events/in/js-1.json", [], Block,
                """
                {"source":"DataExplorer","created_at":"2022-04-10 15:47:57","author_id":739144091473215488,"time_millisec":1547083647000,"ratio":1}
                {"source":"x","ratio":0.5,"tags":["a"],"ok":true}
                """);
            await PutAsync(client, account, "events/in/other.txt", [], Block, "text");
            await PutAsync(client, account, "events/in/c.parquet", [], Block, ExternalDataTests.Parquet);
            // The emulator tells times by the second; the last file must be the last.
            await Task.Delay(1100);
            await PutAsync(client, account, "events/in/b.csv", [], Block, "id,when,a b,span\n1,2026-01-02T03:04:05Z,1.5,00:01:00\n2,2026-01-02,2,1.00:00:00.5\n");
        }

        public Task DisposeAsync()
        {
            _emulator?.Dispose();
            _certificate.Dispose();
            return Task.CompletedTask;
        }

        private static readonly (string, string)[] Block = [("x-ms-blob-type", "BlockBlob")];

        private static Task PutAsync(HttpClient client, StorageAccount account, string path, (string, string)[] query, (string, string)[] headers, string? text) =>
            PutAsync(client, account, path, query, headers, text is null ? null : Encoding.UTF8.GetBytes(text));

        private static async Task PutAsync(HttpClient client, StorageAccount account, string path, (string, string)[] query, (string, string)[] headers, byte[]? bytes)
        {
            ReadOnlyMemory<byte>? body = bytes is null ? null : bytes;
            using var request = account.Request(HttpMethod.Put, path, query, headers, body, onlyNew: false, DateTime.UtcNow);
            using var response = await client.SendAsync(request);
            response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        }
    }
}
