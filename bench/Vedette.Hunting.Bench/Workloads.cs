namespace Vedette.Hunting.Bench;

/// <summary>A question that hunters ask, in KQL and in the best SQL known for these tables.</summary>
/// <param name="Name">Short name.</param>
/// <param name="Kql">The hunting query.</param>
/// <param name="Sql">The rival; <c>{db}</c> stands for the database and <c>{t}</c> for the tenant condition.</param>
internal sealed record Workload(string Name, string Kql, string Sql)
{
    private const string Day = "Timestamp >= '2026-11-10 00:00:00' AND Timestamp < '2026-11-11 00:00:00'";

    public static IReadOnlyList<Workload> All { get; } =
    [
        new("has",
            "DeviceProcessEvents | where ProcessCommandLine has 'enc' | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND hasToken(lower(ProcessCommandLine), 'enc')"),
        new("has_any",
            "DeviceProcessEvents | where ProcessCommandLine has_any ('enc', 'whoami', 'mshta', 'certutil') | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND hasAnyTokens(lower(ProcessCommandLine), ['enc', 'whoami', 'mshta', 'certutil'])"),
        new("has_rows",
            "DeviceProcessEvents | where ProcessCommandLine has 'enc' and FileName =~ 'powershell.exe' | project Timestamp, DeviceName, AccountName, ProcessCommandLine | top 100 by Timestamp",
            "SELECT Timestamp, DeviceName, AccountName, ProcessCommandLine FROM {db}.DeviceProcessEvents WHERE {t} AND hasToken(lower(ProcessCommandLine), 'enc') "
            + "AND lower(FileName) = 'powershell.exe' ORDER BY Timestamp DESC LIMIT 100"),
        new("contains",
            "DeviceProcessEvents | where ProcessCommandLine contains 'service37' | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND lower(ProcessCommandLine) LIKE '%service37%'"),
        new("regex",
            @"DeviceNetworkEvents | where RemoteUrl matches regex @'^https?://\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}' | count",
            @"SELECT count() FROM {db}.DeviceNetworkEvents WHERE {t} AND match(RemoteUrl, '^https?://\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}')"),
        new("count_by",
            "DeviceProcessEvents | summarize Count = count() by FileName | top 10 by Count",
            "SELECT FileName, count() AS Count FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY FileName ORDER BY Count DESC LIMIT 10"),
        new("dcount_hour",
            "DeviceProcessEvents | summarize dcount(DeviceId) by bin(Timestamp, 1h)",
            "SELECT toStartOfHour(Timestamp) AS h, uniqCombined64(15)(DeviceId) FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY h"),
        new("join_day",
            "DeviceProcessEvents | where Timestamp between (datetime(2026-11-10) .. datetime(2026-11-10 23:59:59.9999999)) and FileName == 'certutil.exe' "
            + "| join kind=inner (DeviceNetworkEvents | where Timestamp between (datetime(2026-11-10) .. datetime(2026-11-10 23:59:59.9999999))) on DeviceId "
            + "| summarize count() by RemotePort",
            $"SELECT n.RemotePort, count() FROM (SELECT DeviceId, RemotePort FROM {{db}}.DeviceNetworkEvents WHERE {{t}} AND {Day}) AS n "
            + $"INNER JOIN (SELECT DeviceId FROM {{db}}.DeviceProcessEvents WHERE {{t}} AND {Day} AND FileName = 'certutil.exe') AS p ON n.DeviceId = p.DeviceId GROUP BY n.RemotePort"),
        new("join_innerunique",
            "DeviceProcessEvents | where Timestamp between (datetime(2026-11-10) .. datetime(2026-11-10 23:59:59.9999999)) and FileName == 'certutil.exe' "
            + "| join (DeviceNetworkEvents | where Timestamp between (datetime(2026-11-10) .. datetime(2026-11-10 23:59:59.9999999))) on DeviceId | count",
            $"SELECT count() FROM (SELECT DeviceId FROM {{db}}.DeviceNetworkEvents WHERE {{t}} AND {Day}) AS n "
            + $"SEMI LEFT JOIN (SELECT DeviceId FROM {{db}}.DeviceProcessEvents WHERE {{t}} AND {Day} AND FileName = 'certutil.exe') AS p ON n.DeviceId = p.DeviceId"),
        new("arg_max",
            "DeviceProcessEvents | summarize arg_max(Timestamp, *) by DeviceId | summarize max(strlen(ProcessCommandLine)), count()",
            "SELECT max(length(ProcessCommandLine)), count() FROM {db}.DeviceProcessEvents WHERE {t} AND (DeviceId, Timestamp) IN "
            + "(SELECT DeviceId, max(Timestamp) FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY DeviceId)"),
        new("json",
            "DeviceProcessEvents | extend f = parse_json(AdditionalFields) | where toint(f.Score) > 85 and f.Source == 'sensor' | count",
            "SELECT count() FROM {db}.DeviceProcessEvents WHERE {t} AND AdditionalFields != '' AND JSONExtractInt(AdditionalFields, 'Score') > 85 "
            + "AND JSONExtractString(AdditionalFields, 'Source') = 'sensor'"),
        new("extract",
            @"DeviceProcessEvents | extend Task = extract(@'/task ""([^""]+)""', 1, ProcessCommandLine) | where isnotempty(Task) | summarize count() by Task | top 5 by count_",
            @"SELECT extract(ProcessCommandLine, '/task ""([^""]+)""') AS Task, count() AS c FROM {db}.DeviceProcessEvents WHERE {t} AND Task != '' GROUP BY Task ORDER BY c DESC LIMIT 5"),
        new("mv_expand",
            "DeviceProcessEvents | where isnotempty(AdditionalFields) | mv-expand Tag = parse_json(AdditionalFields).Tags | summarize count() by tostring(Tag)",
            "SELECT arrayJoin(JSONExtract(AdditionalFields, 'Tags', 'Array(String)')) AS Tag, count() FROM {db}.DeviceProcessEvents WHERE {t} AND AdditionalFields != '' GROUP BY Tag"),
        new("make_set",
            "DeviceProcessEvents | summarize make_set(FileName), make_list(ProcessId, 100) by DeviceId | summarize sum(array_length(set_FileName)), sum(array_length(list_ProcessId))",
            "SELECT sum(length(s)), sum(length(l)) FROM (SELECT DeviceId, groupUniqArray(1048576)(FileName) AS s, groupArray(100)(ProcessId) AS l "
            + "FROM {db}.DeviceProcessEvents WHERE {t} GROUP BY DeviceId)"),
        new("leftanti",
            "DeviceProcessEvents | where Timestamp between (datetime(2026-11-19) .. datetime(2026-11-20)) | distinct FileName "
            + "| join kind=leftanti (DeviceProcessEvents | where Timestamp < datetime(2026-11-19) | distinct FileName) on FileName | count",
            "SELECT count() FROM (SELECT DISTINCT FileName FROM {db}.DeviceProcessEvents WHERE {t} AND Timestamp >= '2026-11-19 00:00:00' AND Timestamp <= '2026-11-20 00:00:00') "
            + "WHERE FileName NOT IN (SELECT FileName FROM {db}.DeviceProcessEvents WHERE {t} AND Timestamp < '2026-11-19 00:00:00')"),
        new("hash",
            "DeviceProcessEvents | where SHA256 == '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9' | summarize count() by DeviceName",
            "SELECT DeviceName, count() FROM {db}.DeviceProcessEvents WHERE {t} AND SHA256 = '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9' GROUP BY DeviceName"),
    ];
}
