using System.Net;
using System.Net.Sockets;
using Npgsql;
using Vedette.Foundation.Postgres;
using Vedette.Telemetry.Hunting;
using Vedette.Testing;

namespace Vedette.Telemetry.Tests;

/// <summary>postgresql_request against a real server that speaks TLS.</summary>
public sealed class PostgresRequestTests(PostgresRequestTests.Server server) : IClassFixture<PostgresRequestTests.Server>
{
    [Theory]
    [InlineData("'select n, name from people order by n'", "", "n:int name:string / 1|a / 2|")]
    [InlineData("'select n, name from people order by n'", " : (n:int, name:string) | where n == 2", "n:int name:string / 2|")]
    [InlineData("'select n, name from people order by n'", " | where n > 1 | project k = n + 1", "k:long / 3")]
    [InlineData("'select 1::bigint as a, 2.5::float8 as b, true as c, 12.34::numeric as d'", "", "a:long b:real c:bool d:decimal / 1|2.5|True|12.34")]
    [InlineData("'select timestamptz ''2026-01-02 03:04:05+01'' as t, date ''2026-01-02'' as d, interval ''1 day 2 hours'' as i'", "", "t:datetime d:datetime i:timespan / 2026-01-02T02:04:05|2026-01-02T00:00:00|1.02:00:00")]
    [InlineData("'select ''{\"a\": 1}''::jsonb as j, array[1,2] as l, ''0a0b0c0d-0000-0000-0000-000000000000''::uuid as g, null::text as n'", "", "j:dynamic l:dynamic g:guid n:string / {\"a\":1}|[1,2]|0a0b0c0d-0000-0000-0000-000000000000|")]
    [InlineData("'select @n + 1 as n, @s::text as s, @t::timestamp as t, @b as b', dynamic({'n':4,'s':'x','t':'2026-01-02','b':{'k':1}})", "", "n:long s:string t:datetime b:dynamic / 5|x|2026-01-02T00:00:00|{\"k\":1}")]
    [InlineData("'select 1 as a; select 2 as b'", "", "a:int / 1")]
    public async Task Rows_come_with_their_types(string arguments, string rest, string expected) =>
        (await ExternalQueries.RunAsync($"evaluate postgresql_request('{server.Connection()}', {arguments.Replace("''", "\\'")}){rest}", Options(), "sql.test")).Print().ShouldBe(expected);

    [Theory]
    [InlineData("", "'select nothing from nowhere'", "", "postgresql_request: 'db.sql.test' answered 42P01: relation \"nowhere\" does not exist")]
    [InlineData("", "'select 1 as a'", " : (a:long)", "postgresql_request: the columns that came are (a:int), not (a:long) as declared.")]
    [InlineData("", "'set local x.y = 1'", "", "postgresql_request: the statement gave no rows.")]
    [InlineData("", "'select 1 as a, 2 as a'", "", "postgresql_request: two columns are named 'a'.")]
    [InlineData("", "'select pg_sleep(20)::text as x'", "", "postgresql_request: 'db.sql.test' took longer than 2 seconds.")]
    [InlineData(";SSL Mode=Disable", "'select 1'", "", "postgresql_request: the connection is always encrypted: leave SSL Mode out, or set it to VerifyFull.")]
    [InlineData(";Root Certificate=/etc/passwd", "'select 1'", "", "postgresql_request: the connection string must not hold 'rootcertificate'.")]
    [InlineData(";Passfile=/etc/passwd", "'select 1'", "", "postgresql_request: the connection string must not hold 'passfile'.")]
    [InlineData(";Host=/var/run", "'select 1'", "", "postgresql_request: the connection string needs a Host, a name or an address.")]
    [InlineData(";Host=db.sql.test,db.sql.test", "'select 1'", "", "postgresql_request: the connection string needs a Host, a name or an address.")]
    [InlineData(";Host=inner.sql.test", "'select 1'", "", "postgresql_request: 'inner.sql.test' leads to the private address 10.1.2.3, which the list of hosts does not name.")]
    [InlineData(";Port=1", "'select 1'", "", "postgresql_request: The host 'db.sql.test:1' is not on the list of hosts that may be read.")]
    [InlineData(";Password=wrong", "'select 1'", "", "postgresql_request: 'db.sql.test' answered 28P01: ")]
    public async Task What_goes_wrong_says_why(string connection, string statement, string schema, string message) =>
        (await ExternalQueries.FailAsync($"evaluate postgresql_request('{server.Connection()}{connection}', {statement}){schema}", Options() with { Timeout = TimeSpan.FromSeconds(2) }, "sql.test"))
            .ShouldStartWith(message);

    [Fact]
    public async Task A_server_whose_certificate_is_not_trusted_is_not_spoken_to() =>
        (await ExternalQueries.FailAsync($"evaluate postgresql_request('{server.Connection()}', 'select 1')", Options(), "other.test")).ShouldStartWith("postgresql_request: 'db.sql.test' cannot be read: ");

    private ExternalDataOptions Options() => ExternalQueries.Allow($"db.sql.test:{server.Port}", $"inner.sql.test:{server.Port}");

    /// <summary>A server with a table and a user of its own.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("vedette-test-").FullName;
        private readonly TestCertificate _certificate = new("sql.test");
        private EmbeddedPostgres? _engine;

        public int Port { get; private set; }

        public string Connection() => $"Host=db.sql.test;Port={Port};Database=postgres;User Id=reader;Password=reader";

        public async Task InitializeAsync()
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }

            _engine = await EmbeddedPostgres.StartAsync(new PostgresOptions { DataFolder = _folder, Durable = false, TcpPort = Port });
            await using var source = NpgsqlDataSource.Create($"{_engine.ConnectionString};Port={Port}");
            // The server's own user writes the files: it reads no key that others could read as well.
            foreach (var (name, text) in new[] { ("test.crt", _certificate.Certificate.ExportCertificatePem()), ("test.key", _certificate.Key) })
                await RunAsync(source, $"copy (select unnest(string_to_array($${text.Trim()}$$, chr(10)))) to program 'umask 077; cat > {name}'");
            await RunAsync(source, "alter system set ssl_cert_file = 'test.crt'");
            await RunAsync(source, "alter system set ssl_key_file = 'test.key'");
            await RunAsync(source, "alter system set ssl = on");
            await RunAsync(source, "select pg_reload_conf()");
            await RunAsync(source, "create role reader login password 'reader'");
            await RunAsync(source, "create table people (n int, name text)");
            await RunAsync(source, "insert into people values (1, 'a'), (2, null)");
            await RunAsync(source, "grant select on people to reader");
        }

        public async Task DisposeAsync()
        {
            if (_engine is not null) await _engine.DisposeAsync();
            _certificate.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private static async Task RunAsync(NpgsqlDataSource source, string statement)
        {
            await using var command = source.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }
}
