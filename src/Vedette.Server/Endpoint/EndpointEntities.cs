using Vedette.Server.Endpoint.Alerts;
using Vedette.Server.Endpoint.Baselines;
using Vedette.Server.Endpoint.DeviceHealth;
using Vedette.Server.Endpoint.Exports;
using Vedette.Server.Endpoint.Indicators;
using Vedette.Server.Endpoint.Investigations;
using Vedette.Server.Endpoint.MachineActions;
using Vedette.Server.Endpoint.Machines;
using Vedette.Server.Endpoint.Recommendations;
using Vedette.Server.Endpoint.Remediation;
using Vedette.Server.Endpoint.Scans;
using Vedette.Server.Endpoint.Software;
using Vedette.Server.Endpoint.Vulnerabilities;
using Vedette.Server.Http.Entities;

namespace Vedette.Server.Endpoint;

/// <summary>The entity tables of this surface, by the name that the <c>returns</c> column of the endpoint table uses.</summary>
internal static class EndpointEntities
{
    /// <summary>All tables.</summary>
    public static IReadOnlyList<EntityTable> Tables { get; } =
    [
        AlertTable.Alerts, MachineTable.Machines, MachineTable.LogonUsers, MachineActionTable.Actions, InvestigationTable.Investigations,
        IndicatorTable.Indicators,
        SoftwareTable.Products, SoftwareTable.Distributions, SoftwareTable.MachineReferences, SoftwareTable.MissingUpdates, SoftwareTable.ProductFixes,
        VulnerabilityTable.Found, VulnerabilityTable.ByMachine, RecommendationTable.Recommendations, RemediationTable.Tasks,
        BaselineTable.Profiles, BaselineTable.Configurations, AntivirusTable.Devices, ExtensionPermissionTable.Permissions,
        ScanTable.Definitions, ScanTable.Agents, ScanTable.HistoryByDefinition, ScanTable.HistoryBySession,
    ];
}
