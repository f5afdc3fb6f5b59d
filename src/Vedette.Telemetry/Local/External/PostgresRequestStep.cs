using System.Collections;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Vedette.Kql;
using Vedette.Telemetry.Hunting;
using Vedette.Telemetry.Local.Steps;

namespace Vedette.Telemetry.Local.External;

/// <summary>
/// postgresql_request: the first set of rows that a statement gives on a PostgreSQL server. The connection is encrypted and the server's certificate must be that
/// of the host that the query names.
/// </summary>
internal sealed class PostgresRequestStep(PluginCall call, ExternalSession session) : ExternalStep(call, session)
{
    private const int DefaultPort = 5432;

    // What a connection string may say. Everything else could name files of this machine, or weaken the connection.
    private static readonly Dictionary<string, string> Keywords = new(StringComparer.Ordinal)
    {
        ["host"] = "Host", ["server"] = "Host", ["port"] = "Port", ["database"] = "Database", ["db"] = "Database",
        ["username"] = "Username", ["userid"] = "Username", ["user"] = "Username", ["uid"] = "Username", ["password"] = "Password", ["pwd"] = "Password",
        ["sslmode"] = "SSL Mode", ["timeout"] = "Timeout", ["commandtimeout"] = "Command Timeout",
    };

    protected override async Task<LocalTable> FetchAsync(LocalTable input, CancellationToken cancellationToken)
    {
        var wanted = Wanted(Text(input, "connection_string"));
        var host = wanted.GetValueOrDefault("Host", "");
        var port = DefaultPort;
        if (host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown)
            throw Refused("the connection string needs a Host, a name or an address.");
        if (wanted.TryGetValue("Port", out var number) && !(int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536))
            throw Refused($"'{number}' is not a port.");
        using var deadline = new CancellationTokenSource(Session.Connector.Options.Timeout);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var addresses = await Session.Connector.ResolveAsync(Name, host, port, either.Token);
            await using var source = Source(wanted, host, await ReachableAsync(addresses, host, port, either.Token), port);
            await using var connection = await source.OpenConnectionAsync(either.Token);
            await using var command = new NpgsqlCommand(Text(input, "sql_query"), connection) { CommandTimeout = 0 };
            foreach (var (name, value) in Bag(input, "sql_parameters") ?? [])
                command.Parameters.Add(Parameter(name, value));
            await using var reader = await command.ExecuteReaderAsync(either.Token);
            return await ReadAsync(reader, either.Token);
        }
        catch (Exception error) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested && error is OperationCanceledException or NpgsqlException)
        {
            throw Session.Connector.TooLate(Name, host);
        }
        catch (PostgresException error)
        {
            throw Refused($"'{host}' answered {error.SqlState}: {error.MessageText}");
        }
        catch (NpgsqlException error)
        {
            throw Refused($"'{host}' cannot be read: {error.GetBaseException().Message}");
        }
    }

    protected override LocalTable Shape(LocalTable fetched)
    {
        if (Call.IsOpen)
            return fetched;
        static string Schema(IEnumerable<(string Name, KqlType Type)> columns) => "(" + string.Join(", ", columns.Select(c => $"{c.Name}:{c.Type.Name()}")) + ")";
        var declared = Call.Columns.Select(c => (c.Name, c.Type)).ToList();
        var came = fetched.Columns.Select(c => (c.Name, c.Type)).ToList();
        return declared.SequenceEqual(came) ? fetched : throw Refused($"the columns that came are {Schema(came)}, not {Schema(declared)} as declared.");
    }

    private Dictionary<string, string> Wanted(string text)
    {
        var wanted = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in Connection(text))
        {
            if (!Keywords.TryGetValue(key, out var keyword))
                throw Refused($"the connection string must not hold '{key}'.");
            wanted[keyword] = value;
        }

        return !wanted.TryGetValue("SSL Mode", out var mode) || mode.ToLowerInvariant() is "require" or "verifyca" or "verify-ca" or "verifyfull" or "verify-full"
            ? wanted
            : throw Refused("the connection is always encrypted: leave SSL Mode out, or set it to VerifyFull.");
    }

    // The address was looked up and judged here: the client connects to it and to no other.
    private NpgsqlDataSource Source(Dictionary<string, string> wanted, string host, IPAddress address, int port)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = address.ToString(),
            Port = port,
            Database = wanted.GetValueOrDefault("Database") is { Length: > 0 } database ? database : "postgres",
            Username = wanted.GetValueOrDefault("Username", ""),
            Password = wanted.GetValueOrDefault("Password", ""),
            SslMode = SslMode.Require,
            Timeout = (int)Math.Clamp(Session.Connector.Options.Timeout.TotalSeconds, 1, 600),
            Pooling = false,
            Enlist = false,
            ApplicationName = "Vedette",
            Timezone = "UTC",
            IncludeErrorDetail = false,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UseSslClientAuthenticationOptionsCallback(options =>
        {
            // The certificate is held against the name that the query gave, not against the address.
            options.TargetHost = host;
            options.RemoteCertificateValidationCallback = Session.Connector.Certificates ?? ((_, _, _, errors) => errors == SslPolicyErrors.None);
        });
        return builder.Build();
    }

    private async Task<IPAddress> ReachableAsync(IPAddress[] addresses, string host, int port, CancellationToken cancellationToken)
    {
        foreach (var address in addresses)
        {
            try
            {
                using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(address, port, cancellationToken);
                return address;
            }
            catch (SocketException error) when (address.Equals(addresses[^1]))
            {
                throw Refused($"'{host}' cannot be read: {error.Message}");
            }
            catch (SocketException)
            {
                // The next address may answer.
            }
        }

        throw Refused($"'{host}' has no address.");
    }

    private NpgsqlParameter Parameter(string name, JsonNode? value)
    {
        var parameter = new NpgsqlParameter { ParameterName = name.TrimStart('@') };
        switch (value?.GetValueKind())
        {
            case null or JsonValueKind.Null:
                parameter.Value = DBNull.Value;
                parameter.NpgsqlDbType = NpgsqlDbType.Unknown;
                break;
            case JsonValueKind.True or JsonValueKind.False:
                parameter.Value = value.GetValue<bool>();
                break;
            case JsonValueKind.Number:
                parameter.Value = value.AsValue().TryGetValue<long>(out var integer) ? integer : (object)LocalJson.Real(value);
                break;
            case JsonValueKind.String:
                // The server decides what a text is: a time, an address, a name.
                parameter.Value = value.GetValue<string>();
                parameter.NpgsqlDbType = NpgsqlDbType.Unknown;
                break;
            default:
                parameter.Value = LocalJson.Write(value);
                parameter.NpgsqlDbType = NpgsqlDbType.Jsonb;
                break;
        }

        return parameter;
    }

    private async Task<LocalTable> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var columns = Enumerable.Range(0, reader.FieldCount).Select(i => new LocalColumn(reader.GetName(i), TypeOf(reader, i))).ToList();
        if (columns.Count == 0)
            throw Refused("the statement gave no rows.");
        if (columns.GroupBy(c => c.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Refused($"two columns are named '{twice.Key}'.");
        var rows = new List<object?[]>();
        var characters = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new object?[columns.Count];
            for (var i = 0; i < row.Length; i++)
            {
                row[i] = Value(reader, i, columns[i]);
                characters += row[i] is string text ? text.Length : 8;
            }

            rows.Add(row);
            if (rows.Count > LocalStage.MaxRows || characters > Session.Connector.Options.MaxCharacters)
                throw new HuntingException(HuntingFailure.ExcessiveResources, $"{Name} read more than {LocalStage.MaxRows} rows or {Session.Connector.Options.MaxCharacters} characters.");
        }

        return new LocalTable(columns, rows);
    }

    private static KqlType TypeOf(NpgsqlDataReader reader, int column)
    {
        if (reader.GetDataTypeName(column).Split('(')[0].TrimEnd() is "json" or "jsonb")
            return KqlType.Dynamic;
        var type = reader.GetFieldType(column);
        return type == typeof(bool) ? KqlType.Bool
            : type == typeof(short) || type == typeof(int) ? KqlType.Int
            : type == typeof(long) || type == typeof(uint) ? KqlType.Long
            : type == typeof(float) || type == typeof(double) ? KqlType.Real
            : type == typeof(decimal) ? KqlType.Decimal
            : type == typeof(Guid) ? KqlType.Guid
            : type == typeof(DateTime) || type == typeof(DateTimeOffset) || type == typeof(DateOnly) ? KqlType.DateTime
            : type == typeof(TimeSpan) || type == typeof(TimeOnly) ? KqlType.TimeSpan
            : typeof(Array).IsAssignableFrom(type) && type != typeof(byte[]) ? KqlType.Dynamic
            : KqlType.String;
    }

    private object? Value(NpgsqlDataReader reader, int column, LocalColumn shown)
    {
        try
        {
            var value = reader.GetValue(column);
            return shown.Type switch
            {
                _ when value is DBNull => LocalValues.To(null, KqlType.String, shown.Type),
                KqlType.Bool or KqlType.Decimal or KqlType.Guid => value,
                KqlType.Int => Convert.ToInt32(value, CultureInfo.InvariantCulture),
                KqlType.Long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
                KqlType.Real => Convert.ToDouble(value, CultureInfo.InvariantCulture),
                KqlType.DateTime => Time(value),
                KqlType.TimeSpan => value is TimeOnly time ? time.ToTimeSpan() : value,
                KqlType.Dynamic => value is Array array ? LocalJson.Write(Json(array)) : LocalJson.Write(LocalJson.Parse((string)value)),
                _ => PlainText(value),
            };
        }
        catch (Exception error) when (error is InvalidCastException or OverflowException or NotSupportedException)
        {
            throw Refused($"a value of the column '{shown.Name}' ({reader.GetDataTypeName(column)}) has no counterpart here: cast it to text.");
        }
    }

    private static DateTime Time(object value) => value switch
    {
        DateOnly date => date.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc),
        DateTimeOffset time => time.UtcDateTime,
        _ => DateTime.SpecifyKind((DateTime)value, DateTimeKind.Utc),
    };

    private static string PlainText(object value) => value switch
    {
        byte[] bytes => Convert.ToBase64String(bytes),
        BitArray bits => string.Concat(bits.Cast<bool>().Select(b => b ? '1' : '0')),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static JsonNode? Json(object? value) => value switch
    {
        null or DBNull => null,
        bool flag => JsonValue.Create(flag),
        short or int or long => JsonValue.Create(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        float or double => LocalJson.Number(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        decimal number => JsonValue.Create(number),
        DateTime or DateTimeOffset or DateOnly => JsonValue.Create(LocalValues.ToText(Time(value), KqlType.DateTime)),
        Array { Rank: 1 } array => new JsonArray([.. array.Cast<object?>().Select(Json)]),
        _ => JsonValue.Create(PlainText(value)),
    };
}
