using Vedette.Defender.State;
using Vedette.Defender.ThreatIntelligence;
using Vedette.Server.Graph.Directory;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Security.ThreatIntelligence;

/// <summary>
/// The threat indicator of Graph over the indicators that devices act on and over those that are only kept. What the Endpoint API may have
/// changed comes from its columns, the rest from what was sent.
/// </summary>
internal static class ThreatIndicatorTable
{
    private const string Indicators =
        $"""
        (SELECT i.tenant_id, i.id::text AS id, i.created_by, i.creation_time_date_time_utc AS ingested, i.expiration_time AS expires,
            coalesce(i.graph, jsonb_build_object()) || jsonb_strip_nulls(jsonb_build_object(
                'targetProduct', '{ThreatIndicatorFields.Endpoint}', 'description', i.description, 'externalId', i.external_id,
                'isActive', coalesce((i.graph->>'isActive')::boolean, true), 'passiveOnly', coalesce((i.graph->>'passiveOnly')::boolean, false),
                'action', coalesce(i.graph->>'action', CASE i.action WHEN 'Allowed' THEN 'allow' WHEN 'Block' THEN 'block' WHEN 'BlockAndRemediate' THEN 'block' ELSE 'alert' END),
                'severity', coalesce((i.graph->>'severity')::int, CASE i.severity WHEN 'High' THEN 5 WHEN 'Medium' THEN 3 WHEN 'Low' THEN 2 ELSE 1 END),
                'fileHashType', CASE i.indicator_type WHEN 'FileSha1' THEN 'sha1' WHEN 'FileSha256' THEN 'sha256' WHEN 'FileMd5' THEN 'md5' END,
                'fileHashValue', CASE WHEN i.indicator_type IN ('FileSha1', 'FileSha256', 'FileMd5') THEN i.indicator_value END,
                'domainName', CASE i.indicator_type WHEN 'DomainName' THEN i.indicator_value END,
                'url', CASE i.indicator_type WHEN 'Url' THEN i.indicator_value END,
                'networkDestinationIPv4', CASE WHEN i.indicator_type = 'IpAddress' AND position(':' in i.indicator_value) = 0 THEN i.indicator_value END,
                'networkDestinationIPv6', CASE WHEN i.indicator_type = 'IpAddress' AND position(':' in i.indicator_value) > 0 THEN i.indicator_value END)) AS document
        FROM defender.indicators i WHERE i.indicator_type <> '{nameof(IndicatorType.CertificateThumbprint)}'
        UNION ALL
        SELECT k.tenant_id, k.id::text, k.created_by, k.ingested, k.expires, k.graph FROM defender.threat_indicators k) t
        """;

    /// <summary>Threat indicators, newest first.</summary>
    public static EntityTable All { get; } = new("tiIndicator", Indicators, "t.tenant_id", "id", "t.ingested DESC, t.id DESC",
    [
        .. Properties().Append(new EntityProperty("azureTenantId", ValueKind.String, "t.tenant_id::text") { NotNull = true })
            .Append(new EntityProperty("id", ValueKind.String, "t.id") { NotNull = true })
            .Append(new EntityProperty("ingestedDateTime", ValueKind.Time, "t.ingested") { NotNull = true })
            .OrderBy(property => property.Name, StringComparer.Ordinal),
    ])
    {
        Namespace = GraphSql.Namespace,
        NewestBy = new EntityProperty("ingestedDateTime", ValueKind.Time, "t.ingested"),
    };

    private static IEnumerable<EntityProperty> Properties() => ThreatIndicatorFields.All.Select(field => field.Name == "expirationDateTime"
        ? new EntityProperty(field.Name, ValueKind.Time, "t.expires")
        : field.Type switch
        {
            ThreatFieldType.Number => new EntityProperty(field.Name, ValueKind.Int64, $"(t.document->>'{field.Name}')::bigint"),
            ThreatFieldType.Flag => new EntityProperty(field.Name, ValueKind.Boolean, $"(t.document->>'{field.Name}')::boolean"),
            ThreatFieldType.Time => new EntityProperty(field.Name, ValueKind.Time, $"(t.document->>'{field.Name}')::timestamptz"),
            ThreatFieldType.Texts => new EntityProperty(field.Name, ValueKind.Strings, $"ARRAY(SELECT jsonb_array_elements_text(coalesce(t.document->'{field.Name}', '[]')))") { NotNull = true },
            ThreatFieldType.Member => new EntityProperty(field.Name, ValueKind.String, $"t.document->>'{field.Name}'") { Values = field.Members },
            _ => new EntityProperty(field.Name, ValueKind.String, $"t.document->>'{field.Name}'"),
        });
}
