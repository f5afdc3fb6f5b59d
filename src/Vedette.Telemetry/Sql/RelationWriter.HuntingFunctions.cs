using Vedette.Kql;
using Vedette.Kql.Bound;
using KqlFunctions = Vedette.Kql.Symbols.FunctionTable;

namespace Vedette.Telemetry.Sql;

/// <summary>FileProfile, DeviceFromIP, AssignedIPAddresses, SeenBy: answered from the tenant's own tables.</summary>
internal sealed partial class RelationWriter
{
    private int _nextColumn = 500_000_000;

    private Select TableFunction(TableFunctionRelation node) => node.Function.Name switch
    {
        "FileProfile" => FileProfile(node),
        "AssignedIPAddresses" => AssignedAddresses(node),
        "DeviceFromIP" => DeviceFromAddress(node),
        "SeenBy" => SeenBy(node),
        _ => throw ScalarWriter.Unsupported($"The function {node.Function.Name}() is not supported"),
    };

    private KqlColumn NewColumn(string name, KqlType type) => new(_nextColumn++, name, type);

    /// <summary>A scan of some columns of a table, with fresh ids.</summary>
    private TableScan ScanOf(string table, params (string Name, KqlType Type)[] columns) => new(
        new KqlTable(table, [.. columns.Select(c => new KqlColumnDefinition(c.Name, c.Type))]), [.. columns.Select(c => NewColumn(c.Name, c.Type))]);

    private static BoundColumnRef Ref(KqlColumn column) => new(column, default);

    private SummarizeRelation AnyBy(TableScan scan) => new(
        scan,
        [new NamedScalar(NewColumn("key", scan.Columns[0].Type), Ref(scan.Columns[0]))],
        [.. scan.Columns.Skip(1).Select(c => new AggregateItem([NewColumn(c.Name, c.Type)], KqlFunctions.Aggregate("take_any"), [Ref(c)], c.Type))]);

    /// <summary>What the tenant's own certificate and file events tell of a hash. Worldwide figures are not known here and are null.</summary>
    private Select FileProfile(TableFunctionRelation node)
    {
        var input = node.Input ?? throw ScalarWriter.Unsupported("FileProfile() needs an input table");
        var own = node.Columns.Where(c => !input.Columns.Any(i => i.Id == c.Id)).ToDictionary(c => c.Name, StringComparer.Ordinal);
        var argument = node.Arguments.Count > 0 ? node.Arguments[0] : null;
        var wanted = argument switch { BoundColumnRef r => r.Column.Name, BoundLiteral { Value: string s } => s, _ => "SHA1" };
        var hash = input.Columns.FirstOrDefault(c => c.Name == wanted) ?? (argument as BoundColumnRef)?.Column
            ?? throw new Hunting.HuntingException(Hunting.HuntingFailure.Semantic, $"'invoke' operator: FileProfile() needs a column named '{wanted}'.");
        var key = wanted.EndsWith("SHA256", StringComparison.Ordinal) ? "SHA256" : "SHA1";
        var other = key == "SHA1" ? "SHA256" : "SHA1";
        var files = AnyBy(ScanOf("DeviceFileEvents", (key, KqlType.String), (other, KqlType.String), ("MD5", KqlType.String), ("FileSize", KqlType.Long)));
        BoundRelation joined = new JoinRelation(JoinKind.LeftOuter, input, files, [new JoinCondition(Ref(hash), Ref(files.Columns[0]))], true, [.. input.Columns, .. files.Columns.Skip(1)]);
        // Certificates are kept by SHA-1 only.
        var sha1 = key == "SHA1" ? hash : files.Columns[1];
        var certificates = AnyBy(ScanOf(
            "DeviceFileCertificateInfo", ("SHA1", KqlType.String), ("Signer", KqlType.String), ("Issuer", KqlType.String), ("SignerHash", KqlType.String), ("IsTrusted", KqlType.Bool),
            ("IsRootSignerMicrosoft", KqlType.Bool), ("IsSigned", KqlType.Bool)));
        joined = new JoinRelation(JoinKind.LeftOuter, joined, certificates, [new JoinCondition(Ref(sha1), Ref(certificates.Columns[0]))], true, [.. joined.Columns, .. certificates.Columns]);
        var scope = Open(Write(joined)).Wrap();
        SqlValue At(KqlColumn column) => scope.Resolve(column.Id);
        Set("SHA1", key == "SHA1" ? At(hash) : At(files.Columns[1]));
        Set("SHA256", key == "SHA1" ? At(files.Columns[1]) : At(hash));
        Set("MD5", At(files.Columns[2]));
        Set("FileSize", At(files.Columns[3]));
        Set("Signer", At(certificates.Columns[1]));
        Set("Issuer", At(certificates.Columns[2]));
        Set("SignerHash", At(certificates.Columns[3]));
        Set("IsCertificateValid", At(certificates.Columns[4]));
        Set("IsRootSignerMicrosoft", At(certificates.Columns[5]));
        var signed = At(certificates.Columns[6]).Text;
        Set("SignatureState", new SqlValue($"multiIf(isNull({signed}), 'Unknown', {signed} = 0, 'Unsigned', {At(certificates.Columns[4]).Text}, 'SignedValid', 'SignedInvalid')", KqlType.String, false));
        Set("ProfileAvailability", new SqlValue($"multiIf(NOT match({At(hash).Text}, '^(?:[0-9A-Fa-f]{{40}}|[0-9A-Fa-f]{{64}})$'), '', isNull({signed}) AND {At(files.Columns[1]).Text} = '', 'Missing', 'Available')", KqlType.String, false));
        foreach (var column in own.Values)
            scope.Define(column.Id, SqlConstant.Null(column.Type));
        return scope;

        void Set(string name, SqlValue value)
        {
            if (own.Remove(name, out var column))
                scope.Define(column.Id, Typed(value, column.Type));
        }
    }

    /// <summary>Addresses of adapters, one row for each device, address and time.</summary>
    private Select Adapters(out Dictionary<string, KqlColumn> columns)
    {
        var scan = ScanOf(
            "DeviceNetworkInfo", ("Timestamp", KqlType.DateTime), ("DeviceId", KqlType.String), ("DeviceName", KqlType.String), ("IPAddresses", KqlType.String),
            ("NetworkAdapterType", KqlType.String), ("ConnectedNetworks", KqlType.String));
        columns = scan.Columns.ToDictionary(c => c.Name, StringComparer.Ordinal);
        var element = NewColumn("element", KqlType.Dynamic);
        columns["element"] = element;
        return Expand(Write(scan), [new ExpandItem(Ref(columns["IPAddresses"]), element)], null, false, null, keepEmpty: false);
    }

    private Select AssignedAddresses(TableFunctionRelation node)
    {
        var rows = Adapters(out var from);
        var device = SqlConvert.ToText(_scalars.Write(node.Arguments[0]!, rows)).Text;
        rows.Where($"({rows.Resolve(from["DeviceId"].Id).Text} = {device} OR {rows.Resolve(from["DeviceName"].Id).Text} = {device})");
        if (node.Arguments.Count > 1 && node.Arguments[1] is { } time)
            rows.Where($"{rows.Resolve(from["Timestamp"].Id).Text} <= {_scalars.Write(time, rows).Text}");
        var element = rows.Resolve(from["element"].Id).Text;
        var address = NewHidden();
        rows.DefineAlways(address, new SqlValue($"JSONExtractString({element}, 'IPAddress')", KqlType.String, false));
        var kind = NewHidden();
        rows.DefineAlways(kind, new SqlValue($"JSONExtractString({element}, 'AddressType')", KqlType.String, false));
        var ranked = rows.Wrap();
        var newest = NewHidden();
        ranked.DefineAlways(newest, new SqlValue($"row_number() OVER (PARTITION BY {ranked.Resolve(address).Text} ORDER BY {ranked.Resolve(from["Timestamp"].Id).Text} DESC)", KqlType.Long, false));
        ranked.HasWindow = true;
        var result = ranked.Wrap();
        result.Where($"{result.Resolve(newest).Text} = 1");
        foreach (var column in node.Columns)
        {
            result.Define(column.Id, Typed(column.Name switch
            {
                "IPAddress" => result.Resolve(address),
                "IPType" => result.Resolve(kind),
                _ => result.Resolve(from[column.Name].Id),
            }, column.Type));
        }

        return result;
    }

    private Select DeviceFromAddress(TableFunctionRelation node)
    {
        var input = node.Input ?? throw ScalarWriter.Unsupported("DeviceFromIP() needs an input table");
        var argument = node.Arguments.Count > 0 ? node.Arguments[0] : null;
        var column = (argument as BoundColumnRef)?.Column ?? input.Columns.FirstOrDefault(c => c.Name == ((argument as BoundLiteral)?.Value as string ?? "IP"))
            ?? throw new Hunting.HuntingException(Hunting.HuntingFailure.Semantic, "'invoke' operator: DeviceFromIP() needs a column named 'IP'.");
        var rows = Adapters(out var from);
        if (node.Arguments.Count > 1 && node.Arguments[1] is { } time)
            rows.Where($"{rows.Resolve(from["Timestamp"].Id).Text} <= {_scalars.Write(time, rows).Text}");
        var address = NewHidden();
        rows.DefineAlways(address, new SqlValue($"JSONExtractString({rows.Resolve(from["element"].Id).Text}, 'IPAddress')", KqlType.String, false));
        var group = rows.Wrap();
        group.Order = [];
        var device = NewHidden();
        group.DefineAlways(device, new SqlValue($"argMax({group.Resolve(from["DeviceId"].Id).Text}, {group.Resolve(from["Timestamp"].Id).Text})", KqlType.String, false));
        var known = group.Resolve(address);
        group.GroupBy = [known.Text];
        var left = Open(Write(input).Unordered());
        var outer = group.Wrap();
        var on = $"{Key(left, SqlConvert.ToText(left.Resolve(column.Id)))} = {Key(outer, outer.Resolve(address))}";
        var joined = new Select(new JoinSource("INNER JOIN", left, outer, on, false, false, _nextJoin++));
        foreach (var own in node.Columns)
            joined.Define(own.Id, own.Name == "DeviceId" ? joined.Resolve(device) : joined.Resolve(address));
        return joined;
    }

    /// <summary>Device discovery is not recorded, so that no device is known to have seen another.</summary>
    private Select SeenBy(TableFunctionRelation node) => DataTable(new DataTableRelation(node.Columns, []));
}
