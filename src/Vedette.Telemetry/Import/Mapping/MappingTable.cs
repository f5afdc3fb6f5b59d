using System.Text.Json;
using System.Text.Json.Nodes;
using Vedette.Telemetry.Import.Reading;
using Vedette.Telemetry.Schema;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>One row that a kind of event gives.</summary>
internal sealed class RowMapping
{
    /// <summary>The table.</summary>
    public required HuntingTable Table { get; init; }

    /// <summary>The action type; empty for tables without one.</summary>
    public required string Action { get; init; }

    /// <summary>The action type is Vedette's own: the service has none for this.</summary>
    public required bool IsOwn { get; init; }

    /// <summary>All must hold.</summary>
    public required RowCondition[] When { get; init; }

    /// <summary>Given once a device for each value of this; null means always.</summary>
    public required ValueExpression? Once { get; init; }

    /// <summary>Gives the items when the row is made for each of several; null makes one.</summary>
    public required ValueExpression? Each { get; init; }

    /// <summary>Column ordinals and their values.</summary>
    public required (int Ordinal, ValueExpression Value)[] Columns { get; init; }

    /// <summary>Members of AdditionalFields and their values.</summary>
    public required (JsonEncodedText Name, ValueExpression Value)[] Fields { get; init; }

    /// <summary>Where the table keeps what every row has and what it says of processes.</summary>
    public required RowLayout Layout { get; init; }
}

/// <summary>How an event tells of something that another event may tell as well.</summary>
/// <param name="Group">Name of the group of such events.</param>
/// <param name="IsPrimary">The event of the group whose rows are kept.</param>
/// <param name="Key">What both have in common.</param>
/// <param name="Otherwise">What they have in common when the primary event lacks a part of the key.</param>
internal sealed record TwinMapping(string Group, bool IsPrimary, ValueExpression[] Key, ValueExpression[] Otherwise);

/// <summary>What becomes of one kind of event.</summary>
internal sealed class EventMapping
{
    /// <summary>What it is, for people.</summary>
    public required string Title { get; init; }

    /// <summary>What becomes of it.</summary>
    public required EventTreatment Treatment { get; init; }

    /// <summary>Why it gives no rows, or not always.</summary>
    public required string Reason { get; init; }

    /// <summary>The process that did it; null when the event does not tell.</summary>
    public ProcessMapping? Actor { get; init; }

    /// <summary>The process that it was done to.</summary>
    public ProcessMapping? Subject { get; init; }

    /// <summary>The process that it creates.</summary>
    public ProcessMapping? Creates { get; init; }

    /// <summary>Conditions for the creation.</summary>
    public RowCondition[] CreatesWhen { get; init; } = [];

    /// <summary>The process that it ends.</summary>
    public ProcessMapping? Ends { get; init; }

    /// <summary>Other events that tell the same.</summary>
    public TwinMapping? Twin { get; init; }

    /// <summary>Field parsers to run first.</summary>
    public TextParser[] Parsers { get; init; } = [];

    /// <summary>An address of the device itself, and the condition under which it is one.</summary>
    public (RowCondition When, ValueExpression Address)? LocalAddress { get; init; }

    /// <summary>Rows.</summary>
    public RowMapping[] Rows { get; init; } = [];
}

/// <summary>
/// The table that says what becomes of every kind of event, read once from the embedded <c>event-mappings.json</c>. To support another
/// event, add a line there; to support another shape of file, see the readers.
/// </summary>
internal sealed class MappingTable
{
    private static readonly Lazy<MappingTable> Lazy = new(Load);
    private readonly Dictionary<(string Family, string Id), EventMapping> _events = [];

    private MappingTable(FieldNames names, ProviderFamily[] families)
    {
        Names = names;
        Families = families;
    }

    /// <summary>The table.</summary>
    public static MappingTable Default => Lazy.Value;

    /// <summary>Numbers of the field names that the table uses; fork before reading.</summary>
    public FieldNames Names { get; }

    /// <summary>Which providers belong to which family.</summary>
    public IReadOnlyList<ProviderFamily> Families { get; }

    /// <summary>Kinds and what becomes of them.</summary>
    public IEnumerable<KeyValuePair<(string Family, string Id), EventMapping>> Events => _events;

    /// <summary>What becomes of a kind; null when the table does not know it.</summary>
    public EventMapping? Find(string family, string id) => _events.GetValueOrDefault((family, id));

    private static MappingTable Load()
    {
        using var stream = typeof(MappingTable).Assembly.GetManifestResourceStream("event-mappings.json")
            ?? throw new InvalidOperationException("The event mapping is missing from the assembly.");
        var root = JsonNode.Parse(stream)!.AsObject();
        var names = new FieldNames();
        var families = root["families"]!.AsArray()
            .Select(family => new ProviderFamily((string)family!["family"]!, (string?)family["provider"], (string?)family["channel"]))
            .ToArray();
        var table = new MappingTable(names, families);
        var processes = root["processes"]!.AsObject().ToDictionary(item => item.Key, item => new ProcessMapping(item.Value!.AsObject(), names));
        foreach (var (types, node) in root["events"]!.AsObject())
        {
            var slash = types.IndexOf('/', StringComparison.Ordinal);
            var mapping = ReadEvent(node!.AsObject(), processes, names);
            foreach (var id in types[(slash + 1)..].Split('|')) table._events.Add((types[..slash], id), mapping);
        }

        return table;
    }

    private static EventMapping ReadEvent(JsonObject node, Dictionary<string, ProcessMapping> processes, FieldNames names)
    {
        ProcessMapping? Process(string key) => node[key] is { } name ? processes[(string)name!] : null;
        var ignored = (string?)node["ignored"];
        var merged = (string?)node["merged"];
        return new EventMapping
        {
            Title = (string)node["title"]!,
            Treatment = ignored is not null ? EventTreatment.NotMapped : merged is not null ? EventTreatment.Merged : EventTreatment.Mapped,
            Reason = ignored ?? merged ?? (string?)node["note"] ?? "",
            Actor = Process("actor"),
            Subject = Process("subject"),
            Creates = Process("creates"),
            CreatesWhen = Conditions(node["createsWhen"], names),
            Ends = Process("ends"),
            Twin = node["twin"] is JsonObject twin
                ? new TwinMapping(
                    (string)(twin["records"] ?? twin["of"])!, twin["records"] is not null, Values(twin["key"], names), Values(twin["otherwise"], names))
                : null,
            Parsers = node["parse"] is JsonArray parsers ? [.. parsers.Select(parser => TextParser.Parse((string)parser!, names))] : [],
            LocalAddress = node["localAddress"] is JsonArray local
                ? (new RowCondition((string)local[0]!, names), ValueExpression.Parse((string)local[1]!, names))
                : null,
            Rows = node["rows"] is JsonArray rows ? [.. rows.Select(row => ReadRow(row!.AsObject(), names))] : [],
        };
    }

    private static RowMapping ReadRow(JsonObject node, FieldNames names)
    {
        var table = HuntingSchema.Tables[(string)node["table"]!];
        return new RowMapping
        {
            Table = table,
            Action = (string?)node["action"] ?? "",
            IsOwn = (bool?)node["own"] ?? false,
            When = Conditions(node["when"], names),
            Once = node["once"] is { } once ? ValueExpression.Parse((string)once!, names) : null,
            Each = node["each"] is { } each ? ValueExpression.Parse((string)each!, names) : null,
            Columns = node["columns"] is JsonObject columns
                ? [.. columns.Select(column => (RequireOrdinal(table, column.Key), ValueExpression.Parse((string)column.Value!, names)))]
                : [],
            Fields = node["fields"] is JsonObject fields
                ? [.. fields.Select(field => (JsonEncodedText.Encode(field.Key), ValueExpression.Parse((string)field.Value!, names)))]
                : [],
            Layout = RowLayout.For(table),
        };
    }

    private static int RequireOrdinal(HuntingTable table, string column) =>
        table.OrdinalOf(column) is var ordinal and >= 0 ? ordinal : throw new FormatException($"{table.Name} has no column {column}.");

    private static RowCondition[] Conditions(JsonNode? node, FieldNames names) =>
        node is JsonArray list ? [.. list.Select(item => new RowCondition((string)item!, names))] : [];

    private static ValueExpression[] Values(JsonNode? node, FieldNames names) =>
        node is JsonArray list ? [.. list.Select(item => ValueExpression.Parse((string)item!, names))] : [];
}
