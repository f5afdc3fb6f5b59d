using System.Text.Json;
using Vedette.Kql.Bound;

namespace Vedette.Kql.Tests;

/// <summary>The hunting schema as the tests see it, and helpers to bind and print.</summary>
internal static class TestSchema
{
    /// <summary>A table with a column of each type; tests write DT for it.</summary>
    public const string OneOfEach =
        "datatable(d:dynamic,s:string,l:long,i:int,r:real,b:bool,t:datetime,ts:timespan,g:guid)[]";

    private static readonly Lazy<KqlSchema> Plain = new(() => Build(false, false));

    /// <summary>The hunting tables and functions.</summary>
    public static KqlSchema Hunting => Plain.Value;

    /// <summary>The hunting tables with TimeGenerated, and with AdditionalFields made dynamic if wanted.</summary>
    public static KqlSchema Build(bool timeGenerated, bool dynamicFields)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "hunting-tables.json")));
        var tables = new List<KqlTable>();
        foreach (var table in document.RootElement.EnumerateObject())
        {
            var columns = new List<KqlColumnDefinition>();
            foreach (var column in table.Value.GetProperty("columns").EnumerateArray())
            {
                var name = column.GetProperty("name").GetString()!;
                KqlTypes.TryParse(column.GetProperty("type").GetString(), out var type).ShouldBeTrue(name);
                columns.Add(new KqlColumnDefinition(name, dynamicFields && name == "AdditionalFields" ? KqlType.Dynamic : type));
            }

            if (timeGenerated && !columns.Exists(c => c.Name == "TimeGenerated"))
                columns.Add(new KqlColumnDefinition("TimeGenerated", KqlType.DateTime));
            tables.Add(new KqlTable(table.Name, columns));
        }

        return new KqlSchema(tables, Functions());
    }

    /// <summary>Binds a query in which DT stands for <see cref="OneOfEach"/>.</summary>
    public static KqlCompilation Bind(string query) =>
        KqlCompiler.Bind(System.Text.RegularExpressions.Regex.Replace(query, @"\bDT\b", OneOfEach), Hunting);

    /// <summary>Binds a query that must be right.</summary>
    public static BoundRelation Plan(string query)
    {
        var compilation = Bind(query);
        compilation.Diagnostics.Where(d => d.Severity == KqlSeverity.Error).ShouldBeEmpty();
        return compilation.Root.ShouldNotBeNull();
    }

    /// <summary>Columns as <c>name:type, …</c>.</summary>
    public static string Print(IEnumerable<KqlColumn> columns) => string.Join(", ", columns.Select(c => $"{c.Name}:{c.Type.Name()}"));

    private static KqlTableFunction[] Functions()
    {
        KqlColumnDefinition[] profile =
        [
            .. Columns(KqlType.String, "SHA1", "SHA256", "MD5"), .. Columns(KqlType.Int, "FileSize", "GlobalPrevalence"),
            .. Columns(KqlType.DateTime, "GlobalFirstSeen", "GlobalLastSeen"), .. Columns(KqlType.String, "Signer", "Issuer", "SignerHash"),
            .. Columns(KqlType.Bool, "IsCertificateValid", "IsRootSignerMicrosoft"), .. Columns(KqlType.String, "SignatureState"),
            .. Columns(KqlType.Bool, "IsExecutable"), .. Columns(KqlType.String, "ThreatName", "Publisher", "SoftwareName", "ProfileAvailability"),
        ];
        return
        [
            new("FileProfile", true, [new("x", KqlType.String, false, true), new("y", KqlType.Long, false)], KqlTableFunctionShape.Extends, profile),
            new("SeenBy", true, [new("x", KqlType.String, false, true)], KqlTableFunctionShape.Extends, [new("SeenBy", KqlType.Dynamic)]),
            new("DeviceFromIP", true, [new("x", KqlType.String, false, true), new("y", KqlType.DateTime, false)], KqlTableFunctionShape.Extends, [.. Columns(KqlType.String, "IP", "DeviceId")]),
            new(
                "AssignedIPAddresses",
                false,
                [new("x", KqlType.String, true), new("y", KqlType.DateTime, false)],
                KqlTableFunctionShape.Returns,
                [.. Columns(KqlType.DateTime, "Timestamp"), .. Columns(KqlType.String, "IPAddress", "IPType", "NetworkAdapterType"), .. Columns(KqlType.Dynamic, "ConnectedNetworks")]),
        ];
    }

    private static IEnumerable<KqlColumnDefinition> Columns(KqlType type, params string[] names) => names.Select(n => new KqlColumnDefinition(n, type));
}
