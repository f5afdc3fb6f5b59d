namespace Vedette.Hunting.Bench;

/// <summary>A question that hunters ask, in KQL and in the best SQL known for each engine.</summary>
/// <param name="Name">Short name.</param>
/// <param name="Kql">The hunting query.</param>
/// <param name="Sql">ClickHouse SQL over the same tables; <c>{db}</c> stands for the database and <c>{t}</c> for the tenant condition.</param>
/// <param name="Duck">DuckDB SQL over the same rows.</param>
internal sealed record Workload(string Name, string Kql, string Sql, string Duck)
{
    private const string Day = "Timestamp >= '2026-11-10 00:00:00' AND Timestamp < '2026-11-11 00:00:00'";
    private const string KqlDay = "Timestamp >= datetime(2026-11-10) and Timestamp < datetime(2026-11-11)";
    private const string Week = "Timestamp >= '2026-11-13 00:00:00'";
    private const string Hour = "reinterpret((reinterpret(Timestamp, 'Int64') - positiveModulo(reinterpret(Timestamp, 'Int64'), toInt64(36000000000))), 'DateTime64(7, \\'UTC\\')')";
    private const string Device = "a247d18dfec45d735a5ac12805d56618d7beb911";

    public static IReadOnlyList<Workload> All { get; } =
    [
        new("has",
            "DeviceProcessEvents | where ProcessCommandLine has 'enc' | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND hasToken(lower(ProcessCommandLine), 'enc')",
            "SELECT count(*) FROM DeviceProcessEvents WHERE ProcessCommandLine ILIKE '%enc%' AND regexp_matches(ProcessCommandLine, '(?i)(^|[^a-z0-9])enc([^a-z0-9]|$)')"),
        new("has_any",
            "DeviceProcessEvents | where ProcessCommandLine has_any ('enc', 'whoami', 'mshta', 'certutil') | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND hasAnyTokens(lower(ProcessCommandLine), ['enc', 'whoami', 'mshta', 'certutil'])",
            "SELECT count(*) FROM DeviceProcessEvents WHERE regexp_matches(ProcessCommandLine, '(?i)(^|[^a-z0-9])(enc|whoami|mshta|certutil)([^a-z0-9]|$)')"),
        new("contains",
            "DeviceProcessEvents | where ProcessCommandLine contains 'service37' | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND lower(ProcessCommandLine) LIKE '%service37%'",
            "SELECT count(*) FROM DeviceProcessEvents WHERE contains(lower(ProcessCommandLine), 'service37')"),
        new("regex",
            @"DeviceNetworkEvents | where RemoteUrl matches regex @'^https?://\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}' | count",
            @"SELECT count() FROM {db}.DeviceNetworkEvents WHERE {t} AND match(RemoteUrl, '^https?://\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}')",
            @"SELECT count(*) FROM DeviceNetworkEvents WHERE regexp_matches(RemoteUrl, '^https?://\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}')"),
        new("count_by",
            "DeviceProcessEvents | summarize Count = count() by FileName | top 10 by Count",
            "SELECT FileName, count() AS Count FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY FileName ORDER BY Count DESC LIMIT 10 "
                + "SETTINGS preferred_optimize_projection_name = 'totals', max_threads = 1",
            "SELECT FileName, count(*) AS Count FROM DeviceProcessEvents GROUP BY FileName ORDER BY Count DESC LIMIT 10"),
        new("dcount_hour",
            "DeviceProcessEvents | summarize dcount(DeviceId) by bin(Timestamp, 1h)",
            "SELECT toStartOfHour(Timestamp) AS h, uniqCombined64(15)(DeviceId) FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY h",
            "SELECT date_trunc('hour', Timestamp) AS h, approx_count_distinct(DeviceId) FROM DeviceProcessEvents GROUP BY h"),
        new("count_bin",
            "DeviceNetworkEvents | where Timestamp >= datetime(2026-11-13) | summarize count() by bin(Timestamp, 1h), ActionType",
            // In the words of the counts that the engine keeps by hour and action, which is the fastest way there is.
            $"SELECT {Hour} AS h, ActionType, count() FROM {{db}}.DeviceNetworkEvents WHERE {{t}} AND toYYYYMMDD(Timestamp) >= 20261113 AND h >= '2026-11-13 00:00:00' GROUP BY h, ActionType",
            $"SELECT date_trunc('hour', Timestamp) AS h, ActionType, count(*) FROM DeviceNetworkEvents WHERE {Week} GROUP BY h, ActionType"),
        new("timeline",
            $"union DeviceProcessEvents, DeviceNetworkEvents | where DeviceId == '{Device}' and {KqlDay} "
            + "| project Timestamp, ActionType, FileName, ProcessCommandLine, RemoteIP, RemoteUrl, InitiatingProcessFileName | sort by Timestamp asc",
            "SELECT * FROM (SELECT Timestamp, ActionType, FileName, ProcessCommandLine, '' AS RemoteIP, '' AS RemoteUrl, InitiatingProcessFileName "
            + $"FROM {{db}}.DeviceProcessEvents WHERE {{t}} AND DeviceId = '{Device}' AND {Day} UNION ALL "
            + "SELECT Timestamp, ActionType, '', '', RemoteIP, RemoteUrl, InitiatingProcessFileName "
            + $"FROM {{db}}.DeviceNetworkEvents WHERE {{t}} AND DeviceId = '{Device}' AND {Day}) ORDER BY Timestamp",
            "SELECT * FROM (SELECT Timestamp, ActionType, FileName, ProcessCommandLine, '' AS RemoteIP, '' AS RemoteUrl, InitiatingProcessFileName "
            + $"FROM DeviceProcessEvents WHERE DeviceId = '{Device}' AND {Day} UNION ALL "
            + "SELECT Timestamp, ActionType, '', '', RemoteIP, RemoteUrl, InitiatingProcessFileName "
            + $"FROM DeviceNetworkEvents WHERE DeviceId = '{Device}' AND {Day}) ORDER BY Timestamp"),
        new("join",
            $"DeviceProcessEvents | where {KqlDay} and FileName == 'certutil.exe' "
            + $"| join kind=inner (DeviceNetworkEvents | where {KqlDay}) on DeviceId | summarize count() by RemotePort",
            $"SELECT n.RemotePort, count() FROM (SELECT DeviceId, RemotePort FROM {{db}}.DeviceNetworkEvents WHERE {{t}} AND {Day}) AS n "
            + $"INNER JOIN (SELECT DeviceId FROM {{db}}.DeviceProcessEvents WHERE {{t}} AND {Day} AND FileName = 'certutil.exe') AS p ON n.DeviceId = p.DeviceId GROUP BY n.RemotePort",
            $"SELECT n.RemotePort, count(*) FROM (SELECT DeviceId, RemotePort FROM DeviceNetworkEvents WHERE {Day}) AS n "
            + $"JOIN (SELECT DeviceId FROM DeviceProcessEvents WHERE {Day} AND FileName = 'certutil.exe') AS p ON n.DeviceId = p.DeviceId GROUP BY n.RemotePort"),
        new("innerunique",
            $"DeviceProcessEvents | where {KqlDay} and FileName == 'certutil.exe' "
            + $"| join (DeviceNetworkEvents | where {KqlDay}) on DeviceId | count",
            $"SELECT count() FROM {{db}}.DeviceNetworkEvents WHERE {{t}} AND {Day} "
            + $"AND DeviceId IN (SELECT DeviceId FROM {{db}}.DeviceProcessEvents WHERE {{t}} AND {Day} AND FileName = 'certutil.exe')",
            $"SELECT count(*) FROM DeviceNetworkEvents WHERE {Day} "
            + $"AND DeviceId IN (SELECT DeviceId FROM DeviceProcessEvents WHERE {Day} AND FileName = 'certutil.exe')"),
        new("leftanti",
            "DeviceProcessEvents | where Timestamp >= datetime(2026-11-19) | distinct FileName "
            + "| join kind=leftanti (DeviceProcessEvents | where Timestamp < datetime(2026-11-19) | distinct FileName) on FileName | count",
            "SELECT count() FROM (SELECT DISTINCT FileName FROM {db}.DeviceProcessEvents WHERE {t} AND Timestamp >= '2026-11-19 00:00:00') "
            + "WHERE FileName NOT IN (SELECT DISTINCT FileName FROM {db}.DeviceProcessEvents WHERE {t} AND Timestamp < '2026-11-19 00:00:00')",
            "SELECT count(*) FROM (SELECT DISTINCT FileName FROM DeviceProcessEvents WHERE Timestamp >= '2026-11-19 00:00:00') AS n "
            + "ANTI JOIN (SELECT DISTINCT FileName FROM DeviceProcessEvents WHERE Timestamp < '2026-11-19 00:00:00') AS o ON n.FileName = o.FileName"),
        new("arg_max",
            "DeviceProcessEvents | summarize arg_max(Timestamp, *) by DeviceId",
            "SELECT * FROM {db}.DeviceProcessEvents WHERE {t} AND (DeviceId, Timestamp) IN "
            + "(SELECT DeviceId, max(Timestamp) FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY DeviceId) LIMIT 1 BY DeviceId",
            "SELECT p.* FROM DeviceProcessEvents AS p JOIN (SELECT DeviceId, max(Timestamp) AS Timestamp FROM DeviceProcessEvents GROUP BY DeviceId) AS m "
            + "ON p.DeviceId = m.DeviceId AND p.Timestamp = m.Timestamp"),
        new("json",
            "DeviceProcessEvents | extend f = parse_json(AdditionalFields) | where toint(f.Score) > 85 and f.Source == 'sensor' | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND AdditionalFields != '' AND JSONExtractInt(AdditionalFields, 'Score') > 85 "
            + "AND JSONExtractString(AdditionalFields, 'Source') = 'sensor'",
            "SELECT count(*) FROM DeviceProcessEvents WHERE AdditionalFields != '' AND CAST(json_extract(AdditionalFields, '$.Score') AS INTEGER) > 85 "
            + "AND json_extract_string(AdditionalFields, '$.Source') = 'sensor'"),
        new("extract",
            @"DeviceProcessEvents | extend Task = extract(@'/task ""([^""]+)""', 1, ProcessCommandLine) | where isnotempty(Task) | summarize count() by Task | top 5 by count_",
            @"SELECT extract(ProcessCommandLine, '/task ""([^""]+)""') AS Task, count() AS c FROM {db}.DeviceProcessEvents WHERE {t} AND Task != '' GROUP BY Task ORDER BY c DESC LIMIT 5",
            @"SELECT regexp_extract(ProcessCommandLine, '/task ""([^""]+)""', 1) AS Task, count(*) AS c FROM DeviceProcessEvents WHERE Task != '' GROUP BY Task ORDER BY c DESC LIMIT 5"),
        new("mv_expand",
            "DeviceProcessEvents | where isnotempty(AdditionalFields) | mv-expand Tag = parse_json(AdditionalFields).Tags | summarize count() by tostring(Tag)",
            "SELECT arrayJoin(JSONExtract(AdditionalFields, 'Tags', 'Array(String)')) AS Tag, count() FROM {db}.DeviceProcessEvents WHERE {t} AND AdditionalFields != '' GROUP BY Tag",
            "SELECT Tag, count(*) FROM (SELECT unnest(CAST(json_extract(AdditionalFields, '$.Tags') AS VARCHAR[])) AS Tag FROM DeviceProcessEvents WHERE AdditionalFields != '') GROUP BY Tag"),
        new("make_set",
            "DeviceProcessEvents | summarize make_set(FileName), make_list(ProcessId, 100) by DeviceId | summarize sum(array_length(set_FileName)), sum(array_length(list_ProcessId))",
            "SELECT sum(length(s)), sum(length(l)) FROM (SELECT DeviceId, groupUniqArray(1048576)(FileName) AS s, groupArray(100)(ProcessId) AS l "
            + "FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY DeviceId)",
            "SELECT sum(len(s)), sum(len(l)) FROM (SELECT DeviceId, list(DISTINCT FileName) AS s, list(ProcessId)[:100] AS l FROM DeviceProcessEvents GROUP BY DeviceId)"),
    ];
}
