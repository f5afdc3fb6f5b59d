namespace Vedette.Defender.Vulnerabilities.Exports;

/// <summary>What devices gathered of themselves, with their antivirus, as one JSON text. Posture is called d, the device m.</summary>
internal static class GatheredFacts
{
    /// <summary>SQL of the text.</summary>
    public const string Sql =
        """
        (jsonb_build_object(
            'AvMode', d.antivirus ->> 'Mode', 'AvEngineVersion', d.antivirus ->> 'EngineVersion', 'AvSignatureVersion', d.antivirus ->> 'SignatureVersion',
            'AvPlatformVersion', d.antivirus ->> 'PlatformVersion',
            'AvScanResults', jsonb_build_array(
                jsonb_build_object('ScanStatus', d.antivirus ->> 'QuickScanResult', 'ScanType', 'Quick', 'Timestamp', d.antivirus ->> 'QuickScanTime', 'ErrorCode', d.antivirus ->> 'QuickScanError'),
                jsonb_build_object('ScanStatus', d.antivirus ->> 'FullScanResult', 'ScanType', 'Full', 'Timestamp', d.antivirus ->> 'FullScanTime', 'ErrorCode', d.antivirus ->> 'FullScanError'))::text,
            'AvModeDataRefreshTime', to_char(d.reported_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'CloudProtectionState', d.antivirus ->> 'CloudProtection',
            'AvEngineUpdateTime', d.antivirus ->> 'EngineUpdatedAt', 'AvSignatureUpdateTime', d.antivirus ->> 'SignatureUpdatedAt', 'AvPlatformUpdateTime', d.antivirus ->> 'PlatformUpdatedAt',
            'AvIsSignatureUptoDate', CASE WHEN d.antivirus ->> 'SignaturePublishedAt' IS NULL THEN 'Unknown' WHEN (d.antivirus ->> 'SignaturePublishedAt')::timestamptz >= m.last_seen - interval '7 days' THEN 'True' ELSE 'False' END,
            'AvIsEngineUptodate', CASE WHEN d.antivirus ->> 'EngineUpdatedAt' IS NULL THEN 'Unknown' WHEN (d.antivirus ->> 'EngineUpdatedAt')::timestamptz >= m.last_seen - interval '60 days' THEN 'True' ELSE 'False' END,
            'AvIsPlatformUptodate', CASE WHEN d.antivirus ->> 'PlatformUpdatedAt' IS NULL THEN 'Unknown' WHEN (d.antivirus ->> 'PlatformUpdatedAt')::timestamptz >= m.last_seen - interval '60 days' THEN 'True' ELSE 'False' END,
            'AvSignaturePublishTime', d.antivirus ->> 'SignaturePublishedAt', 'AvPlatformPublishTime', d.antivirus ->> 'PlatformUpdatedAt', 'AvEnginePublishTime', d.antivirus ->> 'EngineUpdatedAt',
            'AvPlatformExpirationTime', NULL, 'AvSignatureDataRefreshTime', to_char(d.reported_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'AvSignatureRing', NULL, 'AvPlatformRing', NULL, 'AvEngineRing', NULL, 'WdavorHeartbeatEventType', NULL, 'IsAvEngineLoaded', NULL, 'Log4j_CVE_2021_44228', NULL,
            'LocalCveScannerExecuted', NULL, 'Log4jLocalScanVulnerable', NULL, 'Log4JEnvironmentVariableMitigation', NULL, 'Spring4Shell_CVE_2022_22965', NULL, 'EBPFStatus', NULL)
            || coalesce(d.gathered, '{}'::jsonb))::text
        """;
}
