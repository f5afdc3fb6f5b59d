using Vedette.Telemetry.Import;
using Vedette.Telemetry.Import.Mapping;

namespace Vedette.Telemetry.Tests.Import.Mapping;

public sealed class MappingTableTests
{
    private const string Begin = "<!-- mapping:begin -->\n";
    private const string End = "<!-- mapping:end -->";

    // Action types as the service spells them, as far as they are known from its own queries and pages.
    private static readonly string[] Service =
    [
        "ProcessCreated", "ConnectionSuccess", "ConnectionFailed", "ConnectionRequest", "InboundConnectionAccepted", "ListeningConnectionCreated", "FileCreated", "FileModified", "FileDeleted", "FileRenamed",
        "RegistryKeyCreated", "RegistryKeyDeleted", "RegistryKeyRenamed", "RegistryValueSet", "RegistryValueDeleted", "ImageLoaded", "LogonSuccess", "LogonFailed", "LogonAttempted", "DriverLoad", "CreateRemoteThreadApiCall",
        "OpenProcessApiCall", "ReadProcessMemoryApiCall", "NamedPipeEvent", "PowerShellCommand", "AmsiScriptContent", "ScheduledTaskCreated", "ScheduledTaskDeleted", "ScheduledTaskEnabled", "ScheduledTaskDisabled",
        "ScheduledTaskUpdated", "ServiceInstalled", "SecurityLogCleared", "DnsQueryResponse", "UserAccountCreated", "UserAccountDeleted", "UserAccountModified", "UserAccountAddedToLocalGroup", "UserAccountRemovedFromLocalGroup",
        "PasswordChangeAttempt", "SecurityGroupCreated", "SecurityGroupDeleted", "ProcessPrimaryTokenModified", "ProcessCreatedUsingWmiQuery", "WmiBindEventFilterToConsumer", "NetworkShareObjectAccessChecked",
        "NetworkShareObjectAdded", "NetworkShareObjectModified", "NetworkShareObjectDeleted", "FirewallOutboundConnectionBlocked", "FirewallInboundConnectionBlocked", "AuditPolicyModification", "LogonRightsSettingEnabled",
        "AccountCheckedForBlankPassword", "CredentialsBackup", "DpapiAccessed", "DirectoryServiceObjectCreated", "DirectoryServiceObjectModified", "FileTimestampModificationEvent", "GetClipboardData", "PnpDeviceConnected",
        "PTraceDetected", "RemoteDesktopConnection", "SensitiveFileRead",
    ];

    private static readonly MappingTable Table = MappingTable.Default;

    [Fact]
    public void Every_action_is_the_services_or_marked_as_our_own()
    {
        foreach (var (type, mapping) in Table.Events)
        {
            foreach (var row in mapping.Rows.Where(row => row.Action.Length > 0))
            {
                Service.Contains(row.Action).ShouldBe(!row.IsOwn, $"{type}: {row.Action}");
            }
        }
    }

    [Fact]
    public void Every_kind_gives_rows_or_says_why_not()
    {
        foreach (var (type, mapping) in Table.Events)
        {
            mapping.Title.ShouldNotBeEmpty(type.ToString());
            (mapping.Rows.Length > 0).ShouldBe(mapping.Treatment == EventTreatment.Mapped, type.ToString());
            if (mapping.Treatment != EventTreatment.Mapped) mapping.Reason.ShouldNotBeEmpty(type.ToString());
        }
    }

    [Fact]
    public void All_events_of_sysmon_are_known()
    {
        for (var id = 1; id <= 29; id++) Table.Find("sysmon", $"{id}").ShouldNotBeNull($"sysmon/{id}");
    }

    [Fact]
    public void The_documentation_lists_the_mapping()
    {
        var path = Path.Combine(Root(), "docs", "import.md");
        var text = File.ReadAllText(path);
        var (from, to) = (text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, text.IndexOf(End, StringComparison.Ordinal));
        var expected = MappingDocument.Render(Table);
        if (Environment.GetEnvironmentVariable("VEDETTE_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, text[..from] + expected + text[to..]);
            return;
        }

        text[from..to].ShouldBe(expected, "run the tests once with VEDETTE_UPDATE_DOCS=1");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Vedette.slnx"))) folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests run outside the repository.");
        return folder.FullName;
    }
}
