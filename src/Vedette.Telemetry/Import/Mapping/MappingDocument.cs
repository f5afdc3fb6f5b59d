using System.Globalization;
using System.Text;

namespace Vedette.Telemetry.Import.Mapping;

/// <summary>The mapping table in words, for the documentation.</summary>
internal static class MappingDocument
{
    private static readonly (string Family, string Title)[] Families =
    [
        ("sysmon", "Sysmon, on Windows and Linux"), ("security", "Windows security log"), ("eventlog-security", "Cleared security log"),
        ("eventlog", "Cleared other logs"), ("services", "Service control manager"), ("powershell", "PowerShell operational log"),
        ("powershell-classic", "Windows PowerShell log"), ("wmi", "WMI activity"), ("taskscheduler", "Task scheduler"),
        ("auditd", "Linux audit"),
    ];

    /// <summary>Markdown tables, one for each family of events. A star marks action types that are Vedette's own.</summary>
    public static string Render(MappingTable table)
    {
        var text = new StringBuilder();
        foreach (var (family, title) in Families)
        {
            text.Append("### ").Append(title).Append("\n\n| event | what it is | becomes |\n|---|---|---|\n");
            foreach (var kind in table.Events.Where(item => item.Key.Family == family).GroupBy(item => item.Value))
            {
                var ids = string.Join(", ", kind.Select(item => item.Key.Id));
                text.Append(CultureInfo.InvariantCulture, $"| {ids} | {kind.Key.Title} | {Becomes(kind.Key)} |\n");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Becomes(EventMapping mapping) => mapping.Treatment switch
    {
        EventTreatment.NotMapped => $"*not mapped*: {mapping.Reason}",
        EventTreatment.Merged => $"*merged*: {mapping.Reason}",
        _ => string.Join("; ", mapping.Rows.GroupBy(row => row.Table.Name).Select(rows => $"{rows.Key} {Actions(rows)}".TrimEnd()))
            + (mapping.Twin is { IsPrimary: false } twin ? $" (unless another event of the group \"{twin.Group}\" tells it)" : "")
            + (mapping.Reason.Length > 0 ? $"; {mapping.Reason}" : ""),
    };

    private static string Actions(IEnumerable<RowMapping> rows) =>
        string.Join(", ", rows.Where(row => row.Action.Length > 0).Select(row => $"`{row.Action}`{(row.IsOwn ? "*" : "")}").Distinct());
}
