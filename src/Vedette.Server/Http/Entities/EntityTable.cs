using System.Collections.Frozen;
using System.Text.Json;

namespace Vedette.Server.Http.Entities;

/// <summary>How a property's value travels from a column to JSON.</summary>
internal enum ValueKind
{
    /// <summary>Text.</summary>
    String,

    /// <summary>32-bit number.</summary>
    Int32,

    /// <summary>64-bit number.</summary>
    Int64,

    /// <summary>64-bit floating point number.</summary>
    Double,

    /// <summary>Truth value.</summary>
    Boolean,

    /// <summary>UTC moment, written with up to seven fractional digits and <c>Z</c>.</summary>
    Time,

    /// <summary>GUID.</summary>
    Guid,

    /// <summary>List of texts.</summary>
    Strings,

    /// <summary>JSON text, copied as it is; null stays null.</summary>
    Json,
}

/// <summary>One property of an entity: its wire name and where its value comes from.</summary>
/// <param name="Name">Name on the wire, exact case.</param>
/// <param name="Kind">How the value travels.</param>
/// <param name="Sql">SQL expression over the entity's source.</param>
internal sealed record EntityProperty(string Name, ValueKind Kind, string Sql)
{
    /// <summary>The name, ready for a JSON writer.</summary>
    public JsonEncodedText Encoded { get; } = JsonEncodedText.Encode(Name);

    /// <summary>True for what describes the entity rather than belonging to it, such as <c>@odata.type</c>: it cannot be asked for and always comes.</summary>
    public bool IsAnnotation => Name[0] == '@';

    /// <summary>Allowed texts when the property is an enumeration.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>Never null: spares OData comparisons their null rules.</summary>
    public bool NotNull { get; init; }

    /// <summary>False for properties that may be filtered but are not part of the answer.</summary>
    public bool Returned { get; init; } = true;

    /// <summary>Part of the answer only when <c>$select</c> names it.</summary>
    public bool OnlySelected { get; init; }

    /// <summary>Part of the answer only when <c>$expand</c> names it.</summary>
    public bool OnlyExpanded { get; init; }

    /// <summary>Left out of the answer when it is null: for entities of several types in one list.</summary>
    public bool OmitNull { get; init; }

    /// <summary>
    /// Members that were added to the enumeration later: callers that do not ask for them get <c>unknownFutureValue</c>.
    /// </summary>
    public IReadOnlyList<string> Late { get; init; } = [];

    /// <summary>Writes the property's JSON text otherwise than it is; told whether the caller knows later members of enumerations.</summary>
    public Action<Utf8JsonWriter, string, bool>? Rewrite { get; init; }

    /// <summary>SQL that orders the property, when it is not the value itself: enumerations go by rank, not by name.</summary>
    public string OrderSql => Values is null ? Sql : $"array_position(ARRAY['{string.Join("','", Values)}'], {Sql})";

    /// <summary>SQL to read instead when the property is not expanded; null means it is always read in full.</summary>
    public string? Collapsed { get; init; }
}

/// <summary>
/// An entity of a surface as a table: where its rows are and what its properties are. It drives the OData model, the SQL that reads it,
/// the JSON that writes it and the reference pages.
/// </summary>
internal sealed class EntityTable
{
    private readonly FrozenDictionary<string, EntityProperty> _byName;

    /// <summary>Describes an entity.</summary>
    /// <param name="name">Type name in messages and contexts, and in the <c>returns</c> column of the endpoint table.</param>
    /// <param name="source">SQL <c>FROM</c> clause with its alias.</param>
    /// <param name="tenantColumn">Column that holds the tenant id; empty for public facts, which are the same for every tenant.</param>
    /// <param name="keyProperty">Property that identifies an entity; it also breaks ties in every order.</param>
    /// <param name="defaultOrder">SQL order when the caller names none; it must be total.</param>
    /// <param name="properties">Properties in the order they are written.</param>
    public EntityTable(
        string name, string source, string tenantColumn, string keyProperty, string defaultOrder, IReadOnlyList<EntityProperty> properties)
    {
        Name = name;
        Source = source;
        TenantColumn = tenantColumn;
        DefaultOrder = defaultOrder;
        Properties = properties;
        _byName = properties.ToFrozenDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        Key = _byName[keyProperty];
    }

    /// <summary>Namespace of the service's types, as its own messages spell it.</summary>
    public string Namespace { get; init; } = "microsoft.windowsDefenderATP.api";

    /// <summary>Type name.</summary>
    public string Name { get; }

    /// <summary>SQL <c>FROM</c> clause with its alias.</summary>
    public string Source { get; }

    /// <summary>Column that holds the tenant id; empty for public facts.</summary>
    public string TenantColumn { get; }

    /// <summary>Column that holds the device group, when a user's device groups hide rows.</summary>
    public string? DeviceGroupColumn { get; init; }

    /// <summary>
    /// Column that holds the whole entity as the JSON that the properties would give when none is expanded. Lists read it when nothing is
    /// selected or expanded; the database generates it, so it cannot differ from the row.
    /// </summary>
    public string? DocumentColumn { get; init; }

    /// <summary>Sequence that grows whenever an entity may read otherwise than before; null when nothing tells.</summary>
    public string? VersionSequence { get; init; }

    /// <summary>
    /// Expressions of the default order, all in the same direction, when pages of long lists go on behind the last row of the page before instead of being
    /// counted to; the first of them has an index. Null means that pages are counted to.
    /// </summary>
    public IReadOnlyList<string>? Keyset { get; init; }

    /// <summary>True when the expressions of <see cref="Keyset"/> descend.</summary>
    public bool KeysetDescends { get; init; }

    /// <summary>
    /// What the default order goes by when it is newest first, ties broken by <see cref="Tie"/>: surfaces that page by tokens then go on behind
    /// the last row of the page before. Null when pages of the default order go on by key.
    /// </summary>
    public EntityProperty? NewestBy { get; init; }

    /// <summary>What breaks ties when that is not the key as it is written.</summary>
    public EntityProperty? Tie { get; init; }

    /// <summary>Property that identifies an entity.</summary>
    public EntityProperty Key { get; }

    /// <summary>SQL order when the caller names none; total.</summary>
    public string DefaultOrder { get; }

    /// <summary>Properties in the order they are written.</summary>
    public IReadOnlyList<EntityProperty> Properties { get; }

    /// <summary>SQL that writes a moment as JSON text the way the API does: UTC, <c>Z</c>, no closing zeros.</summary>
    public static string TimeText(string sql) =>
        $"rtrim(rtrim(to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || 'Z'";

    /// <summary>The same entity with another source of one property: for what depends on who asks.</summary>
    public EntityTable With(string property, string sql) =>
        new(Name, Source, TenantColumn, Key.Name, DefaultOrder, [.. Properties.Select(known => known.Name == property ? known with { Sql = sql } : known)])
        {
            Namespace = Namespace,
            DeviceGroupColumn = DeviceGroupColumn,
            Keyset = Keyset,
            KeysetDescends = KeysetDescends,
            NewestBy = NewestBy,
            Tie = Tie,
        };

    /// <summary>A property by name, without regard to case; null when there is none.</summary>
    public EntityProperty? Find(string name) => _byName.GetValueOrDefault(name);
}
