using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Vedette.Telemetry.Hunting;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>cosmosdb_sql_request against a Cosmos DB server on this machine.</summary>
public sealed class CosmosRequestTests(CosmosRequestTests.Account account) : IClassFixture<CosmosRequestTests.Account>
{
    [Theory]
    [InlineData("'SELECT c.id, c.n, c.name FROM c WHERE c.n > 1 ORDER BY c.n'", "", "", "id:string n:long name:string / 2|2|b / 3|3|")]
    [InlineData("'SELECT c.id, c.bag, c.r, c[\"when\"], c.flag FROM c WHERE c.n = @n', dynamic({'@n':1})", "", "", "bag:dynamic flag:bool id:string r:real when:datetime / {\"k\":[1,2]}|True|1|0.5|2026-01-02T03:04:05")]
    [InlineData("'SELECT c.id, c.n FROM c'", " : (n:string, other:int)", "| sort by n asc", "n:string other:int / 1| / 2| / 3|")]
    [InlineData("'SELECT c.n FROM c'", "", "| where n >= 2 | summarize sum(n)", "sum_n:long / 5")]
    [InlineData("'SELECT c.n FROM c WHERE c.n = 77'", "", "", "")]
    public async Task Documents_become_rows(string arguments, string schema, string rest, string expected)
    {
        var result = (await RunAsync($"evaluate cosmosdb_sql_request('{Connection()}', {arguments}){schema} {rest}")).Print();
        // The columns of an open schema come as the documents have them.
        Sorted(result, schema + rest).ShouldBe(expected);
    }

    [Fact]
    public async Task Many_pages_come_whole() =>
        (await RunAsync($"evaluate cosmosdb_sql_request('{Connection("many")}', 'SELECT c.n FROM c') : (n:long) | summarize count(), sum(n)")).Print().ShouldBe("count_:long sum_n:long / 25|300");

    [Theory]
    [InlineData("AccountEndpoint=https://docs.test:{0}/;Database=db;Collection=none;AccountKey=" + DocumentServer.Key, "cosmosdb_sql_request: 'docs.test' answered 404")]
    [InlineData("AccountEndpoint=https://docs.test:{0}/;Database=db;Collection=few;AccountKey=bm9uc2Vuc2U=", "cosmosdb_sql_request: 'docs.test' answered 401: The input authorization token can't serve the request.")]
    [InlineData("AccountEndpoint=https://docs.test:{0}/;Database=db;Collection=few", "cosmosdb_sql_request: the connection string needs an AccountKey; armResourceId and access tokens are not understood.")]
    [InlineData("AccountEndpoint=https://docs.test:{0}/;Collection=few", "cosmosdb_sql_request: the connection string needs Database.")]
    [InlineData("AccountEndpoint=https://other.test:{0}/;Database=db;Collection=few;AccountKey=bm9uc2Vuc2U=", "cosmosdb_sql_request: The host 'other.test:{0}' is not on the list of hosts that may be read.")]
    [InlineData("AccountEndpoint=http://docs.test:{0}/;Database=db;Collection=few;AccountKey=bm9uc2Vuc2U=", "cosmosdb_sql_request: 'docs.test' is not an https address.")]
    public async Task What_cannot_be_asked_says_why(string connection, string message) =>
        (await ExternalQueries.FailAsync($"evaluate cosmosdb_sql_request('{string.Format(connection, account.Port)}', 'SELECT * FROM c')", Options(), "docs.test"))
            .ShouldStartWith(string.Format(message, account.Port));

    private static string Sorted(string text, string given)
    {
        var rows = text.Split(" / ").Select(row => row.Split(row.Contains(':') && row == text.Split(" / ")[0] ? ' ' : '|')).ToList();
        if (given.Length > 0 || rows[0].Length < 5) return text;
        var order = Enumerable.Range(0, rows[0].Length).OrderBy(i => rows[0][i], StringComparer.Ordinal).ToList();
        return string.Join(" / ", rows.Select((row, r) => string.Join(r == 0 ? ' ' : '|', order.Select(i => row[i]))));
    }

    private string Connection(string collection = "few") => $"AccountEndpoint=https://docs.test:{account.Port}/;Database=db;Collection={collection};AccountKey={DocumentServer.Key}";

    private ExternalDataOptions Options() => ExternalQueries.Allow($"docs.test:{account.Port}");

    private Task<HuntingResult> RunAsync(string query) => ExternalQueries.RunAsync(query, Options(), "docs.test");

    /// <summary>An account with two collections.</summary>
    public sealed class Account : IAsyncLifetime
    {
        private readonly TestCertificate _certificate = new("docs.test");
        private DocumentServer? _server;

        public int Port => _server!.Port;

        public async Task InitializeAsync()
        {
            _server = await DocumentServer.StartAsync(_certificate);
            using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true };
            using var client = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{Port}/") };
            await PostAsync(client, "dbs", "", """{"id":"db"}""");
            foreach (var collection in new[] { "few", "many" })
                await PostAsync(client, "colls", "dbs/db", $$"""{"id":"{{collection}}","partitionKey":{"paths":["/id"],"kind":"Hash" } }""");
            await PostAsync(client, "docs", "dbs/db/colls/few", """{"id":"1","n":1,"name":"a","r":0.5,"bag":{"k":[1,2]},"when":"2026-01-02T03:04:05Z","flag":true}""");
            await PostAsync(client, "docs", "dbs/db/colls/few", """{"id":"2","n":2,"name":"b"}""");
            await PostAsync(client, "docs", "dbs/db/colls/few", """{"id":"3","n":3}""");
            for (var i = 0; i < 25; i++) await PostAsync(client, "docs", "dbs/db/colls/many", $$"""{"id":"{{i}}","n":{{i}}}""");
        }

        public Task DisposeAsync()
        {
            _server?.Dispose();
            _certificate.Dispose();
            return Task.CompletedTask;
        }

        private static async Task PostAsync(HttpClient client, string type, string parent, string json)
        {
            var date = DateTime.UtcNow.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
            var hash = HMACSHA256.HashData(Convert.FromBase64String(DocumentServer.Key), Encoding.UTF8.GetBytes($"post\n{type}\n{parent}\n{date}\n\n"));
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{parent}/{type}".TrimStart('/')) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("Authorization", Uri.EscapeDataString($"type=master&ver=1.0&sig={Convert.ToBase64String(hash)}"));
            request.Headers.TryAddWithoutValidation("x-ms-date", date);
            using var response = await client.SendAsync(request);
            response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
        }
    }
}
