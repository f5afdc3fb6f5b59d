using Vedette.Kql;
using Vedette.Kql.Bound;
using Vedette.Telemetry.Hunting;

namespace Vedette.Telemetry.Sql;

/// <summary>
/// The hunting functions, answered from the tenant's own tables. Whatever they read goes through <see cref="Scan"/>, so the tenant, the
/// windows and the visible devices hold for them too.
/// </summary>
internal sealed partial class RelationWriter
{
    private const int MostProfiles = 1000;
    private const int UsualProfiles = 100;
    private const int MostDevices = 1000;
    private const string Private = "^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|169\\.254\\.|f[cd][0-9a-f]{2}:|fe80:)";

    /// <summary>A hunting function.</summary>
    /// <param name="node">The call.</param>
    /// <param name="write">Writes the rows that it is given.</param>
    /// <param name="outer">Columns of those rows that stay besides the function's own.</param>
    /// <param name="group">Those of them that part the rows: the function is asked for each group.</param>
    private Select TableFunction(TableFunctionRelation node, Func<BoundRelation, Select> write, IReadOnlyList<KqlColumn> outer, IReadOnlyList<int> group) => node.Function.Name switch
    {
        "FileProfile" => FileProfile(node, write, outer, group),
        "DeviceFromIP" when outer.Count > 0 => DeviceFromIp(node, write, outer),
        _ when outer.Count > 0 => throw ScalarWriter.Unsupported($"The function {node.Function.Name}() cannot be asked for each group of partition or mv-apply"),
        "DeviceFromIP" => DeviceFromIp(node),
        "AssignedIPAddresses" => AssignedIpAddresses(node),
        "SeenBy" => SeenBy(node),
        _ => throw ScalarWriter.Unsupported($"The function {node.Function.Name}() is not supported"),
    };

    /// <summary>
    /// What the tenant knows of a file: its hashes and size from the events it appears in, its prevalence as the number of devices that saw it,
    /// its signature from the certificate table.
    /// </summary>
    private Select FileProfile(TableFunctionRelation node, Func<BoundRelation, Select> write, IReadOnlyList<KqlColumn> outer, IReadOnlyList<int> group)
    {
        var most = Math.Clamp(Number(node.Arguments[1], UsualProfiles), 1, MostProfiles);
        var key = HashColumn(node);
        var input = Materialized(node.Input!, write, outer, out var columns);
        var rows = Numbered(input()).Wrap();
        var place = rows.Order[0].Id;
        if (group.Count > 0)
        {
            place = NewHidden();
            var within = string.Join(", ", group.Select(g => rows.Resolve(g).Text));
            rows.DefineAlways(place, new SqlValue($"row_number() OVER (PARTITION BY {within} ORDER BY {rows.OrderTerms()})", KqlType.Long, false));
            rows.HasWindow = true;
            rows = rows.Wrap();
        }

        var number = rows.Resolve(place).Text;
        var hash = $"lower({rows.Resolve(columns[key.Id]).Text})";
        var keyId = NewHidden();
        rows.DefineAlways(keyId, new SqlValue($"if({number} <= {Count(most)} AND match({hash}, '^([0-9a-f]{{40}}|[0-9a-f]{{64}})$'), {hash}, '')", KqlType.String, false));
        rows.Require(keyId);

        // The hashes to look for: the index on them keeps the search small.
        var wanted = input();
        var hashes = $"(SELECT DISTINCT arrayJoin([lower({Select.Name(columns[key.Id])}), upper({Select.Name(columns[key.Id])})]) FROM ({Text(wanted, columns[key.Id])}) "
            + $"LIMIT {Count(MostProfiles * 100)})";
        var profiles = Profiles(hashes, key.Name.EndsWith("SHA256", StringComparison.Ordinal) ? "SHA256" : "SHA1");
        var fresh = node.Columns.Where(c => !node.Input!.Columns.Any(i => i.Id == c.Id)).ToDictionary(c => c.Name, StringComparer.Ordinal);
        var found = new Dictionary<int, SqlValue>();
        var hidden = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, type) in ProfileColumns)
        {
            hidden[name] = NewHidden();
            found[hidden[name]] = new SqlValue(name, type, false);
        }

        var right = new Select(new TextSource(_ => profiles, found));
        foreach (var id in hidden.Values)
            right.Require(id);
        var join = new JoinSource("LEFT ANY JOIN", rows, right, $"{Select.Name(keyId)} = {Select.Name(hidden["hash"])}", false, true, _nextJoin++);
        var result = new Select(join) { Order = rows.Order, IsNumbered = rows.IsNumbered };
        foreach (var column in node.Input!.Columns.Concat(outer).DistinctBy(static c => c.Id))
            result.Define(column.Id, result.Resolve(columns[column.Id]));
        var known = $"({result.Resolve(hidden["hash"]).Text} != '')";
        var looked = $"({result.Resolve(keyId).Text} != '')";
        foreach (var (name, column) in fresh)
        {
            var value = name == "ProfileAvailability"
                ? new SqlValue($"multiIf({known}, 'Available', {looked}, 'Missing', '')", KqlType.String, false)
                : column.Type == KqlType.String
                    ? result.Resolve(hidden[name]) is var text ? new SqlValue($"ifNull({text.Text}, '')", KqlType.String, false) : text
                    : new SqlValue($"if({known}, toNullable({result.Resolve(hidden[name]).Text}), NULL)", column.Type, true);
            result.Define(column.Id, value);
        }

        return result.Wrap();
    }

    private static (string Name, KqlType Type)[] ProfileColumns { get; } =
    [
        ("hash", KqlType.String), ("SHA1", KqlType.String), ("SHA256", KqlType.String), ("MD5", KqlType.String), ("FileSize", KqlType.Int),
        ("GlobalPrevalence", KqlType.Int), ("GlobalFirstSeen", KqlType.DateTime), ("GlobalLastSeen", KqlType.DateTime), ("Signer", KqlType.String),
        ("Issuer", KqlType.String), ("SignerHash", KqlType.String), ("IsCertificateValid", KqlType.Bool), ("IsRootSignerMicrosoft", KqlType.Bool),
        ("SignatureState", KqlType.String), ("IsExecutable", KqlType.Bool), ("ThreatName", KqlType.String), ("Publisher", KqlType.String),
        ("SoftwareName", KqlType.String),
    ];

    private string Profiles(string hashes, string hash)
    {
        string[] names = ["SHA1", "SHA256", "MD5", "FileSize", "FileName", "DeviceId", "Timestamp"];
        var seen = new List<string>();
        foreach (var table in new[] { "DeviceProcessEvents", "DeviceFileEvents", "DeviceImageLoadEvents" })
        {
            var described = table == "DeviceProcessEvents";
            var scan = TableOf(table, out var column);
            scan.Where($"{column(hash)} IN {hashes}");
            seen.Add(scan.Assemble(
            [
                .. names.Select(n => $"{(n == "FileSize" ? $"toInt64(ifNull({column(n)}, 0))" : column(n))} AS e_{n}"),
                (described ? column("ProcessVersionInfoCompanyName") : "''") + " AS e_Publisher",
                (described ? column("ProcessVersionInfoProductName") : "''") + " AS e_SoftwareName",
            ], ordered: false));
        }

        var certificates = TableOf("DeviceFileCertificateInfo", out var certificate);
        var signatures = certificates.Assemble(
        [
            $"lower({certificate("SHA1")}) AS k",
            .. new[] { "Signer", "Issuer", "SignerHash", "IsSigned", "IsTrusted", "IsRootSignerMicrosoft" }.Select(n => $"{certificate(n)} AS e_{n}"),
            $"{certificate("Timestamp")} AS t",
        ], ordered: false);
        var evidence = TableOf("AlertEvidence", out var alert);
        evidence.Where($"{alert("ThreatFamily")} != ''");
        var threats = evidence.Assemble([$"lower({alert(hash)}) AS k", $"{alert("ThreatFamily")} AS f"], ordered: false);
        return $"""
            (SELECT p.hash AS hash, p.SHA1 AS SHA1, p.SHA256 AS SHA256, p.MD5 AS MD5, p.FileSize AS FileSize, p.GlobalPrevalence AS GlobalPrevalence,
            p.GlobalFirstSeen AS GlobalFirstSeen, p.GlobalLastSeen AS GlobalLastSeen, s.Signer AS Signer, s.Issuer AS Issuer, s.SignerHash AS SignerHash,
            s.trusted AS IsCertificateValid, s.microsoft AS IsRootSignerMicrosoft,
            multiIf(s.k = '', 'Unknown', NOT s.signed, 'Unsigned', s.trusted, 'SignedValid', 'SignedInvalid') AS SignatureState,
            p.IsExecutable AS IsExecutable, t.f AS ThreatName, p.Publisher AS Publisher, p.SoftwareName AS SoftwareName
            FROM (SELECT lower(e_{hash}) AS hash, lower(max(e_SHA1)) AS SHA1, lower(max(e_SHA256)) AS SHA256, lower(max(e_MD5)) AS MD5,
            toInt32(least(max(e_FileSize), 2147483647)) AS FileSize, toInt32(uniqExact(e_DeviceId)) AS GlobalPrevalence, min(e_Timestamp) AS GlobalFirstSeen,
            max(e_Timestamp) AS GlobalLastSeen, max(match(lower(e_FileName), '\\.(exe|dll|sys|scr|ocx|cpl)$')) = 1 AS IsExecutable,
            max(e_Publisher) AS Publisher, max(e_SoftwareName) AS SoftwareName
            FROM ({string.Join(" UNION ALL ", seen)}) GROUP BY hash HAVING hash != '') AS p
            LEFT ANY JOIN (SELECT k, argMax(e_Signer, t) AS Signer, argMax(e_Issuer, t) AS Issuer, argMax(e_SignerHash, t) AS SignerHash,
            ifNull(argMax(e_IsSigned, t), false) AS signed, ifNull(argMax(e_IsTrusted, t), false) AS trusted,
            ifNull(argMax(e_IsRootSignerMicrosoft, t), false) AS microsoft
            FROM ({signatures}) GROUP BY k) AS s ON lower(p.SHA1) = s.k
            LEFT ANY JOIN (SELECT k, any(f) AS f FROM ({threats}) GROUP BY k) AS t ON p.hash = t.k)
            """.ReplaceLineEndings(" ");
    }

    private static KqlColumn AddressColumn(TableFunctionRelation node) => node.Arguments[0] is BoundColumnRef given
        ? given.Column
        : node.Input!.Columns.FirstOrDefault(c => c.Name == "IP")
            ?? throw new HuntingException(HuntingFailure.Semantic, "DeviceFromIP(): the input has no column 'IP'.");

    /// <summary>The device that held each local address of a group's rows.</summary>
    private Select DeviceFromIp(TableFunctionRelation node, Func<BoundRelation, Select> write, IReadOnlyList<KqlColumn> outer)
    {
        var address = AddressColumn(node);
        var input = Materialized(node.Input!, write, outer, out _);
        var devices = DeviceFromIp(node, input());
        var asked = Open(input().Unordered());
        var key = NewHidden();
        asked.DefineAlways(key, asked.Resolve(address.Id));
        asked.Require(key);
        foreach (var column in outer)
            asked.Define(column.Id, asked.Resolve(column.Id).WithoutArray());
        asked.GroupBy = [.. outer.Select(c => asked.Resolve(c.Id)).Where(v => !v.IsConstant).Select(v => v.Text).Append(Select.Name(key))];
        var found = NewHidden();
        devices.DefineAlways(found, devices.Resolve(node.Columns[0].Id));
        devices.Require(found);
        return new Select(new JoinSource("INNER JOIN", asked, devices, $"{Select.Name(key)} = {Select.Name(found)}", false, false, _nextJoin++));
    }

    private Select DeviceFromIp(TableFunctionRelation node) => DeviceFromIp(node, Write(node.Input!).Unordered());

    /// <summary>The device that held each local address of the input, at a time or most recently.</summary>
    private Select DeviceFromIp(TableFunctionRelation node, Select input)
    {
        var address = AddressColumn(node);
        var wanted = Text(input, address.Id);
        var scan = TableOf("DeviceNetworkInfo", out var column);
        Before(scan, column("Timestamp"), node.Arguments[1]);
        var records = scan.Assemble(
            [$"arrayJoin({Addresses(column("IPAddresses"))}) AS ip", $"{column("DeviceId")} AS device", $"{column("Timestamp")} AS t"], ordered: false);
        var sql = $"(SELECT ip, argMax(device, t) AS device FROM ({records}) WHERE match(lower(ip), {SqlText.Quote(Private)}) "
            + $"AND ip IN (SELECT {Select.Name(address.Id)} FROM ({wanted})) GROUP BY ip)";
        return Returned(node, sql, [new SqlValue("ip", KqlType.String, false), new SqlValue("device", KqlType.String, false)]);
    }

    /// <summary>The addresses in the newest record of each adapter of a device, at a time or most recently.</summary>
    private Select AssignedIpAddresses(TableFunctionRelation node)
    {
        var empty = new Select(new TextSource(_ => "", new Dictionary<int, SqlValue>()));
        var device = SqlConvert.To(_scalars.Write(node.Arguments[0]!, empty), KqlType.String).Text;
        var scan = TableOf("DeviceNetworkInfo", out var column);
        scan.Where($"({column("DeviceId")} = {device} OR lower({column("DeviceName")}) = lower({device}))");
        Before(scan, column("Timestamp"), node.Arguments[1]);
        var records = scan.Assemble(
        [
            $"{column("Timestamp")} AS e_t", $"{column("MacAddress")} AS mac", $"{column("NetworkAdapterName")} AS adapter",
            $"{column("IPAddresses")} AS e_addresses", $"{column("NetworkAdapterType")} AS e_kind", $"{column("ConnectedNetworks")} AS e_networks",
        ], ordered: false);
        var newest = $"SELECT max(e_t) AS n_t, argMax(e_addresses, e_t) AS n_addresses, argMax(e_kind, e_t) AS n_kind, argMax(e_networks, e_t) AS n_networks FROM ({records}) GROUP BY mac, adapter";
        var sql = $"(SELECT max(n_t) AS t, ip, if(match(lower(ip), {SqlText.Quote(Private)}), 'Private', 'Public') AS type, argMax(n_kind, n_t) AS kind, "
            + $"argMax(n_networks, n_t) AS networks FROM (SELECT n_t, arrayJoin({Addresses("n_addresses")}) AS ip, n_kind, n_networks FROM ({newest})) GROUP BY ip)";
        return Returned(node, sql,
        [
            new SqlValue("t", KqlType.DateTime, false), new SqlValue("ip", KqlType.String, false), new SqlValue("type", KqlType.String, false),
            new SqlValue("kind", KqlType.String, false), new SqlValue("networks", KqlType.String, false),
        ]);
    }

    /// <summary>Onboarded devices that had a connection to one of the addresses of the given devices.</summary>
    private Select SeenBy(TableFunctionRelation node)
    {
        var input = Write(node.Input!).Unordered();
        var device = node.Arguments[0] is BoundColumnRef given ? given.Column : node.Input!.Columns.FirstOrDefault(c => c.Name == "DeviceId");
        string devices;
        if (node.Arguments[0] is { } argument and not BoundColumnRef)
            devices = $"SELECT {SqlConvert.To(_scalars.Write(argument, input), KqlType.String).Text}";
        else if (device is not null)
            devices = $"SELECT {Select.Name(device.Id)} FROM ({Text(input, device.Id)})";
        else
            throw new HuntingException(HuntingFailure.Semantic, "SeenBy(): the input has no column 'DeviceId'.");
        var adapters = TableOf("DeviceNetworkInfo", out var adapter);
        adapters.Where($"{adapter("DeviceId")} IN ({devices})");
        var addresses = adapters.Assemble([$"arrayJoin({Addresses(adapter("IPAddresses"))}) AS ip"], ordered: false);
        var connections = TableOf("DeviceNetworkEvents", out var connection);
        connections.Where($"{connection("RemoteIP")} IN (SELECT ip FROM ({addresses}) WHERE match(lower(ip), {SqlText.Quote(Private)}))");
        connections.Where($"{connection("DeviceId")} NOT IN ({devices})");
        var sql = $"(SELECT DISTINCT device FROM ({connections.Assemble([$"{connection("DeviceId")} AS device"], ordered: false)}) LIMIT {Count(MostDevices)})";
        return Returned(node, sql, [new SqlValue("device", KqlType.String, false)]);
    }

    // The addresses of an adapter's record, as the agent and the service write them: objects with IPAddress, or bare texts.
    private static string Addresses(string json) =>
        $"arrayFilter(x -> x != '', arrayMap(e -> if(startsWith(e, '{{'), JSONExtractString(e, 'IPAddress'), JSONExtract(e, 'String')), JSONExtractArrayRaw({json})))";

    private void Before(Select scan, string time, BoundScalar? moment)
    {
        if (moment is null)
            return;
        var value = SqlConvert.ToDateTime(_scalars.Write(moment, scan));
        scan.Where($"(({time} <= {value.Text}) OR isNull({value.Text}))");
    }

    private static Select Returned(TableFunctionRelation node, string sql, IReadOnlyList<SqlValue> values)
    {
        var columns = node.Columns.Select((c, i) => (c.Id, Value: values[i])).ToDictionary(p => p.Id, p => p.Value);
        return new Select(new TextSource(_ => sql, columns));
    }

    /// <summary>A table of the store, by its columns' names.</summary>
    private Select TableOf(string name, out Func<string, string> column)
    {
        var table = _context.FindTable(name) ?? throw new HuntingException(HuntingFailure.Unsupported, $"The table {name} is not available.");
        var columns = table.Columns.Select(c => new KqlColumn(NewHidden(), c.Key, c.Value.Type)).ToDictionary(c => c.Name, StringComparer.Ordinal);
        var scan = Scan(new TableScan(new KqlTable(name, [.. columns.Values.Select(c => new KqlColumnDefinition(c.Name, c.Type))]), [.. columns.Values]));
        column = text => scan.Resolve(columns[text].Id).Text;
        return scan;
    }

    /// <summary>A relation that can be read several times with the same rows; gives the ids of each reading's columns by those of the relation.</summary>
    private Func<Select> Materialized(BoundRelation relation, Func<BoundRelation, Select> write, IReadOnlyList<KqlColumn> outer, out Dictionary<int, int> columns)
    {
        var plan = new SharedPlan(NewHidden(), null, SharedPlanKind.Materialize, relation);
        var (name, select) = _program.Shared(plan, () => write(relation));
        var ids = relation.Columns.Concat(outer).Select(static c => c.Id).Distinct().ToDictionary(static c => c, static c => c);
        columns = ids;
        return () => new Select(new SharedSource(name, select, ids));
    }

    private static string Text(Select select, int id)
    {
        select.Require(id);
        return select.Render(ordered: false);
    }

    private long Number(BoundScalar? argument, long usual)
    {
        if (argument is null)
            return usual;
        var value = _scalars.Write(argument, new Select(new TextSource(_ => "", new Dictionary<int, SqlValue>())));
        return value is { IsConstant: true, Constant: int or long }
            ? Convert.ToInt64(value.Constant, System.Globalization.CultureInfo.InvariantCulture)
            : throw new HuntingException(HuntingFailure.Semantic, "FileProfile(): the number of records must be a constant.");
    }

    private static KqlColumn HashColumn(TableFunctionRelation node)
    {
        var name = node.Arguments[0] switch
        {
            null => "SHA1",
            BoundColumnRef reference => reference.Column.Name,
            BoundLiteral { Value: string text } => text,
            _ => throw new HuntingException(HuntingFailure.Semantic, "FileProfile(): the first argument is the column that holds the hash."),
        };
        var column = node.Arguments[0] is BoundColumnRef given ? given.Column : node.Input!.Columns.FirstOrDefault(c => c.Name == name);
        return column ?? throw new HuntingException(HuntingFailure.Semantic, $"FileProfile(): the input has no column '{name}'.");
    }
}
