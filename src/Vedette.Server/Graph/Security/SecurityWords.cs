using Vedette.Defender.State;
using Vedette.Server.Endpoint;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Graph.Security;

/// <summary>Graph's words for what the domain calls otherwise, in both directions. Members behind <c>unknownFutureValue</c> were added later.</summary>
internal static class SecurityWords
{
    /// <summary>Severities.</summary>
    public static readonly IReadOnlyList<string> Severities = ["unknown", "informational", "low", "medium", "high", "unknownFutureValue"];

    /// <summary>Statuses of alerts.</summary>
    public static readonly IReadOnlyList<string> AlertStatuses = ["unknown", "new", "inProgress", "resolved", "unknownFutureValue"];

    /// <summary>Statuses of incidents.</summary>
    public static readonly IReadOnlyList<string> IncidentStatuses = ["active", "resolved", "inProgress", "redirected", "unknownFutureValue", "awaitingAction"];

    /// <summary>Classifications.</summary>
    public static readonly IReadOnlyList<string> Classifications = ["unknown", "falsePositive", "truePositive", "informationalExpectedActivity", "unknownFutureValue"];

    /// <summary>Determinations.</summary>
    public static readonly IReadOnlyList<string> Determinations =
    [
        "unknown", "apt", "malware", "securityPersonnel", "securityTesting", "unwantedSoftware", "other", "multiStagedAttack", "compromisedAccount", "phishing",
        "maliciousUserActivity", "notMalicious", "notEnoughDataToValidate", "confirmedActivity", "lineOfBusinessApplication", "unknownFutureValue",
    ];

    /// <summary>States of investigations.</summary>
    public static readonly IReadOnlyList<string> InvestigationStates =
    [
        "unknown", "terminated", "successfullyRemediated", "benign", "failed", "partiallyRemediated", "running", "pendingApproval", "pendingResource", "queued",
        "innerFailure", "preexistingAlert", "unsupportedOs", "unsupportedAlertType", "suppressedAlert", "partiallyInvestigated", "terminatedByUser",
        "terminatedBySystem", "unknownFutureValue",
    ];

    /// <summary>Products.</summary>
    public static readonly IReadOnlyList<string> ServiceSources =
    [
        "unknown", "microsoftDefenderForEndpoint", "microsoftDefenderForIdentity", "microsoftDefenderForCloudApps", "microsoftDefenderForOffice365",
        "microsoft365Defender", "azureAdIdentityProtection", "microsoftAppGovernance", "dataLossPrevention", "unknownFutureValue", "microsoftDefenderForCloud",
        "microsoftSentinel", "microsoftInsiderRiskManagement", "microsoftThreatIntelligence", "microsoftSecurityForAI",
    ];

    /// <summary>Technologies.</summary>
    public static readonly IReadOnlyList<string> DetectionSources =
    [
        "unknown", "microsoftDefenderForEndpoint", "antivirus", "smartScreen", "customTi", "microsoftDefenderForOffice365", "automatedInvestigation",
        "microsoftThreatExperts", "customDetection", "microsoftDefenderForIdentity", "cloudAppSecurity", "microsoft365Defender", "azureAdIdentityProtection", "manual",
        "microsoftDataLossPrevention", "appGovernancePolicy", "appGovernanceDetection", "unknownFutureValue", "microsoftDefenderForCloud", "microsoftDefenderForIoT",
        "microsoftDefenderForServers", "microsoftDefenderForStorage", "microsoftDefenderForDNS", "microsoftDefenderForDatabases", "microsoftDefenderForContainers",
        "microsoftDefenderForNetwork", "microsoftDefenderForAppService", "microsoftDefenderForKeyVault", "microsoftDefenderForResourceManager",
        "microsoftDefenderForApiManagement", "nrtAlerts", "scheduledAlerts", "microsoftDefenderThreatIntelligenceAnalytics", "builtInMl",
        "microsoftInsiderRiskManagement", "microsoftThreatIntelligence", "microsoftDefenderForAIServices", "securityCopilot", "microsoftSentinel",
    ];

    private static readonly (string Ours, string Graph)[] Determined =
    [
        (nameof(AlertDetermination.NotAvailable), "unknown"), (nameof(AlertDetermination.CompromisedUser), "compromisedAccount"),
        (nameof(AlertDetermination.Clean), "notMalicious"), (nameof(AlertDetermination.InsufficientData), "notEnoughDataToValidate"),
        (nameof(AlertDetermination.ConfirmedUserActivity), "confirmedActivity"),
    ];

    // As the domain and hunting spell products and technologies.
    private static readonly (string Ours, string Graph)[] Products =
    [
        ("Microsoft Cloud App Security", "microsoftDefenderForCloudApps"), ("Microsoft Threat Protection", "microsoft365Defender"),
        ("Microsoft Defender XDR", "microsoft365Defender"), ("AAD Identity Protection", "azureAdIdentityProtection"),
        ("Microsoft Entra ID Protection", "azureAdIdentityProtection"), ("Entra ID Protection", "azureAdIdentityProtection"),
        ("App Governance", "microsoftAppGovernance"), ("Microsoft Data Loss Prevention", "dataLossPrevention"),
    ];

    private static readonly (string Ours, string Graph)[] Technologies =
    [
        ("WindowsDefenderAtp", "microsoftDefenderForEndpoint"), ("WindowsDefenderAv", "antivirus"), ("WindowsDefenderSmartScreen", "smartScreen"), ("CustomerTI", "customTi"),
        ("OfficeATP", "microsoftDefenderForOffice365"), ("ThreatExperts", "microsoftThreatExperts"), ("AzureATP", "microsoftDefenderForIdentity"), ("MCAS", "cloudAppSecurity"),
        ("MTP", "microsoft365Defender"), ("AADIdentityProtection", "azureAdIdentityProtection"), ("DefenderForDatabases", "microsoftDefenderForDatabases"),
    ];

    /// <summary>SQL for a severity.</summary>
    public static string Severity(string column) => Case(column, [(nameof(AlertSeverity.UnSpecified), "unknown")]);

    /// <summary>SQL for a classification, which is <c>unknown</c> until there is one.</summary>
    public static string Classification(string column) => $"coalesce({Alerts.EvidenceSql.Word(column)}, 'unknown')";

    /// <summary>SQL for a determination, which is <c>unknown</c> until there is one.</summary>
    public static string Determination(string column) => $"coalesce({Case(column, Determined)}, 'unknown')";

    /// <summary>SQL for a product.</summary>
    public static string ServiceSource(string column) => Source(column, Products, ServiceSources);

    /// <summary>SQL for a technology.</summary>
    public static string DetectionSource(string column) => Source(column, Technologies, DetectionSources);

    /// <summary>An enumeration as a property: its members, and those that only callers see who ask for them.</summary>
    public static EntityProperty Enumeration(string name, string sql, IReadOnlyList<string> members) => new(name, ValueKind.String, sql)
    {
        Values = members,
        Late = [.. members.SkipWhile(member => member != EntityReader.UnknownMember).Skip(1)],
        NotNull = true,
    };

    /// <summary>The determination that a word of Graph, or one of its older spellings, means; null when it means none.</summary>
    public static AlertDetermination? ReadDetermination(string word)
    {
        foreach (var (ours, graph) in Determined)
            if (graph.Equals(word, StringComparison.OrdinalIgnoreCase)) return Vocabulary.Read<AlertDetermination>(ours);
        return Vocabulary.Read<AlertDetermination>(word);
    }

    private static string Case(string column, (string Ours, string Graph)[] pairs) =>
        $"CASE {column} {string.Join(' ', pairs.Select(pair => $"WHEN '{pair.Ours}' THEN '{pair.Graph}'"))} ELSE {Alerts.EvidenceSql.Word(column)} END";

    // Our spelling, else any member that reads alike without spaces and case; else unknown.
    private static string Source(string column, (string Ours, string Graph)[] pairs, IReadOnlyList<string> members)
    {
        var plain = members.Where(member => member != EntityReader.UnknownMember).Select(member => (member.ToLowerInvariant(), member));
        var all = pairs.Select(pair => (pair.Ours.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant(), pair.Graph)).Concat(plain);
        return $"CASE lower(replace({column}, ' ', '')) {string.Join(' ', all.Select(pair => $"WHEN '{pair.Item1}' THEN '{pair.Item2}'"))} ELSE 'unknown' END";
    }
}
